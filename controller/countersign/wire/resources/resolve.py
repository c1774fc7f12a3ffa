"""A ProtectionPolicy becomes the law's value: preset applied, names resolved."""

from collections import Counter
from collections.abc import Collection
from typing import TypeVar

from countersign.core.errors import Malformed
from countersign.core.presets import PRESETS, Preset
from countersign.core.questions import known
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.core.types.attestors import Attestor
from countersign.core.types.doors import Doors
from countersign.core.types.evidence import Presence
from countersign.core.types.injection import Injection
from countersign.core.types.operators import Operator
from countersign.core.types.people import Roster
from countersign.core.types.policy import (
    Baseline,
    BaseRule,
    BreakGlass,
    Demands,
    Policy,
    QuestionSet,
    Slot,
    TraceDemand,
    Treatment,
)
from countersign.core.types.robots import Robot
from countersign.wire.resources.attestors import Builder
from countersign.wire.resources.attestors import Robot as SaidRobot
from countersign.wire.resources.policy import PolicySpec, SignOff
from countersign.wire.resources.read import Invalid
from countersign.wire.resources.scope import scope_of

_MAKERS = frozenset({"author", "committer", "prompter", "deployer"})
_TO_DO = "create or mend it, or name another"
_PRESENCE = {
    "any": Presence.NONE,
    "touch": Presence.TOUCH,
    "verified": Presence.VERIFIED,
}

T = TypeVar("T")


def _or(value: T | None, default: T) -> T:
    return default if value is None else value


def resolve(
    name: str,
    spec: PolicySpec,
    rosters: Collection[Roster],
    trust_roots: Collection[str],
) -> Policy:
    """Return the policy in force.

    Args:
        name: Of the object.
        spec: As parsed.
        rosters: All that could be read.
        trust_roots: Names of all that could be read.

    Raises:
        Invalid: a name leads nowhere, or the law refuses the policy.
    """
    found = {roster.name: roster for roster in rosters}
    problems = [
        f"spec.provenance: no TrustRoot {root!r} that can be read: {_TO_DO}"
        for root in sorted(_roots(spec) - set(trust_roots))
    ]
    if spec.roster not in found:
        problems.append(
            f"spec.roster: no Roster {spec.roster!r} that can be read: {_TO_DO}"
        )
    roster = found.get(spec.roster, Roster(spec.roster, ()))
    try:
        policy = _policy(name, spec, roster)
    except Invalid as error:
        raise Invalid((*error.problems, *problems)) from error
    except Malformed as error:
        raise Invalid((f"spec: {error}", *problems)) from error
    if problems:
        raise Invalid(problems)
    return policy


def check(name: str, spec: PolicySpec) -> None:
    """Refuse what no roster or trust root could make valid.

    Raises:
        Invalid: as :func:`resolve`.
    """
    resolve(name, spec, [Roster(spec.roster, ())], _roots(spec))


def _roots(spec: PolicySpec) -> set[str]:
    said = spec.provenance
    told = (*(said.collectors or ()), *(said.builders or ()), *said.robots)
    return {attestor.trust_root for attestor in told}


def _policy(name: str, spec: PolicySpec, roster: Roster) -> Policy:
    preset = PRESETS.get(spec.preset)
    if preset is None:
        raise Invalid(
            [f"spec.preset: expected one of {', '.join(PRESETS)}, saw {spec.preset!r}"]
        )
    said = spec.provenance
    collectors = tuple(c.value() for c in said.collectors or ())
    _once("collectors", collectors)
    robots = _robots(said.robots)
    return Policy(
        name=name,
        scope=scope_of(spec.protect, recommended=preset.recommended_cluster_scoped),
        roster=roster,
        enforcement=spec.enforcement,
        collectors=collectors,
        builders=tuple(_builder(b, collectors) for b in said.builders or ()),
        known_authors=said.known_authors or (),
        baselines=frozenset(
            Baseline(b.repo, Digest(Algorithm.GIT_COMMIT, b.commit))
            for b in said.baselines or ()
        ),
        declaring_roles=frozenset(said.declarations.roles)
        if said.declarations
        else frozenset(),
        robots=robots,
        banned_tools=frozenset(said.banned_agents or ()),
        human=_or(_treatment(said.human), preset.human),
        unknown=_or(_treatment(said.unknown), preset.unknown),
        ai=_or(_treatment(said.ai), preset.ai),
        slots=_slots(spec.sign_off, preset),
        demands=_demands(spec.sign_off, preset),
        images=spec.images.value(),
        break_glass=_break_glass(spec),
        doors=Doors(
            tools=spec.exceptions.tools.value(),
            scale_groups=frozenset(spec.exceptions.scale.allow_groups),
            conversions=frozenset(one.value() for one in spec.conversion.trusted),
            restart_groups=frozenset(spec.exceptions.restart.allow_groups),
            operators=_operators(spec),
            injections=_injections(spec),
        ),
    )


