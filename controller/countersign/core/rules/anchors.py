"""Where a range begins must be approved already, or what lies before stays in (rule 3).

Without this a human commit on top of an unapproved AI commit would open the gate: the
range of the one commit is spotless, and what is deployed holds both.
"""

from collections.abc import Collection
from dataclasses import replace

from countersign.core.rules.adverse import assisted
from countersign.core.rules.approval import fill_every_slot, stands_alone
from countersign.core.rules.artifacts import any_of
from countersign.core.rules.case import Case, Said, git_digests, said, with_result
from countersign.core.rules.collectors import defect, repository
from countersign.core.rules.declarations import declarers, is_unmarked
from countersign.core.rules.lineage import is_by_builder, is_made_of, links
from countersign.core.rules.objects import states_of
from countersign.core.types.artifacts import Digest
from countersign.core.types.bound import BoundIntent
from countersign.core.types.evidence import (
    Build,
    Declaration,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.policy import Treatment


def on_ground(case: Case) -> Case:
    """Return `case` with the provenance in it that begins at something approved.

    a. at the end of what admitted the old object, or the images it ran
    b. at a baseline of the policy
    c. at a commit or tree that valid sign-offs name
    d. at the root

    Or at the end of a range that stands and is human: what is declared in parts is
    declared, as if it were one range.

    Approved means what it means at admission: every slot filled, independently of those
    who made it. Else an author could approve the ground that his next change stands on.

    Ranges may follow on each other, so this grows until nothing is added; ranges that
    only lean on one another never stand.
    """
    return replace(
        case,
        object_ground=_grow(case, image=False),
        image_ground=_grow(case, image=True),
    )


def _grow(case: Case, *, image: bool) -> frozenset[Digest]:
    old = said(case.old, Provenance)
    waiting = list(dict.fromkeys((*case.provenance, *old)))
    standing: list[Said[Provenance]] = []
    while found := [
        p
        for p in waiting
        if p.claim.range.base is None
        or _is_baseline(case, p)
        or _is_signed(case, p, standing)
        or _follows_human(case, p, standing)
        or _continues(case, p, old, standing, image=image)
    ]:
        standing += found
        waiting = [p for p in waiting if p not in found]
    return frozenset(p.evidence.statement for p in standing)


def _is_baseline(case: Case, provenance: Said[Provenance]) -> bool:
    claim = provenance.claim
    return any(
        line.commit == claim.range.base
        and repository(line.repository) == repository(claim.repository)
        for line in case.policy.baselines
    )


def _is_signed(
    case: Case, provenance: Said[Provenance], standing: Collection[Said[Provenance]]
) -> bool:
    """Rule 3 (c). A tree is known to be the commit's where provenance names both."""
    before = [
        p
        for p in standing
        if _precedes(p, provenance)
        and p.claim.complete
        and defect(case, p, case.at) is None
    ]
    start = {provenance.claim.range.base}.union(
        *(git_digests(p.evidence) for p in before)
    )
    approvals = [
        s
        for s in (*case.sign_offs, *with_result(case.old, Result.APPROVED))
        if not s.evidence.digests.isdisjoint(start) and stands_alone(case, s)
    ]
    return fill_every_slot(case, approvals, before)


def _follows_human(
    case: Case, provenance: Said[Provenance], standing: Collection[Said[Provenance]]
) -> bool:
    """Tell whether what lies before needs nobody's approval: it is human throughout.

    Of commits, not of artifacts: a part of a range is about whatever was made of it.
    """
    words = (*case.declarations, *said(case.old, Declaration))
    return case.policy.human is Treatment.ADMIT and any(
        _precedes(p, provenance)
        and defect(case, p, case.at) is None
        and _is_human(case, p, words)
        for p in standing
    )


def _continues(
    case: Case,
    provenance: Said[Provenance],
    old: Collection[Said[Provenance]],
    standing: Collection[Said[Provenance]],
    *,
    image: bool,
) -> bool:
    """Rule 3 (a). Validity is of first admission: it is not judged again."""
    words = said(case.old, Declaration)
    return any(
        _precedes(p, provenance)
        and p.claim.complete
        and defect(case, p, None) is None
        and _was_about(case, p, image=image)
        and (_was_approved(case, p) or (p in standing and _is_human(case, p, words)))
        for p in old
    )


def _precedes(before: Said[Provenance], provenance: Said[Provenance]) -> bool:
    first, then = before.claim, provenance.claim
    same = repository(first.repository) == repository(then.repository)
    return same and first.range.target == then.range.base


def _was_about(case: Case, before: Said[Provenance], *, image: bool) -> bool:
    """Tell whether `before` speaks of what is replaced: per artifact (rule 3).

    Approval of an image does not approve the manifests that lie beside its source.
    """
    digests = before.evidence.digests
    if not image:
        return any(intent.digest in digests for intent in case.old_intents)
    if is_by_builder(case, before) and not digests.isdisjoint(case.old_images):
        return True
    builds = (*case.builds, *said(case.old, Build))
    return any(
        is_made_of(build, before)
        for build in links(case, builds, any_of(case.old_images))
    )


def _was_approved(case: Case, before: Said[Provenance]) -> bool:
    approvals = [
        s
        for s in with_result(case.old, Result.APPROVED)
        if before.evidence.statement in s.claim.inputs
        and s.claim.emergency is None
        and _bound_to_old(case, s)
    ]
    return fill_every_slot(case, approvals, [before])


def _is_human(
    case: Case, before: Said[Provenance], words: Collection[Said[Declaration]]
) -> bool:
    """Tell whether `before` is human by its own, whatever it stands on."""
    return (
        is_unmarked(before.claim)
        and not assisted(case, git_digests(before.evidence))
        and bool(declarers(case, before, words))
    )


def _bound_to_old(case: Case, sign_off: Said[SignOff]) -> bool:
    return any(
        BoundIntent(change.digest, change.elastic) in case.old_intents
        and change.digest in sign_off.evidence.digests
        for change in states_of(sign_off.claim, case.change.object)
    )
