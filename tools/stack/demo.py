"""The main job, told as a story on the real thing.

Every line with a ``$`` is run as it stands; what follows it is what the real programs
printed. If a step does not do what the story says, the demo fails.
"""

from pathlib import Path

from tools.stack.history import BUILT, IMAGE, TAMPERED
from tools.stack.people import CI, DANA, LEE, RAVI, Someone
from tools.stack.ready import until
from tools.stack.shell import Shell
from tools.stack.stack import Stack

_APPLY = "kubectl apply --server-side -f"
_SHOT = f"{IMAGE}@sha256:{BUILT}"


class Story:
    """The scenes, in order. Each leaves files that the next one uses.

    Args:
        stack: Runs.
        shell: In the stack's folder.
    """

    def __init__(self, stack: Stack, shell: Shell) -> None:
        self._stack = stack
        self._shell = shell

    def tell(self) -> None:
        """Play all scenes.

        Raises:
            UnexpectedError: A command did not do what the story says.
        """
        self.the_ledger_runs()
        self.an_assistant_helps()
        self.the_change_is_denied()
        self.provenance_alone_is_denied()
        self.the_author_signs_for_himself()
        self.a_senior_signs()
        self.a_tampered_image()

    def the_ledger_runs(self) -> None:
        """Admit the state before the story; Dana wrote it, so Ravi signs it."""
        self._shell.say("1. The ledger runs. Dana wrote it, Ravi signed it off.")
        past = self._stack.history
        (self._stack.folder / "before.yaml").write_text(past.before)
        self._stack.mint(past.baseline)
        self._attest(past.baseline, "before.yaml", "running.yaml", show=False)
        self._sign(RAVI, "running.yaml", "running.yaml", show=False)
        self._shell.run(f"{_APPLY} running.yaml", by=LEE)

    def an_assistant_helps(self) -> None:
        """Show the commit."""
        self._shell.say("2. Lee lets an assistant rewrite the fail-over, and commits.")
        self._shell.run("git -C repo log -1 --unified=0 --format=%B", by=LEE)

    def the_change_is_denied(self) -> None:
        """Apply without evidence."""
        self._shell.say("3. Lee applies it to the protected namespace. No evidence:")
        self._shell.run(f"{_APPLY} repo/deploy/ledger.yaml", by=LEE, expect=None)

    def provenance_alone_is_denied(self) -> None:
        """Attest in CI, and apply."""
        self._shell.say(
            "4. CI attests how the change was made. An assistant had a hand in it, so:"
        )
        past = self._stack.history
        self._stack.mint(past.head)
        span = f"{past.baseline[:12]}..{past.head[:12]}"
        self._attest(span, "repo/deploy/ledger.yaml", "attested.yaml")
        self._shell.run(f"{_APPLY} attested.yaml", by=LEE, expect=None)

    def the_author_signs_for_himself(self) -> None:
        """Sign as the author, and apply."""
        self._shell.say("5. Lee is in a hurry, and signs it off himself:")
        self._sign(LEE, "attested.yaml", "self-signed.yaml", show=False)
        self._shell.run(f"{_APPLY} self-signed.yaml", by=LEE, expect=None)

    def a_senior_signs(self) -> None:
        """Sign as a senior, apply, and show the Pods."""
        self._shell.say(
            "6. Dana, a senior, reads the change, answers the questions and signs:"
        )
        self._sign(DANA, "attested.yaml", "signed.yaml")
        self._shell.run(f"{_APPLY} signed.yaml", by=LEE)
        self._wait_for_pods()
        self._shell.run("kubectl get deployments,replicasets,pods", by=LEE)
        print("(Pods stay Pending: this control plane has no nodes.)")

    def a_tampered_image(self) -> None:
        """Change the digest after the signature."""
        self._shell.say("7. Somebody swaps the image after the signature:")
        swapped = f"ledger={IMAGE}@sha256:{TAMPERED}"
        self._shell.run(
            f"kubectl set image deployment/ledger {swapped}", by=LEE, expect=None
        )

    def _attest(self, span: str, file: str, out: str, *, show: bool = True) -> None:
        self._shell.run(
            f"countersign attest {span} --repo repo -f {file} --image {_SHOT} "
            f"--identity-token people/ci.token --carrier annotations --out {out}",
            by=CI,
            show=show,
        )

    def _sign(
        self, someone: Someone, file: str, out: str, *, show: bool = True
    ) -> None:
        self._shell.run(
            f"countersign sign-off -f {file} "
            f"--identity-token people/{someone.id}.token "
            f"--answers people/answers.yaml --out {out}",
            by=someone,
            show=show,
        )

    def _wait_for_pods(self) -> None:
        kubectl = self._stack.plane.kubectl
        wanted = ("get", "replicasets", "-n", "payments", "-o", "json")

        def missing() -> str:
            made = [
                one["status"].get("replicas", 0)
                for one in kubectl(*wanted).json()["items"]
            ]
            return "" if len(made) > 1 and all(made) else f"Pods of each: {made}"

        until(missing, what="the Pods of the new ReplicaSet")


def tell(stack: Stack, *, folder: Path, colour: bool) -> None:
    """Play the story on `stack`, with `folder` as working directory."""
    Story(stack, Shell(stack, folder, colour=colour)).tell()
