"""Evidence beside objects: at every door, bounded, and looked for before a denial."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.change import Access, Deletion, Operation
from countersign.core.types.evidence import Result
from countersign.core.types.people import Person
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import AdmissionRequest, Resource, Verb
from countersign.core.types.verdict import Door, Reason, RestedOn
from countersign.usecases.chosen import MAX_BESIDE
from countersign.usecases.gather import MAX_TRIED
from countersign.usecases.ordered import MAX_INTENTS
from countersign.wire.annotations import read_annotations
from countersign.wire.resources.bundleset import render_bundle_set
from tests.support import a
from tests.support.families import owner_of, scene
from tests.support.trees import having
from tests.support.world import (
    Tree,
    World,
    create,
    delete,
    ref_of,
    request,
    stored,
    update,
)

IMAGE = f"ghcr.io/acme/ledger@sha256:{'1' * 64}"


def ledger(release: str = "1", image: str = IMAGE) -> Tree:
    """Return a Deployment as its author wrote it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ledger", "namespace": a.NAMESPACE},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "ledger"}},
            "template": {
                "metadata": {
                    "labels": {"app": "ledger"},
                    "annotations": {"release": release},
                },
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    }


LEDGER = ref_of(ledger())


@pytest.fixture(name="world")
def _world() -> World:
    return World()


async def test_a_plain_manifest_passes(world: World) -> None:
    """What lies beside it says what its annotations would."""
    assert await world.why(create(ledger()))
    world.beside(ledger())
    assert not await world.why(create(ledger()))


async def test_nothing_was_listed_yet(world: World) -> None:
    """Then what an object carries still counts, and nothing else."""
    world.beside(ledger())
    world.sets.blind = True

    assert not await world.why(create(world.signed(ledger())))
    assert Reason.UNAVAILABLE in await world.why(create(ledger()))


async def test_a_set_that_only_a_live_look_shows(world: World) -> None:
    """One look before a denial, and the doors once more: on a dry run too."""
    for dry_run in (True, False):
        world.sets.seen.clear()
        world.beside(ledger(), fresh=True)
        assert not await world.why(create(ledger(), dry_run=dry_run))
    assert world.sets.looks == [a.NAMESPACE] * 2
    assert not await world.why(create(ledger()))
    assert world.sets.looks == [a.NAMESPACE] * 2


async def test_a_child_whose_owner_is_spoken_for_by_a_fresh_set() -> None:
    """The derived door is tried again as well."""
    world, asked = scene("replicaset-pod")
    owner = owner_of(world, asked)
    deployment = owner_of(world, request(Verb.CREATE, owner))
    plain = _plain(world, deployment, fresh=True)
    world.cluster.store(plain)
    world.cluster.store(_bare(owner))

    verdict = await world.judge(replace(asked, object=_bare(asked.object)))

    assert [b.door for b in verdict.bases] == [Door.DERIVED]


def _plain(world: World, tree: Tree, *, fresh: bool = False) -> Tree:
    """Put what an object carries beside it instead."""
    carried = read_annotations(_ours(tree))
    assert carried.intent is not None
    world.sets.put(
        "moved",
        carried.bundles,
        (carried.intent,),
        about=[ref_of(tree)],
        fresh=fresh,
    )
    return _bare(tree)


def _ours(tree: Tree) -> dict[str, Any]:
    annotations = tree["metadata"]["annotations"]
    return {k: v for k, v in annotations.items() if k.startswith("countersign.dev/")}


def _bare(tree: Any) -> Tree:
    made: Tree = copy.deepcopy(tree)
    for key in _ours(made) if made["metadata"].get("annotations") else {}:
        del made["metadata"]["annotations"][key]
    return made


async def test_a_live_look_that_fails_is_said(world: World) -> None:
    """What is missing may lie there: that is no plain denial."""
    world.sets.down = True
    assert Reason.UNAVAILABLE in await world.why(create(ledger()))
    world.sets.frozen = True
    verdict = await world.judge(create(ledger()), patience_s=0.05)
    assert {Reason.UNAVAILABLE, Reason.NO_EVIDENCE} <= a.reasons(verdict)
    assert not await world.why(create(world.signed(ledger())))


async def test_no_look_where_nothing_is_denied(world: World) -> None:
    """It costs the API server a request."""
    await world.judge(create(world.signed(ledger())))
    assert world.sets.looks == []


# Junk


