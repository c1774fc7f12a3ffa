"""``sign-off --decision``: exactly what was denied, for the same request to pass."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.core.types.change import Access
from countersign.core.types.decision import Decision, Recorded
from countersign.core.types.evidence import REVIEW_OF, Carrier, SignOff, Trace
from countersign.core.types.request import Verb
from countersign.faces.cli import words
from countersign.faces.cli.conversation import Ask, Case, Outcome, converse
from countersign.faces.cli.manifests import write_to_apply
from countersign.faces.cli.progress import working
from countersign.faces.cli.recorder import open_records
from countersign.faces.cli.rulebook import Rulebook, open_rulebook
from countersign.faces.cli.session import Exit
from countersign.faces.cli.signer import (
    create,
    reach,
    require_cluster,
    warn_of_clock,
)
from countersign.faces.cli.signing import choose
from countersign.faces.cli.text import one_line
from countersign.ports import Records
from countersign.usecases.deliver import Delivery, deliver
from countersign.usecases.denied import Denied, is_debt, moved_on, standing, take_up
from countersign.usecases.look import look
from countersign.usecases.prepare import with_declared
from countersign.usecases.sheet import Sheet

_TRIES, _PAUSE_S = 6, 1.0  # a denial takes a moment until it is recorded
_AGAIN = {Verb.DELETE: "delete"}
_REASONS = {
    "not_independent": "has a part in making it, and may not approve it",
    "not_eligible": "is not among those who may sign",
}


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where decisions are recorded, as the command line says."""

    url: str | None
    ca: Path | None


def sign_denied(ask: Ask, decision: str, recorder: Recorder) -> int:
    """Review what was denied, sign it, and create the BundleSet that lets it in.

    Raises:
        Malformed: no such decision, nothing of it to sign, or another cluster.
        Rejected: the signer lacks a right, or the server refused the BundleSet.
        Unavailable: recorder or cluster did not answer; nothing was signed.
    """
    where = require_cluster(ask.where, "of the cluster that denied it")
    began = ask.session.now()
    signatory = choose(ask.signing, ask.session)
    rules = open_rulebook(ask.policies, ask.signing.trusted_root, ask.session, where)
    with rules as rulebook:
        with working(ask.session, "looking"):
            denied, sheet = asyncio.run(_take_up(ask, decision, recorder, rulebook))
        decided = denied.recorded.decision
        ask = ask.on(decided.cluster)
        known = ask.signing.key or ask.signing.identity_token
        # who may sign ordinarily is not asked in an emergency
        told = known and not ask.review.break_glass
        who = signatory().name if told else ""
        case = Case(
            sheet=sheet,
            began=began,
            preface=lambda console: _show(console, denied, sheet, who),
            traces=(Trace(REVIEW_OF, decided.id),) if is_debt(decided) else (),
        )
        done = converse(ask, case, rulebook, signatory)
    _finish(ask, denied.recorded, done)
    if ask.out is None:
        asyncio.run(create(where, _delivery(done).sets))
    _say_next(ask, denied.recorded)
    return Exit.DONE


def _finish(ask: Ask, recorded: Recorded, done: Outcome) -> None:
    if ask.out is not None:
        write_to_apply(ask.out, _delivery(done).sets)
    if ask.output == "json":
        said = {"decision": recorded.decision.id, **done.summary()}
        click.echo(json.dumps(said, indent=2))


def _delivery(done: Outcome) -> Delivery:
    ((sheet, signed),) = done.parts
    return deliver(sheet, signed, Carrier.BUNDLE_SET)


def _say_next(ask: Ask, recorded: Recorded) -> None:
    who = one_line(", ".join(recorded.requesters) or recorded.decision.requester.name)
    if ask.review.reject:
        click.echo(f"rejected: tell {who}", err=True)
        return
    if is_debt(recorded.decision):
        click.echo(
            "reviewed: countersign status shows when all who must have", err=True
        )
        return
    verb = _AGAIN.get(recorded.decision.verb, "apply")
    proposal = recorded.decision.proposal
    if proposal is not None and isinstance(proposal.change, Access):
        verb = "try"
    click.echo(f"{'then' if ask.out else 'next:'} ask {who} to {verb} again", err=True)
    if ask.review.break_glass:
        click.echo("it will have to be reviewed: countersign status says how", err=True)


