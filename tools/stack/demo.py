"""The main job, told as a story on the real thing.

Every line with a ``$`` is run as it stands; what follows it is what the real programs
printed. If a step does not do what the story says, the demo fails.
"""

from pathlib import Path

from tools.stack.history import BUILT, IMAGE, TAMPERED
from tools.stack.people import CI, DANA, LEE, Someone
from tools.stack.ready import until
from tools.stack.shell import Shell
from tools.stack.stack import Stack


class Story:
    """The scenes, in order. Each leaves files that the next one uses.

    Args:
        stack: Runs.
        shell: In the stack's folder.
    """

    def __init__(self, stack: Stack, shell: Shell) -> None:
        self._stack = stack
        self._shell = shell
        self._range = f"{stack.history.baseline[:12]}..{stack.history.head[:12]}"

    def tell(self) -> None:
        """Play all scenes.

        Raises:
            UnexpectedError: A command did not do what the story says.
        """
        self.an_assistant_helps()
        self.the_change_is_denied()
        self.provenance_alone_is_denied()
        self.the_author_signs_for_himself()
        self.a_senior_signs()
        self.a_tampered_image()

    def an_assistant_helps(self) -> None:
        """Show the commit."""
        self._shell.say("1. Lee lets an assistant rewrite the fail-over, and commits.")
        log = "git -C repo log -1 --format=%an:%n%n%B"
        self._shell.run(log, by=LEE)

    def the_change_is_denied(self) -> None:
        """Apply without evidence."""
        self._shell.say("2. Lee applies it to the protected namespace. No evidence:")
        self._shell.run("kubectl apply -f repo/deploy/ledger.yaml", by=LEE, expect=None)

    def provenance_alone_is_denied(self) -> None:
        """Attest in CI, and apply."""
        self._shell.say(
            "3. CI attests how the change was made. An assistant had a hand in it, so:"
        )
        self._shell.run(
            f"countersign attest {self._range} --repo repo "
            f"-f repo/deploy/ledger.yaml --image {IMAGE}@sha256:{BUILT} "
            f"--identity-token people/ci.token --carrier annotations "
            f"--out attested.yaml",
            by=CI,
        )
        self._shell.run("kubectl apply -f attested.yaml", by=LEE, expect=None)

    def the_author_signs_for_himself(self) -> None:
        """Sign as the author, and apply."""
        self._shell.say("4. Lee is in a hurry, and signs it off himself:")
        self._sign(LEE, "self-signed.yaml")
        self._shell.run("kubectl apply -f self-signed.yaml", by=LEE, expect=None)

    def a_senior_signs(self) -> None:
        """Sign as a senior, apply, and show the Pods."""
        self._shell.say(
            "5. Dana, a senior, reads the change, answers the questions and signs."
        )
        self._sign(DANA, "signed.yaml")
        self._shell.run("kubectl apply -f signed.yaml", by=LEE)
        self._wait_for_pods()
        self._shell.run("kubectl get deployments,pods", by=LEE)
        print("(Pods stay Pending: this control plane has no nodes.)")

    def a_tampered_image(self) -> None:
        """Change the digest after the signature, and apply."""
        self._shell.say("6. Somebody swaps the image after the signature:")
        signed = self._stack.folder / "signed.yaml"
        tampered = self._stack.folder / "tampered.yaml"
        tampered.write_text(signed.read_text().replace(BUILT, TAMPERED))
        self._shell.run("kubectl apply -f tampered.yaml", by=LEE, expect=None)

    def _sign(self, someone: Someone, out: str) -> None:
        self._shell.run(
            f"countersign sign-off -f attested.yaml "
            f"--identity-token people/{someone.id}.token --answers people/answers.yaml "
            f"--out {out}",
            by=someone,
        )

    def _wait_for_pods(self) -> None:
        kubectl = self._stack.plane.kubectl

        def missing() -> str:
            found = kubectl("get", "pods", "-n", "payments", "-o", "name").stdout
            return "" if len(found.splitlines()) == 2 else found or "no Pods"  # noqa: PLR2004

        until(missing, what="the ledger's two Pods")


def tell(stack: Stack, *, folder: Path, colour: bool) -> None:
    """Play the story on `stack`, with `folder` as working directory."""
    Story(stack, Shell(stack, folder, colour=colour)).tell()