async def test_junk_beside_takes_no_place(world: World) -> None:
    """Unreadable, forged, or well signed by nobody that matters."""
    junk = [b'{"n": %d}' % n for n in range(MAX_TRIED - 300)]
    strange = [
        world.prover.bundle(
            a.sign_off(
                link=f"https://stranger.example/{n}",
                signer=a.STRANGER,
            )
        )
        for n in range(MAX_BESIDE + 8)
    ]
    intents = [b'{"junk": %d}' % n for n in range(500)]
    world.sets.put("a", (*junk, *strange), intents, about=[LEDGER])
    world.beside(ledger())
    verdict = await world.judge(create(ledger()))

    assert verdict.allowed
    assert not verdict.findings


async def test_too_much_junk_is_said(world: World) -> None:
    """Work is bounded; what the object carries itself was first."""
    named, change = world.subjects(ledger()), world.state(ledger())
    strange = [
        world.prover.bundle(
            a.sign_off(
                link=f"https://stranger.example/{n}",
                signer=a.STRANGER,
                subjects=named,
                changes=(change,),
            )
        )
        for n in range(MAX_TRIED)
    ]
    world.beside(ledger())
    world.sets.put("z", strange, about=[LEDGER])

    assert Reason.OVER_LIMIT in await world.why(create(ledger()))
    assert not await world.why(create(world.signed(ledger())))


async def test_what_went_unseen_may_speak_against_it(world: World) -> None:
    """Rule 6: junk that nobody can read does not count as unseen; unread sets do."""
    world.policies = (a.policy(banned_tools=("some-tool",)),)
    world.beside(ledger())
    world.sets.put("a", [b'{"n": 1}'], about=[LEDGER])
    assert not await world.why(create(ledger()))
    unread, named = world.sets.seen["a"]
    world.sets.seen["a"] = replace(unread, bundles=(), whole=False), named

    assert await world.why(create(ledger())) == {
        Reason.UNAVAILABLE,
        Reason.OVER_LIMIT,
    }


async def test_the_past_stays_where_it_is(world: World) -> None:
    """Years of releases: the present one is among those that are compared."""
    for n in range(2 * MAX_INTENTS):
        old = ledger(str(n), IMAGE.replace("1", "2"))
        world.beside(old, signed_at=a.NOON - 5 * a.HOUR)
        world.beside(ledger(f"{n}"), signed_at=a.NOON - 4 * a.HOUR)
    world.beside(ledger("now"))

    assert not await world.why(create(ledger("now")))


def history(world: World, count: int) -> None:
    """Put so many honest releases beside the ledger, each with junk in between."""
    for n in range(count):
        day = f"20{n // 300:02}-{n % 300 // 28 + 1:02}-{n % 28 + 1:02}T00:00:00Z"
        image = IMAGE[:-4] + f"{n:04}"
        tree = ledger(f"{n}", image)
        named, change = world.subjects(tree), world.state(tree)
        made = a.provenance(target=f"commit {n}", subjects=named)
        word = a.sign_off(saw=(made,), subjects=named, changes=(change,))
        bundles = [world.prover.bundle(one) for one in (made, word)]
        intents = [world.intent(tree)[1]]
        world.sets.put(f"set-{n}", bundles, intents, about=[LEDGER], at=day)
        rotten = [b'{"n": %d}' % n, *(b'{"m": %d%d}' % (n, m) for m in range(3))]
        intent = world.intent(ledger(f"junk {n}", image))[1]
        world.sets.put(f"junk-{n}", rotten, [intent], about=[LEDGER], at=day)


