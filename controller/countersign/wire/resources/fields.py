"""The small types that the fields of our resources are made of, and their bounds."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.core.types.time import Interval
from countersign.wire.times import DURATION, parse_duration, parse_instant

MAX_LIST = 64  # entries of an ordinary list; also keeps the cost of CEL rules bounded
MAX_PERSONS = 2048  # of a roster
MAX_TEXT = 1024  # characters of a name, URI, pattern or identity
MAX_REASON = 4096  # characters of prose


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        # pydantic turns ValueError, and only that, into a problem with its path
        raise ValueError(f"expected {what}, saw {str(value)[:80]}")  # noqa: TRY004
    return value


def _duration(value: object) -> timedelta:
    try:
        return parse_duration(_text(value, "a duration like 30d, 72h or 1h30m"))
    except Malformed as error:
        raise ValueError(str(error)) from error


def _instant(value: object) -> datetime:
    try:
        return parse_instant(_text(value, "a time like 2026-11-22T19:00:00Z"))
    except Malformed as error:
        raise ValueError(str(error)) from error


Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": DURATION, "maxLength": 64}),
]
Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 64}),
]

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
Name = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    ),
]
Prose = Annotated[str, StringConstraints(max_length=MAX_REASON)]
NamespaceName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
    ),
]
NamespacePattern = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=63, pattern=r"^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$"
    ),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64)]
OciDigest = Annotated[
    str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)
]
GitDigest = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$", max_length=64),
]


class Strict(BaseModel):
    """An object node of a spec: frozen, camelCase outside, nothing unknown inside."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel
    )


class DigestSet(Strict):
    """A digest as in-toto writes it."""

    sha256: Sha256

    def value(self) -> Digest:
        """Return the core's value."""
        return Digest(Algorithm.SHA256, self.sha256)


class Span(Strict):
    """From `from` to `until`, both included; absent or null is open."""

    start: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None

    def value(self) -> Interval:
        """Return the core's value.

        Raises:
            Malformed: it ends before it starts.
        """
        return Interval(self.start, self.until)


def rules(*rules: tuple[str, str]) -> ConfigDict:
    """Return the model configuration for CEL rules: pairs of rule and message.

    The rules repeat for the server what the model's validators check: it refuses at
    once, even while no webhook is registered.
    """
    said: list[JsonValue] = [
        {"rule": rule, "message": message} for rule, message in rules
    ]
    return ConfigDict(json_schema_extra={"x-kubernetes-validations": said})
