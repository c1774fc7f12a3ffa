"""A bundle of the largest size that is looked at costs a bounded amount of memory."""

import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from countersign.adapters.proof.judge import Material, Refusal, judge
from countersign.wire.bundle import MAX_BUNDLE
from tests.support.forging import (
    ENTRY,
    MATERIAL,
    PROOF,
    Json,
    Lab,
    b64,
    changed,
    raw,
    sound,
)
from tools.sigstore.forms import KEYLESS_V1

MAX_MEMORY = 48 * 1024 * 1024  # bytes; lists in lists take 43 MiB, all others half
SOUND = sound(KEYLESS_V1)
ROOTS = Material(Lab().roots(KEYLESS_V1))
STATEMENT = (
    '{"_type":"https://in-toto.io/Statement/v1","predicateType":"x",'
    '"predicate":{},"subject":['
)

Grow = Callable[[int], Json | bytes]


def _at(*path: str | int, grow: Callable[[int], Any]) -> Grow:
    return lambda size: changed(SOUND, *path, to=grow(size))


def _list(text: str) -> Callable[[int], bytes]:
    return lambda size: f"[{f'{text},' * size}{text}]".encode()


GROWING: dict[str, Grow] = {
    "log entries of nothing": _at(MATERIAL, "tlogEntries", grow=lambda n: [{}] * n),
    "log entries of lists": _at(MATERIAL, "tlogEntries", grow=lambda n: [[]] * n),
    "log entries of numbers": _at(MATERIAL, "tlogEntries", grow=lambda n: [1] * n),
    "hashes": _at(*PROOF, "hashes", grow=lambda n: ["AA=="] * n),
    "hashes of nothing": _at(*PROOF, "hashes", grow=lambda n: [""] * n),
    "signatures": _at("dsseEnvelope", "signatures", grow=lambda n: [{}] * n),
    "stamps": _at(
        MATERIAL,
        "timestampVerificationData",
        grow=lambda n: {"rfc3161Timestamps": [{}] * n},
    ),
    "unknown fields": lambda n: SOUND | {f"{i:x}": 1 for i in range(n)},
    "unknown fields of an entry": _at(
        *ENTRY, grow=lambda n: {f"{i:x}": 1 for i in range(n)}
    ),
    "subjects": _at(
        "dsseEnvelope",
        "payload",
        grow=lambda n: b64((STATEMENT + "{}," * n + "{}]}").encode()),
    ),
    "a payload of lists": _at(
        "dsseEnvelope", "payload", grow=lambda n: b64(_list("[]")(n))
    ),
    "a body of lists": _at(
        *ENTRY, "canonicalizedBody", grow=lambda n: b64(_list("[]")(n))
    ),
    "a certificate": _at(
        MATERIAL, "certificate", "rawBytes", grow=lambda n: b64(b"0" * n)
    ),
    "lines of a checkpoint": _at(
        *PROOF, "checkpoint", "envelope", grow=lambda n: "a\n" * n
    ),
    "a number": lambda n: b"9" * n,
    "a number of nested lists": lambda n: b"[" * n,
    "a list of nested lists": _list("[[[[[[[[[[[[]]]]]]]]]]]]"),
}


def _as_large_as_can_be(grow: Grow) -> bytes:
    base, more = len(raw(grow(1))), len(raw(grow(1001)))
    size = int((MAX_BUNDLE - base) * 1000 / (more - base))
    while len(data := raw(grow(size))) > MAX_BUNDLE:
        size = size * 19 // 20
    return data


@pytest.mark.parametrize("what", GROWING)
def test_memory_is_bounded(what: str) -> None:
    """Seen to fail with each wrong item of a list written down: 159 MiB."""
    data = _as_large_as_can_be(GROWING[what])
    assert len(data) > MAX_BUNDLE // 2
    gc.collect()
    tracemalloc.start()
    try:
        outcome = judge(data, ROOTS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert isinstance(outcome, Refusal)
    assert len(outcome.reason) <= 1000
    assert peak < MAX_MEMORY


def test_what_is_larger_is_not_even_parsed() -> None:
    """One byte more than the limit."""
    text = json.dumps(SOUND).encode()
    outcome = judge(text + b" " * (MAX_BUNDLE + 1 - len(text)), ROOTS)

    assert isinstance(outcome, Refusal)
    assert "at most" in outcome.reason
