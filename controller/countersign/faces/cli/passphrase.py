"""The passphrase of a private key: from the environment, else from the terminal."""

from collections.abc import Callable

import click

from countersign.faces.cli.session import Session

VARIABLE = "COUNTERSIGN_PASSWORD"


def chosen(session: Session) -> str:
    """Return the passphrase for a new key; ``""`` for none.

    Raises:
        click.UsageError: there is neither the variable nor a terminal.
    """
    return _from(
        session,
        lambda: click.prompt(
            "Passphrase (empty for none)",
            default="",
            show_default=False,
            hide_input=True,
            confirmation_prompt=True,
            err=True,
        ),
    )


def known(session: Session, file: str) -> str:
    """Return the passphrase of the existing key in `file`.

    Raises:
        click.UsageError: there is neither the variable nor a terminal.
    """
    return _from(
        session,
        lambda: click.prompt(f"Passphrase of {file}", hide_input=True, err=True),
    )


def _from(session: Session, ask: Callable[[], str]) -> str:
    if VARIABLE in session.environ:
        return session.environ[VARIABLE]
    if not session.interactive:
        raise click.UsageError(
            f"expected a passphrase, saw no terminal to ask on: set {VARIABLE}"
        )
    return ask()
