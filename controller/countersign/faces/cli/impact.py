"""What ``policy impact`` looks at: rules that deny, live objects, recorded requests."""

from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from countersign.adapters.books import Books
from countersign.adapters.cluster.rules import LiveRules, read_rules
from countersign.assemble.looking import Bench, bench, look_at_cluster
from countersign.core.errors import CountersignError, Malformed
from countersign.core.types.artifacts import Tree
from countersign.core.types.decision import Recorded
from countersign.core.types.impact import Affected, Impact, Traffic
from countersign.faces.cli.cluster import REQUEST_S, Where
from countersign.faces.cli.engine import list_sets
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.images import at_hand
from countersign.faces.cli.options import RegistryOptions
from countersign.faces.cli.policy_inputs import read_objects
from countersign.faces.cli.recorder import open_records
from countersign.faces.cli.rulebook import read_policies, say_source
from countersign.faces.cli.session import NoInput, Session
from countersign.ports import Records
from countersign.usecases.impact import affected, enforced
from countersign.usecases.running import Standing, protected
from countersign.usecases.today import Today
from countersign.usecases.traffic import (
    MAX_READ,
    as_judged,
    evidence_of,
    judged_anew,
    recorded,
    whole,
)
from countersign.wire.decision import parse_recorded
from countersign.wire.resources.kinds import POLICY
from countersign.wire.resources.read import name_of
from countersign.wire.strict_json import parse_json

_MAX_FILE = 256 << 20  # bytes of exported decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was said on the command line.

    Attributes:
        where: The cluster; None: nothing live.
        files: Of objects that stand in for the cluster's.
        policies: Folder of all there are; None: the cluster's.
        namespaces: Empty: all that the policies protect.
        live, recorded: What is looked at.
        required: It is an error if nobody tells what is recorded.
        decisions: Files of what is recorded; empty: the recorder is asked.
        since: Not before.
        cluster: Its name; ``""``: as it is recorded.
        registry: How registries are reached; None: none is asked.
        recorder, recorder_ca: How the recorder is reached.
    """

    where: Where | None
    files: tuple[str, ...]
    policies: Path | None
    namespaces: tuple[str, ...]
    live: bool
    recorded: bool
    required: bool
    decisions: tuple[str, ...]
    since: datetime | None
    cluster: str
    registry: RegistryOptions | None
    recorder: str | None
    recorder_ca: Path | None

    @property
    def anew(self) -> bool:
        """Whether requests are judged by other policies than were in force."""
        return bool(self.files or self.policies)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Recorded decisions, and where they can be read in full; None: they are."""

    found: tuple[Recorded, ...] = ()
    cut: bool = False
    records: Records | None = None


async def look(session: Session, order: Order) -> Impact:
    """Look at everything, and say what would be denied.

    Raises:
        Malformed: a policy that is asked about is invalid, or nobody names the cluster.
        NoInput: there is no policy.
        Unavailable, Rejected, Misconfigured: something could not be read.
    """
    books = await _books(order)
    async with AsyncExitStack() as stack:
        return await _Look(session, order, books, stack).all()


