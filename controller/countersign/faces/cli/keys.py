"""``countersign keys``: make keys to sign with."""

from pathlib import Path

import click

from countersign.adapters.key_files import generate as write_pair
from countersign.faces.cli import passphrase
from countersign.faces.cli.session import Command, Exit, Session


@click.group("keys")
def command() -> None:
    """Make keys to sign with."""


@command.command("generate", cls=Command)
@click.argument("name", type=click.Path(path_type=Path))
@click.pass_obj
def generate(session: Session, name: Path) -> int:
    """Write a key pair: NAME.key (private, mode 0600) and NAME.pub.

    The passphrase is asked for on a terminal, or taken from COUNTERSIGN_PASSWORD; an
    empty one leaves the private key unprotected.
    """
    private, public = write_pair(name, passphrase.chosen(session))
    click.echo(f"private key: {private}")
    click.echo(f"public key:  {public}")
    click.echo(
        "next: have the public key named in a TrustRoot and in a Roster", err=True
    )
    return Exit.DONE
