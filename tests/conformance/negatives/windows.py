"""Keys that were not in use: retired, not yet begun, never trusted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from countersign.core.types.artifacts import Digest
from countersign.core.types.trust import TrustRoot
from tests.support.forging import Forged, Json, Lab, Negative, keys_root, negatives
from tests.support.sigstore import stranger
from tools.sigstore import Party
from tools.sigstore.forms import KEYED_V1, KEYLESS_V1, KEYLESS_V2, PRIVATE, Form

STAMPED_V1 = Form(stamps=1)
DAY = timedelta(days=1)
_LISTS = {
    Party.CA: "certificateAuthorities",
    Party.CT: "ctlogs",
    Party.LOG: "tlogs",
    Party.TSA: "timestampAuthorities",
}
_USERS: dict[Party, tuple[Form, ...]] = {
    Party.CA: (KEYLESS_V1, KEYLESS_V2, STAMPED_V1, PRIVATE),
    Party.CT: (KEYLESS_V1, KEYLESS_V2, STAMPED_V1),
    Party.LOG: (KEYLESS_V1, KEYLESS_V2, STAMPED_V1, KEYED_V1),
    Party.TSA: (KEYLESS_V2, STAMPED_V1, PRIVATE),
}
_REASONS = {
    Party.CA: "certificate authority|certificate chain",
    Party.CT: "certificate transparency log in use|CT log of the trust root",
    Party.LOG: "transparency log in use|transparency log of the trust root",
    Party.TSA: "stamp",
}


def _under(document: Json, bundle: Json) -> Forged:
    if "tlogEntries" not in bundle["verificationMaterial"]:  # private: without logs
        document = document | {"tlogs": [], "ctlogs": []}
    raw = json.dumps(document).encode()
    root = TrustRoot(name="acme", digest=Digest.sha256(raw), sigstore=raw)
    return Forged(bundle, (root, keys_root()))


def _retired(party: Party) -> Any:
    """Its keys went out of use a day before."""
    return lambda lab, bundle: _under(
        lab.sigstore.trusted_root({party: datetime.now(UTC) - DAY}), bundle
    )


def _begun(party: Party) -> Any:
    """Its keys come into use tomorrow."""
    return lambda lab, bundle: _under(
        lab.sigstore.trusted_root(begun={party: datetime.now(UTC) + DAY}), bundle
    )


def _unnamed(party: Party) -> Any:
    """The trust root names others of its kind, not this one."""

    def spoil(lab: Lab, bundle: Json) -> Forged:
        document = lab.sigstore.trusted_root()
        document[_LISTS[party]] = stranger().trusted_root()[_LISTS[party]]
        return _under(document, bundle)

    return spoil


def _borrowed(lab: Lab, bundle: Json) -> Forged:
    """Another authority, without certificates, was in use when this one was not."""
    document = lab.sigstore.trusted_root({Party.TSA: datetime.now(UTC) - DAY})
    document["timestampAuthorities"].append(
        {
            "subject": {"organization": "o", "commonName": "c"},
            "uri": "https://tsa.example",
            "certChain": {"certificates": []},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        }
    )
    return _under(document, bundle)


def _without_start(lab: Lab, bundle: Json) -> Forged:
    """A log's key that was always in use: `start` is required."""
    document = lab.sigstore.trusted_root()
    for log in document["tlogs"]:
        del log["publicKey"]["validFor"]["start"]
    return _under(document, bundle)


def _each() -> list[Negative]:
    return [
        negative
        for party in Party
        for name, spoil in (
            ("retired before", _retired),
            ("not yet begun", _begun),
            ("not the one that the trust root names", _unnamed),
        )
        for negative in negatives(
            (
                f"{party} key {name}",
                _USERS[party],
                _REASONS[party],
                spoil(party),
            )
        )
    ]


NEGATIVES = [
    *_each(),
    *negatives(
        (
            "a time-stamping authority's time borrowed by another",
            (KEYLESS_V2, PRIVATE),
            "stamp|authority",
            _borrowed,
        ),
        (
            "a log's key that was always in use",
            (KEYLESS_V1, KEYLESS_V2),
            "start of validFor",
            _without_start,
        ),
    ),
]
