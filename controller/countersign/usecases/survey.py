"""Survey: what there is to say of an installation, as far as its user may look.

Everything is worked out here from the objects themselves, by the code of the operator;
what the operator wrote into their status is only read where a right is missing for that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.doors import Doors
from countersign.core.types.policy import (
    BaseRule,
    Enforcement,
    Policy,
    Toggle,
)
from countersign.core.types.survey import Item, Open, SideDoor
from countersign.usecases.coverage import Registration
from countersign.usecases.status import Problems, Stock, take_stock
from countersign.wire.resources.kinds import POLICY, Kind
from countersign.wire.resources.read import name_of
from countersign.wire.resources.status import About, Status

_NOT_ASKED = "nobody here may see what is registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What could be read.

    Attributes:
        trees: By kind, as far as they could be listed.
        whole: Whether all kinds could.
        policies, expiry, problems: Made of them; only to be believed where `whole`.
        sent: What is registered; None: that could not be seen.
        own_namespace: Where countersign runs.
        at: Now.
    """

    trees: Mapping[Kind, tuple[Tree, ...]]
    whole: bool
    policies: Mapping[str, Policy]
    expiry: Mapping[str, datetime | None]
    problems: Problems
    sent: Registration | None
    own_namespace: str
    at: datetime


def items(material: Material) -> tuple[Item, ...]:
    """Return what is to be said of each object, kind by kind, sorted by name."""
    if material.whole:
        told = take_stock(
            Stock(
                trees=material.trees,
                policies=material.policies,
                expiry=material.expiry,
                problems=material.problems,
                sent=material.sent or Registration(),
                own_namespace=material.own_namespace,
                at=material.at,
            )
        )
        found = [_worked_out(tree, status, material) for tree, status in told]
    else:
        found = [
            _written(kind, tree)
            for kind, trees in material.trees.items()
            for tree in trees
        ]
    return tuple(sorted(found, key=lambda item: (_order(item.kind), item.name)))


def _worked_out(tree: Tree, status: Status, material: Material) -> Item:
    kind, name = str(tree.get("kind")), name_of(tree)
    by_about = {one.about: one for one in status.conditions}
    ready, covered = by_about[About.READY], by_about.get(About.COVERED)
    policy = material.policies.get(name) if kind == POLICY.name else None
    holds, coverage = None, ""
    if covered is not None:
        holds, coverage = covered.holds, covered.message
        if material.sent is None:
            holds, coverage = _condition(tree, About.COVERED) or (None, _NOT_ASKED)
    return Item(
        kind=kind,
        name=name,
        ready=ready.holds,
        said=ready.message,
        covered=holds,
        coverage=coverage,
        enforcement=policy.enforcement if policy else None,
        namespaces=policy.scope.namespaces if policy else (),
        doors=tuple(_doors(policy)) if policy else (),
        expires=material.expiry.get(name) if kind == "TrustRoot" else None,
    )


def _written(kind: Kind, tree: Tree) -> Item:
    """Say what the operator wrote: not everything could be listed."""
    ready = _condition(tree, About.READY) or (None, "the operator has not said")
    covered: tuple[bool | None, str] = (None, "")
    if kind is POLICY:
        covered = _condition(tree, About.COVERED) or (None, "the operator has not said")
    return Item(
        kind=kind.name,
        name=name_of(tree),
        ready=ready[0],
        said=ready[1],
        covered=covered[0],
        coverage=covered[1],
    )


def _condition(tree: Tree, about: About) -> tuple[bool | None, str] | None:
    status = tree.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    for one in conditions if isinstance(conditions, list) else []:
        if isinstance(one, dict) and one.get("type") == about:
            return _truth(one.get("status")), str(one.get("message", ""))
    return None


def _truth(said: Json) -> bool | None:
    return {"True": True, "False": False}.get(str(said))


def _doors(policy: Policy) -> Iterator[Open]:
    """Yield the ways around this policy's signatures."""
    if policy.enforcement is not Enforcement.DENY:
        yield Open(SideDoor.NOT_ENFORCED, policy.enforcement)
    if not policy.scope.cluster_scoped:
        yield Open(SideDoor.CLUSTER_SCOPED)
    if policy.scope.exclude:
        kinds = sorted(kind.kind for kind in policy.scope.exclude)
        yield Open(SideDoor.EXCLUDED, ", ".join(kinds))
    if policy.images.attestations is Toggle.OFF:
        yield Open(SideDoor.IMAGES_UNATTESTED)
    if policy.images.pinning is Toggle.OFF:
        yield Open(SideDoor.IMAGES_UNPINNED)
    if policy.doors.tools.helm:
        yield Open(SideDoor.HELM)
    for door, names in _named(policy.doors):
        if names:
            yield Open(door, ", ".join(sorted(names)))
    if policy.demands.base is BaseRule.ANY:
        yield Open(SideDoor.ANY_BASE)


def _named(doors: Doors) -> Iterator[tuple[SideDoor, Iterable[str]]]:
    """Yield the ways that are open to whom or what a policy names, with the names."""
    yield SideDoor.SCALE, doors.scale_groups
    yield SideDoor.RESTART, doors.restart_groups
    trusted = {o.user for o in doors.operators if any(c.trusted for c in o.children)}
    yield SideDoor.TRUSTED_OPERATORS, trusted
    yield SideDoor.OPERATORS, {o.user for o in doors.operators} - trusted
    yield SideDoor.INJECTION, {injection.name for injection in doors.injections}
    yield (
        SideDoor.CONVERSION,
        {f"{kind.kind}.{kind.group}" for kind in doors.conversions},
    )


def _order(kind: str) -> int:
    kinds = ("ProtectionPolicy", "Roster", "TrustRoot", "Revocation")
    return kinds.index(kind) if kind in kinds else len(kinds)
