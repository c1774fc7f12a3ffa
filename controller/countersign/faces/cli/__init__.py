"""The command line: one file a command, each over one use case.

Exit codes are a contract: 0 allowed or done, 1 could not decide, 2 usage, 3 no inputs,
10 denied, 11 allowed with warnings (with ``--strict``).
"""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import PurePath

import click

from countersign.adapters.clock import SystemClock
from countersign.core.errors import CountersignError
from countersign.faces.cli.group import LazyGroup
from countersign.faces.cli.session import Exit, NoInput, Session
from countersign.faces.cli.text import for_runner

_PLUGIN = "kubectl-countersign"

# commands say to people what matters; `serve` and `operate` log
logging.getLogger("countersign").addHandler(logging.NullHandler())


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 allowed or done, 1 could not decide, 2 usage, 3 no inputs, "
    "10 denied, 11 allowed with warnings (--strict).",
)
@click.version_option(package_name="countersign", message="%(version)s")
def cli() -> None:
    """No AI-assisted change reaches a protected namespace unsigned."""


def main(argv: Sequence[str] | None = None, *, session: Session | None = None) -> int:
    """Run one command and return its exit code; nothing is raised.

    Args:
        argv: Arguments after the program's name; those of the process by default.
        session: What the command is given besides; the process's own by default.
    """
    name = PurePath(sys.argv[0]).name
    given = session or Session(
        environ=os.environ,
        present=SystemClock().now,
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
    )
    try:
        outcome = cli.main(
            None if argv is None else list(argv),
            prog_name="kubectl countersign" if name == _PLUGIN else "countersign",
            standalone_mode=False,
            obj=given,
        )
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except NoInput as error:
        return _failed(error, Exit.NO_INPUT, given)
    except CountersignError as error:
        return _failed(error, Exit.UNDECIDED, given)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nstopped: nothing was written", err=True)
        return Exit.UNDECIDED
    except BrokenPipeError:  # who reads our output has gone: there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.UNDECIDED
    except Exception as error:  # noqa: BLE001 - the face's one net: doubt is not success
        hint = "" if given.debug else ": this is a fault of countersign, see --debug"
        text = f"{type(error).__name__}: {error}{hint}"
        return _failed(RuntimeError(text), Exit.UNDECIDED, given)
    return int(outcome or Exit.DONE)


def _failed(error: Exception, code: Exit, session: Session) -> int:
    if session.debug:
        import traceback  # noqa: PLC0415 - 10 ms that --help need not pay

        traceback.print_exc()
    click.echo(f"error: {for_runner(str(error))}", err=True)  # it quotes names of files
    return code
