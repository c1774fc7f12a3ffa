"""YAML means to us what it means to kubectl, or we refuse it: thousands of texts.

Faults this was seen to catch: a last line without a line break read as it is; the first
of two merge keys winning; an anchor that comes to life again after a hidden one.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.wire.manifests import parse_manifests
from countersign.wire.yaml_text import render_yaml
from tests.support.yaml_texts import BODIES, NAME, STREAMS, bodies, named, stream, words
from tools.controlplane import ControlPlane

FULL = os.environ.get("COUNTERSIGN_SWEEP") == "full"
MADE = 40_000 if FULL else 4_000
BATCH = 2_000  # files in one run of kubectl

WE_READ = frozenset(
    {
        r'a: "\/"',  # in YAML 1.2 and JSON, not in go-yaml
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"t00175"}} # c',
    }
)
"""What kubectl refuses and we read: it cannot be sent, so nothing can go wrong."""

KUBECTL_READS = 34
"""How many of the known traps we refuse and kubectl takes: not more, by accident."""


def kubectl_reads(
    plane: ControlPlane, texts: Sequence[str], folder: Path
) -> list[list[Any] | None]:
    """Return the objects that kubectl would send of each text; None: it refuses one.

    Each text is a file of a folder: kubectl goes on after a file that it cannot read,
    and names it.
    """
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:05}.yaml").write_bytes(text.encode())
    flags = ("--dry-run=client", "--validate=false", "-o", "json", "-f", folder)
    done = plane.kubectl("create", *flags)
    found: list[list[Any] | None] = [[] for _ in texts]
    for tree in one_after_another(done.stdout):
        number = int(tree["metadata"]["name"].removeprefix("t"))
        tree["metadata"].pop("namespace", None)  # kubectl fills it in, the signer later
        objects = found[number]
        assert objects is not None
        objects.append(tree)
    for number in re.findall(r"/(\d{5})\.yaml", done.stderr):
        found[int(number)] = None
    return found


def one_after_another(printed: str) -> Iterator[Any]:
    """Yield the objects that kubectl printed."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(printed.rstrip()):
        tree, end = decoder.raw_decode(printed, at)
        yield from tree["items"] if tree["kind"] == "List" else [tree]
        at = end + 1


def we_read(text: str) -> list[Any] | str:
    """Return the objects, or why we refuse the text."""
    try:
        objects = list(parse_manifests(text.encode()))
    except Malformed as error:
        return str(error)
    # without a kind it is refused where it is prepared
    return objects if all("kind" in one for one in objects) else "no kind"


def alike(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, and 1.0 is."""
    if isinstance(one, dict) and isinstance(other, dict):
        same = one.keys() == other.keys()
        return same and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def compare(
    plane: ControlPlane, texts: Sequence[str], folder: Path
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return what is read otherwise, what only we read, and what only kubectl reads."""
    texts = [named(text, f"t{number:05}") for number, text in enumerate(texts)]
    wrong, ours_alone, theirs_alone = [], [], []
    for text, theirs in zip(texts, kubectl_reads(plane, texts, folder), strict=True):
        ours = we_read(text)
        if isinstance(ours, str):
            if theirs is not None:
                theirs_alone.append((text, ours, theirs))
        elif theirs is None:
            ours_alone.append((text, ours))
        elif not alike(ours, theirs):
            wrong.append((text, ours, theirs))
    return wrong, ours_alone, theirs_alone


def test_what_readers_disagree_about(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Keys, anchors, merges, tags, numbers, breaks, separators: each known trap."""
    texts = [*map(stream, BODIES), *STREAMS]
    wrong, ours_alone, theirs_alone = compare(control_plane, texts, tmp_path / "t")

    assert wrong == []
    assert [text for text, _ in ours_alone if text.split("\n")[-1] not in WE_READ] == []
    assert len(theirs_alone) <= KUBECTL_READS


def test_made_texts(control_plane: ControlPlane, tmp_path: Path) -> None:
    """Thousands of them, in the style of people who make mistakes."""
    texts = [stream(body) for body in bodies(11, MADE)]
    alone = 0
    for start in range(0, MADE, BATCH):
        some = texts[start : start + BATCH]
        folder = tmp_path / str(start)
        wrong, ours_alone, theirs_alone = compare(control_plane, some, folder)
        alone += len(theirs_alone)

        assert wrong == []
        # go-yaml has an older scanner, with no "?" in an unquoted word between brackets
        assert [text for text, _ in ours_alone if "?" not in text] == []
    assert alone < MADE / 3


def test_what_we_write(control_plane: ControlPlane, tmp_path: Path) -> None:
    """Kubectl reads the strings that we wrote, whatever they look like."""
    head: Tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}}
    said: list[Tree] = [
        {**head, "a": word, "b": [{word: 1}]} for word in words(5, BATCH)
    ]
    texts = [render_yaml([tree]) for tree in said]
    found = kubectl_reads(
        control_plane,
        [named(text, f"t{number:05}") for number, text in enumerate(texts)],
        tmp_path / "t",
    )

    for tree, read in zip(said, found, strict=True):
        assert read is not None
        (one,) = read
        assert {**one, "metadata": head["metadata"]} == tree
