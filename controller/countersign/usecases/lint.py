"""Lint: what would make a signature fail, said before it is made.

A hint to the reviewer, not a judgement: that is for the law alone. So nothing here
stops a signature, and a lint without a policy looks at what most policies ask.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime

from countersign.binding.surface import place_of
from countersign.core.rules.artifacts import is_third_party
from countersign.core.rules.windows import written
from countersign.core.types.artifacts import GroupKind, Image, ObjectRef
from countersign.core.types.change import NamespaceWindow
from countersign.core.types.evidence import Assistance, Provenance
from countersign.core.types.policy import (
    Policy,
    Toggle,
    Treatment,
)
from countersign.report.phrases import pinned
from countersign.usecases.inspect import Inspected
from countersign.usecases.lint_kinds import Lint, LintKind
from countersign.usecases.lint_manifests import manifest_lints
from countersign.usecases.sheet import Item, Sheet
from countersign.usecases.sign_off import Review


def lint(
    sheet: Sheet, review: Review, policies: Collection[Policy] | None, now: datetime
) -> tuple[Lint, ...]:
    """Return what is in the way, sorted, each once.

    Args:
        sheet: What is to be signed.
        review: What the reviewer is about to say.
        policies: Those in force, or None where nobody gave any.
        now: The present.
    """
    if review.emergency is not None:
        return tuple(sorted({*_emergency(sheet, review, policies or ())}))
    found = {*manifest_lints([item.prepared for item in sheet.items])}
    for item in sheet.items:
        found.update(_sticking(item))
        judging = None if policies is None else _judging(item.prepared.ref, policies)
        found.update(_object(item, sheet, judging))
        for policy in judging or ():
            found.update(_policy(policy, sheet, review, now))
    for digest, problem in sheet.unreadable:
        found.add(Lint(LintKind.UNREADABLE_BUNDLE, str(digest), problem))
    for inspected, claim in sheet.provenance:
        found.update(_provenance(inspected, claim, review, now))
    return tuple(sorted(found))


def _sticking(item: Item) -> Iterator[Lint]:
    """Yield what the live object would keep, other than it is signed."""
    for one in item.sticks:
        detail = f"{one.seen or 'nothing'}, not {one.expected or 'nothing'}"
        yield Lint(LintKind.STAYS, str(item.prepared.ref), detail, one.path)


def _emergency(
    sheet: Sheet, review: Review, policies: Collection[Policy]
) -> Iterator[Lint]:
    """Yield what stands in the way of breaking the glass: little is asked then."""
    asked = [_judging(ref, policies) for ref in sheet.versions]
    asked += [_judging(_anything_in(w), policies) for w in sheet.windows]
    for each in asked:
        for policy in each:
            glass = policy.break_glass
            if glass is None:
                yield Lint(LintKind.NO_BREAK_GLASS, policy.name)
            elif review.valid > glass.max_validity:
                longest = written(glass.max_validity)
                yield Lint(LintKind.WINDOW_TOO_LONG, policy.name, longest)
    for item in sheet.items:
        for image in item.prepared.images:
            if image.digest is None:
                yield _unpinned(item, image)


def _anything_in(window: NamespaceWindow) -> ObjectRef:
    return ObjectRef("", "", window.namespace, "")


def _judging(ref: ObjectRef, policies: Collection[Policy]) -> tuple[Policy, ...]:
    kind = GroupKind(ref.group, ref.kind)
    return tuple(p for p in policies if p.scope.holds(kind, place_of(ref)))


def _object(
    item: Item, sheet: Sheet, policies: tuple[Policy, ...] | None
) -> Iterator[Lint]:
    one, about = item.prepared, str(item.prepared.ref)
    if one.stale:
        yield Lint(LintKind.STALE_EVIDENCE, about)
    if policies == ():
        yield Lint(LintKind.NO_POLICY, about)
        return
    attested = sheet.attested
    if not item.intents & attested and _needs_authors(policies):
        yield Lint(LintKind.NO_PROVENANCE, about)
    for image in one.images:
        if image.digest is None:
            if policies is None or any(
                p.images.pinning is Toggle.REQUIRED for p in policies
            ):
                yield _unpinned(item, image)
        elif (
            image.digest in item.runs - attested  # what ran before was judged before
            and _wants_lineage(image, policies)
        ):
            yield Lint(LintKind.IMAGE_WITHOUT_PROVENANCE, about, image.reference)


def _unpinned(item: Item, image: Image) -> Lint:
    """Say what is written, and what should be."""
    detail = f"{image.reference}, not {pinned(image.reference)}"
    return Lint(LintKind.IMAGE_UNPINNED, str(item.prepared.ref), detail)


def _needs_authors(policies: tuple[Policy, ...] | None) -> bool:
    """Tell whether a sign-off counts only beside a provenance; so without policies."""
    return policies is None or any(s.needs_authors for p in policies for s in p.slots)


def _wants_lineage(image: Image, policies: tuple[Policy, ...] | None) -> bool:
    if policies is None:
        return True
    return _needs_authors(policies) and not all(
        is_third_party(p, image) or p.images.attestations is Toggle.OFF
        for p in policies
    )


def _provenance(
    found: Inspected, claim: Provenance, review: Review, now: datetime
) -> Iterator[Lint]:
    about = f"{claim.repository}@{claim.range.target.value[:12]}"
    if found.evidence is None:
        yield Lint(LintKind.NOT_VERIFIED, about, found.problem)
    if not claim.complete:
        yield Lint(LintKind.INCOMPLETE, about)
    if missing := review.clusters - claim.clusters:
        yield Lint(LintKind.OTHER_CLUSTER, about, ", ".join(sorted(missing)))
    ends = claim.validity.end
    if ends is not None and ends < now + review.valid:
        yield Lint(LintKind.PROVENANCE_EXPIRES, about, ends.isoformat())


def _policy(
    policy: Policy, sheet: Sheet, review: Review, now: datetime
) -> Iterator[Lint]:
    demands = policy.demands
    if review.valid > demands.max_validity:
        longest = written(demands.max_validity)
        yield Lint(LintKind.WINDOW_TOO_LONG, policy.name, longest)
    until = review.restore_until
    if until is not None and until - now - review.valid > demands.max_restore:
        longest = written(demands.max_restore)
        yield Lint(LintKind.RESTORE_TOO_LONG, policy.name, longest)
    asked = demands.questions
    if asked is not None and review.question_set != (asked.uri, asked.digest):
        yield Lint(LintKind.QUESTIONS_DIFFER, policy.name, asked.uri)
    for wanted in demands.traceability:
        if not any(
            trace.type == wanted.type and re.fullmatch(wanted.pattern, trace.id)
            for trace in review.traceability
        ):
            detail = f"{wanted.type}={wanted.pattern}"
            yield Lint(LintKind.TRACE_MISSING, policy.name, detail)
    if policy.slots and not any(s.meanings <= review.meanings for s in policy.slots):
        meanings = {m for slot in policy.slots for m in slot.meanings}
        detail = ", ".join(sorted(meanings))
        yield Lint(LintKind.MEANING_MISSING, policy.name, detail)
    state = max((c.assistance for _, c in sheet.provenance), default=Assistance.UNKNOWN)
    treatment = policy.unknown if state is Assistance.UNKNOWN else policy.ai
    if treatment is Treatment.DENY:
        yield Lint(LintKind.DENIED_ANYWAY, policy.name, state.label)
