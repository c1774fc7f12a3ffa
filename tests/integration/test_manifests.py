"""Manifests mean to us what they mean to kubectl."""

import json
import random
import string
from collections.abc import Iterable
from typing import Any

import pytest

from countersign.core.errors import Malformed
from countersign.wire.manifests import parse_manifests
from tools.controlplane import ControlPlane

# What people write unquoted and readers disagree about.
TROUBLE = """
y n Y N yes no Yes NO on off On OFF true True TRUE tRue false null Null ~ nULL
0 1 -1 +1 007 08 0o17 0O17 0x1F 0X1f 0b11 -0b11 0b12 1_000 _1 1_ 0x_1 0_8 1__0
12:30 12:30:45 -1:30 1:2:3 2024-01-01 2024-01-01T00:00:00Z 2024-1-1 2001-12-14
1.5 1. .5 -.5 +.5 1e3 1E3 1e+3 1e-3 1.e3 .5e3 1_0.5 .5_0 1e 1e3x 0.1.2 .
1Gi 100m 1.0.0 v1 0x 0b 9223372036854775807 -9223372036854775808 .infinity inf nan
= << * @at `tick %pct a:b http://x a,b {} [] - -- --- ... ! |x >x ?x <x =x
"""
CHARACTERS = "0123456789" * 2 + "_.eExXoObB+-:TZyYnNtf~"

DOCUMENTS = (
    """
# comment
--- # the first
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: &labels {a: "1", b: 'two'}}
data:
  literal: |
    line 1
      line 2
  folded: >-
    joined
    up

    apart
  keep: |+
    end

  quoted: "tab\\tand \\u00e9 and \\
    continued"
  single: 'it''s'
  "quoted key": x
  ? explicit
  : key
---
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: b
  labels:
    <<: *nothing
""".replace("*nothing", "{merged: m, over: m}")
    + """
    over: said
    alias: &x plain
  annotations: {same: *x}
...
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}
---
apiVersion: v1
kind: ConfigMapList
items:
- metadata: {name: d}
"""
)


def kubectl_reads(plane: ControlPlane, text: str) -> list[Any]:
    """Return the objects that kubectl would send."""
    flags = ("--dry-run=client", "--validate=false", "-o", "json", "-f", "-")
    printed = plane.kubectl("create", *flags, stdin=text).check().stdout
    decoder, objects = json.JSONDecoder(), []
    while printed := printed.strip():
        tree, end = decoder.raw_decode(printed)
        objects.append(tree)
        printed = printed[end:]
    return [
        item
        for tree in objects
        for item in (tree["items"] if tree["kind"] == "List" else [tree])
    ]


def sequence(scalars: Iterable[str]) -> str:
    """Return a manifest with a list of unquoted scalars."""
    head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {"name": scalars}\nlist:\n'
    return head + "".join(f"- {scalar}\n" for scalar in scalars)


def readable(scalar: str) -> bool:
    """Tell whether we read a scalar at all; what we refuse cannot be misread."""
    try:
        parse_manifests(sequence([scalar]).encode())
    except Malformed:
        return False
    return True


def scalars() -> list[str]:
    """Return the known troublemakers and thousands of made ones, always the same."""
    chance = random.Random(7)  # noqa: S311 - repeatable on purpose
    made = (
        "".join(chance.choices(CHARACTERS, k=chance.randint(1, 7))) for _ in range(6000)
    )
    words = ("".join(chance.choices(string.ascii_letters, k=3)) for _ in range(500))
    return [s for s in [*TROUBLE.split(), *made, *words] if readable(s)]


def test_unquoted_scalars_mean_what_they_mean_to_kubectl(
    control_plane: ControlPlane,
) -> None:
    """Numbers, truth values, times of day, versions: thousands of them."""
    written = scalars()
    text = sequence(written)
    (ours,), (theirs,) = (
        parse_manifests(text.encode()),
        kubectl_reads(control_plane, text),
    )
    assert isinstance(ours["list"], list)
    pairs = zip(written, ours["list"], theirs["list"], strict=True)
    wrong = [(text, a, b) for text, a, b in pairs if not alike(a, b)]

    assert len(written) > 5000
    assert wrong == []


def alike(one: Any, other: Any) -> bool:
    """Equal, true not being 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def test_documents_are_what_kubectl_sends(control_plane: ControlPlane) -> None:
    """Block scalars, merge keys, aliases, comments, several documents, lists."""
    ours = parse_manifests(DOCUMENTS.encode())
    theirs = kubectl_reads(control_plane, DOCUMENTS)

    assert [tree["metadata"]["name"] for tree in theirs] == ["a", "b", "c", "d"]
    assert [{**tree, "metadata": tree["metadata"]} for tree in ours] == [
        unplaced(tree) for tree in theirs
    ]


def unplaced(tree: Any) -> Any:
    """Take away the namespace, which kubectl fills in as the signer does later."""
    metadata = {k: v for k, v in tree["metadata"].items() if k != "namespace"}
    return {**tree, "metadata": metadata}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: {b: 1, b: 1}\n"])
def test_is_stricter_than_kubectl_about_equal_keys(text: str) -> None:
    """The last wins for kubectl; a reviewer may look at the first."""
    with pytest.raises(Malformed, match="twice"):
        parse_manifests(text.encode())
