"""The main job, told as a story on the real thing.

Every line with a ``$`` is run as it stands; what follows it is what the real programs
printed. If a step does not do what the story says, the demo fails.
"""

import re
from pathlib import Path

from tools.stack.history import BUILT, IMAGE, TAMPERED
from tools.stack.people import CI, DANA, LEE, OMAR, RAVI, Someone
from tools.stack.ready import until
from tools.stack.shell import Ran, Shell, UnexpectedError
from tools.stack.stack import Stack

_APPLY = "kubectl apply --server-side -f"
_MANIFEST = "repo/deploy/ledger.yaml"
_SHOT = f"{IMAGE}@sha256:{BUILT}"
_DECISION = re.compile(r"\bdecision ([0-9A-Z]{26});")


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
        self.ci_attests()
        decision = self.the_change_is_denied()
        self.the_author_signs_for_himself(decision)
        self.a_senior_signs(decision)
        self.a_tampered_image()
        self.who_signed_what_runs()
        self.break_glass()

    def the_ledger_runs(self) -> None:
        """Admit the state before the story; Dana wrote it, so Ravi signs it."""
        self._shell.say("1. The ledger runs. Dana wrote it, Ravi signed it off.")
        past = self._stack.history
        (self._stack.folder / "before.yaml").write_text(past.before)
        self._stack.mint(past.baseline)
        self._attest(past.baseline, "before.yaml", "before-evidence.yaml", show=False)
        self._shell.run(
            f"{_APPLY} before-evidence.yaml", by=CI, expect=None, show=False
        )
        denied = self._shell.run(
            f"{_APPLY} before.yaml", by=LEE, expect=None, show=False
        )
        self._sign(RAVI, _decision(denied), show=False)
        self._shell.run(f"{_APPLY} before.yaml", by=LEE)

    def an_assistant_helps(self) -> None:
        """Show the commit."""
        self._shell.say("2. Lee lets an assistant rewrite the fail-over, and commits.")
        self._shell.run("git -C repo log -1 --unified=0 --format=%B", by=LEE)

    def ci_attests(self) -> None:
        """Attest in CI; the evidence goes beside the object, which stays as it is."""
        self._shell.say("3. CI attests how the change was made:")
        past = self._stack.history
        self._stack.mint(past.head)
        span = f"{past.baseline[:12]}..{past.head[:12]}"
        self._attest(span, _MANIFEST, "evidence.yaml")

    def the_change_is_denied(self) -> str:
        """Apply; return the decision."""
        self._shell.say(
            "4. Lee applies it to the protected namespace, evidence included:"
        )
        return _decision(
            self._shell.run(f"{_APPLY} evidence.yaml", by=LEE, expect=None)
        )

    def the_author_signs_for_himself(self, decision: str) -> None:
        """Sign as the author, with a signer's rights, and apply."""
        self._shell.say("5. Lee is in a hurry, and signs it off himself:")
        self._sign(LEE, decision)
        self._shell.run(f"{_APPLY} {_MANIFEST}", by=LEE, expect=None)

    def a_senior_signs(self, decision: str) -> None:
        """Sign as a senior, apply, and show the Pods."""
        self._shell.say(
            "6. Dana, a senior, sees what was denied, answers the questions and signs. "
            "The very same apply passes:"
        )
        self._sign(DANA, decision)
        self._shell.run(f"{_APPLY} {_MANIFEST}", by=LEE)
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

    def who_signed_what_runs(self) -> None:
        """Name the approver of what runs."""
        self._shell.say("8. A year later: who signed what runs now?")
        self._shell.run("countersign audit running -n payments", by=DANA)

    def break_glass(self) -> None:
        """Take the fail-over back in an emergency."""
        self._shell.say(
            "9. At night the fail-over flaps. Omar, on call, breaks the glass:"
        )
        path, value = "/spec/template/spec/containers/0/args/1", "--failover=manual"
        patch = f'[{{"op":"replace","path":"{path}","value":"{value}"}}]'
        command = f"kubectl patch deployment ledger --type=json -p '{patch}'"
        denied = self._shell.run(command, by=LEE, expect=None)
        self._shell.run(
            f"countersign sign-off --decision {_decision(denied)} --break-glass "
            '--incident INC-7 --justification "fail-over flaps" '
            "--identity-token people/omar.token",
            by=OMAR,
        )
        self._shell.run(command, by=LEE)
        self._shell.say("   It is recorded, and a review is owed:")
        self._wait_for_debt()
        self._shell.run("countersign status", by=DANA)

    def _attest(self, span: str, file: str, out: str, *, show: bool = True) -> None:
        self._shell.run(
            f"countersign attest {span} --repo repo -f {file} --image {_SHOT} "
            f"--identity-token people/ci.token --carrier bundleset --out {out}",
            by=CI,
            show=show,
        )

    def _sign(self, someone: Someone, decision: str, *, show: bool = True) -> None:
        self._shell.run(
            f"countersign sign-off --decision {decision} "
            f"--identity-token people/{someone.id}.token "
            "--answers people/answers.yaml",
            by=someone,
            show=show,
        )

    def _wait_for_debt(self) -> None:
        """Wait until the recorder has taken the admission from the webhook's spool."""

        def missing() -> str:
            told = self._shell.run("countersign status", by=DANA, show=False).output
            return "" if "break-glass INC-7" in told else told

        until(missing, what="the review debt")

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


def _decision(ran: Ran) -> str:
    """Return the decision that a denial names.

    Raises:
        UnexpectedError: It names none.
    """
    if found := _DECISION.search(ran.output):
        return found.group(1)
    raise UnexpectedError(f"expected a decision in the denial, saw {ran.output!r}")


def tell(stack: Stack, *, folder: Path, colour: bool) -> None:
    """Play the story on `stack`, with `folder` as working directory."""
    Story(stack, Shell(stack, folder, colour=colour)).tell()
