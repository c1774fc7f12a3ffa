"""One review at the terminal: show, ask, confirm, sign."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import click
from rich.console import Console

from countersign.core.errors import Malformed, Unavailable
from countersign.core.questions import Question
from countersign.core.types.artifacts import Digest, Json, Tree
from countersign.core.types.evidence import Result
from countersign.faces.cli import questions, words
from countersign.faces.cli.cluster import Where, look_at
from countersign.faces.cli.progress import working
from countersign.faces.cli.rulebook import Rulebook
from countersign.faces.cli.session import Session
from countersign.faces.cli.sheet import show_sheet
from countersign.faces.cli.signing import Signatory
from countersign.usecases.lint import Lint, lint
from countersign.usecases.sign_off import (
    LookOrder,
    Review,
    Sheet,
    SignedOff,
    look,
    release,
    sign_off,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a review.

    Attributes:
        objects: To be applied as they are.
    """

    signed: SignedOff
    sheet: Sheet
    lints: tuple[Lint, ...]
    objects: tuple[Tree, ...]

    def summary(self) -> dict[str, Json]:
        """Return what a script wants to know."""
        claim = self.signed.claim
        return {
            "result": claim.result.value,
            "clusters": [*sorted(claim.clusters)],
            "validity": {
                "notBefore": words.exactly(claim.validity.start),
                "notAfter": words.exactly(claim.validity.end),
            },
            "statement": str(self.signed.statement),
            "bundle": str(Digest.sha256(self.signed.bundle)),
            "objects": [
                {"object": str(item.change.object), "intent": str(item.change.digest)}
                for item in self.sheet.items
            ],
            "provenance": [
                {
                    "statement": str(found.statement),
                    "assistance": provenance.assistance.label,
                    "verified": found.evidence is not None,
                }
                for found, provenance in self.sheet.provenance
            ],
            "attention": [
                {"kind": each.kind.value, "about": each.about, "detail": each.detail}
                for each in self.lints
            ],
        }


async def converse(
    session: Session,
    order: LookOrder,
    review: Review,
    *,
    to_ask: tuple[Question, ...],
    confirm: bool,
    rulebook: Rulebook,
    where: Where | None,
    signatory: Callable[[], Signatory],
) -> Outcome:
    """Hold one review.

    Args:
        session: Asks where there is something to ask.
        order: What to look at.
        review: What the reviewer said already.
        to_ask: Questions without an answer yet.
        confirm: Ask whether to sign, as the last thing.
        rulebook: For verification and hints.
        where: Cluster to compare with.
        signatory: Who signs, once there is something to sign.

    Raises:
        Malformed: a concern, which cannot approve; or as `look` and `sign_off`.
        Unavailable, Rejected: as `look` and `sign_off`.
        click.Abort: the reviewer does not want to sign.
    """
    console = Console(
        stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True
    )
    with working(session, "looking"):
        sheet = await _look(order, rulebook, where)
    lints = lint(sheet, review, rulebook.policies, session.now())
    show_sheet(console, sheet, lints)
    if to_ask:
        review = replace(review, answers=questions.ask(console, to_ask))
    _require_no_concern(review)
    if confirm:
        clusters = ", ".join(sorted(review.clusters))
        click.confirm(
            f"\nSign this as {review.result.value} for {clusters}?",
            abort=True,
            err=True,
        )
    who = signatory()
    with working(session, "signing"):
        signed = await sign_off(
            sheet,
            replace(review, reviewer=who.name),
            signer=who.signer,
            clock=session,
        )
    return Outcome(
        signed=signed, sheet=sheet, lints=lints, objects=release(sheet, signed)
    )


async def _look(order: LookOrder, rulebook: Rulebook, where: Where | None) -> Sheet:
    try:
        async with look_at(where) as cluster:
            return await look(order, prover=rulebook.prover, cluster=cluster)
    except Unavailable as error:
        raise Unavailable(
            f"could not compare with the cluster: {error}; nothing was signed "
            "(--no-diff signs without looking)"
        ) from error


def _require_no_concern(review: Review) -> None:
    found = questions.concerns(review.answers)
    if found and review.result is Result.APPROVED:
        raise Malformed(
            f"expected no concern in an approval, saw one about {', '.join(found)}: "
            "resolve it, or record a rejection with --reject"
        )
