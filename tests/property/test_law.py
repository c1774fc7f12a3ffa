"""The law holds for every mixture of evidence, not only for the cases thought of.

Random evidence seldom admits anything, and a property over denials alone is decoration.
So mixtures are drawn from a small company's drawer (`tests.support.drawer`), in which
things fit together: about half of the draws admit. Under each property stands the fault
that was planted to see it fail.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from countersign.core.decide import decide
from countersign.core.types.evidence import (
    Evidence,
    Lines,
    Presence,
    Provenance,
    SignOff,
)
from countersign.core.types.policy import (
    BaseRule,
    Images,
    ImageSubject,
    Policy,
    TraceDemand,
    Treatment,
)
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Verdict
from tests.support import a, drawer
from tests.support.drawer import Scene

T = TypeVar("T")

scenes = drawer.scenes(drawer.STORIES, drawer.DENIED)
near_misses = drawer.scenes(drawer.DENIED)
told = drawer.scenes(drawer.STORIES)


def judge(scene: Scene, at: datetime = a.NOON) -> Verdict:
    """Judge a scene by its policy."""
    return decide(
        scene.request,
        (scene.policy,),
        scene.support,
        scene.adverse,
        revoked=scene.revoked,
        at=at,
    )


@pytest.mark.parametrize("story", drawer.STORIES)
def test_every_story_ends_well(story: Scene) -> None:
    """Else the properties below would be about denials alone."""
    assert judge(story).bases


@given(told)
def test_losing_support_never_admits(scene: Scene) -> None:
    """What is admitted on some evidence is admitted on that and anything else.

    One piece at a time; for any number it follows.

    Caught: makers joined over all provenance instead of any one that suffices; the state
    of assistance read from supporting provenance.
    """
    partial = judge(scene)

    event(f"admitted on part: {partial.allowed}")
    for piece in drawer.SUPPORTING if partial.allowed else ():
        assert judge(replace(scene, support=(*scene.support, piece))).allowed


@given(near_misses)
def test_adverse_evidence_never_admits(scene: Scene) -> None:
    """What is denied stays denied, whatever else counts against it.

    Caught: an adverse mark that lifts ``unknown: deny`` to ``ai: signOff``.
    """
    before = judge(scene)

    event(f"denied: {not before.allowed}")
    for piece in () if before.allowed else drawer.ADVERSE:
        assert not judge(replace(scene, adverse=(*scene.adverse, piece))).allowed


@given(near_misses)
def test_revocation_never_admits(scene: Scene) -> None:
    """Withdrawing never helps; it undoes no rejection either.

    Caught: revoked rejections that no longer count.
    """
    before = judge(scene)

    event(f"denied: {not before.allowed}")
    for entry in () if before.allowed else drawer.REVOKED:
        assert not judge(replace(scene, revoked=(*scene.revoked, entry))).allowed


@given(scenes, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(scene: Scene, random: Random) -> None:
    """The same evidence gives the same verdict, to the last finding.

    Caught: evidence taken as often, and in the order, as it came.
    """

    def stirred(things: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(things * 2, len(things) * 2))

    again = replace(
        scene,
        support=stirred(scene.support),
        adverse=stirred(scene.adverse),
        revoked=stirred(scene.revoked),
    )

    assert judge(scene) == judge(again)


@settings(max_examples=300)
@given(scenes | near_misses)
def test_every_admission_has_a_basis_and_every_basis_its_persons(scene: Scene) -> None:
    """No basis, no admission; and no person in two slots.

    Caught: slots counted by sign-offs, not persons; a policy without slots whose empty
    ballot was complete.
    """
    verdict = judge(scene)

    assert bool(verdict.bases) is not bool(verdict.findings)
    for basis in verdict.bases:
        persons = [slot.person for slot in basis.filled]
        carried = {e.bundle for e in scene.support}
        assert basis.filled or basis.declared_by
        assert len(set(persons)) == len(persons)
        assert basis.bundles
        assert carried.issuperset(basis.bundles)
        if basis.filled and not basis.emergency:
            assert sorted(s.role for s in basis.filled) == sorted(
                slot.role for slot in scene.policy.slots
            )


@given(scenes, st.sampled_from(drawer.POLICIES))
def test_another_policy_never_admits(scene: Scene, policy: Policy) -> None:
    """Every policy that applies is enforced, each as if it were alone.

    Caught: a basis of one policy that answered for the others.
    """
    other = replace(policy, name=f"{policy.name} too")
    alone = [judge(scene), judge(replace(scene, policy=other))]

    both = decide(
        scene.request,
        (other, scene.policy),
        scene.support,
        scene.adverse,
        revoked=scene.revoked,
        at=a.NOON,
    )

    assert both.allowed is all(verdict.allowed for verdict in alone)
    assert set(both.bases) == {b for verdict in alone for b in verdict.bases}
    assert set(both.findings) == {f for verdict in alone for f in verdict.findings}


def renamed(evidence: Evidence) -> Evidence:
    """Return `evidence` with other words for people, the claim otherwise the same."""
    claim = evidence.claim
    if isinstance(claim, SignOff):
        claim = replace(claim, reviewer="Somebody", link="https://elsewhere.example")
    elif isinstance(claim, Provenance):
        claim = replace(claim, collector="x", lines=Lines(1, 2, 3), collected_on=None)
    subjects = frozenset(replace(s, name="x") for s in evidence.subjects)
    return replace(evidence, claim=claim, subjects=subjects)


@given(scenes)
def test_words_for_people_decide_nothing(scene: Scene) -> None:
    """Display names, links and subject names are display only.

    Caught: subjects matched by name.
    """
    other = replace(
        scene,
        support=tuple(map(renamed, scene.support)),
        adverse=tuple(map(renamed, scene.adverse)),
    )

    assert judge(scene).bases == judge(other).bases


def tightened(policy: Policy) -> list[Policy]:
    """Return policies that ask for more than `policy`, one thing each."""
    demands, images = policy.demands, policy.images
    asked = [
        replace(demands, max_validity=timedelta(hours=1)),
        replace(demands, trusted_time=True),
        replace(demands, presence=Presence.TOUCH),
        replace(demands, max_restore=timedelta()),
        replace(demands, questions=a.policy().demands.questions),
        replace(demands, traceability=(TraceDemand("TICKET"),)),
    ]
    if demands.base is BaseRule.ANY:
        asked += [replace(demands, base=b) for b in BaseRule]
    return [
        *(replace(policy, demands=each) for each in asked),
        replace(policy, unknown=Treatment.DENY),
        replace(policy, ai=Treatment.DENY),
        replace(policy, builders=()),
        replace(policy, baselines=frozenset()),
        replace(policy, declaring_roles=frozenset()),
        replace(policy, known_authors=()),
        replace(policy, break_glass=None),
        replace(policy, banned_tools=frozenset({"amazon-q"})),
        replace(policy, images=Images(subject=images.subject, registries=("*/*",))),
        replace(policy, images=replace(images, subject=ImageSubject.INDEX))
        if images.subject is ImageSubject.EITHER
        else policy,
        replace(policy, slots=(*policy.slots, a.slot("quality", "x")))
        if policy.slots
        else policy,
    ]


@given(near_misses)
def test_a_stricter_policy_never_admits(scene: Scene) -> None:
    """Asking for more, or trusting fewer, only ever denies.

    Caught: baselines without which every range counted as anchored.
    """
    before = judge(scene)

    event(f"denied: {not before.allowed}")
    for strict in () if before.allowed else tightened(scene.policy):
        assert not judge(replace(scene, policy=strict)).allowed


@given(scenes, st.integers(0, 40))
def test_allowing_longer_windows_never_denies(scene: Scene, days: int) -> None:
    """A larger ``maxValidity`` admits at least as much.

    Caught: a window that had to be as long as allowed.
    """
    longest = timedelta(days=days)
    demands = scene.policy.demands
    narrow, wide = (
        judge(
            replace(
                scene,
                policy=replace(
                    scene.policy, demands=replace(demands, max_validity=each)
                ),
            )
        )
        for each in (longest, longest + timedelta(days=7))
    )

    assert wide.allowed or not narrow.allowed


ENDS = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), a.NOON]
moments = st.sampled_from(ENDS) | st.datetimes(timezones=st.just(UTC))


@st.composite
def times(draw: st.DrawFn) -> tuple[datetime, dict[str, Any]]:
    """Return a moment of admission, and times of a sign-off that often coincide."""
    few = draw(st.lists(moments, min_size=1, max_size=3))
    instant = st.sampled_from(few)
    some = st.none() | instant
    start, end = sorted([draw(instant), draw(instant)])
    return draw(instant), {
        "signed_at": draw(some),
        "reviewed_on": draw(instant),
        "validity": draw(st.sampled_from([Interval(start, end), Interval(start)])),
        "started_on": draw(some),
        "restore_until": draw(some),
    }


@given(scenes, times())
def test_no_time_is_too_far_away_to_be_judged(
    scene: Scene, drawn: tuple[datetime, dict[str, Any]]
) -> None:
    """The law is total: near the ends of the calendar, too.

    Caught: ``reviewed_on + max_validity``, which overflows in the year 9999.
    """
    at, given_times = drawn
    stamp, window = given_times["signed_at"], given_times["validity"]
    more = (
        a.provenance(signed_at=stamp, validity=window),
        a.sign_off(**given_times),
        a.emergency(**given_times),
    )

    verdict = judge(replace(scene, support=(*scene.support, *more)), at)

    assert verdict.bases or verdict.findings


@given(scenes)
def test_what_nothing_signed_describes_is_never_admitted(scene: Scene) -> None:
    """One changed byte leaves no intent that the object equals.

    An open window over the whole namespace is the one exception, and takes two persons;
    a removal or a subresource is named by uid instead.

    Caught: a sign-off that counted by its object's name.
    """
    created = a.change(object=scene.request.object, intents=frozenset())
    verdict = judge(replace(scene, request=created))

    assert all(len(basis.filled) > 1 and basis.emergency for basis in verdict.bases)
