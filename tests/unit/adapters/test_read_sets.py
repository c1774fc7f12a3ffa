"""BundleSets of files and of a cluster, read once."""

import pytest

from countersign.adapters.cluster.source import NotThere
from countersign.adapters.read_sets import ReadSets
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.wire.resources.bundleset import render_bundle_set

LEDGER = ObjectRef("", "ConfigMap", "payments", "ledger")
INTENT = (
    b'{"apiVersion":"v1","kind":"ConfigMap",'
    b'"metadata":{"name":"ledger","namespace":"payments"}}'
)
PATH = "/apis/countersign.dev/v1alpha1/namespaces/payments/bundlesets"


class Lists:
    """Lists of an API server; `failing` is what it answers instead."""

    def __init__(self, *trees: Tree, failing: Unavailable | None = None) -> None:
        self._trees = [*trees]
        self._failing = failing
        self.asked: list[str] = []

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Return all objects at `path`."""
        self.asked.append(path)
        if self._failing:
            raise self._failing
        return self._trees, "1"


def _set(namespace: str = "payments") -> Tree:
    return render_bundle_set("release", [b"{}"], [INTENT], namespace)


def test_a_set_in_a_file_counts_where_it_would_be_applied() -> None:
    """In its own namespace, else in that of the command; and only there."""
    mute = _set()
    mute["metadata"] = {"name": mute["metadata"]["name"]}  # type: ignore[index,call-overload]  # a tree of ours

    assert ReadSets([_set()]).about(LEDGER)
    assert ReadSets([mute], namespace="payments").about(LEDGER)
    assert not ReadSets([mute], namespace="ledger").about(LEDGER)
    assert not ReadSets([_set("ledger")]).about(LEDGER)


def test_other_objects_and_spoilt_sets_are_passed_over() -> None:
    """As the server would refuse them."""
    spoilt: Tree = {**_set(), "metadata": {"name": "other", "namespace": "payments"}}

    assert not ReadSets([{"kind": "ConfigMap"}, spoilt]).about(LEDGER)


async def test_refreshing_tells_whether_there_is_more() -> None:
    """Once."""
    lists = Lists(_set())
    sets = ReadSets(server=lists)  # type: ignore[arg-type]  # no watch is opened

    assert [await sets.refresh("payments"), await sets.refresh("payments")] == [
        True,
        False,
    ]
    assert sets.about(LEDGER)
    assert lists.asked == [PATH, PATH]


async def test_without_a_server_there_is_no_more() -> None:
    """Files say all."""
    assert not await ReadSets([_set()]).refresh("payments")


async def test_a_server_without_our_kinds_has_none() -> None:
    """But one that does not let us look may have some."""
    missing = ReadSets(server=Lists(failing=NotThere("404")))  # type: ignore[arg-type]  # as above
    shut = ReadSets(server=Lists(failing=Unavailable("403")))  # type: ignore[arg-type]  # as above

    assert not await missing.refresh("payments")
    with pytest.raises(Unavailable, match=r"could not list bundlesets.* in payments"):
        await shut.refresh("payments")
