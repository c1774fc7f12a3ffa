"""Operators that a policy names: their children, their fields, what they end."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.tree import token
from countersign.core.types.doors import Doors, Tools
from countersign.core.types.operators import (
    Children,
    Derive,
    Field,
    Link,
    Operator,
    Writes,
)
from countersign.core.types.request import Requester
from countersign.core.types.verdict import Door, Reason
from tests.support import a
from tests.support.families import owner_of, scene
from tests.support.trees import having, served
from tests.support.world import (
    DEVELOPER,
    Tree,
    World,
    controller,
    create,
    delete,
    stored,
    update,
)

MAX_LOOKS = 200
USER = "system:serviceaccount:issuers:issuer"
ISSUER = Requester(USER, "issuer", frozenset({"system:serviceaccounts"}))
KEY = "issuer.example/order"
OWNER = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "order", "namespace": a.NAMESPACE},
    "data": {"holder": "payments.example", "name": "payments-tls"},
}
SECRET: Tree = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "payments-tls",
        "namespace": a.NAMESPACE,
        "annotations": {KEY: "order"},
    },
    "type": "kubernetes.io/tls",
    "data": {"tls.crt": "Y3J0", "tls.key": "a2V5"},
}
SECRETS = Children(
    group="",
    kind="Secret",
    owner_group="",
    owner_version="v1",
    owner_kind="ConfigMap",
    link=Link.ANNOTATION,
    key=KEY,
    derive=(Derive(source="/data/name", target="/metadata/name"),),
    free=(Field("/data/tls.crt"), Field("/data/tls.key"), Field("/type")),
)
TEMPLATED = Children(
    group="apps",
    kind="ReplicaSet",
    owner_group="apps",
    owner_version="v1",
    owner_kind="StatefulSet",
    derive=(
        Derive(source="/spec/template", target="/spec/template"),
        Derive(source="/spec/selector", target="/spec/selector"),
    ),
    free=(Field("/spec/replicas"), Field("/metadata/labels/*")),
)
BALANCER = Writes(
    group="networking.k8s.io",
    kind="Ingress",
    fields=(
        Field("/metadata/annotations/issuer.example~1state"),
        Field("/spec/tls/*/secretName"),
    ),
)


def world(**fields: Any) -> World:
    """Return a world with the operator, and its signed owner in it."""
    operator = Operator(
        **{"user": USER, "children": (SECRETS,), "writes": (BALANCER,), **fields}
    )
    made = World(policies=(a.policy(doors=Doors(operators=(operator,))),))
    made.cluster.store(stored(made.signed(OWNER)))
    return made


async def test_a_child_of_a_signed_owner_passes() -> None:
    """And stands on what speaks for its owner."""
    here = world()
    verdict = await here.judge(create(SECRET, by=ISSUER))

    (basis,) = verdict.bases
    assert (basis.door, basis.rule) == (Door.DERIVED, "operator-secret")
    assert basis.bundles


async def test_a_child_names_no_other_owner() -> None:
    """Another controller would take it for its own, or it would go with that."""
    here = world()
    (live,) = here.cluster.live.values()
    mine = having(SECRET, "/metadata/ownerReferences", [_reference(live)])
    other = having(mine, "/metadata/ownerReferences/0/uid", "another")

    assert not await here.why(create(mine, by=ISSUER))
    assert await here.why(create(other, by=ISSUER)) == {Reason.CHILD_DIFFERS}


async def test_it_may_renew_what_is_free() -> None:
    """As often as it likes: the certificate is the operator's to write."""
    renewed = having(SECRET, "/data/tls.crt", "bmV3")
    old = stored(SECRET)

    assert not await world().why(update(old, renewed, by=ISSUER))


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("/metadata/name", "database-password", Reason.CHILD_DIFFERS),
        ("/data/ca.crt", "Y2E=", Reason.CHILD_DIFFERS),
        ("/metadata/labels/app", "x", Reason.CHILD_DIFFERS),
        ("/metadata/annotations/x", "y", Reason.CHILD_DIFFERS),
        (f"/metadata/annotations/{KEY.replace('/', '~1')}", "x", Reason.OWNER_UNPROVEN),
        ("/metadata/finalizers", ["x"], Reason.CHILD_DIFFERS),
    ],
)
async def test_nothing_else_of_a_child_may_be_made_up(
    path: str, value: Any, reason: Reason
) -> None:
    """What is neither derived nor free is not there."""
    here = world()

    assert reason in await here.why(create(having(SECRET, path, value), by=ISSUER))


