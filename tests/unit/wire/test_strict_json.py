"""JSON that readers could disagree about is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.wire.strict_json import MAX_DEPTH, parse_json

LIMIT = 1 << 20


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b'{"a":1,"a":2}', "'a' twice", id="a key twice"),
        pytest.param(b'{"x":{"a":1,"b":2,"a":1}}', "'a' twice", id="twice, deep down"),
        pytest.param(b'{"a":1,"\\u0061":2}', "'a' twice", id="twice, once escaped"),
        pytest.param(b"[NaN]", "NaN", id="NaN"),
        pytest.param(b"[-Infinity]", "Infinity", id="infinity"),
        pytest.param(b"[1e400]", "beyond a double", id="a number that is infinite"),
        pytest.param(b"[9223372036854775808]", "64 bits", id="2^63"),
        pytest.param(b"[-9223372036854775809]", "64 bits", id="below -2^63"),
        pytest.param(b"[" + b"9" * 9999 + b"]", "64 bits", id="a very long integer"),
        pytest.param(b'"\\ud800"', "half", id="half a character"),
        pytest.param(b'{"\\uDFff":1}', "half", id="half a character as a key"),
        pytest.param(b"\xff\xfe1\x00", "utf-8", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf1", "BOM", id="a byte order mark"),
        pytest.param(b'"\xc3\x28"', "utf-8", id="broken UTF-8"),
        pytest.param(b'"a\nb"', "control character", id="a bare newline"),
        pytest.param(b"{} {}", "Extra data", id="two documents"),
        pytest.param(b"{'a':1}", "Expecting", id="single quotes"),
        pytest.param(b"", "Expecting", id="nothing"),
        pytest.param(b"[" * 65 + b"]" * 65, "deep", id="one level too deep"),
        pytest.param(b"[" * 10**5, "deep|Expecting", id="deep enough to recurse"),
        pytest.param(b'{"a":' * 10**5, "deep|Expecting", id="the same with objects"),
    ],
)
def test_refuses(raw: bytes, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Malformed, match=reason):
        parse_json(raw, limit=LIMIT)


def test_refuses_one_byte_too_many() -> None:
    """The limit is checked before anything is parsed."""
    assert parse_json(b"[1]", limit=3) == [1]

    with pytest.raises(Malformed, match="at most 2 bytes"):
        parse_json(b"[1]", limit=2)


def test_accepts_the_deepest() -> None:
    """The bound is `MAX_DEPTH`, not one less."""
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, limit=LIMIT)


def test_a_whole_character_may_be_escaped() -> None:
    """Surrogates in pairs are one character."""
    assert parse_json(b'"\\ud83d\\ude00"', limit=LIMIT) == "\U0001f600"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=10,
)


@given(values, st.booleans())
def test_reads_what_json_wrote(value: Any, escaped: bool) -> None:  # noqa: FBT001  drawn
    """Strict is not lossy."""
    raw = json.dumps(value, ensure_ascii=escaped).encode()

    assert parse_json(raw, limit=LIMIT) == value


tokens = st.lists(
    st.sampled_from(
        [*'{}[],:"', '"a"', '"\\ud800"', "1", "-", "9" * 20, "1e999", "NaN", "true"]
    ),
    max_size=9,
)


@given(st.binary(max_size=60) | tokens.map(lambda parts: "".join(parts).encode()))
def test_only_malformed_escapes(raw: bytes) -> None:
    """Seen to fail with the surrogate check taken out."""
    try:
        value = parse_json(raw, limit=LIMIT)
    except Malformed:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
