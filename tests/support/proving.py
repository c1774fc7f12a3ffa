"""Trust roots, a clock and a prover, for tests of what bundles prove."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from countersign.adapters.proof.prover import BundleProver
from countersign.core.types.artifacts import Digest
from countersign.core.types.time import ALWAYS, Interval
from countersign.core.types.trust import TrustedKey, TrustRoot, TsaOnly
from countersign.wire.signoff import render_sign_off
from tests.support.claims import SIGN_OFF
from tools.sigstore import Party, VirtualSigstore

STATEMENT = render_sign_off(SIGN_OFF)


@dataclass
class FixedTrust:
    """A book with these roots; changed by assignment."""

    pages: tuple[TrustRoot, ...]

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return them."""
        return self.pages


@dataclass
class FixedClock:
    """A clock that stands still; moved by assignment."""

    moment: datetime

    def now(self) -> datetime:
        """Return where it stands."""
        return self.moment


def sigstore_root(
    sigstore: VirtualSigstore,
    name: str = "acme",
    *,
    retired: Mapping[Party, datetime] | None = None,
) -> TrustRoot:
    """Trust `sigstore`, but for what is retired."""
    raw = json.dumps(sigstore.trusted_root(retired)).encode()
    return TrustRoot(name=name, digest=Digest.sha256(raw), sigstore=raw)


def private_root(sigstore: VirtualSigstore, name: str = "private") -> TrustRoot:
    """Trust `sigstore` as one that has no logs: certificates and stamps alone."""

    def pem(*chain: x509.Certificate) -> bytes:
        return b"".join(one.public_bytes(Encoding.PEM) for one in chain)

    chains = TsaOnly(
        certificate_chain=pem(sigstore.ca.intermediate, sigstore.ca.root),
        tsa_chain=pem(sigstore.tsa.certificate, sigstore.tsa.root),
    )
    digest = Digest.sha256(repr(chains).encode())
    return TrustRoot(name=name, digest=digest, tsa_only=chains)


def key_root(name: str = "local-keys", /, **keys: bytes) -> TrustRoot:
    """Trust keys by name, for ever."""
    return key_root_within(name, ALWAYS, **keys)


def key_root_within(name: str, valid: Interval, /, **keys: bytes) -> TrustRoot:
    """Trust keys by name, within a window."""
    named = tuple(TrustedKey(key, pem, valid) for key, pem in keys.items())
    return TrustRoot(name=name, digest=Digest.sha256(repr(named).encode()), keys=named)


def prover(*roots: TrustRoot, at: datetime | None = None) -> BundleProver:
    """Prove under `roots`, now or at another moment."""
    return BundleProver(FixedTrust(roots), FixedClock(at or datetime.now(UTC)))
