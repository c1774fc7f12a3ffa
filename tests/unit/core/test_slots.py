"""Slots are filled by different eligible persons: matched, not counted."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.rules.matching import all_filled, match
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.evidence import Assistance, Lines
from countersign.core.types.people import Grant, Person, Roster
from countersign.core.types.policy import Revoked, RevokedKind, Slot, Treatment
from countersign.core.types.request import Requester
from countersign.core.types.time import Interval
from countersign.core.types.verdict import (
    Ineligible,
    OpenSlots,
    Reason,
    SignedBy,
    Verdict,
)
from tests.support import a

TWO = (a.slot("senior"), a.slot("service-owner"))


def open_slots(verdict: Verdict) -> OpenSlots:
    """Return what the denial says of its open slots."""
    facts = a.finding(verdict, Reason.SLOT_OPEN).facts
    assert isinstance(facts, OpenSlots)
    return facts


class TestMatch:
    """The matching itself."""

    @pytest.mark.parametrize(
        ("candidates", "filled"),
        [
            pytest.param([], 0, id="no slot"),
            pytest.param([[]], 0, id="nobody"),
            pytest.param([["a"]], 1, id="one"),
            pytest.param([["a"], ["a"]], 1, id="one person, two slots"),
            pytest.param([["a", "b"], ["a"]], 2, id="the first moves over"),
            pytest.param([["a"], ["a", "b"], ["b", "c"]], 3, id="a chain"),
            pytest.param([["a", "b"], ["a", "b"], ["a", "b"]], 2, id="one too few"),
        ],
    )
    def test_fills_as_many_as_possible(
        self, candidates: list[list[str]], filled: int
    ) -> None:
        """Each by a person of its own."""
        found = match(candidates)

        assert len(found) == filled
        assert len(set(found.values())) == filled
        assert all(person in candidates[slot] for slot, person in found.items())

    def test_of_no_slot_is_not_full(self) -> None:
        """`all([])` is the classic hole."""
        assert not all_filled([])
        assert all_filled([["a"]])


def test_two_persons_fill_two_slots() -> None:
    """Whoever can fill only one of them gets it."""
    signed = [a.sign_off(a.RAVI), a.sign_off(a.DANA)]

    (basis,) = a.decide(a.provenance(), *signed, slots=TWO).bases

    assert {(f.role, f.person) for f in basis.filled} == {
        ("senior", "dana"),
        ("service-owner", "ravi"),
    }


def test_one_person_with_two_keys_fills_one_slot() -> None:
    """However many keys somebody holds."""
    signed = [a.sign_off(a.RAVI, device=d) for d in ("laptop", "phone")]

    verdict = a.decide(a.provenance(), *signed, slots=TWO)

    facts = open_slots(verdict)
    assert a.reasons(verdict) == {Reason.SLOT_OPEN}
    assert facts.open == ("service-owner",)
    assert facts.filled == (("senior", "ravi"),)
    assert facts.eligible == ("dana",)
    assert facts.ineligible == (Ineligible("ravi", Reason.SLOT_OPEN, "senior"),)


def test_two_slots_of_one_role_need_two_persons() -> None:
    """A policy may ask for two seniors."""
    pair = (a.slot("senior"), a.slot("senior"))

    assert not a.decide(slots=pair).allowed
    assert a.decide(
        a.provenance(), a.sign_off(), a.sign_off(a.RAVI), slots=pair
    ).allowed


class TestRole:
    """Roles hold where they are granted."""

    @pytest.mark.parametrize(
        ("grant", "holds"),
        [
            (Grant("senior"), True),
            (Grant("senior", ("payments",)), True),
            (Grant("senior", ("ledger",)), False),
            (Grant("developer"), False),
        ],
    )
    def test_in_a_namespace(self, grant: Grant, *, holds: bool) -> None:
        """Exact names; none means everywhere."""
        dana = replace(a.DANA, grants=(grant,))

        verdict = a.decide(roster=Roster("platform", (dana, a.LEE)))

        assert verdict.allowed is holds
        assert holds or Reason.ROLE_MISSING in a.reasons(verdict)

    def test_for_cluster_scoped_objects_is_held_everywhere_or_not_at_all(self) -> None:
        """A role in one namespace is none over the cluster."""
        role = ObjectRef("rbac.authorization.k8s.io", "ClusterRole", "", "admin")
        signed = a.sign_off(changes=(a.state(role),))

        def allowed(grant: Grant) -> bool:
            roster = Roster("platform", (replace(a.DANA, grants=(grant,)), a.LEE))
            request = a.change(object=role)
            return a.decide(
                a.provenance(), signed, request=request, roster=roster
            ).allowed

        assert allowed(Grant("senior"))
        assert not allowed(Grant("senior", ("payments",)))

    def test_that_is_missing_is_named_with_those_that_are_not(self) -> None:
        """So that it is plain why the signature does not help."""
        verdict = a.decide(a.provenance(), a.sign_off(a.OMAR))

        assert a.finding(verdict, Reason.ROLE_MISSING).facts == SignedBy(
            "https://accounts.acme.example omar@acme.example",
            "omar",
            "senior",
            "on-call",
        )


class TestMeaning:
    """What a signature means (21 CFR 11.50)."""

    SLOTS = (a.slot("senior", meanings=frozenset({"review", "approval"})),)

    @pytest.mark.parametrize(
        ("meanings", "fills"),
        [({"review", "approval", "more"}, True), ({"review"}, False), (set(), False)],
    )
    def test_includes_what_the_slot_asks(
        self, meanings: set[str], *, fills: bool
    ) -> None:
        """All of it."""
        signed = a.sign_off(meanings=frozenset(meanings))

        verdict = a.decide(a.provenance(), signed, slots=self.SLOTS)

        assert verdict.allowed is fills
        assert fills or Reason.MEANING_MISSING in a.reasons(verdict)

    def test_of_a_second_sign_off_may_be_the_right_one(self) -> None:
        """Of several sign-offs of one person the one that fits counts."""
        signed = [
            a.sign_off(meanings=frozenset()),
            a.sign_off(meanings=frozenset({"review", "approval"})),
        ]

        assert a.decide(a.provenance(), *signed, slots=self.SLOTS).allowed


class TestUnused:
    """Sign-offs that count and fill nothing."""

    def test_say_nothing_where_all_slots_are_filled(self) -> None:
        """Somebody else's spare signature is no shortfall."""
        verdict = a.decide(a.provenance(), a.sign_off(), a.sign_off(a.LEE))

        assert verdict.allowed
        assert not verdict.findings

    def test_for_other_objects_say_nothing_beside_one_that_counts(self) -> None:
        """A release's bundles name many objects."""
        other = a.sign_off(a.RAVI, changes=(a.state(replace(a.OBJECT, name="other")),))

        verdict = a.decide(a.provenance(), a.sign_off(), other, slots=TWO)

        assert a.reasons(verdict) == {Reason.SLOT_OPEN}

    def test_say_for_each_person_what_came_nearest(self) -> None:
        """Ravi made it, Lee has no role; of Ravi's two slots the nearer fault."""
        seen = a.provenance(a.RAVI)
        signed = [a.sign_off(who, saw=[seen]) for who in (a.RAVI, a.LEE)]

        verdict = a.decide(seen, *signed, slots=(a.slot("quality"), *TWO))

        assert a.reasons(verdict) == {
            Reason.NOT_INDEPENDENT,
            Reason.ROLE_MISSING,
            Reason.SLOT_OPEN,
        }


