"""Baseline: what runs already, to be signed as it stands.

Objects that were there before countersign are signed like any others, only that their
manifests are not at hand: signed is what would be proposed had they just been denied.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from countersign.binding.canonical import canonical_json, read_intent
from countersign.binding.deletions import controller_of
from countersign.binding.facts import ClusterFacts
from countersign.binding.helm import is_storage
from countersign.binding.images import images
from countersign.binding.proposal import propose
from countersign.binding.tables import stored
from countersign.binding.tree import find
from countersign.binding.writes import is_token
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import GroupKind, Intent, ObjectRef, Tree
from countersign.ports import ClusterState, Right
from countersign.usecases.bind import look_up
from countersign.usecases.prepare import Prepared
from countersign.usecases.sheet import Sheet
from countersign.usecases.verify import plural
from countersign.wire.annotations import read_annotations

MAX_PART = 50  # objects of one signature, so that it and its set stay small
MAX_PART_BYTES = 512 * 1024  # of their intents

# Made by controllers without an owner that says so, or anew when they go
_MADE = frozenset(
    {
        GroupKind("", "Endpoints"),
        GroupKind("discovery.k8s.io", "EndpointSlice"),
        GroupKind("apps", "ControllerRevision"),
        GroupKind("", "Event"),
        GroupKind("events.k8s.io", "Event"),
        GroupKind("coordination.k8s.io", "Lease"),
        GroupKind("storage.k8s.io", "CSIStorageCapacity"),
        GroupKind("certificates.k8s.io", "PodCertificateRequest"),
    }
)
_NOISE = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})


@dataclass(frozen=True, slots=True)
class Wanted:
    """``KIND`` or ``KIND/NAME`` of a baseline; an empty name is all of the kind."""

    kind: str
    name: str = ""

    def holds(self, kind: str, name: str = "") -> bool:
        """Tell whether an object is meant, or, without its name, may be."""
        same = self.kind.lower() in (kind.lower(), plural(kind))
        return same and (not name or self.name in ("", name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs in a namespace.

    Attributes:
        objects: That can be signed as they stand.
        left: Those that cannot be; by name.
    """

    objects: tuple[Prepared, ...]
    left: tuple[ObjectRef, ...]


def kinds(wanted: Sequence[Wanted]) -> tuple[tuple[str, GroupKind], ...]:
    """Return versions and kinds to list.

    Raises:
        Malformed: one is asked for that we do not know.
    """
    known = tuple(_signed_kinds())
    for one in wanted:
        if not any(one.holds(kind.kind) for _, kind in known):
            raise Malformed(
                f"expected a kind that is signed in a namespace, saw {one.kind}"
            )
    return tuple(
        (version, kind)
        for version, kind in known
        if not wanted or any(one.holds(kind.kind) for one in wanted)
    )


def _signed_kinds() -> Iterator[tuple[str, GroupKind]]:
    for group, version, name, kind in stored():
        if kind.namespaced and GroupKind(group, name) not in _MADE:
            yield version, GroupKind(group, name)


def rights(namespace: str, found: Iterable[tuple[str, GroupKind]]) -> tuple[Right, ...]:
    """Return what a signer of a baseline must be able to do."""
    return tuple(
        Right("list", kind.group, plural(kind.kind), namespace) for _, kind in found
    )


async def running(
    namespace: str,
    wanted: Sequence[Wanted],
    *,
    cluster: ClusterState,
    settings: ClusterFacts,
    salt: Callable[[], bytes],
) -> Running:
    """Return what runs in a namespace and nobody makes again by himself.

    Left out are children of controllers, Helm's storage, and what the control plane
    puts into each namespace.

    Raises:
        Malformed: a kind that we do not know.
        Unavailable: the API server did not answer.
    """
    objects: list[Prepared] = []
    left: list[ObjectRef] = []
    for version, kind in kinds(wanted):
        asked = ObjectRef(kind.group, kind.kind, namespace, "")
        for listed in await cluster.list(version, asked):
            tree = _told(listed, version, kind)
            ref = replace(asked, name=str(find(tree, "/metadata/name") or ""))
            if _is_made(tree, kind) or not _is_wanted(ref, wanted):
                continue
            facts = await look_up(cluster, settings, tree, namespace)
            intent = propose(
                tree,
                identity=ref,
                old=tree,
                facts=facts,
                carried=_carried(tree),
                salt=salt(),
            )
            if intent is None:
                left.append(ref)
            else:
                objects.append(_prepared(ref, version, intent))
    return Running(objects=tuple(objects), left=tuple(left))


def parts(sheet: Sheet) -> Iterator[Sheet]:
    """Yield a sheet in parts that one signature, and one BundleSet, can hold."""
    rest = list(sheet.items)
    while rest:
        size, count = 0, 0
        for item in rest[:MAX_PART]:
            size += len(canonical_json(item.prepared.intent.tree))
            if count and size > MAX_PART_BYTES:
                break
            count += 1
        yield replace(sheet, items=tuple(rest[:count]))
        rest = rest[count:]


def _told(listed: Tree, version: str, kind: GroupKind) -> Tree:
    """Say of an item of a list what it is."""
    full = f"{kind.group}/{version}" if kind.group else version
    return {**listed, "apiVersion": full, "kind": kind.kind}


def _is_made(tree: Tree, kind: GroupKind) -> bool:
    name = str(find(tree, "/metadata/name") or "")
    return (
        controller_of(tree) is not None
        or (kind.kind, name) in _NOISE
        or is_token(tree)
        or is_storage(tree, going=True)
    )


def _is_wanted(ref: ObjectRef, wanted: Sequence[Wanted]) -> bool:
    return not wanted or any(one.holds(ref.kind, ref.name) for one in wanted)


def _carried(tree: Tree) -> tuple[Intent, ...]:
    """Return the intent that a live object carries, if it can be read."""
    annotations = find(tree, "/metadata/annotations")
    try:
        found = read_annotations(annotations if isinstance(annotations, dict) else {})
        return (read_intent(found.intent),) if found.intent else ()
    except Malformed:
        return ()


def _prepared(ref: ObjectRef, version: str, intent: Intent) -> Prepared:
    return Prepared(
        manifest=intent.tree,
        ref=ref,
        version=version,
        intent=intent,
        images=images(intent.tree),
        bundles=(),
        stale=False,
    )
