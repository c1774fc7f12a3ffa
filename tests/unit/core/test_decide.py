"""The law as a whole: what admits, what denies, and with which reason."""

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.change import Operation
from countersign.core.types.policy import Enforcement, Treatment
from countersign.core.types.verdict import Door, Gap, OpenSlots, Reason
from tests.support import a


def test_admits_what_a_senior_signed_having_seen_who_made_it() -> None:
    """The basis names the person, the slot and every bundle relied upon."""
    seen, signed = a.marked(), a.sign_off(saw=[a.marked()])

    verdict = a.decide(seen, signed)

    (basis,) = verdict.bases
    assert verdict.allowed
    assert basis.door is Door.SIGNED
    assert [(f.role, f.person, f.bundle) for f in basis.filled] == [
        ("senior", "dana", signed.bundle)
    ]
    assert basis.bundles == tuple(sorted({seen.bundle, signed.bundle}))
    assert basis.assistance is not None
    assert basis.assistance.label == "mixed"


def test_without_evidence_nothing_admits() -> None:
    """No evidence is a denial that says who could sign."""
    verdict = a.decide(nothing=True)

    open_slots = a.finding(verdict, Reason.SLOT_OPEN).facts
    assert not verdict.allowed
    assert {finding.about for finding in verdict.findings} == {a.OBJECT}
    assert a.reasons(verdict) == {Reason.NO_EVIDENCE, Reason.SLOT_OPEN}
    assert isinstance(open_slots, OpenSlots)
    assert open_slots.eligible == ("dana", "ravi")
    assert open_slots.authors


def test_provenance_alone_admits_nothing() -> None:
    """What was made is attested; that somebody looked at it is not."""
    verdict = a.decide(a.marked())

    facts = a.finding(verdict, Reason.SLOT_OPEN).facts
    assert a.reasons(verdict) == {Reason.SLOT_OPEN}
    assert isinstance(facts, OpenSlots)
    assert facts.assistance.label == "mixed"
    assert facts.tools == ("amazon-q 2026-03",)
    assert facts.collected == ("ci", a.NOON - 2 * a.HOUR)


def test_what_nobody_attested_is_named_before_anybody_signs() -> None:
    """With how near its provenance came: the object's stays away, the image's is odd."""
    strange = a.provenance(signer=a.STRANGER, subjects=[a.RUNS])

    verdict = a.decide(strange)

    facts = a.finding(verdict, Reason.SLOT_OPEN).facts
    assert isinstance(facts, OpenSlots)
    assert facts.unattested == ("", a.IMAGE.reference)
    assert facts.gap is not None
    assert facts.gap.gap is Gap.UNTRUSTED


def test_what_was_attested_is_not_asked_for_again() -> None:
    """Then a signature is all that lacks."""
    facts = a.finding(a.decide(a.marked()), Reason.SLOT_OPEN).facts

    assert isinstance(facts, OpenSlots)
    assert (facts.unattested, facts.gap) == ((), None)


def test_every_policy_is_judged_even_after_the_first_failure() -> None:
    """One denial tells what each policy misses; each either has a basis or findings."""
    strict = a.policy(name="strict", slots=(a.slot("quality"),))
    also = a.policy(name="also", slots=(a.slot("verification"),))

    verdict = a.decide(
        a.provenance(), a.sign_off(), policies=[strict, also, a.policy()]
    )

    assert not verdict.allowed
    assert [b.policy for b in verdict.bases] == ["payments"]
    assert {f.policy for f in verdict.findings} == {"strict", "also"}


@pytest.mark.parametrize("enforcement", [Enforcement.WARN, Enforcement.AUDIT])
def test_a_policy_that_only_looks_never_denies(enforcement: Enforcement) -> None:
    """Its findings carry its enforcement; there is still no basis."""
    verdict = a.decide(nothing=True, enforcement=enforcement)

    assert verdict.allowed
    assert not verdict.bases
    assert {f.enforcement for f in verdict.findings} == {enforcement}


def test_nothing_is_decided_by_no_policy() -> None:
    """That no policy applies is for the caller to say."""
    with pytest.raises(Malformed):
        a.decide(policies=[])


@pytest.mark.parametrize(
    ("operation", "subresource"),
    [
        pytest.param(Operation.CONNECT, "exec", id="a shell"),
        pytest.param(Operation.CREATE, "ephemeralcontainers", id="no update of it"),
        pytest.param(Operation.UPDATE, "novelty", id="what nobody knows"),
        pytest.param(Operation.DELETE, "log", id="a part that goes"),
        pytest.param(Operation.CONNECT, "", id="a connection"),
    ],
)
def test_no_sign_off_covers_a_side_door(operation: Operation, subresource: str) -> None:
    """What goes past the object is not what was signed."""
    request = a.update(operation=operation, subresource=subresource)

    verdict = a.decide(request=request)

    assert a.reasons(verdict) == {Reason.SUBRESOURCE}


def test_a_policy_without_slots_says_what_it_forbids_and_nothing_else() -> None:
    """Where no sign-off helps, nobody is asked for one."""
    ban = a.policy(
        slots=(), unknown=Treatment.DENY, ai=Treatment.DENY, human=Treatment.ADMIT
    )

    assert a.reasons(a.decide(policies=[ban])) == {Reason.UNKNOWN_DENIED}
    assert a.reasons(a.decide(a.marked(), policies=[ban])) == {Reason.AI_DENIED}


def test_a_human_change_that_goes_back_needs_a_sign_off_like_any_other() -> None:
    """The stale proof is named beside the open slot."""
    live = a.old(a.sign_off(signed_at=a.NOON))

    verdict = a.decide(a.provenance(), a.declaration(), request=a.update(live))

    assert a.reasons(verdict) == {Reason.STALE_BASE, Reason.SLOT_OPEN}


def test_a_ban_still_denies_a_human_change_that_goes_back() -> None:
    """No slot, no denial of the making: the going back alone denies."""
    ban = a.policy(slots=(), unknown=Treatment.DENY, ai=Treatment.DENY)
    live = a.old(a.sign_off(signed_at=a.NOON))

    verdict = a.decide(
        a.provenance(), a.declaration(), request=a.update(live), policies=[ban]
    )

    assert a.reasons(verdict) == {Reason.STALE_BASE}
