"""Making a key pair on disk."""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from countersign.core.errors import Malformed, Unavailable


def generate(name: Path, passphrase: str) -> tuple[Path, Path]:
    """Write ``NAME.key`` (PKCS#8, mode 0600) and ``NAME.pub``; return both paths.

    An ECDSA key on P-256: every verifier of the Sigstore family reads its signatures.

    Args:
        name: Path without suffix.
        passphrase: Encrypts the private key; ``""`` leaves it in the clear.

    Raises:
        Malformed: one of the files is there already; nothing is overwritten.
        Unavailable: the folder cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        locked = serialization.BestAvailableEncryption(passphrase.encode())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    paths = (name.with_name(f"{name.name}.key"), name.with_name(f"{name.name}.pub"))
    for path in paths:
        if path.exists():
            raise Malformed(
                f"expected a new name, saw that {path} exists: choose another or "
                "remove it"
            )
    _create(paths[0], private, 0o600)
    _create(paths[1], public, 0o644)
    return paths


def _create(path: Path, content: bytes, mode: int) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise Unavailable(f"could not write {path}: {error.strerror}") from error
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
