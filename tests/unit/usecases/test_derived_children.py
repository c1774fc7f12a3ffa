"""The door derived: the right controller, the live owner, the very object, and proof."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.artifacts import GroupKind
from countersign.core.types.change import Elastic
from countersign.core.types.doors import Doors
from countersign.core.types.policy import Revoked, RevokedKind, Scope
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import Differences, Door, Reason
from tests.support import a
from tests.support.families import CHILDREN, owner_of, scene
from tests.support.recording import follow, recorded
from tests.support.trees import having
from tests.support.world import DEVELOPER, Tree, World, controller, ref_of, update

WORKLOADS = ["deployment-replicaset", "replicaset-pod", "job-pod", "cronjob-job"]
OWNERS = "/metadata/ownerReferences"
OURS = "/metadata/annotations/countersign.dev~1bundles"


async def doors(world: World, request: AdmissionRequest) -> list[tuple[Door, str]]:
    """Return by which doors a request passes."""
    verdict = await world.judge(request)

    return [(basis.door, basis.rule) for basis in verdict.bases]


@pytest.mark.parametrize("name", CHILDREN)
async def test_a_child_of_a_signed_owner_passes(name: str) -> None:
    """And its basis names the bundles that its owner stands on."""
    world, request = scene(name)
    verdict = await world.judge(request)

    (basis,) = verdict.bases
    assert basis.door is Door.DERIVED
    assert basis.bundles
    known = {evidence.bundle for evidence in world.prover.known.values()}
    assert set(basis.bundles) <= known


@pytest.mark.parametrize("name", CHILDREN)
async def test_only_its_controller_makes_it(name: str) -> None:
    """A person who makes the same object does not: it would run twice, or at will."""
    world, request = scene(name)
    for other in (DEVELOPER, controller("daemon-set-controller")):
        assert await world.why(replace(request, requester=other))


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_without_evidence_has_no_children(name: str) -> None:
    """Rule 12: being there already proves nothing."""
    world, request = scene(name)
    world.prover.known.clear()

    assert await world.why(request) == {Reason.OWNER_UNPROVEN}


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_signed_by_strangers_has_no_children(name: str) -> None:
    """Proof is not trust: the roster decides who counts."""
    world, request = scene(name)
    for raw, evidence in world.prover.known.items():
        world.prover.known[raw] = replace(evidence, signer=a.STRANGER)

    assert await world.why(request) == {Reason.OWNER_UNPROVEN}


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_that_is_gone_has_no_children(name: str) -> None:
    """Whatever the cache still says is asked live when it differs."""
    world, request = scene(name)
    world.cluster.remove(owner_of(world, request))

    assert Reason.OWNER_UNPROVEN in await world.why(request)


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_that_no_watch_has_shown_yet_is_looked_up(name: str) -> None:
    """Its controller may be quicker than our cache, which may know one gone before."""
    world, request = scene(name)
    owner = owner_of(world, request)
    world.cluster.cache.pop(ref_of(owner))

    assert not await world.why(request)
    path, before = "/metadata/deletionTimestamp", "2026-11-22T12:00:00Z"
    gone = having(having(owner, path, before), "/metadata/uid", "another")
    world.cluster.cache[ref_of(owner)] = gone
    assert not await world.why(request)


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_that_goes_has_no_new_children(name: str) -> None:
    """Being deleted is not being alive."""
    world, request = scene(name)
    owner = owner_of(world, request)
    path = "/metadata/deletionTimestamp"
    world.cluster.store(having(owner, path, "2026-11-22T12:00:00Z"))

    assert Reason.OWNER_UNPROVEN in await world.why(request)


@pytest.mark.parametrize("name", [n for n in CHILDREN if n != "service-endpoints"])
async def test_another_object_of_the_owners_name_is_not_the_owner(name: str) -> None:
    """By uid, not by name."""
    world, request = scene(name)
    owner = owner_of(world, request)
    world.cluster.store(having(owner, "/metadata/uid", "another"))

    assert await world.why(request) == {Reason.OWNER_UNPROVEN}


@pytest.mark.parametrize("name", WORKLOADS)
async def test_an_owner_changed_behind_our_back_has_no_children(name: str) -> None:
    """Its evidence must be about its present state (rule 12)."""
    world, request = scene(name)
    owner = owner_of(world, request)
    kind = owner["kind"]
    template = (
        "/spec/jobTemplate/spec/template" if kind == "CronJob" else "/spec/template"
    )
    image = f"{template}/spec/containers/0/image"
    world.cluster.store(having(owner, image, "evil:1"))
    child_image = {
        "Deployment": image,
        "CronJob": "/spec/template/spec/containers/0/image",
    }.get(kind, "/spec/containers/0/image")
    child = having(request.object or {}, child_image, "evil:1")
    forged = replace(request, object=child)

    assert await world.why(request) == {Reason.CHILD_DIFFERS}
    assert await world.why(forged) == {Reason.OWNER_UNPROVEN}


async def test_a_mirrored_slice_is_written_anew_under_its_name() -> None:
    """Its controller says no more what the name was generated from."""
    world, request = scene("endpoints-endpointslice")
    old = request.object or {}
    anew = having(old, "/metadata/generateName", "")
    asked = update(old, anew, by=request.requester)
    elsewhere = having(anew, "/endpoints/0/addresses/0", "192.0.2.66")

    assert not await world.why(asked)
    assert await world.why(update(old, elsewhere, by=request.requester))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/spec/containers/0/image", "evil:1", id="another image"),
        pytest.param("/spec/hostPID", True, id="the host's processes"),
        pytest.param(OURS, "x", id="our annotation"),
        pytest.param("/metadata/labels/app", "other", id="another label"),
    ],
)
async def test_an_impersonated_controller_makes_nothing_else(
    path: str, value: Any
) -> None:
    """The place is shown."""
    world, request = scene("replicaset-pod")
    verdict = await world.judge(
        replace(request, object=having(request.object or {}, path, value))
    )

    facts = a.finding(verdict, Reason.CHILD_DIFFERS).facts
    assert isinstance(facts, Differences)
    assert path in {difference.path for difference in facts.differences}


async def test_a_forged_owner_is_no_owner() -> None:
    """A person's Pod under a proven ReplicaSet, by whatever references."""
    world, request = scene("replicaset-pod")
    mine: Any = having(request.object or {}, "/spec/containers/0/image", "evil:1")
    (reference,) = mine["metadata"]["ownerReferences"]
    for owners in (
        [reference],
        [reference, {**reference, "uid": "2"}],
        [{**reference, "controller": False}],
        [{**reference, "kind": "Deployment", "name": "ledger"}],
        [{**reference, "apiVersion": "apps/v2"}],
    ):
        forged = replace(
            request, object=having(mine, OWNERS, owners), requester=DEVELOPER
        )

        assert await world.why(forged)


