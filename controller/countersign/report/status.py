"""The state of an installation, for a person at a terminal and for machines."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.decision import Recorded
from countersign.core.types.survey import Item, Recording, SideDoor, Survey
from countersign.report.phrases import clean, listed, thing, when
from countersign.report.table import table

SOON = timedelta(days=30)
"""How long before a trust root ends it needs attention."""

STALE = timedelta(minutes=5)
"""How long a replica may be silent before its spool needs attention."""

_DOORS = {
    SideDoor.NOT_ENFORCED: "nothing is denied (enforcement: {})",
    SideDoor.CLUSTER_SCOPED: "cluster-scoped objects are not judged (clusterScoped: none)",
    SideDoor.EXCLUDED: "not judged: {}",
    SideDoor.IMAGES_UNATTESTED: "images need no attestation (images.attestations: off)",
    SideDoor.IMAGES_UNPINNED: "images need no digest (images.pinning: off)",
    SideDoor.HELM: "Helm may keep its releases (exceptions.tools.helm)",
    SideDoor.SCALE: "may scale unsigned: {}",
    SideDoor.RESTART: "may restart unsigned: {}",
    SideDoor.OPERATORS: "operators write what the policy says of them: {}",
    SideDoor.TRUSTED_OPERATORS: "what these make is not compared (mode: trusted): {}",
    SideDoor.INJECTION: "may be injected into Pods: {}",
    SideDoor.CONVERSION: "conversion webhooks are trusted of: {}",
    SideDoor.ANY_BASE: "older states may return (signOff.base: any)",
}
_STATES = {True: "yes", False: "NO", None: "unknown"}


def status_text(survey: Survey) -> Iterator[str]:
    """Yield the lines of a status, what needs attention last."""
    if survey.items:
        yield from table(("KIND", "NAME", "VALID", "SAYS"), _items(survey))
    policies = [item for item in survey.items if item.kind == "ProtectionPolicy"]
    if policies:
        yield ""
        header = ("POLICY", "ENFORCEMENT", "COVERED", "NAMESPACES")
        yield from table(header, [_policy(item) for item in policies])
    for item in policies:
        for opened in item.doors:
            door = _DOORS[opened.door].format(clean(opened.detail))
            yield f"  open side door of {clean(item.name)}: {door}"
    yield ""
    yield from _recorder(survey.recording)
    yield from _debts(survey)
    needs = attention(survey)
    yield ""
    yield f"needs attention: {len(needs)}" if needs else "nothing needs attention"
    yield from (f"  {need}" for need in needs)


def attention(survey: Survey) -> list[str]:
    """Return what somebody should do something about, a line each."""
    found = [line for item in survey.items for line in _trouble(item, survey.at)]
    if survey.recording is not None:
        found += _unrecorded(survey.recording, survey.at)
    for debt in survey.debts or ():
        found.append(_debt(debt, survey.at))
    return [*found, *(f"not seen: {clean(text, 400)}" for text in survey.unseen)]


def status_json(survey: Survey) -> Tree:
    """Return all of it for machines. Fields are added later, never renamed."""
    return {
        "at": survey.at.isoformat(),
        "objects": [_plain(item) for item in survey.items],
        "recorder": None if survey.recording is None else _spools(survey.recording),
        "debts": None
        if survey.debts is None
        else [_plain_debt(debt, survey.at) for debt in survey.debts],
        "unseen": list(survey.unseen),
        "attention": [*attention(survey)],
    }


def close_with(debt: Recorded) -> str:
    """Return the command that closes a review debt."""
    return f"countersign sign-off --decision {clean(debt.decision.id)}"


def _items(survey: Survey) -> list[tuple[str, ...]]:
    return [
        (item.kind, clean(item.name), _STATES[item.ready], clean(item.said, 200))
        for item in survey.items
    ]


def _policy(item: Item) -> tuple[str, ...]:
    mode = str(item.enforcement) if item.enforcement else "unknown"
    covered = _STATES[item.covered]
    return clean(item.name), mode, covered, listed(item.namespaces, "unknown")


def _trouble(item: Item, at: datetime) -> Iterator[str]:
    name = f"{item.kind}/{clean(item.name)}"
    if item.ready is False:
        yield f"{name}: {clean(item.said, 400)}"
    if item.covered is False:
        yield f"{name}: {clean(item.coverage, 600)}"
    if item.expires is not None and item.expires < at + SOON:
        verb = "ended" if item.expires < at else "ends"
        yield f"{name}: {verb} {when(item.expires)}: renew it"


def _recorder(recording: Recording | None) -> Iterator[str]:
    if recording is None:
        yield "recorder: not reached"
        return
    yield f"recorder: reached; {recording.lost} decisions lost"
    for spool in recording.spools:
        state = clean(spool.trouble) or f"recorded up to {spool.position or 0}"
        last = when(spool.pulled_at) if spool.pulled_at else "never"
        lost = f", {spool.lost} lost" if spool.lost else ""
        yield f"  {clean(spool.address)}: {state}, last heard {last}{lost}"


def _unrecorded(recording: Recording, at: datetime) -> Iterator[str]:
    if recording.lost:
        yield f"recorder: {recording.lost} decisions were lost"
    yield from (f"recorder: {clean(text)}" for text in recording.trouble)
    for spool in recording.spools:
        silent = spool.pulled_at is None or spool.pulled_at < at - STALE
        if spool.trouble or silent:
            why = clean(spool.trouble) or "not heard of"
            last = when(spool.pulled_at) if spool.pulled_at else "never"
            yield f"recorder: spool of {clean(spool.address)}: {why}, last heard {last}"


def _debts(survey: Survey) -> Iterator[str]:
    if survey.debts is None:
        yield "review debts: not known"
    elif not survey.debts:
        yield "review debts: none"
    else:
        late = sum(_overdue(debt, survey.at) for debt in survey.debts)
        yield f"review debts: {len(survey.debts)} open, {late} of them overdue"


def _debt(debt: Recorded, at: datetime) -> str:
    decision = debt.decision
    by, due = listed(decision.persons), when(decision.review_due)
    state = "overdue since" if _overdue(debt, at) else "due"
    return (
        f"{thing(decision.object)}: break-glass {clean(decision.emergency)} by {by}, "
        f"review {state} {due}: {close_with(debt)}"
    )


def _overdue(debt: Recorded, at: datetime) -> bool:
    due = debt.decision.review_due
    return due is not None and due < at


def _plain(item: Item) -> Tree:
    return {
        "kind": item.kind,
        "name": item.name,
        "ready": item.ready,
        "message": item.said,
        "covered": item.covered,
        "coverage": item.coverage,
        "enforcement": item.enforcement,
        "namespaces": list(item.namespaces),
        "sideDoors": [{"door": o.door, "detail": o.detail} for o in item.doors],
        "expires": item.expires.isoformat() if item.expires else None,
    }


def _spools(recording: Recording) -> Tree:
    spools: list[Json] = [
        {
            "address": spool.address,
            "lastPull": spool.pulled_at.isoformat() if spool.pulled_at else None,
            "position": spool.position,
            "lost": spool.lost,
            "trouble": spool.trouble,
        }
        for spool in recording.spools
    ]
    return {
        "spools": spools,
        "lost": recording.lost,
        "trouble": list(recording.trouble),
    }


def _plain_debt(debt: Recorded, at: datetime) -> Tree:
    decision = debt.decision
    due = decision.review_due
    return {
        "decision": decision.id,
        "object": thing(decision.object),
        "incident": decision.emergency,
        "by": list(decision.persons),
        "due": due.isoformat() if due else None,
        "overdue": _overdue(debt, at),
        "close": close_with(debt),
    }
