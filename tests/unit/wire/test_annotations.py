"""What travels in annotations: packed, bounded, and nothing else under our prefix."""

import base64
import gzip

import pytest

from countersign.core.errors import Malformed
from countersign.wire.annotations import (
    BUNDLES,
    INTENT,
    MAX_INFLATED,
    MAX_PACKED,
    Carried,
    pack,
    read_annotations,
    render_annotations,
    unpack,
)

ONE, TWO = b'{"a": "}{",\n "b": [1]}', b"{}"


def packed(data: bytes) -> str:
    """Return base64 of any bytes."""
    return base64.b64encode(data).decode()


def test_comes_out_byte_for_byte() -> None:
    """The digest of a bundle is that of its bytes: revocations name it."""
    carried = Carried((ONE, TWO), b'{"kind":"x"}')
    annotations = render_annotations(carried)

    assert read_annotations(annotations) == carried
    assert render_annotations(carried) == annotations
    assert annotations.keys() == {BUNDLES, INTENT}


def test_carries_what_there_is() -> None:
    """Nothing, or a part."""
    others = {"a": "b", "example.com/countersign.dev/x": "y"}

    assert read_annotations(others) == Carried()
    assert render_annotations(Carried()) == {}
    assert read_annotations(render_annotations(Carried((ONE,)))) == Carried((ONE,))


@pytest.mark.parametrize(
    "annotations",
    [
        pytest.param({"countersign.dev/bundle": "x"}, id="a misspelt key"),
        pytest.param({"countersign.dev/": "x"}, id="the bare prefix"),
        pytest.param({"countersign.dev/ref": "sha256:0"}, id="what nobody reads"),
        pytest.param({BUNDLES: ""}, id="nothing"),
        pytest.param({BUNDLES: 1}, id="a number"),
        pytest.param({BUNDLES: "%%%"}, id="no base64"),
        pytest.param({BUNDLES: packed(b"[]")}, id="not compressed"),
        pytest.param({BUNDLES: pack(b"{}")}, id="no list"),
        pytest.param({BUNDLES: pack(b"[1]")}, id="no objects"),
        pytest.param({BUNDLES: pack(b'[{"a":1,"a":2}]')}, id="a key twice"),
        pytest.param({BUNDLES: packed(gzip.compress(b"[" * 500))}, id="bottomless"),
        pytest.param({INTENT: packed(gzip.compress(b"{}") * 2)}, id="two members"),
        pytest.param({INTENT: packed(gzip.compress(b"{}") + b"x")}, id="a tail"),
        pytest.param({INTENT: packed(gzip.compress(b"{}")[:-1])}, id="cut short"),
        pytest.param({INTENT: packed(gzip.compress(bytes(10**6)))}, id="a bomb"),
        pytest.param({INTENT: "A" * (MAX_PACKED + 4)}, id="too long"),
    ],
)
def test_refuses(annotations: dict[str, str | int]) -> None:
    """Anybody can write annotations; doubt denies."""
    with pytest.raises(Malformed):
        read_annotations(annotations)


def test_inflates_no_more_than_it_may() -> None:
    """The cap holds while inflating, also for what shrinks little."""
    noise = gzip.compress(bytes(i * i % 251 for i in range(MAX_INFLATED + 1)))

    with pytest.raises(Malformed, match="after inflating"):
        unpack(packed(noise))


@pytest.mark.parametrize(
    "carried",
    [
        pytest.param(Carried((b"{},{}",)), id="two in one"),
        pytest.param(Carried((b"x",)), id="no JSON"),
        pytest.param(Carried(intent=bytes(10**5)), id="what nobody would inflate"),
    ],
)
def test_writes_only_what_it_would_read(carried: Carried) -> None:
    """Better to fail where the author is than at the gate."""
    with pytest.raises(Malformed):
        render_annotations(carried)