async def test_a_reference_sends_nobody_looking() -> None:
    """What a requester wrote into it is no address."""
    world, request = scene("replicaset-pod")
    tree: Any = request.object
    (reference,) = tree["metadata"]["ownerReferences"]
    world.cluster.looks.clear()
    for changed in ({"apiVersion": "apps/v2"}, {"apiVersion": "x/v1"}, {"kind": "X"}):
        odd = having(tree, OWNERS, [{**reference, **changed}])

        assert await world.why(replace(request, object=odd))
    assert world.cluster.looks == []


async def test_a_policy_that_leaves_the_owner_alone_does_not_believe_it() -> None:
    """Rule 12: under the same enforcing policies."""
    world, request = scene("replicaset-pod")
    for kind in ("ReplicaSet", "Deployment"):
        exclude = frozenset({GroupKind("apps", kind)})
        scope = Scope(namespaces=(a.NAMESPACE,), exclude=exclude)
        world.policies = (a.policy(), a.policy(name="loose", scope=scope))
        verdict = await world.judge(request)

        assert [basis.policy for basis in verdict.bases] == ["payments"]
        assert a.reasons(verdict) == {Reason.OWNER_UNPROVEN}


async def test_what_changed_since_does_not_stop_children() -> None:
    """Rule 12: validity, revocation and slots are of first admission."""
    world, request = scene("replicaset-pod")
    world.at = a.NOON + 400 * a.DAY
    world.revocations = (Revoked(RevokedKind.PERSON, "dana"),)
    world.policies = (
        a.policy(
            slots=(a.slot("senior"), a.slot("service-owner")),
            collectors=(a.collector(),),
        ),
    )

    assert not await world.why(request)


# Caches -------------------------------------------------------------------------------


async def test_a_lagging_cache_is_asked_past() -> None:
    """One live look where the cached owner differs; the cache alone may be late."""
    world, request = scene("deployment-replicaset")
    owner = owner_of(world, request)
    older = having(owner, "/spec/template/metadata/annotations/note", "old")
    world.cluster.cache[ref_of(owner)] = older

    assert not await world.why(request)
    assert "Deployment" in world.cluster.looks


async def test_an_owner_that_the_cache_has_not_seen_is_asked_for() -> None:
    """The controller is often faster than a watch."""
    world, request = scene("job-pod")
    world.cluster.cache.clear()

    assert not await world.why(request)


async def test_what_the_cache_knows_costs_no_question() -> None:
    """The Pods of a rollout ask the server nothing."""
    world, request = scene("replicaset-pod")
    world.cluster.looks.clear()

    assert not await world.why(request)
    assert world.cluster.looks == []


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_that_cannot_be_seen_is_unproven(name: str) -> None:
    """Nobody answers, or nobody answers in time."""
    world, request = scene(name)
    world.cluster.down = True
    assert await world.why(request) == {Reason.UNAVAILABLE}
    world.cluster.down, world.cluster.frozen = False, True

    verdict = await world.judge(request, patience_s=0.02)

    assert a.reasons(verdict) == {Reason.UNAVAILABLE}


