"""Signing as an identity: a certificate for ten minutes, a log entry, a stamp.

Importing this costs half a second: sigstore comes with it.
"""

import asyncio

from sigstore.dsse import Statement
from sigstore.oidc import ExpiredIdentity, IdentityError, IdentityToken
from sigstore.sign import SigningContext

from countersign.adapters.sign.config import SigstoreConfig
from countersign.adapters.sign.failures import failure
from countersign.core.errors import Malformed, Rejected
from countersign.wire.bundle import parse_bundle


class KeylessSigner:
    """Signs with an identity token.

    Args:
        config: The Sigstore to sign with.
        token: An OIDC token for the audience ``sigstore``.

    Attributes:
        identity: Whom the token names, unverified: for people to see before they sign.

    Raises:
        Rejected: the token is none, has expired, or is for somebody else's use.
    """

    def __init__(self, config: SigstoreConfig, token: str) -> None:
        try:
            self._token = IdentityToken(token.strip())
        except IdentityError as error:
            raise Rejected(f"expected a valid identity token: {_why(error)}") from error
        self.identity = self._token.identity
        self._context = SigningContext.from_trust_config(config.client)

    async def sign(self, statement: bytes) -> bytes:
        """Wrap `statement` in DSSE, sign it and return a Sigstore bundle (v0.3 JSON).

        Raises:
            Unavailable: the certificate authority, log or time-stamping authority did
                not answer.
            Rejected: it refused the identity.
        """
        bundle = await asyncio.to_thread(self._sign, statement)
        try:
            signed = parse_bundle(bundle).envelope.payload
        except Malformed as error:
            raise Rejected(f"expected a bundle from sigstore: {error}") from error
        if signed != statement:
            raise Rejected("expected the statement to be signed byte for byte")
        return bundle

    def _sign(self, statement: bytes) -> bytes:
        try:
            with self._context.signer(self._token) as signer:
                return signer.sign_dsse(_Opaque(statement)).to_json().encode()
        except ExpiredIdentity as error:
            raise Rejected("expected an identity token that has not expired") from error
        except Exception as error:
            raise failure(error, "Sigstore") from error


class _Opaque(Statement):
    """A statement that sigstore-python signs as it is.

    Its own class refuses subjects with ``gitCommit`` and ``gitTree`` digests, which
    in-toto defines. That the bytes were signed is checked on the finished bundle.
    """

    def __init__(self, contents: bytes) -> None:
        self._contents = contents


def _why(error: IdentityError) -> str:
    return str(error.__cause__ or error)
