"""The shapes that Sigstore's and our own documents are made of.

Predicates ignore fields they do not know (in-toto's parsing rules): a newer signer must
not be locked out. Bundles do not: protobuf's JSON knows no unknown fields, and what no
reader looks at is where a forger writes.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, Json, Tree
from countersign.core.types.time import Interval
from countersign.wire.times import parse_instant

_MAX_PROBLEMS = 3  # named in one message
_MAX_MESSAGE = 400  # characters; it may end up in a denial
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}")
_MAX_INT64 = 2**63  # what protobuf's int64 holds; others would refuse, or wrap


def _stop_early(schema: object) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "list":
            schema["fail_fast"] = True
        for part in schema.values():
            _stop_early(part)
    elif isinstance(schema, list):
        for part in schema:
            _stop_early(part)


class Shape(BaseModel):
    """An object that may hold more than we know. Names are lowerCamelCase."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", alias_generator=to_camel
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        """Have lists stop at the first item that is wrong.

        Else each is written down before a message names three of them: a payload of a
        mebibyte, ``[{},{},…``, was 250,000 problems, 2 s and 400 MiB.
        """
        schema = handler(source)
        _stop_early(schema)
        return schema


class ClosedShape(Shape):
    """An object that holds what we know and nothing else."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _require_few(cls, value: object) -> object:
        """Refuse at once what has far more fields: each would be a problem of its own."""
        known = len(cls.model_fields)
        if isinstance(value, dict) and len(value) > known + _MAX_PROBLEMS:
            raise ValueError(f"expected at most {known} fields, saw {len(value)}")
        return value


Model = TypeVar("Model", bound=Shape)


def shaped(model: type[Model], tree: Json, what: str) -> Model:
    """Read `tree` as a `model`.

    Raises:
        Malformed: it has not that shape; the message names the first few places.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        problems = error.errors(
            include_url=False, include_input=False, include_context=False
        )
        named = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'document'}: {problem['msg']}"
            for problem in problems[:_MAX_PROBLEMS]
        )
        raise Malformed(f"{what}: {named}"[:_MAX_MESSAGE]) from error


def _read_time(value: object) -> datetime:
    if not isinstance(value, str) or not value.endswith("Z"):
        raise ValueError("expected a time in UTC, like 2026-11-22T17:41:50Z")
    try:
        return parse_instant(value)
    except Malformed as error:
        raise ValueError(str(error)) from error


def render_time(moment: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC, with a fraction where it has one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_base64(value: object) -> bytes:
    """Decode what encodes back to itself: one text for one value."""
    if isinstance(value, str) and value.isascii():
        try:
            data = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError("expected padded base64") from error
        if render_base64(data) == value:
            return data
    raise ValueError("expected padded base64")


def render_base64(data: bytes) -> str:
    """Encode as protobuf's JSON does: standard alphabet, padded."""
    return base64.b64encode(data).decode()


def _read_whole(value: object) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value) and int(value) < _MAX_INT64:
        return int(value)
    raise ValueError("expected a whole number of 63 bits as a string")


def _read_digest(value: object) -> Digest:
    if isinstance(value, dict):
        known = digests(value)
        if len(known) == 1:
            return known[0]
    raise ValueError("expected one digest of a known algorithm")


def digests(digest_set: dict[str, Json]) -> tuple[Digest, ...]:
    """Read the digests of a DigestSet whose algorithms we know, in its order.

    Raises:
        Malformed: a known algorithm with a value that is none of its digests.
    """
    found = []
    for name, value in digest_set.items():
        if name in _ALGORITHMS:
            if not isinstance(value, str):
                raise Malformed(f"expected a {name} digest in lowercase hex")
            found.append(Digest(Algorithm(name), value))
    return tuple(found)


def render_digest(digest: Digest) -> Json:
    """Write a DigestSet of one."""
    return {digest.algorithm.value: digest.value}


_ALGORITHMS = frozenset(algorithm.value for algorithm in Algorithm)

Time = Annotated[datetime, BeforeValidator(_read_time)]
Base64 = Annotated[bytes, BeforeValidator(_read_base64)]
Whole = Annotated[int, BeforeValidator(_read_whole)]
OneDigest = Annotated[Digest, BeforeValidator(_read_digest)]


class ValidityShape(Shape):
    """When something may be used."""

    not_before: Time | None = None
    not_after: Time | None = None

    def value(self) -> Interval:
        """Return the span.

        Raises:
            Malformed: it ends before it starts.
        """
        return Interval(self.not_before, self.not_after)


def render_validity(span: Interval) -> Tree:
    """Write a span of time, leaving out what is open."""
    ends: dict[str, datetime | None] = {"notBefore": span.start, "notAfter": span.end}
    return {name: render_time(end) for name, end in ends.items() if end is not None}


def render_names(names: Iterable[str]) -> list[Json]:
    """Write a set of names, sorted."""
    return [*sorted(names)]