async def _take_up(
    ask: Ask, decision: str, recorder: Recorder, rulebook: Rulebook
) -> tuple[Denied, Sheet]:
    assert ask.where is not None  # noqa: S101 - the caller has one
    session = ask.session
    async with open_records(session, recorder.url, recorder.ca, ask.where) as records:
        recorded = await _recorded(records, decision)
    _require_cluster(ask, recorded)
    async with reach(ask.where) as signers:
        denied = await take_up(
            recorded,
            signers.store,
            write=ask.out is None,
            emergency=ask.review.break_glass,
        )
        warn_of_clock(session, signers.store)
        seen = signers.state if denied.visible and not ask.review.no_diff else None
        objects = with_declared(denied.order.objects, rulebook.policies)
        order = ask.add_to(replace(denied.order, objects=objects))
        sheet = await look(order, prover=rulebook.prover, cluster=seen)
    return denied, sheet


async def _recorded(records: Records, decision: str) -> Recorded:
    """Return a decision, once it is recorded.

    To those who may not see it, the recorder does not say whether there is one: so a
    refusal, too, may be one of a decision that is still on its way.
    """
    refused: Rejected | None = None
    for again in range(_TRIES):
        if again:
            await asyncio.sleep(_PAUSE_S)
        try:
            if found := await records.get(decision):
                return found
        except Rejected as error:
            refused = error
        except Unavailable as error:
            raise Unavailable(f"the recorder did not answer: {error}") from error
    hint = "apply again, and sign the decision that the denial names then"
    if refused is not None:
        raise Rejected(
            f"{refused}; where you have that right there is no such decision: {hint}"
        ) from refused
    raise Malformed(
        f"expected a recorded decision, saw none called {decision[:80]}: {hint}"
    )


def _require_cluster(ask: Ask, recorded: Recorded) -> None:
    ours = recorded.decision.cluster
    if ask.clusters and ask.clusters != (ours,):
        raise Malformed(
            f"expected a decision of {', '.join(ask.clusters)}, saw one of {ours}: a "
            "signature of it holds for that cluster alone"
        )


def _show(console: Console, denied: Denied, sheet: Sheet, signer: str) -> None:
    """Write what was decided, why, and what a signer has to know before the objects."""
    recorded, decision = denied.recorded, denied.recorded.decision
    head = Text(f"decision {one_line(decision.id)}", style="bold")
    console.print(head.append(f"  {_asked(recorded)}", style="not bold"))
    for told in decision.findings:
        policy = f"{one_line(told.policy)}: " if told.policy else ""
        console.print(f"  {told.enforcement.value}: {policy}{one_line(told.message)}")
    for line in _broken(decision, sheet):
        console.print(f"  {one_line(line, 600)}")
    console.print()
    if is_debt(decision):
        if recorded.reviewed is not None:
            by = ", ".join(recorded.reviewed.persons)
            _attend(console, f"it has been reviewed already, by {by}")
    elif not denied.visible:
        _attend(
            console,
            "you may not see the live object: it is approved on the state that it had "
            "when this was denied",
        )
    elif moved_on(recorded, sheet):
        _attend(
            console,
            f"{decision.object} has changed in the cluster since this was denied: signed "
            "is what was denied, on top of what is live now",
        )
    if reason := standing(decision).of(signer) if signer else None:
        why = _REASONS.get(reason, f"may not sign: {reason}")
        _attend(console, f"your signature will not count: {one_line(signer)} {why}")


def _broken(decision: Decision, sheet: Sheet) -> Iterator[str]:
    """Yield for which incident, by whom and why the glass was broken, and what is due."""
    if not is_debt(decision):
        return
    yield f"break-glass {decision.emergency} by {', '.join(decision.persons)}"
    relied = {bundle for basis in decision.bases for bundle in basis.bundles}
    for found in sheet.evidence:
        if Digest.sha256(found.raw) in relied and isinstance(found.claim, SignOff):
            told = found.claim.emergency
            if told is not None:
                yield f"because: {told.justification}"
    if decision.review_due is not None:
        yield f"to be reviewed until {words.when(decision.review_due)}"


def _attend(console: Console, text: str) -> None:
    console.print(Text(f"attention: {one_line(text, 600)}\n", style="yellow"))


def _asked(recorded: Recorded) -> str:
    """Say how it ended, how often, when, and for whom."""
    decision = recorded.decision
    times = words.counted(recorded.count, "time")
    verb = f"{decision.verb.value} {decision.object}"
    who = ", ".join(recorded.requesters) or decision.requester.name
    said = f"{verb} {decision.outcome.value} {times} for {who}, {_when(recorded)}"
    return one_line(said, 400)


def _when(recorded: Recorded) -> str:
    first: datetime = recorded.first
    if recorded.count == 1:
        return f"at {words.when(first)}"
    return f"from {words.when(first)} to {words.when(recorded.last)}"