async def test_only_the_operator_makes_it() -> None:
    """Not a person, and not another service account."""
    other = replace(ISSUER, name="system:serviceaccount:issuers:other")
    for who in (DEVELOPER, other):
        assert await world().why(create(SECRET, by=who))


async def test_a_policy_that_does_not_name_it_denies() -> None:
    """Each policy is asked for itself."""
    here = world()
    here.policies = (*here.policies, a.policy(name="other"))
    verdict = await here.judge(create(SECRET, by=ISSUER))

    assert [basis.policy for basis in verdict.bases] == [here.policies[0].name]
    assert {finding.policy for finding in verdict.findings} == {"other"}


async def test_an_owner_that_nobody_signed_has_no_children() -> None:
    """Being there proves nothing (rule 12)."""
    here = world()
    here.prover.known.clear()

    assert Reason.OWNER_UNPROVEN in await here.why(create(SECRET, by=ISSUER))


async def test_what_people_signed_is_not_taken_over() -> None:
    """An update whose old state was not the owner's child is no child's."""
    mine = stored(having(SECRET, "/metadata/annotations", {}))

    assert await world().why(update(mine, SECRET, by=ISSUER))


@pytest.mark.parametrize("link", [Link.NAME, Link.ANNOTATION])
async def test_what_carries_evidence_is_nobodys_child(link: Link) -> None:
    """Also where it has the name, or the annotation, that a child would have."""
    key = KEY if link is Link.ANNOTATION else ""
    children = replace(SECRETS, link=link, key=key, trusted=True, derive=(), free=())
    here = world(children=(children,))
    bare = having(SECRET, "/metadata/name", "order")
    signed = stored(here.signed(bare))
    other = having(bare, "/data/tls.key", "ZXZpbA==")

    assert not await here.why(update(stored(bare), other, by=ISSUER))
    assert await here.why(update(signed, other, by=ISSUER))
    assert not await here.why(delete(stored(bare), by=ISSUER))
    assert await here.why(delete(signed, by=ISSUER))


async def test_it_does_not_pass_a_child_on() -> None:
    """From one owner to another."""
    here = world()
    other = having(OWNER, "/metadata/name", "another")
    here.cluster.store(stored(here.signed(other)))
    was = stored(
        having(SECRET, f"/metadata/annotations/{KEY.replace('/', '~1')}", "another")
    )

    assert await here.why(update(was, SECRET, by=ISSUER))


async def test_by_owner_reference_the_template_is_the_owners() -> None:
    """By uid, and part by part."""
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "x", "image": a.IMAGE.reference}]},
    }
    selector = {"matchLabels": {"app": "x"}}
    owner: Tree = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": a.NAMESPACE},
        "spec": {"serviceName": "db", "selector": selector, "template": template},
    }
    here = world(children=(TEMPLATED,))
    live = stored(here.signed(owner))
    here.cluster.store(live)
    reference = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": "db",
        "uid": live["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    child: Tree = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": "db-1",
            "namespace": a.NAMESPACE,
            "labels": {"hash": "1"},
            "ownerReferences": [reference],
        },
        "spec": {"replicas": 3, "selector": selector, "template": template},
    }

    assert not await here.why(create(child, by=ISSUER))
    image = having(child, "/spec/template/spec/containers/0/image", "evil:1")
    assert await here.why(create(image, by=ISSUER)) == {Reason.CHILD_DIFFERS}
    again = having(child, "/metadata/ownerReferences/0/uid", "another")
    assert Reason.OWNER_UNPROVEN in await here.why(create(again, by=ISSUER))
    twice = having(child, "/metadata/ownerReferences", [reference, reference])
    assert await here.why(create(twice, by=ISSUER))


INGRESS: Tree = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web", "namespace": a.NAMESPACE},
    "spec": {"tls": [{"hosts": ["x"]}]},
}


