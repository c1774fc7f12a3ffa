"""Who may not approve because they made it (rule 1).

Authors must be known before independence means anything: without dependable provenance
for every artifact, named in the sign-off, nobody is independent of anybody.
"""

from collections.abc import Collection

from countersign.core.rules.adverse import against, worse_fault
from countersign.core.rules.artifacts import Artifact, artifacts, the_object
from countersign.core.rules.authors import Makers, makers, parts_of
from countersign.core.rules.case import Case, Said, git_digests, signer
from countersign.core.rules.provenance import dependable
from countersign.core.rules.signers import deployer
from countersign.core.rules.votes import Vote
from countersign.core.types.artifacts import Digest
from countersign.core.types.change import ObjectChange, Operation
from countersign.core.types.evidence import Part, Provenance
from countersign.core.types.policy import Slot
from countersign.core.types.verdict import (
    Finding,
    Names,
    ProvenanceGap,
    Reason,
    SignedBy,
)

Known = tuple[tuple[Said[Provenance], Makers], ...]  # each by itself says who made it


def dependence(case: Case, vote: Vote, slot: Slot) -> Finding | None:
    """Say why `vote` is not independent enough for `slot`, or None.

    1. its person does not deploy this, where the slot asks
    2. dependable provenance, which the reviewer saw, says who made each artifact
    3. each of those is somebody
    4. nothing the reviewer did not see says worse of the same source
    5. its person is none of them
    """
    person, sign_off = vote.person.id, vote.sign_off
    if part := deployment(case, person, slot):
        return _not_independent(case, vote, slot, part)
    elastic = vote.change.elastic if isinstance(vote.change, ObjectChange) else ()
    for artifact in made_by_somebody(case, slot, artifacts(case, elastic)):
        found = known_makers(case, artifact, slot, sign_off.claim.inputs)
        if isinstance(found, Finding):
            return found
        faults = [
            worse_fault(case, sign_off, made := git_digests(p.evidence), made)
            or _made(case, vote, slot, by)
            for p, by in found
        ]
        if None not in faults:
            return faults[0]
    return None


def made_by_somebody(
    case: Case, slot: Slot, made: Collection[Artifact]
) -> Collection[Artifact]:
    """Return those of `made` whose makers `slot` must know; nobody makes a deletion."""
    deletes = case.change.operation is Operation.DELETE
    return made if slot.needs_authors and not deletes else ()


def known_makers(
    case: Case, artifact: Artifact, slot: Slot, inputs: Collection[Digest] | None
) -> Known | Finding:
    """Return who made `artifact`, as each dependable provenance says; or what lacks.

    Adverse provenance about the same artifact, commit or tree adds makers.

    Args:
        case: The request before the policy.
        artifact: What was made.
        slot: Whose independence is asked for.
        inputs: Statements that the reviewer saw; None asks for no reviewer.
    """
    found = dependable(case, artifact, inputs)
    if isinstance(found, ProvenanceGap):
        return case.finding(Reason.AUTHORS_UNKNOWN, found, artifact.about)
    everybody = [(p, _everybody(case, artifact, slot, p)) for p in found]
    resolved = tuple((p, by) for p, by in everybody if not by.unresolved)
    if not resolved:
        names = sorted(everybody[0][1].unresolved)
        facts = Names(tuple(names))
        return case.finding(Reason.AUTHOR_UNRESOLVED, facts, artifact.about)
    return resolved


def deployment(case: Case, person: str, slot: Slot) -> str:
    """Return as what `person` deploys this change and so may not fill `slot`, or ``""``.

    Who removes an object is the author of its removal. Where a pipeline deploys, those
    who pushed do, as far as provenance says so. A deployer nobody knows excludes nobody.
    """
    by, deletes = deployer(case), case.change.operation is Operation.DELETE
    deploys = by is not None and by.id == person
    if deploys and deletes and slot.needs_authors:
        return Part.AUTHOR.value
    pushed = any(
        makers(case, p.claim, frozenset({Part.PUSHER})).part_of(person)
        for p in against(case, the_object(case).digests)
    )
    asked = "deployer" in slot.independent_of
    return "deployer" if asked and (deploys or pushed) else ""


def _everybody(
    case: Case, artifact: Artifact, slot: Slot, provenance: Said[Provenance]
) -> Makers:
    digests = artifact.against | git_digests(provenance.evidence)
    found = Makers()
    for p in (provenance, *against(case, digests)):
        found |= makers(case, p.claim, parts_of(slot))
    return found


def _made(case: Case, vote: Vote, slot: Slot, by: Makers) -> Finding | None:
    part = by.part_of(vote.person.id)
    return _not_independent(case, vote, slot, part) if part else None


def _not_independent(case: Case, vote: Vote, slot: Slot, part: str) -> Finding:
    by = signer(vote.sign_off.evidence.signer)
    facts = SignedBy(by, vote.person.id, slot.role, part)
    return case.finding(Reason.NOT_INDEPENDENT, facts)
