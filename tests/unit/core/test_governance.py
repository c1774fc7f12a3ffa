"""Who may change the rules: how many, who counts, and who never gets in."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from countersign.core.rules.governance import (
    ANY_ADMIN,
    NAME,
    POLICY_ADMIN,
    ROSTER_ADMIN,
    admins,
    governance,
    lasting,
)
from countersign.core.types.people import Grant, Person, Roster
from countersign.core.types.policy import BaseRule
from countersign.core.types.time import Interval
from tests.support import a

ROLES = (POLICY_ADMIN, ROSTER_ADMIN, "senior")
GONE = Interval(None, a.NOON - timedelta(days=1))


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Draw a roster: roles, some in one namespace only, and some people gone."""
    found = []
    for number in range(draw(st.integers(0, 5))):
        grants = tuple(
            Grant(role, draw(st.sampled_from([(), ("payments",)])))
            for role in draw(st.lists(st.sampled_from(ROLES), unique=True))
        )
        valid = draw(st.sampled_from([Interval(), GONE]))
        person = a.person(f"p{number}")
        found.append(
            Person(
                id=person.id,
                name=person.name,
                identities=person.identities,
                grants=grants,
                valid=valid,
            )
        )
    return Roster("platform", tuple(found))


@given(rosters(), st.sampled_from([POLICY_ADMIN, ROSTER_ADMIN, ANY_ADMIN]))
def test_two_persons_unless_there_is_one_admin(roster: Roster, role: str) -> None:
    """Nor is nobody enough where there is none.

    Seen to fail with a count of all persons who ever held a role.
    """
    asked = governance(roster, role, at=a.NOON)

    here = [
        person
        for person in roster
        if person.valid.holds(a.NOON)
        and any(g.role in ROLES[:2] and not g.namespaces for g in person.grants)
    ]
    assert [*admins(roster, a.NOON)] == here
    assert len(asked.slots) == (1 if len(here) == 1 else 2)
    assert asked.slots[0].role == role
    assert asked.demands.base is BaseRule.EXACT
    assert asked.break_glass is None
    assert asked.name == NAME


@given(rosters())
def test_no_role_makes_an_admin_but_the_two(roster: Roster) -> None:
    """Who holds neither everywhere fills no slot, whatever the roster calls them."""
    asked = governance(roster, ANY_ADMIN, at=a.NOON)

    for person in asked.roster:
        known = next(p for p in roster if p.id == person.id)
        holds = known.has_role(POLICY_ADMIN, "") or known.has_role(ROSTER_ADMIN, "")
        assert person.has_role(ANY_ADMIN, "") is holds


@given(rosters())
def test_a_roster_lasts_while_somebody_may_change_it(roster: Roster) -> None:
    """A policy-admin alone may not."""
    may = [p for p in admins(roster, a.NOON) if p.has_role(ROSTER_ADMIN, "")]

    assert lasting(roster, a.NOON) is bool(may)