@pytest.mark.parametrize(
    ("path", "value", "passes"),
    [
        ("/metadata/annotations", {"issuer.example/state": "on"}, True),
        ("/spec/tls/0/secretName", "x", True),
        ("/metadata/annotations", {"nginx.ingress.kubernetes.io/x": "y"}, False),
        ("/spec/tls", [{"hosts": ["x"], "secretName": "x"}, {}], False),
        ("/spec/ingressClassName", "x", False),
        ("/metadata/ownerReferences", [{"uid": "x"}], False),
    ],
)
async def test_it_writes_its_fields_and_no_others(
    path: str, value: Any, *, passes: bool
) -> None:
    """Into objects that are not its children."""
    old = stored(INGRESS)
    asked = update(old, having(INGRESS, path, value), by=ISSUER)

    assert (not await world().why(asked)) is passes


async def test_it_leads_nobody_to_what_is_not_signed() -> None:
    """The storage of Helm's releases anybody may write, unless a policy says no."""
    here = world()
    (policy,) = here.policies
    doors = replace(policy.doors, tools=Tools(helm=False))
    old, name = stored(INGRESS), "sh.helm.release.v1.web.v1"
    asked = update(old, having(INGRESS, "/spec/tls/0/secretName", name), by=ISSUER)

    assert Reason.UNSIGNED_SOURCE in await here.why(asked)
    here.policies = (replace(policy, doors=doors),)
    assert not await here.why(asked)


async def test_it_ends_its_own_children_while_their_owner_is_there() -> None:
    """It makes them again; without an owner nobody would."""
    here = world()
    gone = delete(stored(SECRET), by=ISSUER)

    assert not await here.why(gone)
    assert await here.why(replace(gone, requester=DEVELOPER))
    orphaning = replace(gone, options={"propagationPolicy": "Orphan"})
    assert await here.why(orphaning)
    here.cluster.remove(OWNER)
    assert await here.why(gone)


async def test_the_childs_own_children_follow() -> None:
    """What an operator makes is believed for its owner's sake, and so are its Pods."""
    template: Tree = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [{"name": "x", "image": a.IMAGE.reference}],
        },
    }
    selector = {"matchLabels": {"app": "x", "hash": "1"}}
    owner = having(OWNER, "/data/template", "x")
    sets = Children(
        group="apps",
        kind="ReplicaSet",
        owner_group="",
        owner_version="v1",
        owner_kind="ConfigMap",
        derive=(
            Derive(source="/data/name", target="/spec/template/metadata/labels/n"),
        ),
        free=(Field("/spec"),),
    )
    here = world(children=(sets,))
    live = stored(here.signed(owner))
    here.cluster.store(live)
    child: Tree = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": "db-1",
            "namespace": a.NAMESPACE,
            "uid": "set-1",
            "ownerReferences": [_reference(live)],
        },
        "spec": {"replicas": 1, "selector": selector, "template": template},
    }
    here.cluster.store(child)
    pod: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "db-1-",
            "name": "db-1-xzbcd",
            "namespace": a.NAMESPACE,
            "labels": {"app": "x"},
            "ownerReferences": [_reference(child)],
        },
        "spec": {**template["spec"]},
    }
    asked = create(served(pod), by=controller("replicaset-controller"))

    assert not await here.why(asked)
    here.prover.known.clear()
    assert Reason.OWNER_UNPROVEN in await here.why(asked)


async def test_kin_that_own_one_another_stand_on_nobody() -> None:
    """A rule closes the circle; it is walked a few times, and then believed by none."""
    here, request = scene("cronjob-job")
    schedules = Children(
        group="batch",
        kind="CronJob",
        owner_group="batch",
        owner_version="v1",
        owner_kind="Job",
        link=Link.ANNOTATION,
        key=KEY,
        trusted=True,
    )
    operator = Operator(user=USER, children=(schedules,))
    here.policies = (a.policy(doors=Doors(operators=(operator,))),)
    job: Tree = request.object or {}
    named = "/metadata/annotations/" + token(KEY)
    owner = having(owner_of(here, request), named, job["metadata"]["name"])
    here.cluster.store(owner)
    here.cluster.store(job)

    assert await here.why(request) == {Reason.OWNER_UNPROVEN}
    assert 2 < len(here.cluster.looks) < MAX_LOOKS


def _reference(owner: Tree) -> Tree:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
