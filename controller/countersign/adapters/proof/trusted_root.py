"""A ``trusted_root.json``, cut to what was in use at a time.

sigstore-python never looks at the end of `validFor` of certificate authorities, CT logs
and transparency logs: a key that was retired because it leaked would be trusted for ever.
So it is only ever given those authorities that were in use at every time that a bundle
claims. What then verifies has its claimed times proven by keys that were in use at them.

Source:
    github.com/sigstore/protobuf-specs, sigstore_trustroot.proto, ``TimeRange``: both
    ends included.
"""

import base64
import binascii
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from countersign.core.errors import Malformed, Rejected
from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.time import Interval
from countersign.wire.strict_json import parse_json
from countersign.wire.times import parse_instant

MAX_TRUSTED_ROOT = 4 * 1024 * 1024  # bytes; the public one has 7 thousand


class Kind(StrEnum):
    """Those whom a trusted root lists, by the name of the list."""

    CA = "certificateAuthorities"
    CT = "ctlogs"
    LOG = "tlogs"
    TSA = "timestampAuthorities"

    @property
    def singular(self) -> str:
        """What one of them is called."""
        return _SINGULAR[self]


_SINGULAR = {
    Kind.CA: "certificate authority",
    Kind.CT: "certificate transparency log",
    Kind.LOG: "transparency log",
    Kind.TSA: "time-stamping authority",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """One entry.

    Attributes:
        document: As it stands in the trusted root.
        window: When its keys are, or were, in use.
    """

    document: Tree
    window: Interval

    def chain(self) -> tuple[bytes, ...]:
        """Return the certificates of an authority that has some, DER, root last.

        Raises:
            Malformed: there are none.
        """
        try:
            certificates = _tree(self.document["certChain"])["certificates"]
            return tuple(_der(certificate) for certificate in _list(certificates))
        except (KeyError, TypeError, binascii.Error) as error:
            raise Malformed("expected certificates in the trusted root") from error


Choice = tuple[tuple[Kind, tuple[int, ...]], ...]


class TrustedRoot:
    """The authorities of a trusted root, by kind.

    Args:
        raw: ``trusted_root.json``.

    Raises:
        Malformed: `raw` is none.
    """

    def __init__(self, raw: bytes) -> None:
        document = parse_json(raw, limit=MAX_TRUSTED_ROOT)
        try:
            self._rest = _tree(document)
            self._authorities = {
                kind: tuple(
                    Authority(_tree(entry), _window(kind, _tree(entry)))
                    for entry in _list(self._rest.get(kind.value, []))
                )
                for kind in Kind
            }
        except (KeyError, TypeError) as error:
            raise Malformed(f"expected a trusted root, saw: {error!r}") from error

    def in_use(
        self, kind: Kind, moments: Collection[datetime]
    ) -> tuple[Authority, ...]:
        """Return the authorities of `kind` in use at all `moments`."""
        entries = self._authorities[kind]
        return tuple(entries[index] for index in self._indices(kind, moments))

    def choose(
        self,
        moments: Collection[datetime],
        promised: datetime,
        *,
        stamped: bool,
    ) -> Choice:
        """Choose who was in use when a bundle says it was made.

        Args:
            moments: Every time that it claims; not empty.
            promised: When its certificate's CT log claims to have seen it.
            stamped: Whether it needs a time-stamping authority.

        Raises:
            Rejected: nobody of some kind was in use then.
        """
        needed = {Kind.CA: moments, Kind.CT: [*moments, promised], Kind.LOG: moments}
        if stamped:
            needed[Kind.TSA] = moments
        choice = {kind: self._indices(kind, at) for kind, at in needed.items()}
        for kind, indices in choice.items():
            if not indices:
                raise Rejected(
                    f"expected a {kind.singular} in use at {min(moments)}, saw none"
                )
        return tuple(choice.items())

    def cut(self, choice: Choice) -> str:
        """Write the trusted root with only the chosen authorities."""
        chosen = {
            kind.value: [self._authorities[kind][index].document for index in indices]
            for kind, indices in choice
        }
        empty: dict[str, list[Tree]] = {kind.value: [] for kind in Kind}
        return json.dumps({**self._rest, **empty, **chosen})

    def _indices(self, kind: Kind, moments: Collection[datetime]) -> tuple[int, ...]:
        return tuple(
            index
            for index, authority in enumerate(self._authorities[kind])
            if all(authority.window.holds(moment) for moment in moments)
        )


def _window(kind: Kind, entry: Tree) -> Interval:
    holder = entry
    if kind in (Kind.CT, Kind.LOG):
        holder = _tree(entry["publicKey"])
    span = _tree(holder.get("validFor") or {})
    return Interval(_instant(span.get("start")), _instant(span.get("end")))


def _instant(value: Json) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("a time that is no text")
    return parse_instant(value)


def _der(certificate: Json) -> bytes:
    raw = _tree(certificate)["rawBytes"]
    if not isinstance(raw, str):
        raise TypeError("a certificate that is no text")
    return base64.b64decode(raw, validate=True)


def _tree(value: Json) -> Tree:
    if not isinstance(value, dict):
        raise TypeError("something that is no object")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("something that is no list")
    return value
