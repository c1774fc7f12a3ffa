"""What is put beside images: manifests that refer to them, and lists of those.

Source:
    github.com/opencontainers/image-spec v1.1, manifest.md, descriptor.md;
    distribution-spec v1.1, "Referrers Tag Schema".
"""

import json
from collections.abc import Mapping, Sequence

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Json, Tree
from countersign.wire.oci import (
    INDEX,
    MANIFEST,
    MAX_MANIFEST,
    SCHEMA,
    Descriptor,
    parse_index,
)
from countersign.wire.strict_json import parse_json

EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY = b"{}"  # manifest.md, "Guidance for an Empty Descriptor"


def render_referrer(
    artifact_type: str,
    layers: Sequence[Descriptor],
    subject: Descriptor,
    annotations: Mapping[str, str],
) -> bytes:
    """Write a manifest that refers to another, as cosign 3 does.

    Source:
        cosign v3.1.3, pkg/oci/remote/write.go, WriteReferrer.
    """
    config = Descriptor(
        media_type=EMPTY_TYPE,
        digest=Digest.sha256(EMPTY),
        size=len(EMPTY),
        artifact_type=artifact_type,
    )
    tree: Tree = {
        "schemaVersion": SCHEMA,
        "mediaType": MANIFEST,
        "config": _descriptor(config),
        "layers": [_descriptor(layer) for layer in layers],
        "annotations": dict(annotations),
        "subject": _descriptor(subject),
        "artifactType": artifact_type,
    }
    return _written(tree)


def with_entry(raw: bytes | None, entry: Descriptor) -> bytes | None:
    """Return a list of referrers with one more, the others as they were.

    Args:
        raw: The list that lies there; None: none does.
        entry: The one more.

    Returns:
        The list, or None: the entry is in it.

    Raises:
        Malformed: what lies there is no index, or would become too large.
    """
    listed: list[Json] = []
    tree: Tree = {"schemaVersion": SCHEMA, "mediaType": INDEX}
    if raw is not None:
        if entry.digest in {one.digest for one in parse_index(raw).manifests}:
            return None
        there = parse_json(raw, limit=MAX_MANIFEST)
        if isinstance(there, dict):
            tree |= there
        if isinstance(there_listed := tree.get("manifests"), list):
            listed = there_listed
    written = _written({**tree, "manifests": [*listed, _descriptor(entry)]})
    if len(written) > MAX_MANIFEST:
        raise Malformed(f"expected room in a list of {MAX_MANIFEST} bytes")
    return written


def _descriptor(told: Descriptor) -> Tree:
    """Write a descriptor, leaving out what is empty."""
    tree: Tree = {
        "mediaType": told.media_type,
        "size": told.size,
        "digest": str(told.digest),
    }
    if told.annotations:
        tree["annotations"] = dict(told.annotations)
    if told.artifact_type:
        tree["artifactType"] = told.artifact_type
    return tree


def _written(tree: Tree) -> bytes:
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode()
