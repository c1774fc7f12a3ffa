"""BundleSets by what they speak of, within a bounded memory.

Anybody who may write BundleSets in a namespace decides how much lies there. Where that is
too much, `set_shares` says what is kept; what is not is known by its age and size, so that
it is the same whatever came first.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from countersign.adapters.cluster.stores import key_of
from countersign.adapters.set_shares import Rank, chosen, share
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.ports import Detached
from countersign.telemetry import BUNDLE_SETS
from countersign.wire.resources.bundleset_about import named, stated
from countersign.wire.resources.objects import bundle_set
from countersign.wire.resources.read import Invalid

logger = logging.getLogger(__name__)

MAX_NAMESPACE = 24 << 20  # bytes of one namespace's sets: about a thousand releases
MAX_ALL = 96 << 20  # bytes of all sets
_SET, _NAME = 1024, 1024  # bytes of a set, and of each object that it names, estimated
_STATED = 2048  # bytes of what a bundle claims, estimated


@dataclass(frozen=True, slots=True)
class _Kept:
    detached: Detached
    keys: frozenset[ObjectRef]
    window: bool
    size: int  # bytes, estimated


@dataclass(slots=True)
class _Place:
    """The sets of one namespace.

    Attributes:
        ranks: Of all sets that can be read, by name.
        kept: By name.
        found: Names of sets, by what they speak of.
        windows: Names of sets that open all of the namespace.
        unfit: Names of sets that are not kept, since there was no room.
        wanted: Those of them for which there is room by now.
        invalid: Names of sets that nobody can read.
        asked: Bytes of all sets that can be read.
        size: Bytes of what is kept.
    """

    ranks: dict[str, Rank] = field(default_factory=dict)
    kept: dict[str, _Kept] = field(default_factory=dict)
    found: defaultdict[ObjectRef, set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )
    windows: set[str] = field(default_factory=set)
    unfit: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    invalid: set[str] = field(default_factory=set)
    asked: int = 0
    size: int = 0


class SetIndex:
    """BundleSets, found by the objects that they name.

    A set is known by its name, which carries the digest of what is in it. What is kept
    is chosen when somebody asks, or when a quarter too much is held: a list of many sets
    would otherwise be sorted once for each.

    Args:
        own_namespace: Where sets about cluster-scoped objects lie.
        namespace_bytes: Of one namespace's sets.
        all_bytes: Of all sets.
    """

    def __init__(
        self,
        own_namespace: str,
        *,
        namespace_bytes: int = MAX_NAMESPACE,
        all_bytes: int = MAX_ALL,
    ) -> None:
        self._own = own_namespace
        self._namespace_bytes = namespace_bytes
        self._all_bytes = all_bytes
        self._places: defaultdict[str, _Place] = defaultdict(_Place)
        self._size = 0
        self._settled = True

    def put(self, tree: Tree) -> bool:
        """Take a set; tell whether it is one that was not held before.

        Whether there is room for it in the end is told by `about`.
        """
        where, name = key_of(tree)
        place = self._places[where]
        self._date(place, name, made_at(tree))
        if name in place.kept:
            return False
        if name in place.unfit:
            self._settle()
            if name not in place.wanted:
                return False
        try:
            bundles, intents = bundle_set(tree)
        except Invalid as error:
            self._pass(place.invalid, where, name, str(error))
            self._count()
            return False
        place.invalid.discard(name)
        said = tuple(map(stated, bundles))
        about = named(said, intents)
        keys = frozenset(map(_key, about.refs))  # of other places: never asked for
        size = sum(map(len, (*bundles, *intents))) + _SET + _NAME * len(keys)
        size += _STATED * len(bundles)
        kept = _Kept(
            Detached(
                name=name,
                bundles=bundles,
                intents=intents,
                stated=said,
                made=made_at(tree),
            ),
            keys,
            where in about.namespaces,
            size,
        )
        self._add(place, kept)
        if (
            place.size > self._namespace_bytes * 5 // 4
            or self._size > self._all_bytes * 5 // 4
        ):
            self._settle()
        self._count()
        return True

    def drop(self, tree: Tree) -> None:
        """Forget a set."""
        where, name = key_of(tree)
        self._forget(where, name)
        self._count()

    def keep(self, where: str, names: Collection[str]) -> None:
        """Forget all sets of a namespace but those of `names`."""
        place = self._places.get(where, _Place())
        for name in (place.kept.keys() | place.unfit | place.invalid) - set(names):
            self._forget(where, name)
        self._count()

    def places(self) -> tuple[str, ...]:
        """Return the namespaces that any set was seen in."""
        return tuple(self._places)

    def unknown(self, where: str, names: Collection[str]) -> tuple[str, ...]:
        """Return those of `names` that it is worth to fetch, in their order."""
        place = self._places.get(where, _Place())
        self._settle()
        passed = place.invalid | (place.unfit - place.wanted)
        return tuple(n for n in names if n not in place.kept and n not in passed)

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        """Return the sets that name `ref`, sorted by name; see the port.

        Where some did not fit, one stands for all of them.
        """
        where = ref.namespace or self._own
        place = self._places.get(where, _Place())
        self._settle()
        names = set(place.windows) if ref.namespace else set()
        for key in _keys(ref):
            names |= place.found.get(key, set())
        found = tuple(place.kept[name].detached for name in sorted(names))
        if not place.unfit:
            return found
        unread = Detached(name=min(place.unfit), bundles=(), intents=(), whole=False)
        return (*found, unread)

    def _settle(self) -> None:
        """Keep what is chosen of all that is there, and nothing else."""
        if self._settled:
            return
        room = share(
            (place.asked for place in self._places.values()),
            most=self._namespace_bytes,
            total=self._all_bytes,
        )
        for where, place in self._places.items():
            if place.asked <= room:
                place.wanted = set(place.unfit)
                continue
            fit = chosen(place.ranks.values(), room)
            place.wanted = place.unfit & fit
            for name in place.kept.keys() - fit:
                self._unload(place, name)
                rank = place.ranks[name]
                why = f"no room for its {rank.size} bytes, made {rank.made or 'now'}"
                self._pass(place.unfit, where, name, why)
        self._settled = True
        self._count()

    def _date(self, place: _Place, name: str, made: str) -> None:
        """Note that a set was deleted and made anew, while nobody told us."""
        rank = place.ranks.get(name)
        if rank is None or made in ("", rank.made):
            return
        place.ranks[name] = rank._replace(made=made)
        if kept := place.kept.get(name):
            detached = replace(kept.detached, made=made)
            place.kept[name] = replace(kept, detached=detached)
        self._settled = False

    def _add(self, place: _Place, kept: _Kept) -> None:
        name = kept.detached.name
        if name not in place.ranks:
            place.ranks[name] = Rank(kept.detached.made, name, kept.size)
            place.asked += kept.size
            self._settled = False
        place.unfit.discard(name)
        place.wanted.discard(name)
        place.kept[name] = kept
        for key in kept.keys:
            place.found[key].add(name)
        if kept.window:
            place.windows.add(name)
        place.size += kept.size
        self._size += kept.size

    def _pass(self, passed: set[str], where: str, name: str, why: str) -> None:
        if name not in passed:
            passed.add(name)
            logger.warning(
                "bundle_set_ignored",
                extra={"namespace": where, "resource": name, "problem": why[:512]},
            )

    def _forget(self, where: str, name: str) -> None:
        place = self._places[where]
        for names in (place.unfit, place.wanted, place.invalid):
            names.discard(name)
        self._unload(place, name)
        rank = place.ranks.pop(name, None)
        if rank is not None:
            place.asked -= rank.size
            self._settled = False
        if not (place.ranks or place.invalid):
            del self._places[where]

    def _unload(self, place: _Place, name: str) -> None:
        """Let go of what is in a set; that it is there stays known."""
        kept = place.kept.pop(name, None)
        if kept is None:
            return
        place.windows.discard(name)
        for key in kept.keys:
            place.found[key].discard(name)
            if not place.found[key]:
                del place.found[key]
        place.size -= kept.size
        self._size -= kept.size

    def _count(self) -> None:
        places = self._places.values()
        BUNDLE_SETS.labels("kept").set(sum(len(place.kept) for place in places))
        BUNDLE_SETS.labels("overLimit").set(sum(len(place.unfit) for place in places))
        BUNDLE_SETS.labels("invalid").set(sum(len(place.invalid) for place in places))


def made_at(tree: Tree) -> str:
    """Return when the server took an object, which nobody else can say; else ``""``."""
    metadata = tree.get("metadata")
    when = metadata.get("creationTimestamp") if isinstance(metadata, dict) else None
    return when if isinstance(when, str) else ""


def _key(ref: ObjectRef) -> ObjectRef:
    """Return what an object is found by: its name, or the prefix of one."""
    return replace(ref, generate_name="") if ref.name else ref


def _keys(ref: ObjectRef) -> Iterator[ObjectRef]:
    if ref.name:
        yield _key(ref)
    if ref.generate_name:
        yield replace(ref, name="")
