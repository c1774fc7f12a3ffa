"""One of several: who holds a Lease does the work, and the others wait.

As client-go's leader election does it: nobody compares clocks of two machines. Whoever
waits takes over a Lease that he has seen unchanged for as long as it says it lasts, by his
own clock; and each write names the version it was made from, so that of two who try, one
is refused.

Source: k8s.io/client-go/tools/leaderelection, ``tryAcquireOrRenew`` and ``release``.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from countersign.adapters.cluster.source import NotThere, segment
from countersign.adapters.cluster.written import Creator
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Json, Tree
from countersign.ports import Clock

_GROUP = "coordination.k8s.io"
_FREED_S = 1  # of a Lease that was let go: what client-go writes


class Writer(Creator, Protocol):
    """The API server, as far as a Lease needs it; `ApiServer` is one."""

    async def replace(self, path: str, tree: Tree) -> Tree:
        """Replace an object of the version that it names; raise as `create`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which Lease, and as whom.

    Attributes:
        namespace, name: Of the Lease.
        identity: Ours; no two processes have the same.
        lasts_s: After so many seconds without a word from its holder it is free.
    """

    namespace: str
    name: str
    identity: str
    lasts_s: int


class Lease:
    """A Lease that several ask for.

    Args:
        server: The API server.
        claim: Which, and as whom.
        clock: For what is written, for people.
        monotonic: For what is decided, in seconds.

    Attributes:
        holder: Who had it at the last look; ``""``: nobody.
    """

    def __init__(
        self,
        server: Writer,
        claim: Claim,
        clock: Clock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        space = segment(claim.namespace)
        self._list = f"/apis/{_GROUP}/v1/namespaces/{space}/leases"
        self._path = f"{self._list}/{segment(claim.name)}"
        self._server = server
        self._claim = claim
        self._clock = clock
        self._monotonic = monotonic
        self._seen: tuple[Json, float] = (None, 0.0)
        self.holder = ""

    async def ask(self) -> bool:
        """Take the Lease, or renew it; tell whether it is ours now.

        Raises:
            Unavailable: the API server did not answer, or we may not.
        """
        try:
            return await self._ask()
        except NotThere as error:
            space = self._claim.namespace
            raise Unavailable(f"no Lease could be made in {space}: {error}") from error

    async def release(self) -> None:
        """Let the Lease go, so that the next one need not wait.

        Raises:
            Unavailable: the API server did not answer; it becomes free by itself.
        """
        try:
            live = await self._server.get(self._path)
        except NotThere:
            return
        if _holder(live) != self._claim.identity:
            return
        freed: Tree = {"holderIdentity": "", "leaseDurationSeconds": _FREED_S}
        try:
            await self._server.replace(self._path, _with(live, freed))
        except Rejected:
            return  # somebody else was faster
        self.holder = ""

    async def _ask(self) -> bool:
        try:
            live = await self._server.get(self._path)
        except NotThere:
            return await self._create()
        self.holder = _holder(live)
        ours = self.holder == self._claim.identity
        if not (ours or self._is_free(live)):
            return False
        now = _micro(self._clock.now())
        said: Tree = {
            "holderIdentity": self._claim.identity,
            "leaseDurationSeconds": self._claim.lasts_s,
            "renewTime": now,
        }
        if not ours:
            said["acquireTime"] = now
            said["leaseTransitions"] = _count(live) + 1
        return await self._won(self._server.replace, self._path, _with(live, said))

    def _is_free(self, live: Tree) -> bool:
        """Tell whether nobody holds it, or its holder was silent for too long."""
        version, now = _version(live), self._monotonic()
        if version != self._seen[0]:
            self._seen = version, now
        lasts = _spec(live).get("leaseDurationSeconds")
        lasts_s = lasts if isinstance(lasts, int) else self._claim.lasts_s
        return not self.holder or now - self._seen[1] >= lasts_s

    async def _create(self) -> bool:
        now = _micro(self._clock.now())
        tree: Tree = {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "Lease",
            "metadata": {
                "name": self._claim.name,
                "namespace": self._claim.namespace,
            },
            "spec": {
                "holderIdentity": self._claim.identity,
                "leaseDurationSeconds": self._claim.lasts_s,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            },
        }
        return await self._won(self._server.create, self._list, tree)

    async def _won(self, write: "_Write", path: str, tree: Tree) -> bool:
        try:
            await write(path, tree)
        except Rejected as error:
            if await self._changed(tree):  # somebody else was faster
                return self.holder == self._claim.identity
            raise Unavailable(str(error)) from error
        self.holder = self._claim.identity
        return True

    async def _changed(self, tree: Tree) -> bool:
        """Tell whether the Lease is another one than `tree` was made from."""
        try:
            live = await self._server.get(self._path)
        except NotThere:
            return False
        self.holder = _holder(live)
        return _version(live) != _version(tree)


_Write = Callable[[str, Tree], Awaitable[Tree]]


def _spec(lease: Tree) -> Tree:
    spec = lease.get("spec")
    return spec if isinstance(spec, dict) else {}


def _holder(lease: Tree) -> str:
    return str(_spec(lease).get("holderIdentity") or "")


def _count(lease: Tree) -> int:
    told = _spec(lease).get("leaseTransitions")
    return told if isinstance(told, int) else 0


def _version(lease: Tree) -> Json:
    about = lease.get("metadata")
    return about.get("resourceVersion") if isinstance(about, dict) else None


def _with(lease: Tree, said: Tree) -> Tree:
    return {**lease, "spec": {**_spec(lease), **said}}


def _micro(at: datetime) -> str:
    """Write a MicroTime: always six digits."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
