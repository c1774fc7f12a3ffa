"""What the adapter says of a cluster is what the real API server has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from typing import Any

import pytest

from countersign.adapters.cluster.client import connect
from countersign.adapters.cluster.ranges import ServiceRanges
from countersign.adapters.cluster.source import NotThere, Source
from countersign.adapters.cluster.state import LiveCluster, WatchedCluster
from countersign.adapters.cluster.watch import Pace
from countersign.core.errors import Misconfigured, Unavailable
from countersign.core.types.artifacts import ObjectRef
from tests.support.apiserver import ApiServer
from tests.support.watched import running
from tools.controlplane import ControlPlane

SPACE = "seen"
MANY = 502  # more than one page of a list
PACE = Pace(watch_s=1, stale_s=60)


@pytest.fixture(scope="module", name="api")
def _api(control_plane: ControlPlane) -> Iterator[ApiServer]:
    """Make a namespace full of objects."""
    control_plane.create_namespace(SPACE)
    with closing(ApiServer(control_plane.admin)) as api:
        for number in range(MANY):
            api.create(service_account(f"many-{number}"))
        yield api


def service_account(name: str, **metadata: Any) -> dict[str, Any]:
    """Return a ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": SPACE, **metadata},
    }


def ref(name: str = "") -> ObjectRef:
    """Return a ServiceAccount of the namespace."""
    return ObjectRef("", "ServiceAccount", SPACE, name)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again until `holds` says so."""
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.02)


class Counting:
    """An API server whose watches are counted."""

    def __init__(self, server: Source) -> None:
        self.get, self.list, self.pages = server.get, server.list, server.pages
        self.opened = 0
        self._server = server

    def watch(
        self, path: str, version: str, seconds: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch, and count it."""
        self.opened += 1
        return self._server.watch(path, version, seconds)


async def test_lists_more_than_a_page_and_gets_each(
    control_plane: ControlPlane, api: ApiServer
) -> None:
    """Watched or live, whole trees that say what they are."""
    del api
    kubeconfig = control_plane.admin
    async with connect(kubeconfig=kubeconfig, context=None, request_s=10) as server:
        live, watched = LiveCluster(server), WatchedCluster(server, PACE)
        async with running(*watched.watches):

            async def full() -> bool:
                return all(not watch.stale for watch in watched.watches)

            await until(full)
            for state in (live, watched):
                found = await state.list("v1", ref())
                assert len(found) == MANY + 1  # and `default`
                one: Any = await state.get("v1", ref("many-7"), live=False)
                assert (one["apiVersion"], one["kind"]) == ("v1", "ServiceAccount")
                assert {(t["apiVersion"], t["kind"]) for t in found} == {
                    ("v1", "ServiceAccount")
                }
                assert await state.get("v1", ref("none"), live=False) is None


async def test_a_watch_sees_what_happens(
    control_plane: ControlPlane, api: ApiServer
) -> None:
    """Across several watch requests, each ended by the server."""
    kubeconfig = control_plane.admin
    async with connect(kubeconfig=kubeconfig, context=None, request_s=10) as server:
        counting = Counting(server)
        state = WatchedCluster(counting, PACE)
        async with running(*state.watches):
            for turn in range(3):
                opened = counting.opened
                label = {"labels": {"turn": str(turn)}}
                await asyncio.to_thread(api.apply, service_account("turning", **label))

                async def seen(wanted: str = str(turn)) -> bool:
                    tree: Any = await state.get("v1", ref("turning"), live=False)
                    return bool(tree and tree["metadata"]["labels"]["turn"] == wanted)

                async def all_watches_began_anew(before: int = opened) -> bool:
                    return counting.opened >= before + len(state.watches)

                await until(seen)
                await until(all_watches_began_anew)
            await asyncio.to_thread(api.delete, service_account("turning"))

            async def gone() -> bool:
                return await state.get("v1", ref("turning"), live=False) is None

            await until(gone)


async def test_finds_kinds_it_was_never_told_of(control_plane: ControlPlane) -> None:
    """By the server's own discovery."""
    crb = ObjectRef(
        "rbac.authorization.k8s.io", "ClusterRoleBinding", "", "system:basic-user"
    )
    wish = ObjectRef("wishes.example", "Wish", SPACE, "x")
    kubeconfig = control_plane.admin
    async with connect(kubeconfig=kubeconfig, context=None, request_s=10) as server:
        state = LiveCluster(server)
        tree: Any = await state.get("v1", crb, live=True)

        assert tree["roleRef"]["name"] == "system:basic-user"
        assert await state.get("v1", wish, live=True) is None
        assert await state.list("v1", wish) == ()


async def test_errors_are_told_apart(control_plane: ControlPlane) -> None:
    """What is not there is a fact; what could not be asked is not."""
    kubeconfig = control_plane.admin
    async with connect(kubeconfig=kubeconfig, context=None, request_s=10) as server:
        with pytest.raises(NotThere):
            await server.get("/apis/wishes.example/v1")
        with pytest.raises(Unavailable, match="answered 400"):
            await server.get("/api/v1/pods", {"resourceVersion": "no number"})
    with pytest.raises(Misconfigured):
        async with connect(kubeconfig=kubeconfig, context="none", request_s=1):
            pass


async def test_knows_the_servers_own_address_range(control_plane: ControlPlane) -> None:
    """What it was started with stands in an object."""
    kubeconfig = control_plane.admin
    async with connect(kubeconfig=kubeconfig, context=None, request_s=10) as server:
        ranges = ServiceRanges(server, PACE)
        async with running(ranges.watch):

            async def known() -> bool:
                return not ranges.trouble()

            await until(known)

    assert [str(network) for network in ranges.networks()] == [
        control_plane.service_cidr
    ]
