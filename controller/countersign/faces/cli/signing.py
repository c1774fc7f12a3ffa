"""Who signs: a key from a file, a given token, the CI's own, or a person at a browser."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from countersign.adapters.sign.key import KeySigner, Stamp, load_key
from countersign.core.errors import Malformed, Misconfigured
from countersign.faces.cli import passphrase
from countersign.faces.cli.files import read_file
from countersign.faces.cli.options import SigningOptions
from countersign.faces.cli.session import Session
from countersign.ports import Signer


@dataclass(frozen=True, slots=True)
class Signatory:
    """A signer, and what people may call it: display only."""

    name: str
    signer: Signer


def choose(signing: SigningOptions, session: Session) -> Callable[[], Signatory]:
    """Find out who signs; what is wrong with a key or token is said now.

    Args:
        signing: Of the command line.
        session: Asks for a passphrase.

    Returns:
        Call it when there is something to sign: an identity token lives for minutes, so
        the CI or the person is only asked then.

    Raises:
        Misconfigured: there is no key and no Sigstore to sign with.
        Malformed: the key is none, or its passphrase is wrong.
        Rejected: the given token is none, or has expired.
        Unavailable: a file cannot be read.
    """
    if signing.key is not None:
        keyed = _keyed(signing.key, signing, session)
        return lambda: keyed
    if signing.identity_token is not None:
        token = read_file(signing.identity_token).decode(errors="replace")
        given = _keyless(signing, token)
        return lambda: given
    _require_sigstore(signing)
    return lambda: _keyless(signing, None)


def _keyed(file: Path, signing: SigningOptions, session: Session) -> Signatory:
    pem = read_file(str(file))
    locked = b"ENCRYPTED" in pem
    word = passphrase.known(session, str(file)) if locked else ""
    try:
        key = load_key(pem, word)
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error
    return Signatory(file.stem, KeySigner(key, _stamp(signing)))


def _stamp(signing: SigningOptions) -> Stamp | None:
    """Return what stamps a key's signatures; None where no Sigstore is named."""
    if signing.trusted_root is None or signing.signing_config is None:
        return None
    from countersign.adapters.sign.config import SigstoreConfig  # noqa: PLC0415

    return SigstoreConfig(
        read_file(str(signing.trusted_root)), read_file(str(signing.signing_config))
    ).stamps


def _keyless(signing: SigningOptions, token: str | None) -> Signatory:
    # sigstore costs half a second, which signing with a key need not pay
    from countersign.adapters.sign.config import SigstoreConfig  # noqa: PLC0415
    from countersign.adapters.sign.identity import (  # noqa: PLC0415
        ambient_token,
        browser_token,
    )
    from countersign.adapters.sign.keyless import KeylessSigner  # noqa: PLC0415

    root, services = _require_sigstore(signing)
    config = SigstoreConfig(read_file(str(root)), read_file(str(services)))
    if token is None:
        token = ambient_token()
    if token is None:
        click.echo("log in with your browser to sign …", err=True)
        token = browser_token(config)
    signer = KeylessSigner(config, token)
    return Signatory(signer.identity, signer)


def _require_sigstore(signing: SigningOptions) -> tuple[Path, Path]:
    if signing.trusted_root is None or signing.signing_config is None:
        raise Misconfigured(
            "expected a key, or a Sigstore to sign with: give --key FILE, or "
            "--trusted-root FILE and --signing-config FILE"
        )
    return signing.trusted_root, signing.signing_config
