"""Take stock: what is to be said of each of our objects.

The problems are those that `serve` finds, by the same readers: what is Ready here and
what is enforced there cannot differ.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.policy import Enforcement, Policy
from countersign.core.types.published import Looked, Outcome
from countersign.report.published import looked_text
from countersign.usecases.coverage import Registration, uncovered
from countersign.wire.resources import objects
from countersign.wire.resources.bundleset_about import about
from countersign.wire.resources.kinds import (
    POLICY,
    REVOCATION,
    ROSTER,
    TRUST_ROOT,
    Kind,
)
from countersign.wire.resources.read import Invalid, name_of
from countersign.wire.resources.status import About, Condition, Status, named
from countersign.wire.shapes import render_time

SOON = timedelta(days=30)
"""How long before its end a trust root, or who a roster knows, needs attention."""

Problems = Mapping[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Everything that a status may depend on, at one moment.

    Attributes:
        trees: Our objects as the server has them, by kind.
        policies: Those that could be read and resolved, by name.
        expiry: When each trust root that could be read ends, by name; None: never.
        problems: By kind and name, of what could not be read; none is empty.
        sent: What the API server asks us about.
        own_namespace: Where countersign runs.
        at: Now.
        looked: What came of looks where trust roots are published, by name.
    """

    trees: Mapping[Kind, tuple[Tree, ...]]
    policies: Mapping[str, Policy]
    expiry: Mapping[str, datetime | None]
    problems: Problems
    sent: Registration
    own_namespace: str
    at: datetime
    looked: Mapping[str, Looked] = field(default_factory=lambda: MappingProxyType({}))


def take_stock(stock: Stock) -> Iterator[tuple[Tree, Status]]:
    """Yield each object of `stock` with what is to be said of it."""
    said: Mapping[Kind, Callable[[Stock, Tree], Status]] = {
        POLICY: _policy,
        ROSTER: _roster,
        TRUST_ROOT: _trust_root,
        REVOCATION: _revocation,
    }
    for kind, trees in stock.trees.items():
        for tree in trees:
            problems = stock.problems.get((kind.name, name_of(tree)))
            yield (
                tree,
                _invalid(kind, problems) if problems else said[kind](stock, tree),
            )


def of_bundle_set(tree: Tree) -> Status:
    """Return what is to be said of a BundleSet: nothing of it is proven here."""
    try:
        bundles, intents = objects.bundle_set(tree)
    except Invalid as error:
        return Status(conditions=(_not_ready(error.problems, "it may not be found"),))
    spoken = about(bundles, intents)
    everything = [f"{space}/*" for space in sorted(spoken.namespaces)]
    return Status(
        conditions=(
            _ready("it can be read; what is in it is proven where it is used"),
        ),
        fields={
            "bundles": len(bundles),
            "objects": named([*sorted(map(str, spoken.refs)), *everything]),
        },
    )


def _policy(stock: Stock, tree: Tree) -> Status:
    policy = stock.policies[name_of(tree)]
    missing, command = uncovered(policy.scope, stock.sent, stock.own_namespace)
    covered = Condition(
        about=About.COVERED,
        holds=not missing,
        reason="NotCovered" if missing else "Covered",
        message=f"{_listed(missing)}: nobody asks about that; run: {command}"
        if missing
        else "the API server asks about everything that it protects",
    )
    does = {
        Enforcement.DENY: "what it does not admit is denied",
        Enforcement.WARN: "what it does not admit is admitted with a warning",
        Enforcement.AUDIT: "what it does not admit is admitted and noted",
    }
    return Status(
        conditions=(_ready(does[policy.enforcement]), covered),
        fields={"invalidFields": []},
    )


def _roster(stock: Stock, tree: Tree) -> Status:
    roster = objects.roster(tree)
    ended = sorted(p.id for p in roster if p.valid.end and p.valid.end < stock.at)
    message = f"{len(roster.persons)} persons, {len(ended)} of whom have left"
    ends = {p.id: p.valid.end for p in roster if p.valid.end and p.id not in ended}
    leaving = sorted(who for who, end in ends.items() if end < stock.at + SOON)
    current = Condition(
        about=About.CURRENT,
        holds=not leaving,
        reason="LeaveSoon" if leaving else "Current",
        message=f"{_listed(leaving)}: what they sign counts for less than "
        f"{SOON.days} days more; prolong valid.until, or know who takes over"
        if leaving
        else "nobody on it leaves soon",
    )
    return Status(
        conditions=(_ready(message), current),
        fields={"persons": len(roster.persons), "ended": named(ended)},
    )


def _trust_root(stock: Stock, tree: Tree) -> Status:
    end = stock.expiry[name_of(tree)]
    message, fields = "it never expires", dict[str, Json]()
    if end is not None:
        until = render_time(end)
        passed = f"nothing signed after {until} can be proven by it: renew it"
        message = passed if end < stock.at else f"what is signed until {until} counts"
        fields["expires"] = until
    current = _current(end, stock.at, message)
    if looked := stock.looked.get(name_of(tree)):
        current = _published(current, looked, name_of(tree))
    return Status(conditions=(_ready(message), current), fields=fields)


_BEHIND = {
    Outcome.DIFFERS: "NewPublished",
    Outcome.EXPIRED: "MirrorExpired",
    Outcome.REJECTED: "MirrorRejected",
}
"""What somebody has to act on. A mirror that is away is said, and holds nothing up."""


def _published(current: Condition, looked: Looked, name: str) -> Condition:
    """Add what came of a look where it is published; its own end comes first."""
    text = looked_text(looked, name)
    if not text:
        return current
    told = replace(current, message=f"{current.message}. {text}")
    if not current.holds or looked.outcome not in _BEHIND:
        return told
    return replace(told, holds=False, reason=_BEHIND[looked.outcome])


def _current(end: datetime | None, at: datetime, message: str) -> Condition:
    """Say whether there is time left: long before the end it is false, to be acted on."""
    if end is None or end >= at + SOON:
        return Condition(
            about=About.CURRENT, holds=True, reason="Current", message=message
        )
    reason = "Expired" if end < at else "ExpiresSoon"
    told = message if end < at else f"{message}: renew it before"
    return Condition(about=About.CURRENT, holds=False, reason=reason, message=told)


def _revocation(stock: Stock, tree: Tree) -> Status:
    del stock
    count = len(objects.revocation(tree))
    message = f"{count} withdrawn" if count != 1 else "one withdrawn"
    return Status(conditions=(_ready(message),), fields={"entries": count})


def _invalid(kind: Kind, problems: tuple[str, ...]) -> Status:
    harm = {
        POLICY: "it denies what it would have matched",
        ROSTER: "policies that name it deny",
        TRUST_ROOT: "policies that name it deny",
        REVOCATION: "everything protected is denied, since nobody can say what it "
        "withdraws",
    }
    ready = _not_ready(problems, harm[kind])
    if kind is not POLICY:
        return Status(conditions=(ready,))
    unknown = Condition(
        about=About.COVERED,
        holds=False,
        reason="Invalid",
        message="what it protects cannot be told before it can be read",
    )
    fields: Mapping[str, Json] = {"invalidFields": named(problems)}
    return Status(conditions=(ready, unknown), fields=fields)


def _ready(message: str) -> Condition:
    return Condition(about=About.READY, holds=True, reason="Valid", message=message)


def _not_ready(problems: Iterable[str], harm: str) -> Condition:
    message = f"{_listed(problems)}. Until that is mended, {harm}"
    return Condition(about=About.READY, holds=False, reason="Invalid", message=message)


def _listed(words: Iterable[str]) -> str:
    return "; ".join(str(word) for word in named(words))
