"""Which slots are filled, by whom, and what is missing for the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from countersign.core.rules.case import Case, signer
from countersign.core.rules.independence import dependence
from countersign.core.rules.matching import match
from countersign.core.rules.votes import Vote
from countersign.core.types.policy import Slot
from countersign.core.types.verdict import Filled, Finding, Reason, SignedBy


@dataclass(frozen=True, slots=True)
class Ballot:
    """Slots of a policy and the votes that may fill them.

    Attributes:
        slots: Of the policy, in its order.
        candidates: For each slot: person's id to the vote that would fill it.
        taken: Slot index to person, as many as possible.
    """

    slots: tuple[Slot, ...]
    candidates: tuple[dict[str, Vote], ...]
    taken: dict[int, str]

    @property
    def complete(self) -> bool:
        """Whether all slots are filled. A policy without slots has no full ballot."""
        return bool(self.slots) and len(self.taken) == len(self.slots)

    @property
    def open(self) -> tuple[Slot, ...]:
        """Slots that nobody fills."""
        return tuple(s for i, s in enumerate(self.slots) if i not in self.taken)

    @property
    def votes(self) -> tuple[Vote, ...]:
        """The votes that fill slots, in the order of the slots."""
        return tuple(self.candidates[i][who] for i, who in self.taken.items())

    @property
    def filled(self) -> tuple[Filled, ...]:
        """The slots that are filled, and by which bundle."""
        return tuple(
            Filled(self.slots[i].role, vote.person.id, vote.sign_off.evidence.bundle)
            for i, vote in zip(self.taken, self.votes, strict=True)
        )


def ballot(case: Case, votes: Sequence[Vote]) -> Ballot:
    """Fill the slots of the policy by different persons, as many as possible."""
    slots = case.policy.slots
    candidates = tuple(
        {v.person.id: v for v in reversed(votes) if slot_fault(case, v, slot) is None}
        for slot in slots
    )
    return Ballot(slots, candidates, match(candidates))


def slot_fault(case: Case, vote: Vote, slot: Slot) -> Finding | None:
    """Say why `vote` does not fill `slot`, or None.

    1. its person holds the role, in this namespace
    2. the signature means what the slot asks
    3. its person is independent (`independence`)
    """
    by, person = signer(vote.sign_off.evidence.signer), vote.person
    if not person.has_role(slot.role, case.change.object.namespace):
        roles = ", ".join(sorted({grant.role for grant in person.grants}))
        facts = SignedBy(by, person.id, slot.role, roles)
        return case.finding(Reason.ROLE_MISSING, facts)
    meanings = vote.sign_off.claim.meanings
    if not slot.meanings <= meanings:
        needed, seen = ",".join(sorted(slot.meanings)), ",".join(sorted(meanings))
        facts = SignedBy(by, person.id, needed, seen)
        return case.finding(Reason.MEANING_MISSING, facts)
    return dependence(case, vote, slot)


def unused(case: Case, held: Ballot, votes: Sequence[Vote]) -> tuple[Finding, ...]:
    """Return for each person whose vote fills nothing why it fills no open slot.

    Of several slots, and several votes of that person, what came nearest.
    """
    idle = {vote.person.id for vote in votes} - set(held.taken.values())
    faults = [
        [
            fault
            for vote in votes
            if vote.person.id == person
            for slot in held.open
            if (fault := slot_fault(case, vote, slot))
        ]
        for person in sorted(idle)
    ]
    return tuple(max(each, key=_nearness) for each in faults if each)


_PROGRESS = (
    Reason.ROLE_MISSING,
    Reason.MEANING_MISSING,
    Reason.AUTHORS_UNKNOWN,
    Reason.AUTHOR_UNRESOLVED,
    Reason.WORSE_PROVENANCE,
    Reason.NOT_INDEPENDENT,
)


def _nearness(fault: Finding) -> int:
    return _PROGRESS.index(fault.reason)
