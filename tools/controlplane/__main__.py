"""``python -m tools.controlplane``: the programs and one control plane, from a shell."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from tools.controlplane.binaries import ensure
from tools.controlplane.errors import ControlPlaneError
from tools.controlplane.launch import down, up
from tools.controlplane.programs import ALL, BY_NAME, Program
from tools.controlplane.progress import Progress
from tools.controlplane.servers import Options


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, or 1 with the reason on stderr."""
    given = _parser().parse_args(arguments)
    try:
        _run(given)
    except ControlPlaneError as error:
        Progress().say(str(error))
        return 1
    except KeyboardInterrupt:
        Progress().say("interrupted")
        return 130
    return 0


def _run(given: argparse.Namespace) -> None:
    match given.command:
        case "ensure":
            ensure(given.programs or ALL, minor=given.minor)
        case "path" if given.program:
            print(ensure([given.program], minor=given.minor)[given.program.name])
        case "path":
            folders = {path.parent for path in ensure(minor=given.minor).values()}
            print(os.pathsep.join(sorted(map(str, folders))))
        case "up":
            plane = up(given.folder, Options(minor=given.minor))
            print(f"export KUBECONFIG={shlex.quote(str(plane.admin))}")
        case _:
            if not down(given.folder):
                Progress().say(f"nothing to stop in {given.folder}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.controlplane")
    commands = parser.add_subparsers(dest="command", required=True)
    minor = argparse.ArgumentParser(add_help=False)
    minor.add_argument("--minor", help="of Kubernetes, as in 1.37")
    one_of = f"one of {', '.join(BY_NAME)}"

    command = commands.add_parser(
        "ensure", parents=[minor], help="find, download or build the programs"
    )
    command.add_argument("programs", nargs="*", type=_program, help=one_of)
    command = commands.add_parser(
        "path", parents=[minor], help="print what to put on PATH, or where a program is"
    )
    command.add_argument("program", nargs="?", type=_program, help=one_of)
    command = commands.add_parser(
        "up", parents=[minor], help="start a control plane that stays"
    )
    command.add_argument("folder", type=Path, help="where it keeps all it has")
    command = commands.add_parser(
        "down", help="stop what `up` started, and nothing else"
    )
    command.add_argument("folder", type=Path, help="the same")
    return parser


def _program(name: str) -> Program:
    if name not in BY_NAME:
        raise argparse.ArgumentTypeError(f"expected {', '.join(BY_NAME)}, saw {name!r}")
    return BY_NAME[name]


if __name__ == "__main__":
    sys.exit(main())
