"""A virtual Sigstore for tests, and the outsider's view on it: sigstore-python's own."""

import json
import urllib.request
import webbrowser
from functools import cache
from http import HTTPStatus

from cryptography import x509
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier

from tools.sigstore import VirtualSigstore

ISSUER = "https://accounts.acme.example"
DANA = "dana@acme.example"
NOWHERE = "http://127.0.0.1:1"


@cache
def shared() -> VirtualSigstore:
    """Return the one instance that tests share: making keys takes a while."""
    return VirtualSigstore(name="acme")


@cache
def stranger() -> VirtualSigstore:
    """Return another instance, with the same name and other keys."""
    return VirtualSigstore(name="acme")


def trust_config(sigstore: VirtualSigstore, url: str = NOWHERE) -> ClientTrustConfig:
    """Configure a client of `sigstore`, served at `url`."""
    return ClientTrustConfig.from_json(
        json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": sigstore.trusted_root(),
                "signingConfig": sigstore.signing_config(url),
            }
        )
    )


class Outsider:
    """Verifies with sigstore-python alone.

    Attributes:
        certificate: Of the last bundle that was accepted up to its signature.
    """

    def __init__(self, sigstore: VirtualSigstore) -> None:
        self._verifier = Verifier(trusted_root=trust_config(sigstore).trusted_root)
        self.certificate: x509.Certificate | None = None

    def verify(self, cert: x509.Certificate) -> None:
        """Be the policy that accepts anybody, and remember whom."""
        self.certificate = cert

    def payload(self, bundle: bytes) -> bytes:
        """Return the verified payload of `bundle`.

        Raises:
            Exception: Whatever sigstore-python raises on what it refuses.
        """
        return self._verifier.verify_dsse(Bundle.from_json(bundle), self)[1]


class Browser(webbrowser.BaseBrowser):
    """A browser with dana in front of it: follows redirects, fills the one form."""

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002  the base class's signature
        """Log in as dana at what `url` leads to."""
        with urllib.request.urlopen(url) as page:  # noqa: S310  loopback
            form = f"{page.url}&email={DANA}"
            if b'name="email"' not in page.read():
                return False
        with urllib.request.urlopen(form) as done:  # noqa: S310  loopback
            return bool(done.status == HTTPStatus.OK)