def _treatment(said: str | None) -> Treatment | None:
    return None if said is None else Treatment(said)


def _once(field: str, attestors: Collection[Attestor]) -> None:
    counted = Counter(attestor.name for attestor in attestors)
    twice = sorted(name for name, count in counted.items() if count > 1)
    if twice:
        # a revocation names a collector, and a record a robot: they must know which
        raise Invalid(
            [f"spec.provenance.{field}: expected each name once, saw twice: {twice}"]
        )


def _robots(said: tuple[SaidRobot, ...]) -> tuple[Robot, ...]:
    found = []
    for at, robot in enumerate(said):
        try:
            found.append(robot.limited())
        except Malformed as error:
            raise Invalid([f"spec.provenance.robots[{at}]: {error}"]) from error
    _once("robots", [robot.by for robot in found])
    return tuple(found)


def _builder(said: Builder, collectors: tuple[Attestor, ...]) -> Attestor:
    """Return the core's value, pinned like the collector of the same identity."""
    pins = (
        collector.source_repositories
        for collector in collectors
        if (collector.trust_root, collector.issuer, collector.san)
        == (said.trust_root, said.issuer, said.san)
    )
    try:
        return said.value(next(pins, ()))
    except Malformed as error:
        raise Invalid([f"spec.provenance.builders: {error}"]) from error


def _slots(said: SignOff, preset: Preset) -> tuple[Slot, ...]:
    if said.slots is None:
        return preset.slots
    known_names = _MAKERS | {slot.role for slot in said.slots}
    for at, slot in enumerate(said.slots):
        if unknown := sorted(set(slot.independent_of) - known_names):
            path = f"spec.signOff.slots[{at}].independentOf"
            names = ", ".join(sorted(known_names))
            raise Invalid([f"{path}: expected {names}, saw {', '.join(unknown)}"])
    return tuple(
        Slot(
            role=slot.role,
            independent_of=frozenset(slot.independent_of),
            meanings=frozenset(slot.meaning),
        )
        for slot in said.slots
    )


def _demands(said: SignOff, preset: Preset) -> Demands:
    links = preset.traceability
    if said.traceability is not None:
        links = tuple(TraceDemand(t.type, t.pattern) for t in said.traceability)
    default = Demands()
    return Demands(
        questions=_questions(said, preset),
        traceability=links,
        max_validity=_or(said.max_validity, preset.max_validity),
        max_restore=_or(said.max_restore, default.max_restore),
        presence=_PRESENCE[said.presence or "any"],
        trusted_time=said.trusted_time == "required",
        base=_or(said.base, BaseRule.LINEAGE),
    )


def _questions(said: SignOff, preset: Preset) -> QuestionSet | None:
    if said.question_set is None:
        return preset.questions
    wanted = said.question_set
    found = known(wanted.digest.value())
    if found is None or found.uri != wanted.uri:
        asked = f"{wanted.uri} with sha256 {wanted.digest.sha256}"
        raise Invalid([f"spec.signOff.questionSet: no questions known as {asked}"])
    return found


def _operators(spec: PolicySpec) -> tuple[Operator, ...]:
    """Return the third-party controllers, each user once."""
    found: dict[str, Operator] = {}
    for at, said in enumerate(spec.exceptions.controllers):
        path = f"spec.exceptions.controllers[{at}]"
        try:
            operator = said.value()
        except Malformed as error:
            raise Invalid([f"{path}: {error}"]) from error
        if operator.user in found:
            raise Invalid([f"{path}.user: expected each user once, saw it twice"])
        found[operator.user] = operator
    return tuple(found.values())


def _injections(spec: PolicySpec) -> tuple[Injection, ...]:
    found = []
    for at, said in enumerate(spec.exceptions.injection):
        try:
            found.append(said.value())
        except Malformed as error:
            path = f"spec.exceptions.injection[{at}]"
            raise Invalid([f"{path}: {error}"]) from error
    return tuple(found)


def _break_glass(spec: PolicySpec) -> BreakGlass | None:
    said = spec.break_glass
    if said is None:
        return None
    return BreakGlass(
        role=said.role,
        max_validity=said.max_validity,
        review_within=said.review_within,
    )
