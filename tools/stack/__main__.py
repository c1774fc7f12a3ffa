"""``make demo``, ``make up`` and ``make down``."""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools import controlplane
from tools.controlplane import ControlPlaneError, Ledger, Options
from tools.stack import policies
from tools.stack.build import build
from tools.stack.demo import tell
from tools.stack.shell import UnexpectedError

RUN = Path(".run")
_PLANE = "controlplane"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the three; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.stack")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="tell the story, and leave nothing behind")
    for name, text in (("up", "leave the stack running"), ("down", "stop it")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--folder", type=Path, default=RUN)
    options = parser.parse_args(arguments)
    try:
        if options.command == "demo":
            return demo()
        folder = options.folder.absolute()
        return up(folder) if options.command == "up" else down(folder)
    except (ControlPlaneError, UnexpectedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped: nothing is left running", file=sys.stderr)
        return 130


def demo() -> int:
    """Play the story on a control plane that lives as long as it."""
    began = time.monotonic()
    _say("a control plane: etcd, kube-apiserver, kube-controller-manager")
    with controlplane.running(Options(cluster=policies.CLUSTER)) as plane:
        stack = build(plane, plane.folder / "run", say=_say)
        tell(stack, folder=stack.folder, colour=sys.stdout.isatty())
    print(
        f"\nThat took {time.monotonic() - began:.0f} s; nothing is left running.\n"
        "Next: `make up` leaves it all running to try things on; "
        "docs/tutorial.md walks through it."
    )
    return 0


def up(folder: Path) -> int:
    """Leave the stack running in `folder`; if one runs there, say how to use it."""
    processes = Ledger(folder / _PLANE / "processes.json").entries
    if processes and all(one.is_alive() for one in processes):
        print("It runs already; `make down` stops it.\n")
    else:
        down(folder)
        _say("a control plane: etcd, kube-apiserver, kube-controller-manager")
        plane = controlplane.up(folder / _PLANE, Options(cluster=policies.CLUSTER))
        try:
            plane.binaries |= controlplane.ensure()  # helm, too: people try it here
            build(plane, folder, say=_say)
        except BaseException:
            down(folder)
            raise
    print(
        f"{(folder / 'env').read_text()}\n"
        f"That is {folder}/env, to `source`. You are the cluster's administrator; lee, "
        f"a developer, is {folder}/dev.kubeconfig, and everybody is in {folder}/people.\n"
        "Next: docs/tutorial.md. `make down` stops it."
    )
    return 0


def down(folder: Path) -> int:
    """Stop what `up` started in `folder`, and remove what it made."""
    if not controlplane.down(folder / _PLANE):
        return 0
    shutil.rmtree(folder)
    _say(f"stopped, and {folder} removed")
    return 0


def _say(step: str) -> None:
    print(f"· {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