# Older ReplicaSets --------------------------------------------------------------------


def rollout() -> tuple[World, AdmissionRequest, Tree]:
    """Return a world after a rollout, a Pod of the older ReplicaSet, and that."""
    world = World()
    pod = None
    for request in recorded(world):
        if request.ref.kind == "Pod" and request.verb is Verb.CREATE and not pod:
            pod = request
        if pod and request.ref.kind == "Deployment" and request.requester.name == "dev":
            break
        follow(world, request)
    assert pod
    follow(world, request)
    return world, pod, owner_of(world, pod)


async def test_old_pods_come_back_while_a_rollout_is_stuck() -> None:
    """The older ReplicaSet carries the evidence that it was made on."""
    world, pod, _ = rollout()

    assert await doors(world, pod) == [(Door.DERIVED, "replicaset-pod")]


async def test_an_older_set_stands_on_what_it_carries() -> None:
    """And on the state that names: without either there are no Pods."""
    world, pod, replica_set = rollout()
    stripped: Any = having(replica_set, "/metadata/annotations", {})
    world.cluster.store(stripped)
    assert await world.why(pod) == {Reason.OWNER_UNPROVEN}

    image = "/spec/template/spec/containers/0/image"
    changed = having(replica_set, image, "ghcr.io/acme/evil@sha256:" + "6" * 64)
    world.cluster.store(changed)
    child = having(
        pod.object or {},
        "/spec/containers/0/image",
        "ghcr.io/acme/evil@sha256:" + "6" * 64,
    )

    assert await world.why(replace(pod, object=child)) == {Reason.OWNER_UNPROVEN}


async def test_an_older_set_without_its_deployment_makes_nothing() -> None:
    """It must have been made for a Deployment that is still there."""
    world, pod, _ = rollout()
    for tree in list(world.cluster.live.values()):
        if tree["kind"] == "Deployment":
            world.cluster.remove(tree)

    assert await world.why(pod) == {Reason.OWNER_UNPROVEN}


async def test_an_older_template_makes_no_new_set() -> None:
    """A new ReplicaSet comes from the present template only."""
    world, pod, replica_set = rollout()
    del pod
    new = having(replica_set, "/metadata/uid", "new")
    ask = update(replica_set, new, by=controller("deployment-controller"))
    made = replace(ask, verb=Verb.CREATE, object=new, old=None)

    assert await world.why(made) == {Reason.CHILD_DIFFERS}


# What may have moved ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doors_", "elastic", "replicas", "passes"),
    [
        pytest.param(Doors(), (), 2, True, id="as signed"),
        pytest.param(Doors(), (), 5, True, id="by an autoscaler"),
        pytest.param(Doors(), (), 0, False, id="to nothing, of which nothing comes"),
        pytest.param(
            Doors(), (Elastic("/spec/replicas", 1, 9),), 5, True, id="as stretched"
        ),
        pytest.param(
            Doors(scale_groups=frozenset({"x"})), (), 5, True, id="by a group that may"
        ),
    ],
)
async def test_a_scaled_owner_is_the_same_owner(
    doors_: Doors, elastic: tuple[Elastic, ...], replicas: int, *, passes: bool
) -> None:
    """As far as somebody may have scaled it."""
    world, request = scene("deployment-replicaset")
    owner = owner_of(world, request)
    plain = having(owner, "/spec/replicas", 2)
    for key in ("uid", "creationTimestamp", "generation", "managedFields"):
        plain["metadata"].pop(key, None)
    plain.pop("status", None)
    signed = world.signed(plain, elastic=elastic)["metadata"]["annotations"]
    moved = having(owner, "/metadata/annotations", signed)
    world.cluster.store(having(moved, "/spec/replicas", replicas))
    world.policies = (a.policy(doors=doors_),)
    child: Any = having(
        request.object or {},
        "/metadata/annotations",
        {
            **signed,
            "deployment.kubernetes.io/revision": "1",
        },
    )

    assert (not await world.why(replace(request, object=child))) is passes


async def test_the_cluster_says_whom_to_believe() -> None:
    """Root certificates are those of kube-system, looked up live."""
    world = World()
    request = next(
        r for r in recorded(world) if r.ref.name == "kube-root-ca.crt" and r.object
    )
    root = having(request.object or {}, "/metadata/namespace", "kube-system")

    assert Reason.OWNER_UNPROVEN in await world.why(request)
    world.cluster.store(root)
    assert await doors(world, request) == [(Door.DERIVED, "root-certificates")]
    evil = having(request.object or {}, "/data/ca.crt", "evil")
    assert await world.why(replace(request, object=evil)) == {Reason.CHILD_DIFFERS}
