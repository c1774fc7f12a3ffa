"""The folder of a whole countersign on this machine, and what is in it.

It is the contract of ``make up``: kubeconfigs, people, policies, a git repository and
a file to source.
"""

import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tools.controlplane import ControlPlane
from tools.sigstore import VirtualSigstore, Workflow
from tools.stack import policies
from tools.stack.addresses import Addresses
from tools.stack.chart import Tree
from tools.stack.history import History
from tools.stack.people import CI, REPOSITORY, WORKFLOW, Someone

LIFETIME = timedelta(days=7)  # of tokens: a stack may be left running over a weekend


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs, and where its files are.

    Attributes:
        folder: ``.run``.
        plane: The control plane.
        history: The demo's git repository.
        sigstore: The throw-away Sigstore; mints tokens.
        addresses: Of ``countersign serve`` and ``operate``.
        rendered: What the chart makes of the stack's values.
    """

    folder: Path
    plane: ControlPlane
    history: History
    sigstore: VirtualSigstore
    addresses: Addresses
    rendered: list[Tree]

    def kubeconfig(self, someone: Someone) -> Path:
        """Return the kubeconfig of `someone`."""
        return self.folder / "people" / f"{someone.id}.kubeconfig"

    def key(self, someone: Someone) -> Path:
        """Return the private key of `someone`."""
        return self.folder / "people" / f"{someone.id}.key"

    def token(self, someone: Someone) -> Path:
        """Return the identity token of `someone`."""
        return self.folder / "people" / f"{someone.id}.token"

    def mint(self, revision: str) -> None:
        """Renew the CI system's token for the commit `revision`, in hex.

        A workflow's token speaks of one commit, as real ones do.
        """
        workflow = Workflow(file=WORKFLOW, repository=REPOSITORY, revision=revision)
        secret(self.token(CI), self.sigstore.token(workflow, lifetime=LIFETIME))

    @property
    def environment(self) -> dict[str, str]:
        """What a person at this stack has in the environment, PATH apart."""
        sigstore = self.folder / "sigstore"
        return {
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "COUNTERSIGN_CLUSTER": policies.CLUSTER,
            "COUNTERSIGN_TRUSTED_ROOT": str(sigstore / "trusted_root.json"),
            "COUNTERSIGN_SIGNING_CONFIG": str(sigstore / "signing_config.json"),
            "COUNTERSIGN_POLICIES": str(self.folder / "policies"),
            "COUNTERSIGN_RECORDER": self.addresses.recorder,
            "COUNTERSIGN_RECORDER_CA": str(self.addresses.authority),
        }

    @property
    def path(self) -> list[str]:
        """Where ``countersign``, ``kubectl`` and ``helm`` are."""
        return [str(Path(sys.executable).parent), str(self.folder / "bin")]

    def write_environment(self) -> Path:
        """Write the file to source; return it."""
        lines = [f"export {name}='{value}'" for name, value in self.environment.items()]
        lines.append(f"export PATH='{os.pathsep.join(self.path)}':\"$PATH\"")
        file = self.folder / "env"
        file.write_text("\n".join(lines) + "\n")
        return file


def secret(path: Path, text: str) -> None:
    """Write `text` so that only its owner reads it."""
    path.touch(mode=0o600)
    path.write_text(text)