class _Look:
    """One look; what cannot be seen is collected on the way."""

    def __init__(
        self, session: Session, order: Order, books: Books, stack: AsyncExitStack
    ) -> None:
        self._session = session
        self._order = order
        self._books = books
        self._policies = books.policies.policies
        self._stack = stack
        self._unseen: list[str] = []

    async def all(self) -> Impact:
        """Look at what was asked for."""
        name = self._order.cluster or await self._called()
        made = await self._bench(name)
        places = self._order.namespaces
        if not places and self._order.where is not None:
            places = await protected(made.state, self._policies)
        await list_sets(made, places)
        running: tuple[Affected, ...] = ()
        standing, traffic = 0, None
        if self._order.live:
            running, standing = await self._running(made, places, name)
        if self._order.recorded:
            traffic = await self._traffic(await self._kept(places), made)
        return Impact(
            cluster=name,
            policies=tuple(sorted(policy.name for policy in self._policies)),
            namespaces=tuple(sorted(places)) if self._order.live else None,
            running=running,
            standing=standing,
            traffic=traffic,
            unseen=tuple(dict.fromkeys(self._unseen)),
        )

    async def _bench(self, name: str) -> Bench:
        """Open the engine, which judges by policies that deny."""
        where, rules = self._order.where, LiveRules(self._books)
        hand = await self._stack.enter_async_context(
            at_hand(self._session, self._order.registry)
        )
        images = None if hand is None else hand.remembered
        if where is None:
            return self._stack.enter_context(
                bench(rules, cluster=name, clock=self._session, images=images)
            )
        return await self._stack.enter_async_context(
            look_at_cluster(
                kubeconfig=where.kubeconfig,
                context=where.context,
                request_s=REQUEST_S,
                rules=rules,
                cluster=name,
                clock=self._session,
                images=images,
            )
        )

    async def _running(
        self, made: Bench, places: Iterable[str], cluster: str
    ) -> tuple[tuple[Affected, ...], int]:
        today = Today(self._books.policies.revocations, self._session.now())
        stands = Standing(
            made.state,
            made.prover,
            made.sets,
            cluster,
            made.settings,
            images=made.images,
        )
        found: list[Affected] = []
        standing = 0
        for place in places:
            seen = await stands.look(place, self._policies, today=today)
            self._unseen += [f"in {place}: {text}" for text in seen.unseen]
            some, fine = await affected(seen, reviewer=made.reviewer, state=made.state)
            found += some
            standing += fine
        return tuple(found), standing

    async def _kept(self, places: Iterable[str], limit: int = MAX_READ) -> _Kept:
        """Return what is recorded; that nobody tells it is said, unless required."""
        order = self._order
        if order.decisions:
            return _Kept(tuple(filter(self._is_asked, _exported(order.decisions))))
        wide = any(policy.scope.cluster_scoped for policy in self._policies)
        beyond = ("",) if wide and not order.namespaces else ()
        found: list[Recorded] = []
        cut = False
        try:
            records = await self._stack.enter_async_context(
                open_records(
                    self._session, order.recorder, order.recorder_ca, order.where
                )
            )
            for place in (*places, *beyond):
                some, more = await recorded(records, place, order.since, limit)
                found += some
                cut = cut or more
        except CountersignError as error:
            if order.required:
                raise
            self._unseen.append(f"what was asked is not known: {error}")
            return _Kept()
        return _Kept(tuple(found), cut, records)

    def _is_asked(self, one: Recorded) -> bool:
        spaces, since = self._order.namespaces, self._order.since
        here = not spaces or one.decision.object.namespace in spaces
        return here and (since is None or one.last >= since)

    async def _traffic(self, kept: _Kept, made: Bench) -> Traffic | None:
        if kept.records is None and not self._order.decisions:
            return None
        if not self._order.anew:
            return as_judged(kept.found, self._policies, cut=kept.cut)
        found = list(kept.found)
        if kept.records is not None:
            fetched = whole(kept.records, kept.found, self._policies)
            found = [one async for one in fetched]
        for one in found:
            if (beside := evidence_of(one.decision)) is not None:
                made.sets.add([beside], one.decision.object.namespace)
        return await judged_anew(found, self._policies, made.reviewer, cut=kept.cut)

    async def _called(self) -> str:
        """Return the cluster's name, as its decisions have it.

        Raises:
            Malformed: nothing is recorded, or under several names.
        """
        exact = {n for p in self._policies for n in p.scope.namespaces if "*" not in n}
        kept = await self._kept(self._order.namespaces or sorted(exact), 1)
        names = {one.decision.cluster for one in kept.found}
        if len(names) != 1:
            seen = ", ".join(sorted(names)) or "none recorded"
            raise Malformed(
                f"expected the cluster's name, saw {seen}: sign-offs are bound to it, "
                "so give --cluster NAME"
            )
        return names.pop()


async def _books(order: Order) -> Books:
    """Return the rules, with the policies that are asked about, as if they denied."""
    instead: Sequence[Tree] = ()
    if order.policies is not None:
        books = read_policies(order.policies).books
        say_source(str(order.policies))
    else:
        instead = read_objects(order.files) if order.files else ()
        books = await _cluster_books(order.where, instead)
        files = f"{', '.join(order.files)} and " if order.files else ""
        say_source(f"{files}the cluster's own")
    named = {name_of(one) for one in instead if one.get("kind") == POLICY.name}
    snapshot = enforced(books.policies, named or None)
    if wrong := [f"{p.name}: {'; '.join(p.problems)}" for p in snapshot.invalid]:
        raise Malformed(
            f"expected valid policies, saw {'; '.join(wrong)}: an invalid one denies "
            "all that it would have matched"
        )
    if not snapshot.policies:
        raise NoInput("expected a ProtectionPolicy, saw none: give one with -f")
    return replace(books, policies=snapshot)


async def _cluster_books(where: Where | None, instead: Sequence[Tree]) -> Books:
    # the Kubernetes client costs a second, which those who give a folder need not pay
    from countersign.adapters.cluster.client import connect  # noqa: PLC0415

    assert where is not None  # noqa: S101 - the command has seen to it
    async with connect(
        kubeconfig=where.kubeconfig, context=where.context, request_s=REQUEST_S
    ) as server:
        return (await read_rules(server, instead)).books


def _exported(files: Sequence[str]) -> list[Recorded]:
    found: dict[str, Recorded] = {}
    for file, content in read_inputs(files):
        try:
            tree = parse_json(content, limit=_MAX_FILE)
            listed = tree if isinstance(tree, list) else [tree]
            some = [parse_recorded(one) for one in listed]
        except Malformed as error:
            raise Malformed(f"{file}: expected recorded decisions: {error}") from error
        found |= {one.decision.id: one for one in some}
    return list(found.values())
