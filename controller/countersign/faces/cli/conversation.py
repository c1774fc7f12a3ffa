"""One review at the terminal: show, ask, confirm, sign."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Json
from countersign.core.types.change import NamespaceWindow, ObjectChange
from countersign.core.types.evidence import Carrier, Result, Trace
from countersign.faces.cli import asking, questions, source, words
from countersign.faces.cli.cluster import Where
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.options import RegistryOptions, SigningOptions
from countersign.faces.cli.progress import working
from countersign.faces.cli.review_options import ReviewOptions
from countersign.faces.cli.rulebook import Rulebook
from countersign.faces.cli.session import Session
from countersign.faces.cli.sheet import lint_json, show_sheet
from countersign.faces.cli.signing import Signatory
from countersign.usecases.baseline import parts
from countersign.usecases.lint import lint
from countersign.usecases.lint_kinds import Lint
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.usecases.sign_off import Review, SignedOff, sign_off


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What every way to sign off is given.

    Attributes:
        session: Asks where there is something to ask.
        review: What the reviewer said already.
        clusters: That it holds for.
        where: Cluster to look at; None: none.
        policies: Folder of rules, or None.
        signing: Who signs.
        carrier: How the evidence travels; None: as fits.
        out: Where the result is written; None: standard output, or the cluster.
        output: ``text`` or ``json``.
        sets_only: The objects are not written: something else brings them.
        images: References to images that are approved as such.
        registry: How registries are reached.
    """

    session: Session
    review: ReviewOptions
    clusters: tuple[str, ...]
    where: Where | None
    policies: Path | None
    signing: SigningOptions
    carrier: Carrier | None
    out: Path | None
    output: str
    sets_only: bool = False
    images: tuple[str, ...] = ()
    registry: RegistryOptions

    def on(self, cluster: str) -> "Ask":
        """Return the same for one cluster."""
        return replace(self, clusters=(cluster,))

    def add_to(self, order: LookOrder) -> LookOrder:
        """Return an order with what else was said of bundles, base and bounds."""
        said = self.review
        given = read_inputs(said.bundles) if said.bundles else []
        return replace(
            order,
            bundles=(*order.bundles, *(raw for _, raw in given)),
            base=said.base or order.base,
            stretches=(*order.stretches, *said.stretches),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is to be reviewed.

    Attributes:
        sheet: Everything that there is to see.
        began: When the review did.
        preface: Shows what else a reviewer has to know, before the objects.
        split: Sign it in parts, if it is large.
        traces: Links that it has anyway.
    """

    sheet: Sheet
    began: datetime
    preface: Callable[[Console], None] = lambda _: None
    split: bool = False
    traces: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a review: a signature for each part of the sheet."""

    parts: tuple[tuple[Sheet, SignedOff], ...]
    lints: tuple[Lint, ...]

    def summary(self) -> dict[str, Json]:
        """Return what a script wants to know; of several signatures the first."""
        sheet, signed = self.parts[0]
        claim = signed.claim
        said: dict[str, Json] = {
            "result": claim.result.value,
            "clusters": [*sorted(claim.clusters)],
            "validity": {
                "notBefore": words.exactly(claim.validity.start),
                "notAfter": words.exactly(claim.validity.end),
            },
            "statement": str(signed.statement),
            "bundle": str(Digest.sha256(signed.bundle)),
            "objects": [*self._objects()],
            "images": [str(image) for image in sheet.pinned],
            "provenance": [
                {
                    "statement": str(found.statement),
                    "assistance": provenance.assistance.label,
                    "verified": found.evidence is not None,
                }
                for found, provenance in sheet.provenance
            ],
            "attention": [lint_json(each) for each in self.lints],
        }
        if sheet.source is not None:
            said["source"] = source.summary(sheet.source)
        return said

    def _objects(self) -> Iterator[Json]:
        for sheet, _ in self.parts:
            for change in sheet.changes:
                if isinstance(change, ObjectChange):
                    intent = str(change.digest)
                    yield {"object": str(change.object), "intent": intent}
                elif isinstance(change, NamespaceWindow):
                    yield {"namespace": change.namespace}
                else:
                    yield {"object": str(change.object), "uid": change.uid}


def converse(
    ask: Ask, case: Case, rulebook: Rulebook, signatory: Callable[[], Signatory]
) -> Outcome:
    """Hold one review.

    Args:
        ask: What was said on the command line.
        case: What is to be reviewed.
        rulebook: For the questions and hints.
        signatory: Who signs, once there is something to sign.

    Raises:
        Malformed: a concern, which cannot approve; answers to other questions; or more
            than a statement can hold.
        Rejected, Unavailable: as `sign_off`.
        click.Abort: the reviewer does not want to sign.
    """
    session, said = ask.session, ask.review
    console = Console(
        stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True
    )
    refs = tuple(case.sheet.versions)
    asked = None if said.emergency else asking.asked_for(refs, rulebook)
    valid = said.valid
    if not (said.valid_for or said.emergency):
        valid = asking.longest(valid, refs, rulebook)
    review = Review(
        result=Result.REJECTED if said.reject else Result.APPROVED,
        meanings=said.meanings,
        reviewer="",
        started_on=case.began,
        clusters=frozenset(ask.clusters),
        question_set=(asked.uri, asked.digest) if asked else None,
        answers=asking.read_answers(said.answers, asked),
        traceability=(*said.traces, *case.traces),
        valid=valid,
        restore_until=said.restore_by(case.began + valid),
        emergency=said.emergency,
        link=said.link,
    )
    lints = lint(case.sheet, review, rulebook.policies, session.now())
    case.preface(console)
    if case.sheet.source is not None:
        source.show_source(console, case.sheet.source)
    show_sheet(console, case.sheet, lints)
    if not (said.answers or said.reject or said.emergency):
        answers = questions.ask(console, asking.to_ask(asked))
        missing = asking.links_missing(refs, rulebook, review.traceability)
        links = (*review.traceability, *map(questions.ask_link, missing))
        review = replace(review, answers=answers, traceability=links)
    _require_no_concern(review)
    if session.interactive and not said.answers:
        _confirm(review)
    who = signatory()
    review = replace(review, reviewer=who.name)
    sheets = tuple(parts(case.sheet)) if case.split else (case.sheet,)
    with working(session, "signing"):
        signed = asyncio.run(_sign(sheets, review, who, session))
    return Outcome(parts=tuple(zip(sheets, signed, strict=True)), lints=lints)


async def _sign(
    sheets: tuple[Sheet, ...], review: Review, who: Signatory, session: Session
) -> list[SignedOff]:
    return [
        await sign_off(sheet, review, signer=who.signer, clock=session)
        for sheet in sheets
    ]


def _confirm(review: Review) -> None:
    clusters = ", ".join(sorted(review.clusters))
    how = "break-glass" if review.emergency else review.result.value
    click.confirm(f"\nSign this as {how} for {clusters}?", abort=True, err=True)


def _require_no_concern(review: Review) -> None:
    found = questions.concerns(review.answers)
    if found and review.result is Result.APPROVED:
        raise Malformed(
            f"expected no concern in an approval, saw one about {', '.join(found)}: "
            "resolve it, or record a rejection with --reject"
        )
