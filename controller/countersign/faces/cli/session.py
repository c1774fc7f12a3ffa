"""What a command is given besides its arguments: environment, clock, debug switch."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import click

from countersign.faces.cli.sections import FEW, by_section


class Exit(IntEnum):
    """What the process tells its caller; all other codes are reserved."""

    DONE = 0
    UNDECIDED = 1
    USAGE = 2
    NO_INPUT = 3
    DENIED = 10
    WARNED = 11


class NoInput(Exception):  # noqa: N818 - it is an outcome with an exit code of its own
    """There is nothing to work on: no file, no object, no commit."""


@dataclass(kw_only=True)
class Session:
    """One run of the command line; the Clock of the use cases.

    Attributes:
        environ: The environment; the CI system's variables are read from it.
        present: Returns the present, aware, in UTC.
        interactive: Whether there is a person to ask: input and errors are a terminal.
        debug: Whether an error shows its traceback.
    """

    environ: Mapping[str, str]
    present: Callable[[], datetime]
    interactive: bool = False
    debug: bool = False

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        return self.present()


class Command(click.Command):
    """A command that takes ``--debug`` like every other, and knows how it was called."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments, for the command that an error proposes."""
        ctx.meta[_WRITTEN] = tuple(args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters and the common ones."""
        return [*super().get_params(ctx), _DEBUG]

    def format_options(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the options, under headings where there are many."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        if len(options) <= FEW:
            super().format_options(ctx, formatter)
            return
        for heading, some in by_section(options):
            with formatter.section(heading):
                formatter.write_dl(
                    [line for one in some if (line := one.get_help_record(ctx))]
                )


def _remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    del param
    if value:
        ctx.ensure_object(Session).debug = True


def corrected(instead: Mapping[str, str]) -> str:
    """Return the running command as it was called, with other words in some places.

    Args:
        instead: Values of options or arguments, and what is to stand there.
    """
    context = click.get_current_context()
    said: tuple[str, ...] = context.meta.get(_WRITTEN, ())
    return shlex.join(
        [*context.command_path.split(), *(_put(w, instead) for w in said)]
    )


def _put(word: str, instead: Mapping[str, str]) -> str:
    if word in instead:
        return instead[word]
    option, equals, value = word.partition("=")
    return f"{option}={instead[value]}" if equals and value in instead else word


_WRITTEN = "countersign.written"
_DEBUG = click.Option(
    ["--debug"],
    is_flag=True,
    expose_value=False,
    callback=_remember,
    help="Show the traceback of an error.",
)
