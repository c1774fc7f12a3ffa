"""What registries keep: manifests, indexes and the descriptors in them.

A document is read by what is in it, never by what a header or another document says that
it is; one that two readers could take for two things is refused: who runs images reads
names in any letters, `Manifests` over `manifests` (Go, encoding/json, Unmarshal). Entries
that cannot be read are counted, not dropped: who needs all of them must know.

Source:
    github.com/opencontainers/image-spec v1.1, manifest.md, image-index.md, descriptor.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import model_validator

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, Json
from countersign.wire.shapes import Shape, shaped
from countersign.wire.strict_json import parse_json
from countersign.wire.times import parse_instant

MAX_MANIFEST = 4 << 20  # bytes; distribution-spec, "Pushing Manifests", the usual limit
MAX_MARKS = 1 << 18  # in one document: each may open an object of 64 bytes
MAX_ENTRIES = 8192  # in one document; each costs 10 µs to read

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})
INDEXES = frozenset({INDEX, DOCKER_LIST})

SCHEMA = 2  # manifest.md: schemaVersion "MUST be 2"
CREATED = "org.opencontainers.image.created"

_CONFIGS = frozenset(  # of images, and of what old cosign stores as one
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)
_OF_MANIFESTS = frozenset({"layers", "config", "fsLayers"})
_MARKS = (b",", b"{", b"[")
_TELLING = _OF_MANIFESTS | {"manifests"}  # which of both a document is
_UNKNOWN = "unknown"  # os and architecture of what no machine runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What a document says of another: to be checked against that.

    Attributes:
        media_type: As told.
        digest: SHA-256; no other is read.
        size: Bytes.
        artifact_type: As told, or ``""``.
        annotations: Of the descriptor.
        runnable: Some machine could run it. BuildKit keeps its attestations in an index
            as manifests of ``unknown/unknown``, which none does.
    """

    media_type: str
    digest: Digest
    size: int
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    runnable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An image manifest: an image, or whatever else lies as one.

    Attributes:
        media_type: Its own.
        type: Artifact type; else the media type of the configuration, or, where that is
            an image's, of the first layer.
        layers: In their order.
        unread: Layers that could not be read.
        subject: What it refers to, or None.
        annotations: Of the manifest.
    """

    media_type: str
    type: str
    layers: tuple[Descriptor, ...]
    unread: int = 0
    subject: Digest | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An image index: images of several platforms, or a list of referrers.

    Attributes:
        media_type: Its own.
        manifests: In their order.
        unread: Entries that could not be read.
    """

    media_type: str
    manifests: tuple[Descriptor, ...]
    unread: int = 0


class _Exact(Shape):
    """An object whose names stand in it in no other letters."""

    @model_validator(mode="before")
    @classmethod
    def _require_letters(cls, value: object) -> object:
        if isinstance(value, dict) and _respelled(value, _names(cls)):
            raise ValueError("expected names in their own letters only")
        return value


@cache
def _names(shape: type[_Exact]) -> frozenset[str]:
    return frozenset(info.alias or name for name, info in shape.model_fields.items())


def _respelled(names: Iterable[str], known: frozenset[str]) -> bool:
    """Tell whether a name is a known one in other letters: upper case, long s, Kelvin."""
    return any(
        name not in known and name.casefold() in _folded(known) for name in names
    )


