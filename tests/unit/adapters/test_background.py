"""What the operator reads and tells in the background: little, once, and bounded."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from countersign.adapters.cluster.events import Event, Events
from countersign.adapters.cluster.paced import Paced, Remembering
from countersign.adapters.cluster.reports import APIS, Reports
from countersign.adapters.cluster.source import NotThere
from countersign.adapters.cluster.state import LiveCluster
from countersign.core.errors import Rejected
from countersign.core.types.artifacts import ObjectRef, Tree

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Server:
    """Keeps objects by path, and what was asked for, in order."""

    kept: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forbidden: bool = False

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Answer a GET."""
        del query
        self.asked.append(path)
        if path not in self.kept:
            raise NotThere(path)
        found: Tree = self.kept[path]
        return found

    async def pages(
        self, path: str, size: int, *, names_only: bool = False
    ) -> AsyncIterator[tuple[list[Tree], str]]:
        """Answer a LIST, two objects a page."""
        del size, names_only
        under = [t for p, t in self.kept.items() if p.rpartition("/")[0] == path]
        for at in range(0, max(len(under), 1), 2):
            self.asked.append(path)
            yield under[at : at + 2], "1"

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Answer a LIST whole; nobody here asks so."""
        raise AssertionError(path)

    def watch(
        self, path: str, version: str, seconds: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Answer no watch."""
        raise AssertionError((path, version, seconds))

    async def create(self, path: str, tree: Tree) -> Tree:
        """Answer a POST."""
        about = tree["metadata"]
        assert isinstance(about, dict)
        at = f"{path}/{about['name']}"
        if self.forbidden or at in self.kept:
            raise Rejected("forbidden" if self.forbidden else "already exists")
        self.kept[at] = tree
        return tree

    async def apply(self, path: str, tree: Tree, *, manager: str) -> Tree:
        """Answer an apply; reports are written elsewhere."""
        raise AssertionError((path, tree, manager))

    async def delete(self, path: str, uid: str) -> None:
        """Answer a DELETE of that uid."""
        if self.kept[path]["metadata"]["uid"] != uid:
            raise Rejected("another one")
        del self.kept[path]


def pod(name: str) -> Tree:
    """Return a Pod of a list."""
    about: Tree = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about}


PODS = "/api/v1/namespaces/shop/pods"


async def test_asks_so_many_times_a_second_and_no_more() -> None:
    """Pages count, too."""
    server = Server({f"{PODS}/{n}": pod(str(n)) for n in range(9)})
    loop, rate = asyncio.get_running_loop(), 100
    begun = loop.time()
    paced = Paced(server, rate)
    found, _ = await paced.list(PODS)
    await paced.get(f"{PODS}/1")

    assert len(found) == 9
    assert loop.time() - begun >= (len(server.asked) - 1) / rate * 0.9


async def test_one_look_asks_nothing_twice() -> None:
    """And what was listed is not asked for by name, there or not."""
    api = {"name": "pods", "kind": "Pod", "namespaced": True}
    server = Server({"/api/v1": {"resources": [api]}, f"{PODS}/a": pod("a")})
    state = Remembering(LiveCluster(Paced(server, 10_000)))
    kind = ObjectRef("", "Pod", "shop", "")
    there, gone = replace(kind, name="a"), replace(kind, name="b")
    assert await state.get("v1", gone, live=True) is None
    assert await state.get("v1", gone, live=True) is None
    assert server.asked.count(f"{PODS}/b") == 1

    assert len(await state.list("v1", kind)) == 1
    before = list(server.asked)
    assert await state.get("v1", there, live=True) == pod("a")
    assert await state.get("v1", gone, live=False) is None
    assert len(await state.list("v1", kind)) == 1
    assert server.asked == before


def event(**told: Any) -> Event:
    """Return what happened to a Deployment."""
    about = ObjectRef("apps", "Deployment", "shop", "web")
    return replace(
        Event(about=about, version="v1", uid="1", reason="Drifted", note="see there"),
        **told,
    )


async def test_the_same_event_is_written_once_whoever_tells_it() -> None:
    """A process that begins anew tells nothing twice; another object is another event."""
    server = Server()
    assert await Events(server, "pod-a").tell(event(), NOON)
    assert not await Events(server, "pod-b").tell(event(), NOON)
    assert await Events(server, "pod-b").tell(event(uid="2"), NOON)
    assert await Events(server, "pod-b").tell(event(once="day 2"), NOON)

    assert len(server.kept) == 3
    for path, tree in server.kept.items():
        assert path.startswith("/apis/events.k8s.io/v1/namespaces/shop/events/")
        assert tree["regarding"]["apiVersion"] == "apps/v1"


async def test_a_note_is_as_long_as_the_server_takes() -> None:
    """In bytes, and in whole characters."""
    server = Server()
    await Events(server, "p" * 999).tell(event(note="§" * 999), NOON)
    (tree,) = server.kept.values()

    assert tree["note"] == "§" * 512
    assert len(tree["reportingInstance"]) == 128


async def test_an_event_that_may_not_be_written_is_an_error() -> None:
    """And not one that is there already."""
    with pytest.raises(Rejected, match="forbidden"):
        await Events(Server(forbidden=True), "pod").tell(event(), NOON)


@pytest.mark.parametrize(
    ("served", "expected"), [((0, 1), 0), ((1,), 1), ((), None)], ids=str
)
async def test_writes_the_kind_of_report_that_is_there(
    served: tuple[int, ...], expected: int | None
) -> None:
    """The newer one first; a group without the kind is none."""
    server = Server({f"/apis/{APIS[0][0]}": {"resources": [{"name": "other"}]}})
    for at in served:
        version, _, plural = APIS[at]
        server.kept[f"/apis/{version}"] = {"resources": [{"name": plural}]}

    found = await Reports(server, "own").served()
    assert found == (None if expected is None else APIS[expected][:2])


async def test_reports_of_others_are_neither_read_nor_taken_away() -> None:
    """Only those with our label, and only the very object that was seen."""
    api = APIS[0][:2]
    base = f"/apis/{api[0]}/namespaces/own/reports"
    ours = {"app.kubernetes.io/managed-by": "countersign"}
    server = Server(
        {
            f"{base}/shop": {"metadata": {"name": "shop", "uid": "1", "labels": ours}},
            f"{base}/cis": {"metadata": {"name": "cis", "uid": "2"}},
        }
    )
    reports = Reports(server, "own")
    found = await reports.all(api)
    assert list(found) == ["shop"]

    await reports.drop(found.values(), api)
    assert list(server.kept) == [f"{base}/cis"]
