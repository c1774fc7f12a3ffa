"""Manifests: what is refused. What they mean is proven against kubectl elsewhere."""

import pytest

from countersign.core.errors import Malformed
from countersign.wire.manifests import MAX_MANIFESTS, parse_manifests
from countersign.wire.strict_json import MAX_DEPTH
from countersign.wire.yaml_documents import MAX_VALUES

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9))
    for c in range(ord("a"), ord("i"))
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(b"a: 1\na: 2", "line 2: the key 'a' is there twice", id="twice"),
        pytest.param(b'{"a":1,"a":2}', "twice", id="twice in JSON"),
        pytest.param(b"a: {010: b}", "string as key", id="an octal as key"),
        pytest.param(b"a: {1.20: b}", "string as key", id="a version as key"),
        pytest.param(b"a: {0.00001: b}", "string as key", id="a small key"),
        pytest.param(b"~: b", "string as key", id="null as key"),
        pytest.param(b"a: {1: b, '1': c}", "twice", id="a key in two spellings"),
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
        pytest.param(b"{", "YAML", id="broken JSON"),
        pytest.param(b"a: 1\n--- b", "line 2: expected nothing", id="on the line"),
        pytest.param(b"a: 1\n...\nb: 2", "document start", id="unseparated"),
        pytest.param(b"%YAML 1.1\n---\na: 1", "YAML: line", id="a directive"),
        pytest.param(b"# x\n\n---\nb: 1\na: [", "line 5|line 6", id="later"),
        pytest.param(b"x: &a {p: &a 1, z: *a}\nw: &b {v: *b}", "complete", id="own"),
        pytest.param(b"\xff", "UTF-8", id="no text"),
        pytest.param(b"a: .inf", "number that JSON has", id="infinity"),
        pytest.param(b"a: 9223372036854775808", "64 bits", id="too large"),
        pytest.param(
            b"b: &b {a: 1}\nc: {a: 2, <<: *b}", "merge", id="said, then merged"
        ),
        pytest.param(b"<<: 1", "to merge", id="a number to merge"),
        pytest.param(b"<<: {a: 1}\n<<: {a: 2}", "after the merge", id="two merges"),
        pytest.param(b"b: &b []\n<<: *b", "to merge", id="an alias of a list"),
        pytest.param(b"&m <<: {a: 1}", "no anchor", id="an anchored merge"),
        pytest.param(b"kind: A\nitems: []", "takes it for a list", id="no list"),
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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(
            b"a: |\n  x", {"a": "x\n"}, id="a block without a last line break"
        ),
        pytest.param(b"a: 12e4567", {"a": "12e4567"}, id="a commit like a number"),
        pytest.param(
            b"a: 0x52908400098527886E0F",
            {"a": "0x52908400098527886E0F"},
            id="an address",
        ),
        pytest.param(b"8080: a\n-1: b\n1.5: c\ntrue: d", None, id="plain keys"),
        pytest.param(b"a: !!str 12", {"a": "12"}, id="said to be a string"),
        pytest.param(b"\xef\xbb\xbfa: b", {"a": "b"}, id="a byte order mark"),
        pytest.param(b"a: &x {p: &x 1}\nb: *x", {"a": {"p": 1}, "b": 1}, id="hidden"),
        pytest.param(b"{a: b}", {"a": "b"}, id="a flow mapping"),
        pytest.param(b'{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}, id="JSON"),
    ],
)
def test_reads(text: bytes, value: object) -> None:
    """What kubectl reads so, and other readers of YAML might not."""
    said = {"8080": "a", "-1": "b", "1.5": "c", "true": "d"} if value is None else value

    assert parse_manifests(text) == (said,)


def test_takes_a_stream_of_json() -> None:
    """As ``jq -c`` writes it; with more behind it, it is YAML that is broken."""
    assert parse_manifests(b' {"a": 1}\n{"b": 2}') == ({"a": 1}, {"b": 2})
    assert parse_manifests(b'{"a": 1}\n---\nb: 2') == ({"a": 1}, {"b": 2})
    with pytest.raises(Malformed, match="YAML"):
        parse_manifests(b'{"a": 1}{"b": 2}\n---\nc: 3')
