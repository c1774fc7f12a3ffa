"""Evidence beside images counts like evidence on the object, and is asked for in time.

Each of these was seen to fail once with its rule taken out of the code.
"""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.core.types.artifacts import Subject
from countersign.core.types.evidence import Assistance, SignOff
from countersign.core.types.policy import Enforcement, Policy, Treatment
from countersign.core.types.stated import Stated
from countersign.core.types.verdict import Door, Reason
from countersign.report.denial import denial
from countersign.usecases import images_parted
from countersign.usecases.images import RECENT_S
from countersign.wire.annotations import Carried, read_annotations
from countersign.wire.resources.bundleset_about import stated
from tests.support import a
from tests.support.images import ImageWorld, looking, pinned
from tests.support.world import Tree, create, delete, stored, update

ONE, TWO = (f"ghcr.io/acme/ledger@sha256:{n * 64}" for n in "12")
OTHERS = f"docker.io/library/envoy@sha256:{'3' * 64}"


def ledger(*images: str, **spec: Any) -> Tree:
    """Return the Deployment of the ledger as its author writes it."""
    containers = [
        {"name": f"app{index}", "image": image}
        for index, image in enumerate(images or (ONE,))
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ledger", "namespace": a.NAMESPACE},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "ledger"}},
            "template": {
                "metadata": {"labels": {"app": "ledger"}},
                "spec": {"containers": containers},
            },
            **spec,
        },
    }


