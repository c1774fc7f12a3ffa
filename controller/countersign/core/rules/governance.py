"""Who may change what the law itself is made of: policies, rosters, trust, revocations.

Always by the root roster as it is *before* the change, whoever sends the request, and by
two persons wherever there are two who may (rule 25). So nobody comes in by a roster that
names them and that they signed themselves.
"""

from dataclasses import replace
from datetime import datetime

from countersign.core.types.people import Grant, Person, Roster
from countersign.core.types.policy import (
    BaseRule,
    Demands,
    Images,
    Policy,
    Scope,
    Slot,
    Toggle,
)

NAME = "countersign:governance"
"""Of the policy that is made here. No object can have this name."""

POLICY_ADMIN, ROSTER_ADMIN = "policy-admin", "roster-admin"
ANY_ADMIN = f"{ROSTER_ADMIN} or {POLICY_ADMIN}"
"""A role that no roster can give: who holds one of the two holds it."""


def admins(roster: Roster, at: datetime) -> tuple[Person, ...]:
    """Return who holds one of the two roles everywhere, and is on the roster at `at`.

    A revocation takes nobody out: else whoever revokes all others would be the one
    admin whose word is enough.
    """
    return tuple(person for person in roster if _governs(person, at))


def lasting(roster: Roster, at: datetime) -> bool:
    """Tell whether somebody may still change the roster once it is this one."""
    return any(person.has_role(ROSTER_ADMIN, "") for person in admins(roster, at))


def governance(
    roster: Roster, role: str, *, alone: bool = False, at: datetime
) -> Policy:
    """Return the policy that judges a change of one of our own objects.

    One person with `role`, and a second admin unless the roster has one admin only.
    The state that is changed must be the one that was signed as base: an older approval
    brings nothing back.

    Args:
        roster: The root roster before the change.
        role: `POLICY_ADMIN`, `ROSTER_ADMIN`, or `ANY_ADMIN`.
        alone: One person is enough.
        at: The moment of admission, UTC.
    """
    single = alone or len(admins(roster, at)) == 1
    slots = (Slot(role=role),) if single else (Slot(role=role), Slot(role=ANY_ADMIN))
    return Policy(
        name=NAME,
        scope=Scope(namespaces=("*",)),
        roster=Roster(roster.name, tuple(map(_with_any, roster))),
        slots=slots,
        demands=Demands(base=BaseRule.EXACT),
        images=Images(attestations=Toggle.OFF, pinning=Toggle.OFF),
    )


def _governs(person: Person, at: datetime) -> bool:
    roles = (POLICY_ADMIN, ROSTER_ADMIN)
    return person.valid.holds(at) and any(person.has_role(r, "") for r in roles)


def _with_any(person: Person) -> Person:
    if not any(person.has_role(role, "") for role in (POLICY_ADMIN, ROSTER_ADMIN)):
        return person
    return replace(person, grants=(*person.grants, Grant(ANY_ADMIN)))
