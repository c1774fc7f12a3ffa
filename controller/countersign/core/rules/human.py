"""A change that is proven human-made, and may be admitted as such (rules 2, 4 and 8)."""

from dataclasses import dataclass

from countersign.core.rules.adverse import assisted
from countersign.core.rules.artifacts import Artifact, artifacts
from countersign.core.rules.base import follows, is_current
from countersign.core.rules.case import Case, Said, git_digests
from countersign.core.rules.declarations import declarers, is_unmarked, speaker
from countersign.core.rules.lineage import is_made_of
from countersign.core.rules.provenance import dependable
from countersign.core.types.change import Operation
from countersign.core.types.evidence import (
    Assistance,
    Build,
    Declaration,
    Evidence,
    Provenance,
)
from countersign.core.types.policy import BaseRule, Treatment
from countersign.core.types.verdict import (
    Basis,
    Door,
    Expected,
    Finding,
    ProvenanceGap,
    Reason,
)


@dataclass(frozen=True, slots=True)
class Human:
    """Proof that an artifact is human-made."""

    provenance: Said[Provenance]
    declarations: tuple[Said[Declaration], ...]
    builds: tuple[Said[Build], ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All that the proof rests on."""
        words = (d.evidence for d in self.declarations)
        return (self.provenance.evidence, *words, *(b.evidence for b in self.builds))


def human(case: Case, artifact: Artifact) -> tuple[Human, ...]:
    """Return every proof that `artifact` is human-made; empty is no proof.

    A dependable collector saw no mark in the whole range, everybody with a part in it
    declared, and nobody saw assistance in this artifact, commit or tree.
    """
    found = dependable(case, artifact)
    if isinstance(found, ProvenanceGap):
        return ()
    return tuple(
        Human(p, words, tuple(b for b in artifact.builds if is_made_of(b, p)))
        for p in found
        if is_unmarked(p.claim)
        and not assisted(case, artifact.against | git_digests(p.evidence))
        and (words := declarers(case, p, case.declarations))
    )


def admission(case: Case) -> Basis | Finding | None:
    """Return the basis on which a proven human change is admitted, if it is.

    Every artifact is proven human, the policy admits that, and the object does not go
    back to an older state: a finding says so where only that is in the way.
    """
    if case.policy.human is not Treatment.ADMIT:
        return None
    proofs = [human(case, artifact) for artifact in artifacts(case)]
    if not all(proofs):
        return None
    of_object = [p for p in proofs[0] if _goes_forward(case, p)]
    if not of_object:
        seen = str(case.change.old.digest) if case.change.old else ""
        base = str(proofs[0][0].provenance.claim.range.base)
        return case.finding(Reason.STALE_BASE, Expected(base, seen))
    relied = (of_object[0], *(proof[0] for proof in proofs[1:]))
    by = (speaker(case, d, p.provenance) for p in relied for d in p.declarations)
    return Basis(
        policy=case.policy.name,
        door=Door.SIGNED,
        declared_by=tuple(sorted(frozenset().union(*by))),
        assistance=Assistance.HUMAN,
        bundles=tuple(sorted({e.bundle for proof in relied for e in proof.evidence})),
    )


def _goes_forward(case: Case, proof: Human) -> bool:
    """Tell whether a human change may follow on the live state (rule 8).

    No reviewer says so, as for a sign-off; its own range does, where it begins at what
    the live object was made of.
    """
    rule = case.policy.demands.base
    if rule is BaseRule.ANY or follows(case, proof.provenance):
        return True
    created = case.change.operation is Operation.CREATE
    return rule is BaseRule.LINEAGE and (
        created or is_current(case, proof.provenance.evidence)
    )
