"""Warm: have at hand what the children of live objects will be judged by.

An owner that was admitted on what lies beside its images must keep letting its Pods in,
also after a restart, and while its registry is away. So whoever watches says which owners
are there, and they are judged here like the children's door will judge them, with all the
time that it takes. What requests need goes before.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from countersign.binding.deletions import controller_of
from countersign.binding.derivations.kin import number, text
from countersign.binding.facts import ClusterFacts
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import GroupKind, ObjectRef, Tree
from countersign.core.types.policy import Policy
from countersign.ports import (
    BundleSource,
    ClusterState,
    Pinned,
    PolicyBook,
    Prover,
    RememberedEvidence,
)
from countersign.usecases.gather import Gatherer
from countersign.usecases.images import Looks, lying
from countersign.usecases.owners import Owners
from countersign.usecases.testimony import ref_of
from countersign.wire.resources.bundleset_spec import MAX_PLAIN
from countersign.wire.strict_json import parse_json

OWNERS = frozenset(
    {
        GroupKind("apps", "DaemonSet"),
        GroupKind("apps", "Deployment"),
        GroupKind("apps", "ReplicaSet"),
        GroupKind("apps", "StatefulSet"),
        GroupKind("batch", "CronJob"),
        GroupKind("batch", "Job"),
    }
)
"""Kinds that run images, and whose children come back by themselves."""

MAX_OWNERS = 16_384  # that are known by name; the first ones are let go
MAX_SETS = 256  # BundleSets that wait to be looked through
MAX_ANNOUNCED = 256  # images of one of them; more is no release
_PAUSE_S = 0.02  # between two owners, some milliseconds each: requests are busy too
_IDLE_S = 10.0  # until the policies are looked at again
_AGAIN_S = 30.0  # until a registry that was silent is asked again


@dataclass(frozen=True, slots=True)
class _Known:
    """An owner as it was last seen; its status changes without a new generation."""

    version: str
    uid: str
    generation: int


class Noted:
    """What whoever watches the cluster has seen, and nobody has looked at yet.

    Attributes:
        owners: All that are there, as they were last seen.
        waiting: Those that are to be looked at.
        arrived: Intents of BundleSets that came.
        news: Set when something is noted.
    """

    def __init__(self) -> None:
        self.owners: dict[ObjectRef, _Known] = {}
        self.waiting: dict[ObjectRef, None] = {}
        self.arrived: list[tuple[bytes, ...]] = []
        self.news = asyncio.Event()

    def owner(self, version: str, tree: Tree) -> None:
        """Note that an object is there, or has changed."""
        ref = ref_of(tree)
        if GroupKind(ref.group, ref.kind) not in OWNERS:
            return
        if not _lives(tree):
            self.owners.pop(ref, None)
            return
        uid = text(tree, "/metadata/uid")
        now = _Known(version, uid, number(tree, "/metadata/generation", 0))
        before = self.owners.get(ref)
        if now != before:
            if before is None and len(self.owners) >= MAX_OWNERS:
                del self.owners[next(iter(self.owners))]
            self.owners[ref] = now
            self.waiting[ref] = None
            self.news.set()

    def intents(self, raws: tuple[bytes, ...]) -> None:
        """Note what a BundleSet that arrived is about: that will be applied soon."""
        if len(self.arrived) < MAX_SETS:
            self.arrived.append(raws)
            self.news.set()


class Warmer:
    """Looks at owners before their children are there.

    Args:
        noted: What is to be looked at.
        policies: What is asked.
        prover: Makes evidence of bundles.
        sets: Evidence beside objects.
        state: The cluster.
        cluster: Our cluster's name.
        images: Evidence beside images, for those who have time.
        sleep: Waits.
    """

    def __init__(
        self,
        noted: Noted,
        *,
        policies: PolicyBook,
        prover: Prover,
        sets: BundleSource,
        state: ClusterState,
        cluster: str,
        images: RememberedEvidence,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._noted = noted
        self._book = policies
        self._prover = prover
        self._sets = sets
        self._state = state
        self._cluster = cluster
        self._images = images
        self._sleep = sleep
        self._policies: tuple[Policy, ...] = ()
        self._silent: dict[ObjectRef, None] = {}
        self._announced: deque[deque[Pinned]] = deque()

    async def run(self) -> None:
        """Look at what is noted, for ever; what is not seen is looked at again."""
        now = asyncio.get_running_loop().time
        next_try = now() + _AGAIN_S
        while True:
            await self.catch_up()
            with suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_S):
                    await self._noted.news.wait()
            if now() >= next_try:
                self.again()
                next_try = now() + _AGAIN_S

    async def catch_up(self) -> None:
        """Look at all that is noted, once."""
        self._noted.news.clear()
        self._follow_policies()
        noted = self._noted
        while self._policies and (noted.arrived or self._announced or noted.waiting):
            if noted.arrived and len(self._announced) < MAX_SETS:
                self._announce(noted.arrived.pop())
            if self._announced:
                await self._one_announced()
            if noted.waiting:
                ref = next(iter(noted.waiting))
                del noted.waiting[ref]
                await self._owner(ref)
            await self._sleep(_PAUSE_S)
        if not self._policies:
            self._noted.waiting.clear()  # they are known by name, should a policy ask
            self._noted.arrived.clear()
            self._announced.clear()

    def again(self) -> None:
        """Note those anew of whom a registry did not say enough."""
        self._noted.waiting |= self._silent
        self._silent = {}

    def _follow_policies(self) -> None:
        """Look at every owner anew where a policy came to look beside images."""
        try:
            every = self._book.snapshot().policies
        except Unavailable:
            return
        looking = tuple(policy for policy in every if policy.images.registries)
        if looking != self._policies:
            self._policies = looking
            self._noted.waiting |= dict.fromkeys(self._noted.owners)

    async def _owner(self, ref: ObjectRef) -> None:
        """Ask who stands for an owner, as a child of it would have it asked."""
        looks = Looks(self._images, asks=True)
        try:
            known = self._noted.owners.get(ref)
            tree = known and await self._state.get(known.version, ref, live=False)
            if not tree or not _lives(tree):
                self._noted.owners.pop(ref, None)
                return
            if lying(tree, judges := self._judges(ref)):
                gatherer = Gatherer(self._prover, self._sets, looks)
                owners = Owners(self._state, gatherer, self._cluster, ClusterFacts())
                await owners.standing(tree, judges)
        except Malformed:
            return
        except Unavailable:
            self._silent[ref] = None
        if looks.silent:
            self._silent[ref] = None

    def _announce(self, raws: Iterable[bytes]) -> None:
        """Note the images of objects that are not there yet."""
        images = sorted({image for raw in raws for image in self._images_of(raw)})
        if images:
            self._announced.append(deque(images[:MAX_ANNOUNCED]))

    async def _one_announced(self) -> None:
        """Look beside one image of a set that announces some, of each set in turn.

        Anybody may announce; owners that are there do not wait for all of it.
        """
        images = self._announced.popleft()
        image = images.popleft()
        if self._images.known(image) is None:
            try:
                await self._images.about(image)
            except Unavailable:
                return  # the request will say so, and of the others of the set
        if images:
            self._announced.append(images)

    def _images_of(self, raw: bytes) -> tuple[Pinned, ...]:
        try:
            tree = parse_json(raw, limit=MAX_PLAIN)
        except Malformed:
            return ()
        if not isinstance(tree, dict):
            return ()
        return lying(tree, self._judges(ref_of(tree)))

    def _judges(self, ref: ObjectRef) -> tuple[Policy, ...]:
        kind = GroupKind(ref.group, ref.kind)
        return tuple(p for p in self._policies if p.scope.holds(kind, ref.namespace))


def _lives(tree: Tree) -> bool:
    """Tell whether an object is looked at by itself.

    A Job of a CronJob is not; nor a ReplicaSet that a Deployment keeps without Pods.
    """
    return controller_of(tree) is None or number(tree, "/spec/replicas", 0) > 0
