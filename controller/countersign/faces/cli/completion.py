"""``countersign completion``: the script that a shell completes commands by."""

import click
from click.shell_completion import get_completion_class

from countersign.faces.cli.session import Command, Exit

_VARIABLE = "_COUNTERSIGN_COMPLETE"  # as click itself derives it


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the script that completes commands in a shell.

    It asks countersign itself, so it is never out of date.

    \b
    Example:
      source <(countersign completion bash)                       # in ~/.bashrc
      source <(countersign completion zsh)                        # in ~/.zshrc
      countersign completion fish > ~/.config/fish/completions/countersign.fish

    For `kubectl countersign`, kubectl asks a program kubectl_complete-countersign on
    PATH; docs/cli.md has one.
    """  # noqa: D301 - click's mark for "do not wrap"
    from countersign.faces.cli import cli  # noqa: PLC0415 - it imports this module

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click has these three
    script = found(cli, {}, "countersign", _VARIABLE)
    click.echo(script.source())
    return Exit.DONE
