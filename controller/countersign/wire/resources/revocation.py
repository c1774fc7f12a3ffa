"""Revocation: evidence that no longer counts. Adding one never admits anything."""

from typing import Self

from pydantic import Field, model_validator

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.core.types.policy import Revoked, RevokedKind
from countersign.wire.resources.fields import Instant, Prose, Strict, Text

MAX_ENTRIES = 1024  # of one Revocation


class Entry(Strict):
    """A withdrawal."""

    kind: RevokedKind
    value: Text = Field(
        description="SAN, key name, digest (sha256:...) of a bundle's statement or of "
        "one copy of the bundle, person id or collector name, according to kind."
    )
    since: Instant | None = Field(
        default=None, description="Evidence signed from then on; absent: all."
    )
    reason: Prose = ""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        # a digest that can match no bundle would revoke nothing, silently
        if self.kind is RevokedKind.BUNDLE:
            try:
                Digest.parse(self.value)
            except Malformed as error:
                raise ValueError(str(error)) from error
        return self


class RevocationSpec(Strict):
    """The spec of a Revocation."""

    entries: tuple[Entry, ...] = Field(min_length=1, max_length=MAX_ENTRIES)

    def value(self) -> tuple[Revoked, ...]:
        """Return the core's values."""
        return tuple(
            Revoked(entry.kind, entry.value, entry.since, entry.reason)
            for entry in self.entries
        )
