"""``countersign init``: the first trust root, roster and policy, to be filled in."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import click

from countersign.core.errors import Malformed, Unavailable
from countersign.faces.cli import options, passphrase
from countersign.faces.cli.files import read_file
from countersign.faces.cli.session import Command, Exit, Session
from countersign.report.beginning import Beginner, beginning

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_EXAMPLE = "my-namespace"


@click.command("init", cls=Command)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="policies",
    show_default=True,
    help="Folder to write to; made if it is not there.",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Namespace to protect. Repeatable.",
)
@click.option("--id", "person", help="Your short name; else from the address.")
@click.option("--name", help="Your name; else git's user.name.")
@click.option("--email", help="Your address in git; else git's user.email.")
@click.option(
    "--key",
    type=options.FILE,
    help="Your public key (PEM); else a new pair ID.key, ID.pub is made here.",
)
@click.option("--issuer", help="OIDC issuer of your certificates: you sign keyless.")
@click.option("--san", help="Name in your certificates; else your address.")
@options.trusted_root
@click.pass_obj
def command(
    session: Session,
    *,
    folder: Path,
    namespaces: tuple[str, ...],
    person: str | None,
    name: str | None,
    email: str | None,
    key: Path | None,
    issuer: str | None,
    san: str | None,
    trusted_root: Path | None,
) -> int:
    """Write a first trust root, roster and policy.

    You are on the roster, and the policy only looks (enforcement: audit). Comments in
    the files say what to change. Nothing is overwritten.

    \b
    Example:
      countersign init --namespace payments
      countersign verify -f release.yaml --policies policies --cluster prod-eu
      kubectl apply -f policies
    """  # noqa: D301 - click's mark for "do not wrap"
    if issuer and key:
        raise click.UsageError("expected --key or --issuer, saw both")
    if issuer and trusted_root is None:
        raise click.UsageError(
            "expected the Sigstore of the issuer, saw none: give --trusted-root FILE"
        )
    said, address = _git(name, email)
    if not address:
        raise click.UsageError(
            "expected your address, saw none in git's user.email: give --email"
        )
    short = person or _short(address)
    _require_free(folder)
    keyless = issuer is not None and trusted_root is not None
    first = Beginner(
        id=short,
        name=said or short,
        email=address,
        pem="" if keyless else _public(session, key, short),
        sigstore=_sigstore(trusted_root) if keyless else "",
        issuer=issuer or "",
        san=san or address,
    )
    files = beginning(first, namespaces or (_EXAMPLE,))
    _check(files)
    _write(folder, files)
    click.echo(
        f"next: read what {folder} says, then countersign verify -f MANIFESTS "
        f"--policies {folder} --cluster NAME, then kubectl apply -f {folder}",
        err=True,
    )
    return Exit.DONE


def _git(name: str | None, email: str | None) -> tuple[str, str]:
    if name and email:
        return name, email
    # libgit2, for those who did not say it
    from countersign.adapters.git_config import git_identity  # noqa: PLC0415

    known_name, known_email = git_identity(Path())
    return name or known_name, email or known_email


def _short(address: str) -> str:
    """Make an id of an address: ``dana.lee+work@acme.example`` is ``dana-lee``."""
    local = address.partition("@")[0].partition("+")[0].lower()
    return _NOT_IN_A_NAME.sub("-", local).strip("-") or "me"


def _public(session: Session, key: Path | None, short: str) -> str:
    if key is None:
        from countersign.adapters.key_files import generate  # noqa: PLC0415

        private, key = generate(Path(short), passphrase.chosen(session))
        click.echo(f"private key: {private} (keep it; commit it nowhere)")
        click.echo(f"public key:  {key}")
    text = read_file(str(key)).decode(errors="replace")
    if "PRIVATE KEY" in text:
        raise Malformed(f"{key}: expected a public key, saw a private one")
    return text


def _sigstore(file: Path | None) -> str:
    from countersign.wire.strict_json import parse_json  # noqa: PLC0415 - pydantic

    raw = read_file(str(file))
    try:
        parse_json(raw, limit=len(raw))
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error
    return raw.decode()


_FILES = tuple(beginning(Beginner(id="", name="", email=""), ("",)))


def _require_free(folder: Path) -> None:
    """Refuse before anything is written, so that nothing is half done."""
    if there := [file for file in _FILES if (folder / file).exists()]:
        raise Malformed(
            f"expected {folder} without {', '.join(there)}, saw it there: choose "
            "another folder with --dir; nothing was written"
        )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = folder / name
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(path, flags, 0o644), "w") as stream:
                stream.write(text)
            click.echo(f"written: {path}")
    except OSError as error:
        raise Unavailable(f"could not write to {folder}: {error}") from error


def _check(files: Mapping[str, str]) -> None:
    """Read what is to be written, as every command will.

    Raises:
        Malformed: what somebody gave cannot be used; the message says why.
    """
    # pydantic and cryptography, which --help need not pay
    from countersign.adapters.books import bind_books  # noqa: PLC0415
    from countersign.wire.manifests import parse_manifests  # noqa: PLC0415

    trees = [tree for text in files.values() for tree in parse_manifests(text.encode())]
    books = bind_books(
        lambda kind: [tree for tree in trees if tree["kind"] == kind.name], ()
    )
    if books.problems:
        first = books.problems[0]
        raise Malformed(f"{first.kind}: {'; '.join(first.problems)}")