@pytest.mark.parametrize("before", [40, 500])
async def test_years_of_releases_cost_no_more(world: World, before: int) -> None:
    """Whichever of them it is: the newest, or one that comes back."""
    history(world, before)
    for n in (before - 1, 0, before // 2):
        world.prover.asked = 0
        tree = ledger(f"{n}", IMAGE[:-4] + f"{n:04}")

        assert not await world.why(create(tree))
        assert world.prover.asked <= 3 * MAX_INTENTS


async def test_a_denial_after_years_says_what_differs(world: World) -> None:
    """It shows the nearest state that was signed, and costs no more either."""
    history(world, 200)
    verdict = await world.judge(create(ledger("7", IMAGE[:-4] + "0008")))

    assert Reason.CHANGED in a.reasons(verdict)
    assert world.prover.asked <= 6 * MAX_INTENTS


@pytest.mark.parametrize("carried", [True, False])
async def test_what_says_worse_is_found_among_years(
    world: World, *, carried: bool
) -> None:
    """Of the same commit and another state, whatever lies in front of it."""
    other = a.marked(subjects=[a.digest("another state")])
    bundle = world.prover.bundle(other)
    world.sets.put("worse", [bundle], about=[LEDGER], at="1999-01-01T00:00:00Z")
    for n in range(100):
        made = a.provenance(target=f"{n}", subjects=world.subjects(ledger(f"{n}")))
        old = [world.prover.bundle(made)]
        intent = world.intent(ledger(f"{n}"))[1]
        world.sets.put(f"{n}", old, [intent], about=[LEDGER], at="2000-01-01T00:00:00Z")
    tree = ledger("now")
    asked = world.signed(tree) if carried else world.beside(tree)

    assert Reason.WORSE_PROVENANCE in await world.why(create(asked))


@pytest.mark.parametrize("who", [a.LEE, a.DANA])
async def test_a_crowd_of_states_that_say_less(world: World, who: Person) -> None:
    """All of them fit the object, and are newer: what says most is looked at first.

    Where an author wrote them, they take no place anyway.
    """
    full = ledger()
    notes = {f"note-{n}": "yes" for n in range(5)}
    full["spec"]["template"]["metadata"]["annotations"] |= notes
    world.beside(full, signed_at=a.NOON - 9 * a.HOUR, at="2020-01-01T00:00:00Z")
    for n in range(2, 31):
        part = ledger()
        some = {k: v for i, (k, v) in enumerate(notes.items()) if n >> i & 1}
        part["spec"]["template"]["metadata"]["annotations"] |= some
        signed = a.sign_off(
            who,
            subjects=world.subjects(part),
            changes=(world.state(part),),
            signed_at=a.NOON - a.HOUR,
        )
        bundles, intents = [world.prover.bundle(signed)], [world.intent(part)[1]]
        world.sets.put(f"part-{n}", bundles, intents, about=[LEDGER], at="2026")

    assert not await world.why(create(full))


async def test_a_release_to_come_makes_no_state_newer(world: World) -> None:
    """What was signed for later runs the same image, and is not there yet."""
    for hours, release in ((4, "1"), (3, "2"), (2, "3")):
        at, tree = a.NOON - hours * a.HOUR, ledger(release)
        named, change = world.subjects(tree), world.state(tree)
        made = a.provenance(subjects=named, signed_at=at)
        approval = a.sign_off(
            saw=(made,), subjects=named, changes=(change,), signed_at=at
        )
        bundles = [world.prover.bundle(e) for e in (made, approval)]
        world.sets.put(release, bundles, [world.intent(tree)[1]], about=[LEDGER])
    first, second = stored(ledger("1")), stored(ledger("2"))

    assert not await world.why(update(first, ledger("2")))
    assert Reason.STALE_BASE in await world.why(update(second, ledger("1")))
    assert not await world.why(update(second, ledger("3")))


async def test_evidence_may_be_half_here_and_half_there(world: World) -> None:
    """The bundles with the object, the intent beside it."""
    full = world.signed(ledger())
    intent = read_annotations(full["metadata"]["annotations"]).intent
    half = copy.deepcopy(full)
    del half["metadata"]["annotations"]["countersign.dev/intent"]
    assert await world.why(create(half))
    assert intent is not None
    world.sets.put("a", (), (intent,), about=[LEDGER])

    assert not await world.why(create(half))


async def test_a_rejection_beside_counts(world: World) -> None:
    """Whoever hides it gains nothing that relies on it."""
    no = a.sign_off(
        result=Result.REJECTED,
        changes=(world.state(ledger()),),
        subjects=world.subjects(ledger()),
    )
    world.sets.put("no", [world.prover.bundle(no)], about=[LEDGER])

    assert Reason.REJECTED in await world.why(create(world.signed(ledger())))


async def test_evidence_may_move_beside_the_object(world: World) -> None:
    """Taking it off is a denial only where nothing else speaks for the new state."""
    live = stored(world.signed(ledger("1")))
    assert await world.why(update(live, ledger("2"))) == {Reason.EVIDENCE_REMOVED}
    world.beside(ledger("2"))

    assert not await world.why(update(live, ledger("2")))
    assert Reason.EVIDENCE_REMOVED in await world.why(update(live, ledger("3")))


# What nothing can be attached to


async def test_a_deletion_by_uid(world: World) -> None:
    """Of this object, by who may approve."""
    live = stored(ledger(), "u-1")
    for uid in ("u-2", "u-1"):
        change = Deletion(object=LEDGER, uid=uid)
        said = a.sign_off(changes=(change,), subjects=[a.digest(uid)])
        world.sets.put(uid, [world.prover.bundle(said)], about=[LEDGER])
        denied = await world.why(delete(live))

        assert (Reason.DELETION in denied) == (uid == "u-2")
    orphan = delete(live, options={"propagationPolicy": "Orphan"})
    assert Reason.WRONG_OPERATION in await world.why(orphan)
    judged = await world.reviewer().judge(delete(live))
    assert judged.uid == "u-1"
    assert judged.bundles


def access(pod: Tree, subresource: str = "exec") -> AdmissionRequest:
    """Return an exec into a Pod, as the server shows it: without the Pod."""
    asked = request(
        Verb.CONNECT, {**pod, "kind": "PodExecOptions"}, subresource=subresource
    )
    return replace(asked, resource=Resource("", "v1", "pods", subresource))


async def test_break_glass_is_for_one_access(world: World) -> None:
    """The Pod is looked up, since the request does not show its uid."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": a.NAMESPACE, "uid": "u-1"},
    }
    ref = ref_of(pod)
    world.cluster.store(pod)
    signed = Access(
        object=ref, uid="u-1", subresource="exec", operation=Operation.CONNECT
    )
    said = a.emergency(changes=(signed,), subjects=[a.digest("access")])
    world.sets.put("in", [world.prover.bundle(said)], about=[ref])

    assert not await world.why(access(pod))
    assert Reason.SUBRESOURCE in await world.why(access(pod, "attach"))
    world.cluster.store(having(pod, "/metadata/uid", "u-2"))
    assert Reason.STALE_BASE in await world.why(access(pod))


# The end of a set


def end_of_set(world: World, name: str) -> AdmissionRequest:
    """Return the deletion of what `world` has under a name."""
    made, _ = world.sets.seen[name]
    tree: Any = render_bundle_set(name, made.bundles, made.intents, a.NAMESPACE)
    world.sets.seen[tree["metadata"]["name"]] = (
        replace(made, name=tree["metadata"]["name"]),
        world.sets.seen.pop(name)[1],
    )
    ours = Resource("countersign.dev", "v1alpha1", "bundlesets")
    return request(Verb.DELETE, None, tree, resource=ours)


SPACE: Tree = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": a.NAMESPACE},
}


async def test_a_set_that_something_rests_on_stays(world: World) -> None:
    """While the object is there, is judged, and has nothing else."""
    world.cluster.store(SPACE)
    world.cluster.store(stored(world.beside(ledger())))
    ask = end_of_set(world, "set-0")
    verdict = await world.judge(ask)

    assert a.reasons(verdict) == {Reason.EVIDENCE_REMOVED}
    assert verdict.findings[0].facts == RestedOn((str(LEDGER),))
    assert world.sets.looks == [a.NAMESPACE]
    world.policies = (a.policy(enforcement=Enforcement.WARN),)
    assert (await world.judge(ask)).outside
    world.policies = (a.policy(),)
    world.cluster.store(stored(ledger("2")))
    assert (await world.judge(ask)).outside
    world.cluster.store(stored(world.signed(ledger())))
    assert (await world.judge(ask)).outside
    world.cluster.store(stored(ledger()))
    assert not (await world.judge(ask)).allowed
    world.cluster.store(having(SPACE, "/metadata/deletionTimestamp", "2026-11-22"))
    assert (await world.judge(ask)).outside
    world.cluster.store(SPACE)
    world.beside(ledger(), a.RAVI)
    assert (await world.judge(ask)).outside


async def test_a_set_that_an_older_replica_set_rests_on_stays() -> None:
    """A rollout that is under way keeps its old Pods."""
    world, asked = scene("replicaset-pod")
    owner = owner_of(world, asked)
    deployment = owner_of(world, request(Verb.CREATE, owner))
    world.cluster.store(SPACE)
    plain = _plain(world, deployment)
    world.cluster.store(having(_bare(owner), "/spec/replicas", 1))
    world.cluster.store(having(plain, "/spec/template/metadata/labels/next", "yes"))
    ask = end_of_set(world, "moved")

    assert not (await world.judge(ask)).allowed
    world.cluster.store(having(_bare(owner), "/spec/replicas", 0))
    assert (await world.judge(ask)).outside


async def test_who_rests_on_a_set_must_be_seen(world: World) -> None:
    """Doubt denies, here too."""
    world.cluster.store(SPACE)
    world.cluster.store(stored(world.beside(ledger())))
    ask = end_of_set(world, "set-0")
    world.cluster.frozen = True
    verdict = await world.judge(ask, patience_s=0.05)
    assert a.reasons(verdict) == {Reason.UNAVAILABLE}
    world.cluster.frozen, world.sets.down = False, True
    assert a.reasons(await world.judge(ask)) == {Reason.UNAVAILABLE}