class TestEligible:
    """Who could still sign."""

    def facts(self, *evidence: Any, **given: Any) -> OpenSlots:
        """Return what a denial of provenance alone says."""
        return open_slots(a.decide(*(evidence or (a.provenance(),)), **given))

    def test_is_who_holds_the_role(self) -> None:
        """In order of their ids."""
        assert self.facts().eligible == ("dana", "ravi")

    def test_is_who_would_let_others_move_over(self) -> None:
        """Ravi sits in the senior's slot; Dana would free him for the other."""
        facts = self.facts(a.provenance(), a.sign_off(a.RAVI), slots=TWO)

        assert facts.eligible == ("dana",)

    def test_is_said_to_need_provenance_if_any_open_slot_asks(self) -> None:
        """For the command that is printed."""
        mixed = (a.slot("senior"), a.slot("service-owner", "deployer"))

        assert self.facts(slots=mixed).authors
        assert not self.facts(slots=mixed[1:]).authors

    def test_is_not_who_made_it(self) -> None:
        """As far as provenance says."""
        facts = self.facts(a.provenance(a.DANA))

        assert facts.eligible == ("ravi",)
        assert facts.ineligible == (
            Ineligible("dana", Reason.NOT_INDEPENDENT, "author"),
        )

    def test_is_not_who_deploys_where_a_slot_says_so(self) -> None:
        """Known by the cluster's alias."""
        request = a.change(requester=Requester("dana"))

        facts = self.facts(request=request, slots=(a.slot("senior", "deployer"),))

        assert facts.eligible == ("ravi",)
        assert facts.ineligible == (
            Ineligible("dana", Reason.NOT_INDEPENDENT, "deployer"),
        )

    @pytest.mark.parametrize(
        ("since", "barred"),
        [(None, True), (a.NOON, True), (a.NOON + a.HOUR, False)],
    )
    def test_is_not_who_was_withdrawn(self, since: Any, *, barred: bool) -> None:
        """From then on."""
        revoked = [
            Revoked(RevokedKind.PERSON, "dana", since),
            Revoked(RevokedKind.PERSON, "nobody"),
            Revoked(RevokedKind.KEY, "ravi"),
        ]

        facts = self.facts(revoked=revoked)

        assert facts.eligible == (("ravi",) if barred else ("dana", "ravi"))
        assert facts.ineligible == (
            (Ineligible("dana", Reason.REVOKED),) if barred else ()
        )

    def test_is_not_who_has_left(self) -> None:
        """Or has not come yet."""
        left = replace(a.DANA, valid=Interval(None, a.NOON - a.HOUR))

        facts = self.facts(roster=Roster("platform", (left, a.LEE)))

        assert facts.eligible == ()
        assert facts.ineligible == (Ineligible("dana", Reason.PERSON_INVALID),)

    def test_does_not_name_who_is_out_of_the_question(self) -> None:
        """Lee holds no role that is asked for; nor does who fills another's slot."""
        roster: tuple[Person, ...] = (a.DANA, a.LEE)
        slots: tuple[Slot, ...] = TWO

        facts = self.facts(
            a.provenance(), a.sign_off(), slots=slots, roster=Roster("platform", roster)
        )

        assert facts.filled == (("senior", "dana"),)
        assert not facts.eligible
        assert not facts.ineligible


