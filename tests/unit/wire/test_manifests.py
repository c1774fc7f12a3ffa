"""Manifests: what is refused. What they mean is proven against kubectl elsewhere."""

import pytest

from countersign.core.errors import Malformed
from countersign.wire.manifests import MAX_MANIFESTS, MAX_VALUES, parse_manifests
from countersign.wire.strict_json import MAX_DEPTH

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9))
    for c in range(ord("a"), ord("i"))
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(b"a: 1\na: 2", "line 2: the key 'a' is there twice", id="twice"),
        pytest.param(b'{"a":1,"a":2}', "twice", id="twice in JSON"),
        pytest.param(b"a: {1: b}", "string as key", id="a number as key"),
        pytest.param(b"on: x", "string as key", id="a truth value as key"),
        pytest.param(b"? [a]\n: b", "string as key", id="a list as key"),
        pytest.param(b"a: !!binary eA==", "no tag", id="a tag"),
        pytest.param(b"a: !ruby/object x", "no tag", id="a foreign tag"),
        pytest.param(b"a: ! x", "no tag", id="a tag of no kind"),
        pytest.param(b"a: &x [*x]", "complete anchor", id="an alias in itself"),
        pytest.param(b"a: *x", "undefined alias|known", id="an alias of nothing"),
        pytest.param(BOMB, f"at most {MAX_VALUES}", id="aliases that explode"),
        pytest.param(b"[" * 100_000, "deep", id="bottomless"),
        pytest.param(b"- a", "an object", id="a list"),
        pytest.param(b"a", "an object", id="a word"),
        pytest.param(b"a: [", "YAML", id="broken"),
        pytest.param(b"{", "JSON", id="broken JSON"),
        pytest.param(b"\xff", "UTF-8", id="no text"),
        pytest.param(b"a: .inf", "number that JSON has", id="infinity"),
        pytest.param(b"a: 9223372036854775808", "64 bits", id="too large"),
        pytest.param(b"a: 1e999", "number that JSON has", id="larger than a double"),
        pytest.param(
            b"b: &b {a: 1}\nc: {a: 2, <<: *b}", "merge", id="said, then merged"
        ),
        pytest.param(b"<<: 1", "to merge", id="a number to merge"),
        pytest.param(
            b"kind: XList\nitems: {}", "to be a list", id="items that are none"
        ),
        pytest.param(b"kind: List\nitems: [1]", "an object", id="an item that is none"),
        pytest.param(b"#" * (MAX_MANIFESTS + 1), "at most", id="too long"),
    ],
)
def test_refuses(text: bytes, complaint: str) -> None:
    """Everything on which two readers could disagree, and all that has no end."""
    with pytest.raises(Malformed, match=complaint):
        parse_manifests(text)


def test_passes_over_what_is_empty() -> None:
    """Templates leave many empty documents."""
    assert parse_manifests(b"---\n---\n# nothing\n---\n") == ()


def test_takes_lists_apart() -> None:
    """Each object is signed for itself; a typed list says what its items are."""
    text = b"""
apiVersion: v1
kind: List
items: [{kind: A}, {kind: List, items: [{kind: B}]}]
---
{apiVersion: v1, kind: ConfigMapList, items: [{data: {}}]}
"""

    assert parse_manifests(text) == (
        {"kind": "A"},
        {"kind": "B"},
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {}},
    )


def test_depth_is_counted_not_survived() -> None:
    """As deep as JSON may be, and no deeper."""
    nested = b"a: " + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)

    assert len(parse_manifests(nested)) == 1
    with pytest.raises(Malformed):
        parse_manifests(b"a: " + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
