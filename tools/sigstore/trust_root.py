"""The two files a client is configured with: whom to trust, and where to sign.

Source:
    github.com/sigstore/protobuf-specs, sigstore_trustroot.proto (TrustedRoot v0.1,
    SigningConfig v0.2), in protobuf's JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from tools.sigstore.encoding import PublicKey, b64, rfc3339, spki

Json = dict[str, Any]


class Rekor(StrEnum):
    """The two kinds of transparency log."""

    V1 = "v1"
    V2 = "v2"


class Party(StrEnum):
    """Those whom a client trusts."""

    CA = "ca"
    CT = "ct"
    LOG = "log"
    TSA = "tsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A log's public key, the id verifiers find it by, and its host's name."""

    key: PublicKey
    log_id: bytes
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The certificates of an authority, root last, and its host's name."""

    certificates: Sequence[x509.Certificate]
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """All that a trusted root names, and since when it is in use."""

    ca: Chain
    ct: LogKey
    logs: Sequence[LogKey]
    tsa: Chain
    since: datetime

    def document(
        self, retired: Mapping[Party, datetime], begun: Mapping[Party, datetime]
    ) -> Json:
        """Write ``trusted_root.json``.

        Args:
            retired: When the keys of a party went out of use; the others still are.
            begun: When they came into use; the others with the instance.
        """

        def window(party: Party) -> Json:
            end = retired.get(party)
            return {"start": rfc3339(begun.get(party, self.since))} | (
                {"end": rfc3339(end)} if end else {}
            )

        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(log, window(Party.LOG)) for log in self.logs],
            "certificateAuthorities": [_chain(self.ca, window(Party.CA))],
            "ctlogs": [_log(self.ct, window(Party.CT))],
            "timestampAuthorities": [_chain(self.tsa, window(Party.TSA))],
        }


def merged(*roots: Json) -> Json:
    """Trust all that any of `roots` trusts, in their order: as after a rotation."""
    together = dict(roots[0])
    for root in roots[1:]:
        for name, entries in root.items():
            if isinstance(entries, list):
                together[name] = [*together.get(name, []), *entries]
    return together


def signing_config(url: str, since: datetime, logs: Sequence[Rekor]) -> Json:
    """Write ``signing_config.json`` for services that all answer at `url`.

    Args:
        url: Scheme, host and port, no path.
        since: When they opened; aware.
        logs: The logs on offer; clients take the newest they know.
    """

    def service(path: str = "", version: int = 1) -> Json:
        return {
            "url": f"{url}{path}",
            "majorApiVersion": version,
            "validFor": {"start": rfc3339(since)},
            "operator": "virtual sigstore",
        }

    return {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [service()],
        "oidcUrls": [service()],
        "rekorTlogUrls": [service(version=1 + (log is Rekor.V2)) for log in logs],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaUrls": [service("/api/v1/timestamp")],
        "tsaConfig": {"selector": "ANY"},
    }


def _log(log: LogKey, window: Json) -> Json:
    details = "PKIX_ECDSA_P256_SHA_256"
    if isinstance(log.key, ed25519.Ed25519PublicKey):
        details = "PKIX_ED25519"
    return {
        "baseUrl": f"https://{log.host}",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": b64(spki(log.key)),
            "keyDetails": details,
            "validFor": window,
        },
        "logId": {"keyId": b64(log.log_id)},
    }


def _chain(chain: Chain, window: Json) -> Json:
    return {
        "subject": {"organization": "virtual sigstore", "commonName": chain.host},
        "uri": f"https://{chain.host}",
        "certChain": {
            "certificates": [
                {"rawBytes": b64(certificate.public_bytes(Encoding.DER))}
                for certificate in chain.certificates
            ]
        },
        "validFor": window,
    }