class TestAppearance:
    """How the change was made, as the denial shows it."""

    def test_is_human_only_if_everything_is(self) -> None:
        """A human manifest around an image that nobody declared is not."""
        manifest = a.provenance(subjects=[a.MANIFEST])
        image = a.provenance(target="image", subjects=[a.RUNS])
        evidence = [manifest, image, a.declaration(about=manifest)]

        facts = open_slots(a.decide(*evidence, human=Treatment.SIGN_OFF))

        assert facts.assistance is Assistance.UNKNOWN

    @pytest.mark.parametrize(
        ("stamp", "collected", "shown"),
        [
            (a.NOON, a.NOON - a.HOUR, a.NOON),
            (None, a.NOON - a.HOUR, a.NOON - a.HOUR),
            (None, None, None),
        ],
    )
    def test_is_as_old_as_a_trusted_clock_says(
        self, stamp: Any, collected: Any, shown: Any
    ) -> None:
        """Else as the collector does."""
        seen = a.provenance(signed_at=stamp, collected_on=collected)

        assert open_slots(a.decide(seen)).collected == ("ci", shown)

    def test_is_the_worst_that_is_said(self) -> None:
        """With its lines; the tools are those of all."""
        worse = a.marked(assistance=Assistance.AI, tools=("x 1",), lines=Lines(ai=3))

        facts = open_slots(a.decide(a.marked(), worse))

        assert facts.assistance is Assistance.AI
        assert facts.lines == Lines(ai=3)
        assert facts.tools == ("amazon-q 2026-03", "x 1")
