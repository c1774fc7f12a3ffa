"""BundleSets: evidence that travels beside the objects it speaks of.

The name of a set carries the digest of its spec, so a set that is known by name is
known whole, and two people who pack the same evidence write the same object.
"""

import hashlib
import re
from collections.abc import Sequence

import orjson
import rfc8785

from countersign.core.errors import Malformed, OverLimit
from countersign.core.types.artifacts import Digest, Json, Tree
from countersign.wire.packed import pack
from countersign.wire.resources.bundleset_spec import MAX_ENTRIES, MAX_PLAIN, MAX_SET
from countersign.wire.resources.kinds import API_VERSION, BUNDLE_SET
from countersign.wire.resources.read import Invalid, name_of

MAX_OBJECT = 1_400_000
"""Bytes of JSON: etcd takes 1.5 MiB, with what the server adds."""

_HEX = 32  # characters of the digest in a name: 128 bits
_MAX_WHAT = 200  # characters; a name has at most 253
_OTHER = re.compile(r"[^a-z0-9]+")
# Argo CD applies it before what it speaks of. Neither Argo CD nor Flux removes it when
# it is in git no more: what runs may rest on it, and its removal would be denied.
_FIRST_AND_LASTING = {
    "argocd.argoproj.io/sync-wave": "-1",
    "argocd.argoproj.io/sync-options": "Prune=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}


def render_bundle_set(
    what: str, bundles: Sequence[bytes], intents: Sequence[bytes], namespace: str
) -> Tree:
    """Write a BundleSet; the same evidence gives the same object.

    Args:
        what: For people, at the front of its name; written as a name may be.
        bundles: Raw Sigstore bundles; what is there twice is written once.
        intents: Canonical JSON of the intents that they speak of.
        namespace: Of the objects that it is about; for cluster-scoped ones that of
            countersign.

    Raises:
        Malformed: there is no bundle.
        OverLimit: it is more than one set may hold; the message says what to do.

    Limits:
        `MAX_ENTRIES`, `MAX_PLAIN`, `MAX_SET`, `MAX_OBJECT`.
    """
    signed, meant = tuple(dict.fromkeys(bundles)), tuple(dict.fromkeys(intents))
    if not signed:
        raise Malformed("expected at least one bundle in a BundleSet, saw none")
    _bound("bundles", len(signed), MAX_ENTRIES)
    _bound("intents", len(meant), MAX_ENTRIES)
    sizes = [len(plain) for plain in (*signed, *meant)]
    _bound("bytes in each bundle and intent", max(sizes), MAX_PLAIN)
    _bound("bytes in all of them", sum(sizes), MAX_SET)
    spec: Tree = {"bundles": [_packed(raw) for raw in signed]}
    if meant:
        spec["intents"] = [_packed(raw) for raw in meant]
    front = _OTHER.sub("-", what.lower())[:_MAX_WHAT].strip("-") or "evidence"
    made: Tree = {
        "apiVersion": API_VERSION,
        "kind": BUNDLE_SET.name,
        "metadata": {
            "name": f"{front}-{_mark(spec)}",
            "namespace": namespace,
            "annotations": dict(_FIRST_AND_LASTING),
        },
        "spec": spec,
    }
    _bound("bytes of JSON", len(orjson.dumps(made)), MAX_OBJECT)
    return made


def refuse_other_name(tree: Tree) -> None:
    """Check that the name of a set is made of what is in it.

    Raises:
        Invalid: it is another one, or not known yet.
    """
    name, mark = name_of(tree), _mark(tree.get("spec"))
    if not name.endswith(f"-{mark}"):
        said = f'metadata.name: expected to end with "-{mark}", saw "{name[:253]}"'
        raise Invalid([f"{said}: it is named by the digest of its spec"])


def _packed(plain: bytes) -> Tree:
    return {"digest": {"sha256": Digest.sha256(plain).value}, "data": pack(plain)}


def _mark(spec: Json) -> str:
    return hashlib.sha256(rfc8785.dumps(spec)).hexdigest()[:_HEX]


def _bound(what: str, seen: int, most: int) -> None:
    if seen > most:
        raise OverLimit(
            f"expected at most {most} {what} of one BundleSet, saw {seen}: "
            "sign fewer objects at once"
        )
