"""Where the throw-away keys live: in memory, or in a folder that outlives restarts."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

SigningKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Key = TypeVar("Key", bound=SigningKey)

_PRIVATE = 0o600


class Vault:
    """Hands out keys and certificates by name, making each the first time.

    The keys protect nothing but a test or a demonstration: they are stored unencrypted.

    Args:
        folder: Where to keep them; None keeps them nowhere.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def ecdsa(self, name: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        """Return the ECDSA key `name`."""
        key = self._key(name, lambda: ec.generate_private_key(curve))
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{name}.key is no ECDSA key: remove the folder")
        return key

    def ed25519(self, name: str) -> ed25519.Ed25519PrivateKey:
        """Return the Ed25519 key `name`."""
        key = self._key(name, ed25519.Ed25519PrivateKey.generate)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise TypeError(f"{name}.key is no Ed25519 key: remove the folder")
        return key

    def certificate(
        self, name: str, make: Callable[[], x509.Certificate]
    ) -> x509.Certificate:
        """Return the certificate `name`."""
        pem = self._load(f"{name}.crt", lambda: make().public_bytes(Encoding.PEM))
        return x509.load_pem_x509_certificate(pem)

    def text(self, name: str, make: Callable[[], str]) -> str:
        """Return the text `name`."""
        return self._load(f"{name}.txt", lambda: make().encode()).decode()

    def _key(self, name: str, make: Callable[[], SigningKey]) -> object:
        def pem() -> bytes:
            return make().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )

        return load_pem_private_key(self._load(f"{name}.key", pem), password=None)

    def _load(self, file: str, make: Callable[[], bytes]) -> bytes:
        if self._folder is None:
            return make()
        path = self._folder / file
        if not path.exists():
            path.touch(_PRIVATE)
            path.write_bytes(make())
        return path.read_bytes()


def stranger(key: Key) -> Key:
    """Make a key of the same kind that nobody trusts: what a forger has."""
    fresh: SigningKey
    if isinstance(key, ec.EllipticCurvePrivateKey):
        fresh = ec.generate_private_key(key.curve)
    else:
        fresh = ed25519.Ed25519PrivateKey.generate()
    return cast("Key", fresh)
