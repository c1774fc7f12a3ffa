"""Who could still sign for a change, and who may not: for people to read."""

from countersign.core.rules.appearance import appearance
from countersign.core.rules.artifacts import Artifact, artifacts
from countersign.core.rules.authors import Makers
from countersign.core.rules.case import Case
from countersign.core.rules.independence import (
    deployment,
    known_makers,
    made_by_somebody,
)
from countersign.core.rules.matching import match
from countersign.core.rules.provenance import dependable, nearness
from countersign.core.rules.revocation import is_barred
from countersign.core.rules.slots import Ballot
from countersign.core.types.people import Person
from countersign.core.types.policy import Slot
from countersign.core.types.verdict import (
    Finding,
    Ineligible,
    OpenSlots,
    ProvenanceGap,
    Reason,
)

# For each artifact what each dependable provenance says of who made it.
Made = list[list[Makers]]


def open_slots(case: Case, held: Ballot) -> OpenSlots:
    """Describe the slots that nobody fills, and who could fill them."""
    made = [_made(case, slot) for slot in held.slots]
    found = [_place(case, held, made, p) for p in sorted(case.policy.roster, key=_id)]
    seen = appearance(case)
    authors = any(made_by_somebody(case, s, artifacts(case)) for s in held.open)
    lacking = _unattested(case) if authors else ()
    return OpenSlots(
        open=tuple(slot.role for slot in held.open),
        filled=tuple((slot.role, slot.person) for slot in held.filled),
        eligible=tuple(p for p in found if isinstance(p, str)),
        ineligible=tuple(p for p in found if isinstance(p, Ineligible)),
        assistance=seen.assistance,
        tools=seen.tools,
        lines=seen.lines,
        collected=seen.collected,
        authors=authors,
        unattested=tuple(
            dict.fromkeys(a.image.reference if a.image else "" for a, _ in lacking)
        ),
        gap=max((gap for _, gap in lacking), key=nearness, default=None),
    )


def _unattested(case: Case) -> tuple[tuple[Artifact, ProvenanceGap], ...]:
    """Return what CI has yet to attest before anybody can be independent of it.

    What nobody can attest, an image without a digest or one whose platforms were not
    seen, is not among it.
    """
    each = (
        (artifact, dependable(case, artifact))
        for artifact in artifacts(case)
        if artifact.binding or artifact.image is None
    )
    return tuple((a, gap) for a, gap in each if isinstance(gap, ProvenanceGap))


def _place(
    case: Case, held: Ballot, made: list[Made], person: Person
) -> str | Ineligible | None:
    """Return the person's id if one more sign-off of theirs would fill one slot more.

    Otherwise why it would not, if they hold a role that is asked for; else None.
    """
    namespace = case.change.object.namespace
    bars = {
        i: _bar(case, person, slot, made[i])
        for i, slot in enumerate(held.slots)
        if person.has_role(slot.role, namespace)
    }
    asked = [i for i in bars if i not in held.taken]
    fills = {who: held.slots[i].role for i, who in held.taken.items()}
    if person.id in fills:
        done = Ineligible(person.id, Reason.SLOT_OPEN, fills[person.id])
        return done if asked else None
    free = {i for i, bar in bars.items() if bar is None}
    wider = [
        {*voters, person.id} if i in free else set(voters)
        for i, voters in enumerate(held.candidates)
    ]
    if len(match(wider)) > len(held.taken):
        return person.id
    return bars[asked[0]] if asked else None


def _bar(case: Case, person: Person, slot: Slot, made: Made) -> Ineligible | None:
    """Say why what `person` signs now would not fill `slot`, as far as that is known."""
    if is_barred(person, case.revoked, case.at):
        return Ineligible(person.id, Reason.REVOKED)
    if not person.valid.holds(case.at):
        return Ineligible(person.id, Reason.PERSON_INVALID)
    parts = [min(str(by.part_of(person.id) or "") for by in each) for each in made]
    part = deployment(case, person.id, slot) or max(parts, default="")
    return Ineligible(person.id, Reason.NOT_INDEPENDENT, part) if part else None


def _made(case: Case, slot: Slot) -> Made:
    """Return who is known to have made each artifact; what is unknown excludes nobody."""
    each = (
        known_makers(case, artifact, slot, None)
        for artifact in made_by_somebody(case, slot, artifacts(case))
    )
    return [[by for _, by in known] for known in each if not isinstance(known, Finding)]


def _id(person: Person) -> str:
    return person.id