@cache  # of a few sets
def _folded(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


class _Platform(_Exact):
    architecture: str = ""
    os: str = ""


class _Descriptor(_Exact):
    media_type: str
    digest: str
    size: int
    artifact_type: str | None = None
    annotations: dict[str, str] | None = None
    platform: _Platform | None = None

    def value(self) -> Descriptor:
        """Return the descriptor.

        Raises:
            Malformed: it has another digest than SHA-256, or no size.
        """
        digest = Digest.parse(self.digest)
        if digest.algorithm is not Algorithm.SHA256 or self.size < 0:
            raise Malformed("expected a SHA-256 digest and a size")
        told = self.platform
        nowhere = told and (told.os, told.architecture) == (_UNKNOWN, _UNKNOWN)
        return Descriptor(
            media_type=self.media_type,
            digest=digest,
            size=self.size,
            artifact_type=self.artifact_type or "",
            annotations=self.annotations or {},
            runnable=not nowhere,
        )


class _Manifest(_Exact):
    schema_version: int
    media_type: str = MANIFEST
    artifact_type: str | None = None
    config: _Descriptor
    layers: list[Any] | None
    subject: _Descriptor | None = None
    annotations: dict[str, Any] | None = None


class _Index(_Exact):
    schema_version: int
    media_type: str = INDEX
    manifests: list[Any] | None


def parse_document(raw: bytes) -> Manifest | Index:
    """Read a manifest or an index, whichever it is.

    Raises:
        Malformed: it is neither, or could be taken for both (CVE-2021-41190).
    """
    if sum(map(raw.count, _MARKS)) > MAX_MARKS:
        raise Malformed(f"expected at most {MAX_MARKS} commas and brackets in JSON")
    tree = parse_json(raw, limit=MAX_MANIFEST)
    if not isinstance(tree, dict):
        raise Malformed("expected a manifest or an index, saw no object")
    if _respelled(tree, _TELLING):
        raise Malformed("expected a manifest or an index, saw its names respelled")
    if "manifests" not in tree:
        return _manifest(shaped(_Manifest, tree, "manifest"))
    if tree.keys() & _OF_MANIFESTS:
        raise Malformed("expected a manifest or an index, saw something of both")
    shape = shaped(_Index, tree, "index")
    _require(shape.schema_version, shape.media_type, INDEXES)
    entries, unread = _descriptors(shape.manifests or [])
    return Index(media_type=shape.media_type, manifests=entries, unread=unread)


def parse_index(raw: bytes) -> Index:
    """Read an index.

    Raises:
        Malformed: it is none.
    """
    document = parse_document(raw)
    if isinstance(document, Manifest):
        raise Malformed("expected an index, saw a manifest")
    return document


def _manifest(shape: _Manifest) -> Manifest:
    _require(shape.schema_version, shape.media_type, MANIFESTS)
    layers, unread = _descriptors(shape.layers or [])
    told = shape.artifact_type or shape.config.media_type
    if told in _CONFIGS and layers:
        told = layers[0].media_type
    subject = shape.subject.value().digest if shape.subject else None
    return Manifest(
        media_type=shape.media_type,
        type=told,
        layers=layers,
        unread=unread,
        subject=subject,
        annotations={
            name: text
            for name, text in (shape.annotations or {}).items()
            if isinstance(text, str)
        },
    )


def _require(version: int, media_type: str, known: frozenset[str]) -> None:
    if version != SCHEMA or media_type not in known:
        raise Malformed(
            f"expected schema {SCHEMA} of {' or '.join(sorted(known))}, saw {version} "
            f"of {media_type[:80]!r}"
        )


def _descriptors(entries: Sequence[Json]) -> tuple[tuple[Descriptor, ...], int]:
    """Return the entries that can be read, and how many cannot.

    Raises:
        Malformed: there are more than `MAX_ENTRIES`.
    """
    if len(entries) > MAX_ENTRIES:
        raise Malformed(f"expected at most {MAX_ENTRIES} entries, saw {len(entries)}")
    read = []
    for entry in entries:
        try:
            read.append(shaped(_Descriptor, entry, "descriptor").value())
        except Malformed:
            continue
    return tuple(read), len(entries) - len(read)


def made_at(annotations: Mapping[str, str]) -> float:
    """Return when annotations say that something was made, in seconds; 0: they do not.

    Source:
        image-spec v1.1, annotations.md: ``org.opencontainers.image.created``.
    """
    try:
        return parse_instant(annotations.get(CREATED, "")).timestamp()
    except (Malformed, ValueError, OverflowError):
        return 0.0
