"""Live objects: from a cache that is filled and fresh, else from the server itself."""

from typing import Any

import pytest

from countersign.adapters.cluster.ranges import PATH as CIDRS
from countersign.adapters.cluster.ranges import ServiceRanges
from countersign.adapters.cluster.source import segment
from countersign.adapters.cluster.state import LiveCluster, WatchedCluster
from countersign.adapters.cluster.watch import Pace
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import ObjectRef
from tests.support.watched import Clock, FakeLists, running, until

DEPLOYMENTS = "/apis/apps/v1/deployments"
IN_PAYMENTS = "/apis/apps/v1/namespaces/payments/deployments"
WEB = ObjectRef("apps", "Deployment", "payments", "web")


def deployment(replicas: int) -> dict[str, Any]:
    """Return a Deployment."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "payments"},
        "spec": {"replicas": replicas},
    }


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="server")
def _server(clock: Clock) -> FakeLists:
    return FakeLists(clock)


@pytest.fixture(name="pace")
def _pace(clock: Clock) -> Pace:
    return Pace(watch_s=20, stale_s=60, monotonic=clock.monotonic, sleep=clock.sleep)


@pytest.fixture(name="state")
def _state(server: FakeLists, pace: Pace) -> WatchedCluster:
    return WatchedCluster(server, pace)


async def replicas(state: WatchedCluster, *, live: bool) -> Any:
    """Return what is known of the Deployment."""
    tree: Any = await state.get("v1", WEB, live=live)
    return tree and tree["spec"]["replicas"]


async def test_asks_the_server_while_its_cache_is_empty_or_old(
    server: FakeLists, clock: Clock, state: WatchedCluster
) -> None:
    """An empty cache is not an empty cluster."""
    await server.put(IN_PAYMENTS, deployment(1))
    await server.put(DEPLOYMENTS, deployment(2))
    assert await replicas(state, live=False) == 1

    async with running(*state.watches):
        await until(lambda: all(not watch.stale for watch in state.watches))
        assert await replicas(state, live=False) == 2
        assert await replicas(state, live=True) == 1  # the server's other word

        clock.now += 61
        assert await replicas(state, live=False) == 1


async def test_a_cache_that_is_fresh_needs_no_server(
    server: FakeLists, state: WatchedCluster
) -> None:
    """An owner is known while the API server restarts."""
    await server.put(DEPLOYMENTS, deployment(2))
    async with running(*state.watches):
        await until(lambda: all(not watch.stale for watch in state.watches))
        server.down = True

        assert await replicas(state, live=False) == 2
        assert len(await state.list("v1", WEB)) == 1
        with pytest.raises(Unavailable):
            await state.get("v1", WEB, live=True)


async def test_another_version_is_asked_for_live(
    server: FakeLists, state: WatchedCluster
) -> None:
    """A cache holds one version of a kind."""
    resources = [
        {"name": "deployments/scale", "kind": "Scale", "namespaced": True},
        {"name": "deployments", "kind": "Deployment", "namespaced": True},
    ]
    discovery = {"metadata": {"name": "v2"}, "resources": resources}
    await server.put("/apis/apps", discovery)
    await server.put("/apis/apps/v2/namespaces/payments/deployments", deployment(7))
    async with running(*state.watches):
        await until(lambda: all(not watch.stale for watch in state.watches))

        tree: Any = await state.get("v2", WEB, live=False)
        assert tree["spec"]["replicas"] == 7
        assert len(await state.list("v2", WEB)) == 1


async def test_what_the_server_does_not_serve_is_not_there(server: FakeLists) -> None:
    """Neither an unknown kind nor an unknown group is an error."""
    state = LiveCluster(server)

    for group, kind in (("apps", "Wish"), ("wishes.example", "Wish")):
        ref = ObjectRef(group, kind, "payments", "x")
        assert await state.get("v1", ref, live=True) is None
        assert await state.list("v1", ref) == ()


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("payments", ".."),
        ("payments", "."),
        ("payments", "a/../../secrets/b"),
        ("payments", "%2e%2e"),
        ("..", "web"),
        ("payments", ""),
    ],
)
async def test_a_name_that_no_object_can_have_reads_nothing_else(
    server: FakeLists, namespace: str, name: str
) -> None:
    """Names come from requests; a path must not lead elsewhere."""
    ref = ObjectRef("apps", "Deployment", namespace, name)

    assert await LiveCluster(server).get("v1", ref, live=True) is None
    assert server.asked == []


def test_segments_are_escaped() -> None:
    """RBAC names may hold a colon and a blank."""
    assert segment("system:node proxier") == "system%3Anode%20proxier"


async def test_knows_which_addresses_the_server_may_give_out(
    server: FakeLists, pace: Pace
) -> None:
    """Ranges come and go with ServiceCIDR objects."""
    ranges = ServiceRanges(server, pace)
    assert ranges.trouble() == ("no first list of ServiceCIDR yet",)
    for name, cidrs in (("kubernetes", ["10.96.0.0/16", "fd00::/108"]), ("b", None)):
        await server.put(CIDRS, {"metadata": {"name": name}, "spec": {"cidrs": cidrs}})
    async with running(ranges.watch):
        await until(lambda: not ranges.trouble())
        assert [str(n) for n in ranges.networks()] == ["10.96.0.0/16", "fd00::/108"]

        await server.remove(CIDRS, "kubernetes")
        await until(lambda: not ranges.networks())
