"""What a policy forbids about how a change was made, and who may say no."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.change import Deletion
from countersign.core.types.evidence import Assistance, Evidence
from countersign.core.types.policy import Revoked, RevokedKind, Treatment
from countersign.core.types.time import Interval
from countersign.core.types.verdict import (
    Expected,
    Gap,
    Names,
    ProvenanceGap,
    Reason,
    SignedBy,
)
from tests.support import a

DENY, SIGN = Treatment.DENY, Treatment.SIGN_OFF
AI = a.marked(assistance=Assistance.AI)


def judged(*evidence: Evidence, **given: Any) -> set[Reason]:
    """Return why what Dana signed, having seen all of `evidence`, is denied."""
    verdict = a.decide(*evidence, a.sign_off(saw=evidence), **given)
    return a.reasons(verdict)


class TestAi:
    """`ai: deny`."""

    @pytest.mark.parametrize("seen", [a.marked(), AI])
    def test_denies_what_ai_had_a_hand_in(self, seen: Evidence) -> None:
        """Mixed gates as AI does; no sign-off helps."""
        assert judged(seen, ai=DENY) == {Reason.AI_DENIED}

    def test_names_the_assistants(self) -> None:
        """Of each artifact."""
        verdict = a.decide(a.marked(), ai=DENY)

        facts = {f.facts for f in verdict.findings if f.reason is Reason.AI_DENIED}
        assert facts == {Names(("amazon-q 2026-03",))}

    def test_admits_what_a_collector_saw_no_mark_in(self) -> None:
        """With a sign-off."""
        assert judged(a.provenance(), ai=DENY) == set()

    def test_is_not_helped_by_hiding_the_provenance(self) -> None:
        """What only adverse evidence shows must not be hidden: somebody has to have looked."""
        verdict = a.decide(a.sign_off(saw=[]), ai=DENY, slots=(a.slot("senior", "x"),))

        facts = {f.facts for f in verdict.findings if f.reason is Reason.UNKNOWN_DENIED}
        assert facts == {ProvenanceGap(Gap.ABSENT)}

    def test_is_not_helped_by_a_second_opinion(self) -> None:
        """The same source, once with and once without its mark."""
        without = a.provenance(collector="again")
        hidden = a.marked(subjects=[])

        found = judged(without, ai=DENY, adverse=[without, hidden])

        assert Reason.UNKNOWN_DENIED in found

    def test_still_admits_human_changes(self) -> None:
        """Which is the point of a ban."""
        assert a.decide(a.provenance(), a.declaration(), ai=DENY, unknown=DENY).allowed

    def test_supporting_provenance_alone_denies_too(self) -> None:
        """A caller that forgets to pass it as adverse opens nothing."""
        assert Reason.UNKNOWN_DENIED in judged(a.marked(), ai=DENY, adverse=[])


class TestUnknown:
    """`unknown: deny`."""

    def test_denies_silence(self) -> None:
        """Even with a sign-off; the denial says what would do."""
        verdict = a.decide(unknown=DENY)

        facts = {f.facts for f in verdict.findings if f.reason is Reason.UNKNOWN_DENIED}
        assert facts == {Expected("human", "unknown")}

    def test_denies_what_nobody_attests(self) -> None:
        """And says so of each artifact, beside the open slot."""
        verdict = a.decide(a.sign_off(), unknown=DENY)

        assert a.reasons(verdict) == {
            Reason.UNKNOWN_DENIED,
            Reason.AUTHORS_UNKNOWN,
            Reason.SLOT_OPEN,
        }

    def test_admits_what_is_known_to_be_ai_and_signed(self) -> None:
        """Knowing is what it asks for."""
        assert judged(a.marked(), unknown=DENY) == set()

    def test_is_not_lifted_by_adverse_evidence(self) -> None:
        """Adding what counts against a change must not admit it."""
        assert judged(a.provenance(), unknown=DENY, adverse=[a.marked()]) >= {
            Reason.UNKNOWN_DENIED
        }

    def test_is_not_lifted_by_what_is_incomplete(self) -> None:
        """A collector who saw a part knows a part."""
        partly = a.marked(complete=False)

        assert Reason.UNKNOWN_DENIED in judged(partly, unknown=DENY)

    def test_admits_human_changes(self) -> None:
        """Proven is known."""
        assert a.decide(a.provenance(), a.declaration(), unknown=DENY).allowed

    def test_human_and_signed_is_known_too(self) -> None:
        """Where human changes need a sign-off."""
        evidence = [a.provenance(), a.declaration(), a.sign_off()]

        assert a.decide(*evidence, unknown=DENY, human=SIGN).allowed


class TestBannedTools:
    """`bannedAgents`: denies where seen."""

    @pytest.mark.parametrize(
        ("tool", "banned"),
        [
            pytest.param("amazon-q", True, id="by name"),
            pytest.param("Amazon-Q", True, id="in any case"),
            pytest.param("amazon-q 2026-03", True, id="one version"),
            pytest.param("amazon-q 2026-04", False, id="another version"),
            pytest.param("amazon", False, id="the beginning of a name"),
        ],
    )
    def test_denies_the_tool(self, tool: str, *, banned: bool) -> None:
        """No sign-off helps."""
        found = judged(a.marked(), banned_tools=frozenset({tool}))

        assert found == ({Reason.TOOL_BANNED} if banned else set())

    def test_needs_somebody_to_have_looked(self) -> None:
        """Hiding the provenance must not help."""
        found = judged(banned_tools=frozenset({"x"}), slots=(a.slot("senior", "x"),))

        assert found == {Reason.UNKNOWN_DENIED}

    def test_admits_where_somebody_looked_and_saw_another(self) -> None:
        """Or none."""
        banned = frozenset({"some-tool"})

        assert judged(a.marked(), banned_tools=banned) == set()
        assert judged(a.provenance(), banned_tools=banned) == set()

    def test_is_not_helped_by_a_second_opinion(self) -> None:
        """The same source, once with and once without its mark."""
        without = a.provenance(collector="again")
        banned = frozenset({"amazon-q"})

        found = judged(
            without, banned_tools=banned, adverse=[without, a.marked(subjects=[])]
        )

        assert Reason.UNKNOWN_DENIED in found


class TestRejection:
    """The no of somebody who could have said yes."""

    def test_stands_against_any_approval(self) -> None:
        """Ravi says no, Dana yes."""
        verdict = a.decide(
            adverse=[a.provenance(), a.rejection(a.RAVI, link="https://x")]
        )

        assert a.reasons(verdict) == {Reason.REJECTED}
        assert a.finding(verdict, Reason.REJECTED).facts == SignedBy(
            "https://accounts.acme.example ravi@acme.example", "ravi", seen="https://x"
        )

    def test_is_of_whoever_could_fill_one_of_the_slots(self) -> None:
        """Dana is a senior and no service owner."""
        slots = (a.slot("senior"), a.slot("service-owner"))

        verdict = a.decide(a.provenance(), adverse=[a.rejection()], slots=slots)

        assert Reason.REJECTED in a.reasons(verdict)

    def test_stands_against_a_human_change(self) -> None:
        """And against an emergency."""
        no = a.rejection(a.RAVI)

        assert not a.decide(a.provenance(), a.declaration(), adverse=[no]).allowed
        assert not a.decide(a.emergency(), adverse=[no]).allowed

    @pytest.mark.parametrize(
        "no",
        [
            pytest.param(a.rejection(a.LEE), id="of somebody without the role"),
            pytest.param(a.rejection(signer=a.STRANGER), id="of a stranger"),
            pytest.param(
                a.rejection(clusters=frozenset({"staging"})), id="for another cluster"
            ),
            pytest.param(
                a.rejection(changes=(a.state(intent=a.digest("x")),)),
                id="of another state",
            ),
            pytest.param(
                a.rejection(changes=(a.state(replace(a.OBJECT, name="x")),)),
                id="of another object",
            ),
            pytest.param(
                a.rejection(validity=Interval(None, a.NOON - a.HOUR)), id="outdated"
            ),
            pytest.param(a.sign_off(a.RAVI), id="that is a yes"),
        ],
    )
    def test_of_less_is_no_barrier(self, no: Evidence) -> None:
        """It never is the only one."""
        assert a.decide(adverse=[a.provenance(), no]).allowed

    def test_of_several_things_is_of_each(self) -> None:
        """A removal and a state."""
        gone = Deletion(object=a.OBJECT, uid="1234")
        no = a.rejection(changes=(gone, a.state()))

        verdict = a.decide(adverse=[a.provenance(), no])

        assert a.reasons(verdict) == {Reason.REJECTED}

    @pytest.mark.parametrize(
        "validity", [Interval(), Interval(a.NOON, None), Interval(None, a.NOON)]
    )
    def test_may_stand_for_ever(self, validity: Interval) -> None:
        """An open end does not pass."""
        no = a.rejection(validity=validity)

        assert not a.decide(adverse=[a.provenance(), no]).allowed

    def test_is_not_undone_by_revocation(self) -> None:
        """Revocation never removes the effect of what counts against a change."""
        revoked = [Revoked(RevokedKind.IDENTITY, "ravi@acme.example")]

        verdict = a.decide(
            adverse=[a.provenance(), a.rejection(a.RAVI)], revoked=revoked
        )

        assert a.reasons(verdict) == {Reason.REJECTED}

    def test_among_supporting_evidence_is_not_looked_at(self) -> None:
        """The caller says what counts against."""
        assert a.decide(a.provenance(), a.sign_off(), a.rejection(a.RAVI)).allowed
