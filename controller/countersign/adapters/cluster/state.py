"""Live objects: from watched caches where there are any, else by one GET or LIST."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from countersign.adapters.cluster.source import NotThere, Source, segment
from countersign.adapters.cluster.stores import PackedStore
from countersign.adapters.cluster.watch import Pace, Watch
from countersign.core.types.artifacts import Json, ObjectRef, Tree


@dataclass(frozen=True, slots=True)
class Api:
    """A kind as the API server serves it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of one object, or of a list.

        Raises:
            ValueError: no object can have such a name.
        """
        path = f"/apis/{self.group}" if self.group else "/api"
        path += f"/{self.version}"
        if namespace:
            path += f"/namespaces/{segment(namespace)}"
        path += f"/{self.plural}"
        return f"{path}/{segment(name)}" if name else path


WATCHED: Final = (
    Api("", "v1", "LimitRange", "limitranges"),
    Api("", "v1", "Service", "services"),
    Api("", "v1", "ServiceAccount", "serviceaccounts"),
    Api("apps", "v1", "DaemonSet", "daemonsets"),
    Api("apps", "v1", "Deployment", "deployments"),
    Api("apps", "v1", "ReplicaSet", "replicasets"),
    Api("apps", "v1", "StatefulSet", "statefulsets"),
    Api("batch", "v1", "CronJob", "cronjobs"),
    Api("batch", "v1", "Job", "jobs"),
    Api("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False),
    Api(
        "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False
    ),
    Api("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False),
)
"""What doors ask for on ordinary requests; the chart's RBAC lists the same."""


class LiveCluster:
    """ClusterState without caches: each question is one request."""

    def __init__(self, server: Source) -> None:
        self._server = server
        self._served: dict[tuple[str, str, str], Api] = {
            (api.group, api.version, api.kind): api for api in WATCHED
        }

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return an object, or None; see :class:`~countersign.ports.ClusterState`."""
        del live  # always
        try:
            api = await self._api(ref.group, version, ref.kind)
            if not ref.name:
                return None
            return await self._server.get(
                api.path(ref.namespace if api.namespaced else "", ref.name)
            )
        except (NotThere, ValueError):
            return None

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return all of a kind and namespace; see the port."""
        try:
            api = await self._api(kind.group, version, kind.kind)
            items, _ = await self._server.list(
                api.path(kind.namespace if api.namespaced else "")
            )
        except (NotThere, ValueError):
            return ()
        return tuple(items)

    async def _api(self, group: str, version: str, kind: str) -> Api:
        """Ask the server how it serves a kind; what it says once is remembered."""
        if found := self._served.get((group, version, kind)):
            return found
        path = f"/apis/{segment(group)}" if group else "/api"
        said = await self._server.get(f"{path}/{segment(version)}")
        resources = said.get("resources")
        for entry in resources if isinstance(resources, list) else ():
            if (api := _served(entry, group, version)) is not None:
                self._served[group, version, api.kind] = api
        if found := self._served.get((group, version, kind)):
            return found
        raise NotThere(f"the API server serves no {kind} in {path}/{version}")


def _served(entry: Json, group: str, version: str) -> Api | None:
    if not isinstance(entry, dict):
        return None
    plural, kind = entry.get("name"), entry.get("kind")
    if not isinstance(plural, str) or not isinstance(kind, str) or "/" in plural:
        return None  # a subresource
    return Api(group, version, kind, plural, namespaced=bool(entry.get("namespaced")))


class WatchedCluster:
    """ClusterState over watched caches.

    A cache that is not filled yet, or has not heard from the server for too long, is
    passed over: the question then goes to the server itself.

    Args:
        server: The API server.
        pace: How closely it is followed.
        notice: Is told of each object that is there or changes, with the version that
            it is watched in.
    """

    def __init__(
        self,
        server: Source,
        pace: Pace,
        notice: Callable[[str, Tree], None] | None = None,
    ) -> None:
        self._live = LiveCluster(server)
        self._caches = {
            (api.group, api.version, api.kind): _Cache(api, server, pace, notice)
            for api in WATCHED
        }

    @property
    def watches(self) -> tuple[Watch, ...]:
        """What must run for the caches to be filled."""
        return tuple(cache.watch for cache in self._caches.values())

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return an object, or None; see the port."""
        cache = None if live else self._fresh(version, ref)
        if cache is None:
            return await self._live.get(version, ref, live=True)
        return cache.store.get(cache.place(ref), ref.name)

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return all of a kind and namespace; see the port."""
        cache = self._fresh(version, kind)
        if cache is None:
            return await self._live.list(version, kind)
        return tuple(cache.store.all(cache.place(kind)))

    def _fresh(self, version: str, ref: ObjectRef) -> "_Cache | None":
        cache = self._caches.get((ref.group, version, ref.kind))
        return None if cache is None or cache.watch.stale else cache


class _Noticed(PackedStore):
    """A store that tells of what it keeps."""

    def __init__(self, version: str, notice: Callable[[str, Tree], None]) -> None:
        super().__init__()
        self._version = version
        self._notice = notice

    def put(self, tree: Tree) -> None:
        """Keep `tree`, and tell of it."""
        super().put(tree)
        self._notice(self._version, tree)


class _Cache:
    """All objects of one kind, as far as they are known."""

    def __init__(
        self,
        api: Api,
        server: Source,
        pace: Pace,
        notice: Callable[[str, Tree], None] | None,
    ) -> None:
        self._api = api
        self.store = _Noticed(api.version, notice) if notice else PackedStore()
        self.watch = Watch(
            server, kind=api.kind, path=api.path(), store=self.store, pace=pace
        )

    def place(self, ref: ObjectRef) -> str:
        """Return the namespace that objects of this kind live in."""
        return ref.namespace if self._api.namespaced else ""