def config() -> Tree:
    """Return an object that runs nothing."""
    place = {"name": "settings", "namespace": a.NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": {}}


@pytest.fixture(name="world")
def _world() -> ImageWorld:
    return ImageWorld()


# What counts ------------------------------------------------------------------------


async def test_what_lies_beside_the_image_admits_the_object(world: ImageWorld) -> None:
    """Bundles and the signed text; nothing on the object itself."""
    verdict = await world.judge(create(world.attached(ledger())))

    (basis,) = verdict.bases
    assert verdict.allowed
    assert basis.door is Door.SIGNED
    assert [slot.person for slot in basis.filled] == ["dana"]


async def test_an_image_without_evidence_is_named(world: ImageWorld) -> None:
    """Its registry is sure: who has to act is whoever attests."""
    verdict = await world.judge(create(ledger()))

    assert Reason.UNAVAILABLE not in a.reasons(verdict)
    (image,) = pinned(ledger())
    assert (Reason.NO_EVIDENCE, Subject(image.repository, image.digest)) in [
        (finding.reason, finding.about) for finding in verdict.findings
    ]
    told = denial(verdict, create(ledger()), a.CLUSTER)
    assert "no evidence lies beside image ghcr.io/acme/ledger@sha256:" in told
    assert f"countersign attest RANGE -f FILE --image {image} --cluster" in told


async def test_another_object_with_the_same_image_is_another_change(
    world: ImageWorld,
) -> None:
    """An approval of an object is of that, wherever it lies."""
    world.attached(ledger())
    more = ledger(replicas=3)

    verdict = await world.judge(create(more))

    assert not verdict.allowed
    told = denial(verdict, create(more), a.CLUSTER)
    assert "none of the object itself\n" in told


async def test_another_image_is_another_change(world: ImageWorld) -> None:
    """Evidence about one digest says nothing of another."""
    world.attached(ledger(ONE))

    assert await world.why(create(ledger(TWO)))


async def test_an_approval_may_lie_beside_an_image_of_others(world: ImageWorld) -> None:
    """The repository alone decides where evidence is looked for."""
    world.policies = (looking("docker.io/*/*"),)

    assert not await world.why(create(world.attached(ledger(OTHERS))))


async def test_a_text_of_another_object_binds_nothing(world: ImageWorld) -> None:
    """Under the digest that was signed for this one nothing else can lie."""
    other = {**config(), "metadata": {"name": "ledger", "namespace": a.NAMESPACE}}
    world.attached(ledger())
    for key in world.registries.blobs:
        world.registries.blobs[key] = world.intent(other)[1]

    assert await world.why(create(ledger()))


async def test_what_is_known_of_platforms_reaches_the_law(world: ImageWorld) -> None:
    """Evidence about a platform is evidence about what the index holds."""
    (image,) = pinned(ledger())
    platform = a.digest("amd64")
    tree = world.signed(ledger(), about=[world.intent(ledger())[0], platform])
    world.move(tree, read_annotations(tree["metadata"]["annotations"]).bundles)

    assert await world.why(create(ledger()))
    world.restart()
    world.registries.put(image, platforms=frozenset({platform}))
    assert not await world.why(create(ledger()))


@settings(max_examples=40)
@given(st.data())
def test_where_evidence_lies_says_nothing(data: st.DataObject) -> None:
    """Half on the object, half beside the image, in any order: the same verdict.

    Seen to fail with intents taken from annotations alone, and with what is carried
    already proven twice.
    """
    world = ImageWorld()
    fields: dict[str, Any] = data.draw(
        st.fixed_dictionaries(
            {}, optional={"signed_at": st.sampled_from([None, a.NOON - a.HOUR])}
        )
    )
    more = data.draw(
        st.lists(
            st.sampled_from(
                [
                    a.sign_off(a.RAVI, subjects=[a.digest("x")]),
                    a.rejection(a.RAVI, subjects=world.subjects(ledger())),
                    a.provenance(
                        subjects=world.subjects(ledger()), assistance=Assistance.AI
                    ),
                ]
            ),
            unique=True,
        )
    )
    signed = world.signed(ledger(), more=more, **fields)
    carried = read_annotations(signed["metadata"]["annotations"])
    bundles = data.draw(st.permutations(carried.bundles))
    cut = data.draw(st.integers(0, len(bundles)))
    world.move(signed, bundles[cut:])
    half = world.annotated(ledger(), Carried(tuple(bundles[:cut]), carried.intent))
    beside = (world.prover.known[raw].claim for raw in bundles[cut:])
    approved = any(
        isinstance(claim, SignOff) and world.state(ledger()) in claim.changes
        for claim in beside
    )
    if approved and data.draw(st.booleans()):  # so may the text, beside its approval
        half = world.annotated(ledger(), Carried(tuple(bundles[:cut]), None))
    banned = frozenset({"some-tool"}) if data.draw(st.booleans()) else frozenset()
    world.policies = (looking(banned_tools=banned),)

    async def judged(tree: Tree) -> bool:
        return (await world.judge(create(tree))).allowed

    whole, parts = asyncio.run(judged(signed)), asyncio.run(judged(half))
    world.policies = (a.policy(),)
    carried_alone = not banned and asyncio.run(judged(half))

    # who does not lean on silence does not look for what speaks against it
    assert parts == (whole or carried_alone)


async def test_what_is_large_keeps_nobody_waiting(
    world: ImageWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What anybody put there is read beside the loop, and what says nothing once."""
    read: list[tuple[bytes, bool]] = []
    here = threading.get_ident()

    def watched(raw: bytes) -> Stated | None:
        read.append((raw, threading.get_ident() == here))
        return stated(raw)

    monkeypatch.setattr(images_parted, "stated", watched)
    tree = world.attached(ledger())
    large = b'{"x":[' + b"{}," * 200_000 + b"0]}"
    world.registries.put(pinned(tree)[0], large)
    for _ in range(2):
        assert not await world.why(create(tree))
        world.restart()
    assert [on_loop for raw, on_loop in read if raw == large] == [False]


# When nobody is asked ---------------------------------------------------------------


async def test_what_the_object_carries_decides_first(world: ImageWorld) -> None:
    """With the registry away, and nobody notices."""
    world.registries.down.add("ghcr.io")

    assert not await world.why(create(world.signed(ledger())))
    assert world.registries.asked == []


async def test_nobody_is_asked_in_vain(world: ImageWorld) -> None:
    """Nothing runs, nothing changes, it goes, or no policy looks there."""
    live = stored(ledger())
    await world.judge(create(config()))
    await world.judge(update(live, ledger()))
    await world.judge(delete(live))
    await world.judge(create(ledger(OTHERS)))
    await world.judge(create(ledger("ghcr.io/acme/ledger:1")))
    world.policies = (a.policy(),)
    await world.judge(create(ledger()))

    assert world.registries.asked == []


async def test_each_image_is_asked_for_once(world: ImageWorld) -> None:
    """By all policies together, also where the answer does not help."""
    second = replace(looking(), name="second")
    world.policies = (*world.policies, second)
    await world.judge(create(ledger(ONE, TWO)))

    assert sorted(world.registries.asked) == sorted(pinned(ledger(ONE, TWO)))


async def test_a_registry_that_fails_is_asked_once_too(world: ImageWorld) -> None:
    """Its failure is the answer for this request, and for no other."""
    world.policies = (*world.policies, replace(looking(), name="second"))
    world.registries.down.add("ghcr.io")
    await world.judge(create(ledger()))

    assert len(world.registries.asked) == 1
    await world.judge(create(ledger()))
    assert len(world.registries.asked) == 2


async def test_what_is_new_is_seen_soon(world: ImageWorld) -> None:
    """Who pushes evidence and applies again need not wait for a cache."""
    assert await world.why(create(ledger()))
    world.attached(ledger())
    assert await world.why(create(ledger()))

    world.clock.now += 11
    assert not await world.why(create(ledger()))


async def test_a_policy_that_changes_flips_the_verdict_at_once(
    world: ImageWorld,
) -> None:
    """What is remembered is what lies there, never what it was worth."""
    tree = world.attached(ledger())
    assert not await world.why(create(tree))

    world.policies = (looking(slots=(a.slot("quality"),)),)
    assert Reason.SLOT_OPEN in await world.why(create(tree))


# When a registry is away ------------------------------------------------------------


async def test_a_registry_that_is_away_is_no_lack_of_evidence(
    world: ImageWorld,
) -> None:
    """Denied as unavailable, which names it; the retry finds what is there."""
    tree = world.attached(ledger())
    world.registries.down.add("ghcr.io")
    verdict = await world.judge(create(tree))

    (unseen,) = (f for f in verdict.findings if f.reason is Reason.UNAVAILABLE)
    assert "ghcr.io did not answer" in str(unseen.facts)
    world.registries.down.clear()
    assert not await world.why(create(tree))


async def test_the_deadline_holds_and_the_retry_hits(world: ImageWorld) -> None:
    """The look goes on when whoever asked has been denied."""
    tree = world.attached(ledger())
    world.registries.stuck.add("ghcr.io")
    verdict = await world.judge(create(tree), patience_s=0.05)

    assert a.reasons(verdict) >= {Reason.UNAVAILABLE}
    assert "ghcr.io has not answered yet" in str(verdict.findings)
    world.registries.go.set()
    await world.kept.about(pinned(tree)[0])  # joins the look that goes on
    assert not await world.why(create(tree))
    assert len(world.registries.asked) == 1


async def test_what_came_in_time_counts(world: ImageWorld) -> None:
    """One registry hangs; the other has all that is needed."""
    world.policies = (looking("ghcr.io/*/*", "docker.io/*/*"),)
    tree = ledger(ONE, OTHERS)
    world.attached(tree)
    world.registries.stuck.add("docker.io")

    assert (await world.judge(create(tree), patience_s=1)).allowed


# Where silence is no answer ---------------------------------------------------------

LEANING = [
    pytest.param(looking(banned_tools=frozenset({"some-tool"})), id="banned tools"),
    pytest.param(looking(ai=Treatment.DENY), id="no AI at all"),
]


@pytest.mark.parametrize("policy", LEANING)
async def test_who_leans_on_silence_asks(world: ImageWorld, policy: Policy) -> None:
    """Also where all that is needed is carried: rule 6."""
    world.policies = (policy,)
    tree = world.signed(ledger())
    world.registries.down.add("ghcr.io")
    assert Reason.UNAVAILABLE in await world.why(create(tree))

    world.registries.down.clear()
    assert not await world.why(create(tree))
    asked = len(world.registries.asked)
    world.clock.now += 60
    world.registries.put(pinned(tree)[0])
    assert not await world.why(create(tree))
    assert (
        len(world.registries.asked) == asked + 1
    )  # that there is nothing is forgotten


@pytest.mark.parametrize("policy", LEANING)
async def test_what_speaks_against_it_counts_wherever_it_lies(
    world: ImageWorld, policy: Policy
) -> None:
    """Provenance that somebody forgot to carry along."""
    world.policies = (policy,)
    tree = world.signed(ledger())
    worse = a.provenance(
        subjects=world.subjects(ledger()),
        assistance=Assistance.AI,
        tools=("some-tool 1",),
    )
    world.registries.put(pinned(tree)[0], world.prover.bundle(worse))
    why = await world.why(create(tree))

    assert why & {Reason.TOOL_BANNED, Reason.AI_DENIED}


@pytest.mark.parametrize("policy", LEANING)
async def test_what_is_not_proven_in_time_may_speak_against_it(
    world: ImageWorld, policy: Policy
) -> None:
    """Whoever pushes much beside an image keeps what speaks against it waiting."""
    world.policies = (policy,)
    tree = world.signed(ledger())
    worse = a.provenance(
        subjects=world.subjects(ledger()),
        assistance=Assistance.AI,
        tools=("some-tool 1",),
    )
    late = world.prover.bundle(worse)
    world.prover.stuck.add(late)
    world.registries.put(pinned(tree)[0], late)
    verdict = await world.judge(create(tree), patience_s=0.2)

    assert a.reasons(verdict) >= {Reason.UNAVAILABLE}
    assert not verdict.allowed


async def test_an_answer_of_a_moment_ago_is_enough_for_them(world: ImageWorld) -> None:
    """Not each request of a rollout asks again."""
    world.policies = (looking(ai=Treatment.DENY),)
    tree = world.attached(ledger())
    await world.judge(create(tree))
    world.clock.now += RECENT_S - 1
    assert not await world.why(create(tree))
    assert len(world.registries.asked) == 1

    world.clock.now += 2
    assert not await world.why(create(tree))
    assert len(world.registries.asked) == 2


async def test_an_answer_that_is_not_whole_is_not_enough(world: ImageWorld) -> None:
    """A registry that lists more than is read may hide what matters."""
    tree = world.attached(ledger())
    world.registries.put(pinned(tree)[0], complete=False, problems=("too much",))

    assert not await world.why(create(tree))
    world.policies = (looking(ai=Treatment.DENY),)
    assert Reason.UNAVAILABLE in await world.why(create(tree))


# The state before -------------------------------------------------------------------


async def test_the_old_state_stands_on_what_lies_beside_its_image(
    world: ImageWorld,
) -> None:
    """Rule 8: what was signed later follows, what was signed earlier does not."""
    old, new = ledger(ONE), ledger(TWO)
    world.attached(old, signed_at=a.NOON - 2 * a.HOUR)
    world.attached(new, signed_at=a.NOON - a.HOUR)
    there, next_one = stored(old), stored(new)

    assert not await world.why(update(there, new))
    world.restart()
    assert await world.why(update(next_one, old)) >= {Reason.STALE_BASE}


async def test_an_approval_of_what_comes_later_ages_nothing(world: ImageWorld) -> None:
    """Three states of one image: what the first stands on is its own approval.

    All lies beside the same image. Were the third state's approval the first one's too,
    the second could never follow.
    """
    states = [ledger(ONE, minReadySeconds=n) for n in (1, 2, 3)]
    for hours, tree in zip((3, 2, 1), states, strict=True):
        world.attached(tree, signed_at=a.NOON - hours * a.HOUR)

    assert not await world.why(update(stored(states[0]), states[1]))
    assert await world.why(update(stored(states[2]), states[1])) >= {Reason.STALE_BASE}


async def test_audit_does_not_wait_in_front_of_others(world: ImageWorld) -> None:
    """A policy that only watches looks beside images; the other one does not care."""
    watching = replace(looking(), name="watching", enforcement=Enforcement.AUDIT)
    world.policies = (a.policy(), watching)
    world.registries.down.add("ghcr.io")
    tree = world.signed(ledger())

    assert (await world.judge(create(tree))).allowed


def test_the_constants_fit() -> None:
    """What supports is fresh for a moment, what might not for minutes."""
    assert timedelta(seconds=RECENT_S) >= timedelta(minutes=1)
