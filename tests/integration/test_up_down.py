"""What ``make up`` leaves running is a contract; ``make down`` leaves nothing."""

import os
import subprocess
import sys
from pathlib import Path

from tools.controlplane import Ledger
from tools.stack.people import EVERYONE, PERSONS

_CHECKOUT = Path(__file__).parents[2]
_USED = "kubectl get ns payments -o name && command -v helm"


def test_up_and_down(tmp_path: Path) -> None:
    """The files that tutorials and scripts use are there; afterwards nothing is."""
    folder = tmp_path / "run"
    first = _stack("up", folder)
    processes = Ledger(folder / "controlplane" / "processes.json").entries
    try:
        again = _stack("up", folder)
        sourced = subprocess.run(
            ["bash", "-c", f"source {folder}/env && {_USED}"],
            check=True,
            capture_output=True,
            text=True,
        )
        missing = [one for one in _contract() if not (folder / one).exists()]
    finally:
        _stack("down", folder)

    assert "export COUNTERSIGN_CLUSTER='local'" in first
    assert "runs already" in again
    assert sourced.stdout.splitlines() == [
        "namespace/payments",
        f"{folder}/bin/helm",
    ]
    assert not missing
    assert not folder.exists()
    assert processes
    assert not any(one.is_alive() for one in processes)


def _contract() -> list[str]:
    people = [f"people/{one.id}.{kind}" for one in EVERYONE for kind in _KINDS]
    policies = [f"policies/protectionpolicy-{one}.yaml" for one in _PROTECTED]
    return [
        *people,
        *policies,
        "kubeconfig",
        "dev.kubeconfig",
        "env",
        "people/answers.yaml",
        "policies/roster-platform.yaml",
        "repo/.git",
    ]


_KINDS = ("key", "pub", "token", "kubeconfig")
_PROTECTED = ("payments", "ledger", "orders")


def test_everybody_has_a_role() -> None:
    """The persons of the contract, by role."""
    roles = {one.id: one.roles for one in PERSONS}

    assert roles == {
        "dana": ("senior",),
        "ravi": ("senior", "service-owner"),
        "lee": ("developer",),
        "omar": ("on-call",),
        "ada": ("policy-admin", "roster-admin"),
    }


def _stack(command: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tools.stack", command, "--folder", str(folder)],
        cwd=_CHECKOUT,
        env={**os.environ},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout
