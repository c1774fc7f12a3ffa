"""A baseline: what runs is signed as it stands, and what controllers make is not."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.facts import ClusterFacts
from countersign.binding.match import match
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.usecases.baseline import (
    MAX_PART,
    Running,
    Wanted,
    kinds,
    parts,
    rights,
    running,
)
from countersign.usecases.look import look
from countersign.usecases.sheet import LookOrder
from tests.support.trees import deployment, tree
from tests.support.world import FakeCluster, ref_of

OWNED = {
    "ownerReferences": [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "it-1",
            "uid": "u",
            "controller": True,
        }
    ]
}
LEDGER: Tree = {**deployment(), "status": {"replicas": 1}}
SETTINGS: Tree = tree("ConfigMap", metadata={"name": "settings"}, data={"a": "b"})
KEY: Tree = tree("Secret", metadata={"name": "key"}, data={"p": "c2VjcmV0"})
MADE: tuple[Tree, ...] = (
    tree("Pod", metadata={"name": "it-1-x", **OWNED}, spec={"containers": []}),
    tree("ConfigMap", metadata={"name": "kube-root-ca.crt"}, data={"ca.crt": "x"}),
    tree("ServiceAccount", metadata={"name": "default"}),
    tree(
        "Secret",
        metadata={"name": "token"},
        type="kubernetes.io/service-account-token",
    ),
    tree("Endpoints", metadata={"name": "it"}),
)
LATER: Tree = tree(
    "StatefulSet",
    "apps/v1",
    metadata={"name": "db"},
    spec={
        "serviceName": "db",
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "m", "image": "x"}]},
        },
    },
)


def cluster(*trees: Tree) -> FakeCluster:
    """Return a cluster in which these live."""
    found = FakeCluster()
    for number, one in enumerate(trees):
        metadata: Any = one["metadata"]
        found.store({**one, "metadata": {**metadata, "uid": f"u-{number}"}})
    return found


async def found(live: FakeCluster, *what: str) -> Running:
    """Return what runs in ``here``."""
    wanted = [Wanted(*text.split("/")) for text in what]
    return await running(
        "here",
        wanted,
        cluster=live,
        settings=ClusterFacts(),
        salt=lambda: b"s" * 32,
    )


async def test_what_people_made_is_signed_as_it_stands() -> None:
    """And its own live state equals what is signed."""
    live = cluster(LEDGER, SETTINGS, KEY, *MADE)

    done = await found(live)

    assert done.left == ()
    assert [str(one.ref) for one in done.objects] == [
        "here/Deployment/it",
        "here/ConfigMap/settings",
        "here/Secret/key",
    ]
    for one in done.objects:
        seen = live.live[one.ref]
        assert not match(one.intent.tree, seen, identity=one.ref, old=seen)
    assert "c2VjcmV0" not in str(done)


async def test_its_base_is_what_is_live() -> None:
    """So it is no licence to bring this state back over a newer one."""
    live = cluster(SETTINGS)
    done = await found(live)

    sheet = await look(LookOrder(objects=done.objects), prover=None, cluster=live)

    (item,) = sheet.items
    assert item.landing is not None
    assert item.landing.before == item.landing.after


async def test_a_set_with_claims_is_signed_like_the_rest() -> None:
    """Nothing is left out."""
    done = await found(cluster(LATER, SETTINGS))

    assert not done.left
    assert sorted(one.ref.name for one in done.objects) == ["db", "settings"]


@pytest.mark.parametrize(
    ("what", "names"),
    [
        (["configmap"], ["settings"]),
        (["ConfigMap/settings", "secrets"], ["settings", "key"]),
        (["deployments/other"], []),
    ],
)
async def test_some_of_it(what: list[str], names: list[str]) -> None:
    """By kind or name, as kubectl writes them."""
    done = await found(cluster(LEDGER, SETTINGS, KEY), *what)

    assert [one.ref.name for one in done.objects] == names


def test_needs_the_right_to_list_what_it_lists() -> None:
    """And no more."""
    needed = rights("here", kinds([Wanted("deployment")]))

    assert [str(right) for right in needed] == [
        "list deployments.apps in namespace here"
    ]


def test_a_kind_that_nobody_knows_is_a_slip() -> None:
    """It would otherwise be signed by nobody, unseen."""
    with pytest.raises(Malformed, match="legder"):
        kinds([Wanted("legder")])


async def test_a_large_namespace_is_signed_in_parts() -> None:
    """Each small enough for a statement and a set; all of it, once."""
    many = [
        tree("ConfigMap", metadata={"name": f"c-{n}"}) for n in range(MAX_PART * 2 + 1)
    ]
    done = await found(cluster(*many))
    sheet = await look(LookOrder(objects=done.objects), prover=None, cluster=None)

    found_parts = list(parts(sheet))

    assert [len(part.items) for part in found_parts] == [MAX_PART, MAX_PART, 1]
    assert tuple(item for part in found_parts for item in part.items) == sheet.items
    assert list(parts(replace(sheet, items=()))) == []


async def test_large_objects_make_small_parts() -> None:
    """At least one each."""
    many = [
        tree("ConfigMap", metadata={"name": f"c-{n}"}, data={"x": "y" * 400_000})
        for n in range(3)
    ]
    done = await found(cluster(*many))
    sheet = await look(LookOrder(objects=done.objects), prover=None, cluster=None)

    assert [len(part.items) for part in parts(sheet)] == [1, 1, 1]
    assert {ref_of(one) for one in many} == {o.ref for o in done.objects}
