"""``countersign hooks``: have commits record which assistants helped."""

import json
from pathlib import Path

import click

from countersign.adapters.git_hooks import GitHooks
from countersign.core.types.artifacts import Json
from countersign.faces.cli import options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.faces.cli.text import one_line
from countersign.provenance.hook_script import HOOKS, hook_script
from countersign.usecases import hooks
from countersign.usecases.hooks import Hook, Hooks, HookState

_shared = click.option(
    "--shared",
    is_flag=True,
    help="Also where core.hooksPath makes the hooks those of other repositories.",
)


@click.group("hooks")
def command() -> None:
    """Have commits record which assistants had a hand in them."""


@command.command("install", cls=Command)
@options.repo
@_shared
@options.output
@click.pass_obj
def install(session: Session, *, repo: Path, shared: bool, output: str) -> int:
    """Put the hooks where git looks; again: bring them up to date.

    A commit made by an assistant then says so, in a trailer. Hooks that are there already
    are called as before. The hooks are plain scripts: they need no countersign, ask no
    network, and never stop a commit.
    """
    del session
    _show(hooks.install(GitHooks(repo), shared=shared), output)
    return Exit.DONE


@command.command("uninstall", cls=Command)
@options.repo
@_shared
@options.output
@click.pass_obj
def uninstall(session: Session, *, repo: Path, shared: bool, output: str) -> int:
    """Take the hooks away, and put back what was there before."""
    del session
    _show(hooks.uninstall(GitHooks(repo), shared=shared), output)
    return Exit.DONE


@command.command("status", cls=Command)
@options.repo
@options.output
@click.pass_obj
def status(session: Session, *, repo: Path, output: str) -> int:
    """Say which hooks are there, and what a commit from here would record.

    Run by an assistant, it says whether that one is known.
    """
    del session
    place = GitHooks(repo)
    _show(hooks.status(place), output, hooks.seen(place))
    return Exit.DONE


@command.command("script", cls=Command)
@click.argument("name", type=click.Choice(HOOKS))
@click.pass_obj
def script(session: Session, name: str) -> int:
    """Print one hook, for a manager of hooks that is to call it."""
    del session
    click.echo(hook_script(name), nl=False)
    return Exit.DONE


def _show(found: Hooks, output: str, seen: tuple[str, ...] | None = None) -> None:
    if output == "json":
        more: dict[str, Json] = {} if seen is None else {"seen": list(seen)}
        click.echo(json.dumps(_plain(found) | more, indent=2))
        return
    click.echo(f"hooks in {one_line(found.folder)}")
    for hook in found.hooks:
        click.echo(f"  {hook.name:<20}{_said(hook)}")
    carried = "copied" if found.notes else "not copied"
    click.echo(f"notes of git-ai: {carried} when commits are rewritten")
    if seen is not None:
        said = ", ".join(one_line(mark) for mark in seen) or "nothing to record"
        click.echo(f"a commit from here: {said}")


def _said(hook: Hook) -> str:
    words = [str(hook.state)]
    if hook.file != hook.name and hook.state is not HookState.ABSENT:
        words.append(f"as {hook.file}")
    if hook.before:
        words.append(
            f"calls {hook.before}" if hook.called else f"{hook.before} is another's"
        )
    return ", ".join(words)


def _plain(found: Hooks) -> dict[str, Json]:
    return {
        "folder": found.folder,
        "hooks": [
            {
                "name": hook.name,
                "state": hook.state.name.lower(),
                "file": hook.file,
                "before": hook.before,
                "called": hook.called,
            }
            for hook in found.hooks
        ],
        "notes": found.notes,
    }
