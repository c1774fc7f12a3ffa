"""Our stored objects, wherever they are stored, as the books that the engine reads."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from countersign.adapters.expiry import expires
from countersign.adapters.remembered import Memory
from countersign.binding.registration import NEVER_JUDGED
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.core.types.operators import Operator
from countersign.core.types.people import Roster
from countersign.core.types.policy import Policy, Revoked, any_names
from countersign.core.types.trust import TrustRoot
from countersign.ports import InvalidPolicy, PolicySnapshot
from countersign.provenance.registry import known_agents
from countersign.telemetry import POLICIES, TRUST_ROOT_EXPIRY
from countersign.wire.resources import objects
from countersign.wire.resources.kinds import (
    POLICY,
    REVOCATION,
    ROSTER,
    TRUST_ROOT,
    Kind,
)
from countersign.wire.resources.policy import PolicySpec
from countersign.wire.resources.read import Invalid, name_of
from countersign.wire.resources.resolve import resolve
from countersign.wire.resources.scope import scope_left

logger = logging.getLogger(__name__)

LOADED = (POLICY, ROSTER, TRUST_ROOT, REVOCATION)
"""The kinds without which nothing can be judged."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """An object of ours that could not be read."""

    kind: str
    name: str
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    """Collects what could be read, and what could not."""

    memory: Memory
    problems: list[Problem] = field(default_factory=list)

    def all(
        self, kind: Kind, trees: Iterable[Tree], read: Callable[[Tree], T]
    ) -> dict[str, T]:
        """Read `trees`, sorted by name; those that are invalid become problems."""

        def one(tree: Tree) -> T:
            key = kind.name, name_of(tree)
            return self.memory.read(key, (tree,), lambda: read(tree))

        return self.each(kind, trees, one)

    def each(
        self, kind: Kind, trees: Iterable[Tree], read: Callable[[Tree], T]
    ) -> dict[str, T]:
        """Do the same, where `read` remembers by itself."""
        found = {}
        for tree in sorted(trees, key=name_of):
            try:
                found[name_of(tree)] = read(tree)
            except Invalid as error:
                self.problems.append(Problem(kind.name, name_of(tree), error.problems))
        return found


@dataclass(frozen=True, slots=True)
class Books:
    """Everything in force at one moment.

    Attributes:
        policies: For the engine.
        roots: Trust roots that could be read, sorted by name.
        expiry: When each of them ends, by name; None: never.
        problems: What could not be read, for people.
        rosters: Those that could be read, by name.
    """

    policies: PolicySnapshot
    roots: tuple[TrustRoot, ...]
    expiry: dict[str, datetime | None]
    problems: tuple[Problem, ...]
    rosters: dict[str, Roster]


def bind_books(
    stored: Callable[[Kind], Iterable[Tree]],
    protected: tuple[str, ...],
    memory: Memory | None = None,
) -> Books:
    """Read all stored objects of `LOADED`.

    What cannot be read never opens anything: an invalid policy denies what it would
    have matched; an invalid roster or trust root makes the policies that name it
    invalid; an invalid revocation denies everything that is protected, since nobody
    can say what it was to withdraw.

    Args:
        stored: The objects of a kind.
        protected: Names that must have a policy.
        memory: Of the same for an earlier moment.
    """
    memory = memory or Memory()
    memory.turn()
    reading = _Reading(memory)
    rosters = reading.all(ROSTER, stored(ROSTER), objects.roster)
    trusted = reading.all(TRUST_ROOT, stored(TRUST_ROOT), _trust_root)
    roots = {name: root for name, (root, _) in trusted.items()}
    revoked = reading.all(REVOCATION, stored(REVOCATION), objects.revocation)
    unread = [
        InvalidPolicy(name=f"{p.kind}/{p.name}", scope=None, problems=p.problems)
        for p in reading.problems
        if p.kind == REVOCATION.name
    ]
    trees = {name_of(tree): tree for tree in stored(POLICY)}
    known = frozenset(roots)
    policies = reading.each(
        POLICY,
        trees.values(),
        lambda tree: _remembered(memory, tree, rosters, known, protected),
    )
    unread += [
        InvalidPolicy(name=p.name, scope=scope_left(trees[p.name]), problems=p.problems)
        for p in reading.problems
        if p.kind == POLICY.name
    ]
    return Books(
        policies=PolicySnapshot(
            policies=tuple(policies.values()),
            invalid=tuple(unread),
            revocations=_flat(revoked.values()),
            protected=protected,
        ),
        roots=tuple(roots.values()),
        expiry={name: end for name, (_, end) in trusted.items()},
        problems=tuple(reading.problems),
        rosters=rosters,
    )


def _trust_root(tree: Tree) -> tuple[TrustRoot, datetime | None]:
    root = objects.trust_root(tree)
    try:
        return root, expires(root)
    except (Malformed, ValueError) as error:  # ValueError: no certificate
        raise Invalid([f"spec.sigstore: {error}"]) from error


def _remembered(
    memory: Memory,
    tree: Tree,
    rosters: dict[str, Roster],
    roots: frozenset[str],
    protected: tuple[str, ...],
) -> Policy:
    """Read a policy, or remember it: with its roster, as both are now.

    Raises:
        Invalid: it cannot be read, or names what cannot.
    """
    name = name_of(tree)
    spec = memory.read(("spec", name), (tree,), lambda: objects.policy(tree))
    roster = rosters.get(spec.roster)
    return memory.read(
        (POLICY.name, name),
        (spec, roster, roots, protected),
        lambda: _policy(name, spec, roster, roots, protected),
    )


def _policy(
    name: str,
    spec: PolicySpec,
    roster: Roster | None,
    roots: frozenset[str],
    protected: tuple[str, ...],
) -> Policy:
    policy = resolve(name, spec, () if roster is None else (roster,), roots)
    # without a floor only the policy itself can tell
    homes = protected or policy.scope.namespaces
    problems = [
        f"spec.exceptions.controllers: {operator.user} runs in a namespace that is not "
        "protected: who may run Pods there can become it; protect that namespace, too"
        for operator in policy.doors.operators
        if not any_names(homes, operator.namespace) and not _is_clouds(operator)
    ]
    problems += [
        f"spec.provenance.robots: {robot.name}: expected no assistant's address, saw "
        f"{address} of {agent.title}: what an assistant makes is never human"
        for robot in policy.robots
        for address in sorted(robot.authors)
        if (agent := known_agents().by_address(address))
    ]
    if problems:
        raise Invalid(problems)
    return policy


def _is_clouds(operator: Operator) -> bool:
    """Tell whether it is a cloud's controller, that only says where traffic comes in.

    It runs where the controller manager does. That namespace cannot be protected, and
    who may run Pods in it may do worse anyway.
    """
    return operator.namespace == NEVER_JUDGED and operator.only_addresses


def _flat(entries: Iterable[tuple[Revoked, ...]]) -> tuple[Revoked, ...]:
    return tuple(entry for group in entries for entry in group)


def observe(books: Books, before: Books | None = None) -> None:
    """Log what could not be read, count the policies, tell when trust ends.

    Args:
        books: Of now.
        before: Whose problems were told already.
    """
    told = frozenset(before.problems) if before else frozenset()
    for problem in books.problems:
        if problem in told:
            continue
        logger.warning(
            "resource_invalid",
            extra={
                "kind": problem.kind,
                "resource": problem.name,
                "problems": list(problem.problems),
            },
        )
    TRUST_ROOT_EXPIRY.clear()
    for name, end in books.expiry.items():
        TRUST_ROOT_EXPIRY.labels(name).set(end.timestamp() if end else float("inf"))
    POLICIES.labels("valid").set(len(books.policies.policies))
    POLICIES.labels("invalid").set(len(books.policies.invalid))
