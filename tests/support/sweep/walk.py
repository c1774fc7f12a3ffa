"""Walks the types of one kind, growing manifests that hold ever more of them."""

import copy
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from countersign.binding.normal_form import SERVER_OWNED
from countersign.binding.tables import KINDS, TYPES, ListOf, Shape
from countersign.binding.tree import ABSENT, Absent, find, put
from tests.support.apiserver import Tree
from tests.support.sweep.asking import Answer, Asker
from tests.support.sweep.judging import Base, Bench, Fault, Finding
from tests.support.sweep.places import Place, below, fields, places, target
from tests.support.trees import remove

_ENOUGH = 2  # accepted values of a field, beside null and zero
_IDENTITY = frozenset(
    {"/apiVersion", "/kind", "/metadata", "/metadata/name", "/metadata/namespace"}
    | {f"/metadata/{name}" for name in SERVER_OWNED}
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a walk looks at.

    Attributes:
        wants: Whether it visits a field of a type.
        places: How many differently placed structs of a type it visits.
        tries: How many values it tries for a field, at most.
    """

    wants: Callable[[str, str], bool]
    places: int
    tries: int

    def anything_in(self, type_name: str) -> bool:
        """Tell whether a field of a type, or of one below it, is wanted."""
        return any(
            self.wants(name, each) for name in below(type_name) for each in TYPES[name]
        )


@dataclass
class Seen:
    """What a walk saw.

    Attributes:
        fields: By ``TYPE.FIELD`` how many submissions that set it were accepted.
        counts: Of submissions, accepted ones, visits.
        findings: In the order in which they were found.
        complaints: By ``TYPE.FIELD`` the server's last complaint.
    """

    fields: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    complaints: dict[str, str] = field(default_factory=dict)


class Walk:
    """The walk of one kind.

    Args:
        kind: ``apiVersion/kind``.
        asker: To submit with.
        bench: To judge with.
        scope: What to look at.
    """

    def __init__(self, kind: str, asker: Asker, bench: Bench, scope: Scope) -> None:
        self.seen = Seen()
        self._kind = kind
        self._asker = asker
        self._bench = bench
        self._scope = scope
        self._places: dict[str, list[tuple[Base, Place]]] = {}
        self._fresh: list[tuple[Base, Place]] = []

    def run(self, seeds: Sequence[Tree]) -> Seen:
        """Walk from `seeds`; return what was seen."""
        before = self._asker.count
        for seed in seeds:
            answer = self._asker.ask(seed)
            if answer.seen is None:
                self.seen.complaints[self._kind] = answer.said
                continue
            self.seen.counts["seeds"] += 1
            base = self._bench.base(answer.sent, answer.seen)
            blank = replace(base, known=frozenset())
            self._record(blank, blank, Place(KINDS[self._kind].type, ""), "")
            self._grow(base)  # also with faults: else nothing of the kind is seen
            self.seen.fields.update(fields(answer.sent))
        while self._fresh:
            base, place = self._fresh.pop(0)
            for name, shape in TYPES[place.type].items():
                self._visit(base, place, name, shape)
        self.seen.counts["submissions"] = self._asker.count - before
        return self.seen

    def _grow(self, base: Base) -> None:
        """Note where an accepted manifest has structs of types, or at places, not seen."""
        for place in places(base.sent):
            if place.path.startswith("/status") and KINDS[self._kind].status:
                continue
            known = self._places.setdefault(place.type, [])
            patterns = {each.pattern for _, each in known}
            if len(known) < self._scope.places and place.pattern not in patterns:
                known.append((base, place))
                self._fresh.append((base, place))

    def _visit(self, base: Base, place: Place, name: str, shape: Shape) -> None:
        """Submit a field with all sorts of values, or only until it is there."""
        path = f"{place.path}/{name}"
        if path in _IDENTITY or (path == "/status" and KINDS[self._kind].status):
            return
        held = target(shape)
        wanted = self._scope.wants(place.type, name)
        growing = bool(held) and held not in self._places
        if not wanted and not (growing and self._scope.anything_in(held)):
            return
        key = f"{place.type}.{name}"
        self.seen.counts["visits"] += wanted
        self.seen.fields.setdefault(key, 0)
        if wanted:
            self._plain(base, place, name, path)
        candidates = deque(self._asker.values.plausible(place.type, name, shape))
        accepted = tries = 0
        while (
            candidates
            and tries < self._scope.tries
            and accepted < (_ENOUGH if wanted else 1)
        ):
            answer = self._submit(base, place, name, candidates.popleft())
            tries += 1
            if answer.seen is None:
                self.seen.complaints[key] = answer.said
                if answer.offered:
                    several = isinstance(shape, ListOf)
                    candidates = deque([v] if several else v for v in answer.offered)
            else:
                accepted += 1
                self.seen.fields[key] += 1
                self._judged(base, place, name, answer)

    def _plain(self, base: Base, place: Place, name: str, path: str) -> None:
        """Submit a field as null, and absent if it is there, and with its zero."""
        there = find(base.sent, path) is not ABSENT
        shape = TYPES[place.type][name]
        zeros = list(self._asker.values.zeros(shape))
        for value in (*((ABSENT,) if there else ()), None, *zeros):
            answer = self._submit(base, place, name, value)
            if answer.seen is not None:
                self._judged(base, place, name, answer)

    def _submit(
        self, base: Base, place: Place, name: str, value: Any | Absent
    ) -> Answer:
        manifest = copy.deepcopy(base.sent)
        path = f"{place.path}/{name}"
        if value is ABSENT:
            remove(manifest, path)
        else:
            put(manifest, path, copy.deepcopy(value))
            if value is not None:
                self._set_beside(manifest, place, name)
        return self._asker.ask(manifest, path)

    def _set_beside(self, manifest: Tree, place: Place, name: str) -> None:
        beside = self._asker.values.beside.get(f"{place.type}.{name}", {})
        struct = find(manifest, place.path)
        for key, value in beside.items():
            if value is None:
                struct.pop(key, None)
            else:
                struct[key] = copy.deepcopy(value)

    def _judged(self, base: Base, place: Place, name: str, answer: Answer) -> None:
        assert answer.seen is not None
        now = self._bench.base(answer.sent, answer.seen)
        if self._record(base, now, place, f"/{name}"):
            self._grow(now)

    def _record(self, base: Base, now: Base, place: Place, field_path: str) -> bool:
        """Judge and note; return whether there is nothing to find fault with."""
        self.seen.counts["accepted"] += 1
        path = place.path + field_path
        faults = self._bench.faults(base, now, path)
        for fault, detail in faults:
            sent, seen = find(now.sent, path), find(now.seen, path)
            key = f"{place.type}.{field_path[1:]}"
            if not field_path:
                sent = seen = ABSENT
            self.seen.findings.append(
                Finding(fault, self._kind, key, path, sent, seen, detail)
            )
        self.seen.counts["faults"] = len(self.seen.findings)
        return not faults


def dropped(findings: Sequence[Finding]) -> set[str]:
    """Return the fields that the server takes away in silence."""
    return {each.field for each in findings if each.fault is Fault.DROPPED}
