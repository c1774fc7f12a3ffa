"""Where a policy names Helm, its storage passes, and nothing that uses it does."""

import pytest

from countersign.core.types.doors import Doors, Tools
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Door, Names, Reason
from tests.support import a
from tests.support.helm import NAME, config_map, secret
from tests.support.trees import having
from tests.support.world import Tree, World, controller, create, delete, stored, update


def deployment(*, mounts: str = "") -> Tree:
    """Return a Deployment that mounts the Secret `mounts`, or an ordinary one."""
    volume = {"name": "v", "secret": {"secretName": mounts or "tls"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": a.NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "x"}], "volumes": [volume]},
            },
        },
    }


def replica_set(owner: Tree) -> Tree:
    """Return the ReplicaSet that the controller makes of a Deployment."""
    labels = {"app": "web", "pod-template-hash": "6b7f8"}
    template = having(owner, "/spec/template/metadata/labels", labels)["spec"]
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": "web-6b7f8",
            "namespace": a.NAMESPACE,
            "labels": labels,
            "annotations": owner["metadata"]["annotations"],
            "ownerReferences": [reference],
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": template["template"],
        },
    }


HOOK = {"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "hook-succeeded"}


def hook() -> Tree:
    """Return a hook that goes after its run."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "prepare", "namespace": a.NAMESPACE, "annotations": HOOK},
        "data": {"x": "y"},
    }


def policies(*, helm: bool) -> tuple[Policy, ...]:
    """Return the one policy, with or without the door."""
    return (a.policy(doors=Doors(tools=Tools(helm=helm))),)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(create(secret()), id="install"),
        pytest.param(create(config_map()), id="install into a ConfigMap"),
        pytest.param(update(secret(), secret(status="failed")), id="fails"),
        pytest.param(delete(secret()), id="uninstall"),
    ],
)
async def test_storage_passes_where_helm_is_named(ask: AdmissionRequest) -> None:
    """By the table, not by anybody's signature; and only where the policy says so."""
    named = await World(policies=policies(helm=True)).judge(ask)
    unnamed = await World(policies=policies(helm=False)).judge(ask)

    assert [(b.door, b.rule) for b in named.bases] == [(Door.DELTA, "helm-storage")]
    assert not unnamed.allowed


async def test_one_policy_does_not_open_the_door_of_another() -> None:
    """Each policy answers for itself."""
    both = (
        a.policy(name="one", doors=Doors(tools=Tools(helm=True))),
        a.policy(name="two", doors=Doors(tools=Tools(helm=False))),
    )

    verdict = await World(policies=both).judge(create(secret()))

    assert [basis.policy for basis in verdict.bases] == ["one"]
    assert {finding.policy for finding in verdict.findings} == {"two"}


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(having(secret(), "/type", "Opaque"), id="an ordinary Secret"),
        pytest.param(
            having(config_map(), "/data", {"x": "y"}), id="an ordinary ConfigMap"
        ),
    ],
)
async def test_the_name_alone_opens_nothing(tree: Tree) -> None:
    """What is called so and is no storage has to be signed, and may be."""
    world = World(policies=policies(helm=True))

    assert not (await world.judge(create(tree))).allowed
    if tree["kind"] == "ConfigMap":
        assert (await world.judge(create(world.signed(tree)))).allowed


async def test_no_signed_object_becomes_storage() -> None:
    """The type of a Secret never changes; a ConfigMap has none, so both states count."""
    world = World(policies=policies(helm=True))
    before = stored(having(config_map(), "/data", {"x": "y"}))

    assert not (await world.judge(update(before, config_map()))).allowed
    assert not (await world.judge(update(stored(config_map()), before))).allowed


async def test_nobody_can_sign_for_using_it() -> None:
    """Signed or not, with the name in the finding; where the door is shut one can."""
    world = World(policies=policies(helm=True))
    using = world.signed(deployment(mounts=NAME))

    verdict = await world.judge(create(using))
    world.policies = policies(helm=False)

    assert [f.reason for f in verdict.findings] == [Reason.UNSIGNED_SOURCE]
    assert verdict.findings[0].facts == Names((NAME,))
    assert (await world.judge(create(using))).allowed


async def test_neither_can_an_owner() -> None:
    """A child of a live, signed owner is refused as well: the door may be newer."""
    world = World(policies=policies(helm=True))
    owner = stored(world.signed(deployment(mounts=NAME)))
    world.cluster.store(owner)
    asked = create(replica_set(owner), by=controller("deployment-controller"))

    assert await world.why(asked) == {Reason.UNSIGNED_SOURCE}
    world.policies = policies(helm=False)
    assert await world.why(asked) == set()


async def test_an_ordinary_object_is_still_signed_for() -> None:
    """The door refuses what names the storage, and nothing else."""
    world = World(policies=policies(helm=True))

    assert (await world.judge(create(world.signed(deployment())))).allowed


async def test_what_uses_it_already_may_stay_as_it_is() -> None:
    """An unchanged object is not judged anew."""
    world = World(policies=policies(helm=True))
    old = stored(world.signed(deployment(mounts=NAME)))

    assert (await world.judge(update(old, old))).allowed


async def test_a_signed_hook_goes_as_it_says() -> None:
    """Authentic, where Helm is named, and its children with it."""
    world = World(policies=policies(helm=True))
    old = stored(world.signed(hook()))

    verdict = await world.judge(delete(old))

    (basis,) = verdict.bases
    assert (basis.door, basis.rule) == (Door.DERIVED, "helm-hook")
    assert basis.bundles
    orphaning = delete(old, options={"propagationPolicy": "Orphan"})
    assert Reason.DELETION in await world.why(orphaning)
    world.policies = policies(helm=False)
    assert Reason.DELETION in await world.why(delete(old))


async def test_an_unsigned_hook_does_not() -> None:
    """What it says of itself has to be the word of people: it may have been changed."""
    world = World(policies=policies(helm=True))
    changed = having(stored(world.signed(hook())), "/data", {"x": "z"})
    bare = having(config_map(), "/metadata/annotations", HOOK)
    signed = world.signed(having(config_map(), "/data", {"x": "y"}))
    marked = having(
        stored(signed),
        "/metadata/annotations",
        {**signed["metadata"]["annotations"], **HOOK},
    )

    for tree in (changed, bare, marked):
        assert Reason.DELETION in await world.why(delete(tree))
