"""Documents of registries, read so that no two readers disagree about them."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import CountersignError, Malformed
from countersign.core.types.artifacts import Digest
from countersign.wire.oci import (
    INDEX,
    MANIFEST,
    MAX_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    parse_document,
    parse_index,
)
from countersign.wire.oci_names import is_tag, split_repository, tag_of
from countersign.wire.referrers import EMPTY_TYPE, render_referrer, with_entry

ONE = Descriptor(media_type=MANIFEST, digest=Digest.sha256(b"1"), size=1)
ENTRY = {"mediaType": MANIFEST, "digest": str(ONE.digest), "size": 1}

trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(ENTRY),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("schemaVersion", "mediaType", "manifests", "layers", "config"),
                    *("subject", "digest", "size", "annotations", "platform"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


def written(tree: Any) -> bytes:
    """Return a document."""
    return json.dumps(tree).encode()


@given(trees)
def test_whatever_it_is_it_is_read_or_refused(tree: Any) -> None:
    """And nothing is lost without being counted."""
    try:
        document = parse_document(written(tree))
    except Malformed:
        return
    if isinstance(document, Index):
        assert len(document.manifests) + document.unread == len(tree["manifests"] or [])
    else:
        assert len(document.layers) + document.unread == len(tree["layers"] or [])


@given(st.binary(max_size=300))
def test_bytes_are_read_or_refused(raw: bytes) -> None:
    """With one kind of error."""
    with pytest.raises(CountersignError):
        parse_document(raw)


@pytest.mark.parametrize(
    ("config", "artifact", "layers", "expected"),
    [
        ("a/config", "an/artifact", [ENTRY], "an/artifact"),
        ("a/config", None, [ENTRY], "a/config"),
        ("application/vnd.oci.image.config.v1+json", None, [ENTRY], MANIFEST),
        (
            "application/vnd.oci.image.config.v1+json",
            None,
            [],
            "application/vnd.oci.image.config.v1+json",
        ),
    ],
)
def test_what_a_manifest_is(
    config: str, artifact: str | None, layers: list[Any], expected: str
) -> None:
    """Its artifact type, or what stands for that."""
    document = parse_document(
        written(
            {
                "schemaVersion": 2,
                "config": {**ENTRY, "mediaType": config},
                "artifactType": artifact,
                "layers": layers,
            }
        )
    )
    assert isinstance(document, Manifest)
    assert document.type == expected


@pytest.mark.parametrize("more", ["layers", "config", "fsLayers"])
def test_what_could_be_taken_for_both_is_refused(more: str) -> None:
    """CVE-2021-41190: the one reader runs what the other has not seen."""
    tree = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], more: []}
    with pytest.raises(Malformed, match="of both"):
        parse_document(written(tree))


@pytest.mark.parametrize(
    "tree",
    [
        {"schemaVersion": 2, "mediaType": MANIFEST, "manifests": []},
        {"schemaVersion": 2, "mediaType": INDEX, "config": ENTRY, "layers": []},
        {"schemaVersion": 1, "manifests": []},
        {"schemaVersion": 2, "mediaType": "", "manifests": []},
        {"schemaVersion": 2, "mediaType": None, "manifests": []},
        {"schemaVersion": "2", "manifests": []},
        {"schemaVersion": 2, "manifests": {}},
    ],
)
def test_a_type_that_is_another_one(tree: Any) -> None:
    """What it says of itself and what it is must agree."""
    with pytest.raises(Malformed):
        parse_document(written(tree))


OTHER = {**ENTRY, "digest": str(Digest.sha256(b"2"))}


@pytest.mark.parametrize(
    "more",
    [
        {"Manifests": [OTHER]},
        {"MANIFESTS": [OTHER]},
        {"manife\N{LATIN SMALL LETTER LONG S}ts": [OTHER]},
        {"Layers": [OTHER]},
        {"Config": OTHER},
        {"MediaType": MANIFEST},
        {"SchemaVersion": 1},
    ],
)
def test_no_name_stands_in_other_letters(more: dict[str, Any]) -> None:
    """Who runs the image takes the last of ``manifests`` and ``Manifests`` (Go)."""
    honest = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [ENTRY]}
    assert isinstance(parse_document(json.dumps(honest).encode()), Index)
    for tree in ({**honest, **more}, {**more, **honest}):
        with pytest.raises(Malformed):
            parse_document(json.dumps(tree).encode())


@pytest.mark.parametrize(
    "more",
    [
        {"Digest": OTHER["digest"]},
        {"MediaType": INDEX},
        {"Platform": {"os": "linux", "architecture": "amd64"}},
        {"platform": {"os": "unknown", "architecture": "unknown", "OS": "linux"}},
        {"platform": {"os": "unknown", "architecture": "unknown", "Architecture": "x"}},
    ],
)
def test_nor_in_an_entry(more: dict[str, Any]) -> None:
    """Such an entry could be another image, or one that some machine runs."""
    tree = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{**ENTRY, **more}]}
    found = parse_document(json.dumps(tree).encode())
    assert isinstance(found, Index)
    assert (found.manifests, found.unread) == ((), 1)


def test_a_manifest_is_no_index() -> None:
    """Where an index is expected."""
    tree = {"schemaVersion": 2, "config": ENTRY, "layers": []}
    with pytest.raises(Malformed, match="saw a manifest"):
        parse_index(written(tree))


@pytest.mark.parametrize("unit", [b"{},", b"[],", b"1,"])
def test_what_is_small_stays_small_in_memory(unit: bytes) -> None:
    """4 MiB of nothing were 118 MB, and a few at once are fetched."""
    raw = b'{"layers":[' + unit * (MAX_MANIFEST // len(unit) - 8) + unit[:-1] + b"]}"
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="commas and brackets"):
            parse_document(raw)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_size_is_bounded() -> None:
    """Before anything is read."""
    with pytest.raises(Malformed):
        parse_document(b" " * (MAX_MANIFEST + 1))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("docker.io/library/nginx", ("docker.io", "library/nginx")),
        ("r:5000/a__b/c-d.e", ("r:5000", "a__b/c-d.e")),
        ("[::1]:5000/a", ("[::1]:5000", "a")),
    ],
)
def test_a_repository(told: str, expected: tuple[str, str]) -> None:
    """Host and name."""
    assert split_repository(told) == expected


@pytest.mark.parametrize(
    "told",
    [
        "",
        "a",
        "a/",
        "/a",
        "a/B",
        "a/../b",
        "a/b?c",
        "a/b#c",
        "u@h/a",
        "h:x/a",
        "h/a%2e",
        "h/a\n",
        "h /a",
        f"h/{'a' * 300}",
        "-h/a",
    ],
)
def test_no_repository(told: str) -> None:
    """Nothing of it may become another part of an address."""
    with pytest.raises(Malformed):
        split_repository(told)


def test_tags() -> None:
    """Of the specification, and beside images."""
    assert is_tag("v1.0-x_y")
    assert not any(is_tag(tag) for tag in ("", "a/b", "-a", ".a", "a" * 129, "a\n"))
    assert tag_of(ONE.digest) == f"sha256-{ONE.digest.value}"
    assert is_tag(tag_of(ONE.digest, ".att"))


def test_a_referrer_reads_back() -> None:
    """As what was put into it."""
    layer = Descriptor(media_type="a/b", digest=Digest.sha256(b"2"), size=2)
    raw = render_referrer("x/y", [layer], ONE, {"told": "so"})
    document = parse_document(raw)
    assert isinstance(document, Manifest)
    assert (document.type, document.layers, document.subject) == (
        "x/y",
        (layer,),
        ONE.digest,
    )
    assert json.loads(raw)["config"]["mediaType"] == EMPTY_TYPE


def test_an_entry_is_added_once() -> None:
    """To nothing, to others, and not to itself."""
    other = Descriptor(
        media_type=MANIFEST,
        digest=Digest.sha256(b"2"),
        size=2,
        artifact_type="x/y",
        annotations={"told": "so"},
    )
    first = with_entry(None, ONE)
    assert first is not None
    assert parse_index(first).manifests == (ONE,)
    both = with_entry(first, other)
    assert both is not None
    assert parse_index(both).manifests == (ONE, other)
    assert with_entry(both, ONE) is None
    assert with_entry(both, other) is None


def test_a_list_that_is_full() -> None:
    """It is not made larger than what anybody reads."""
    full = {"schemaVersion": 2, "manifests": [], "annotations": {"a": ""}}
    full["annotations"] = {"a": "x" * (MAX_MANIFEST - len(written(full)) - 10)}
    with pytest.raises(Malformed, match="room"):
        with_entry(written(full), ONE)
