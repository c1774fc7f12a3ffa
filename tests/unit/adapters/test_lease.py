"""Of several who ask for a Lease, never two have it, whatever order they come in."""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.cluster.lease import Claim, Lease
from countersign.adapters.cluster.source import NotThere
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Tree

LASTS_S = 15


@dataclass
class Store:
    """An API server with one Lease; who writes an older version is refused."""

    lease: Any = None
    version: int = 0
    down: bool = False
    forbidden: bool = False
    before_write: Any = field(default=None)

    async def get(self, path: str, query: object = None) -> Tree:
        """Answer a GET."""
        del path, query
        self._answer()
        if self.lease is None:
            raise NotThere("no lease")
        found: Tree = copy.deepcopy(self.lease)
        return found

    async def create(self, path: str, tree: Tree) -> Tree:
        """Answer a POST."""
        del path
        self._answer()
        if self.lease is not None:
            raise Rejected("already exists")
        return self._keep(tree)

    async def replace(self, path: str, tree: Tree) -> Tree:
        """Answer a PUT."""
        del path
        self._answer()
        if self.before_write is not None:
            self.before_write()
        about = tree["metadata"]
        assert isinstance(about, dict)
        if about["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise Rejected("the object has been modified")
        if self.forbidden:
            raise Rejected("forbidden")
        return self._keep(tree)

    def _keep(self, tree: Any) -> Tree:
        self.version += 1
        self.lease = copy.deepcopy(tree)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        found: Tree = copy.deepcopy(self.lease)
        return found

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("nobody answers")


@dataclass
class Machine:
    """Clocks of one machine: its own idea of now, and seconds since it began."""

    passed: float = 0.0
    wrong_s: float = 0.0

    def now(self) -> datetime:
        """Return what its wall says."""
        return datetime.fromtimestamp(1_700_000_000 + self.passed + self.wrong_s, UTC)

    def monotonic(self) -> float:
        """Return what nobody can set."""
        return self.passed


def asking(store: Store, name: str, machine: Machine) -> Lease:
    """Return who asks as `name`."""
    claim = Claim(namespace="own", name="operate", identity=name, lasts_s=LASTS_S)
    return Lease(store, claim, machine, monotonic=machine.monotonic)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["ask", "ask", "ask", "release"]),
            st.floats(0, 8),
        ),
        max_size=60,
    ),
    wrong=st.lists(st.floats(-9999, 9999), min_size=3, max_size=3),
)
async def test_never_two_at_once(
    steps: list[tuple[str, str, float]], wrong: list[float]
) -> None:
    """Fault seen caught: a Lease taken over after half of its time."""
    store = Store()
    machines = {name: Machine(wrong_s=s) for name, s in zip("abc", wrong, strict=True)}
    leases = {name: asking(store, name, one) for name, one in machines.items()}
    until = dict.fromkeys("abc", 0.0)  # when each may still believe that it has it
    for name, what, wait_s in steps:
        for machine in machines.values():
            machine.passed += wait_s
        now = machines[name].passed
        if what == "release":
            await leases[name].release()
            until[name] = 0.0
            continue
        if await leases[name].ask():
            until[name] = now + LASTS_S
        assert sum(end > now for end in until.values()) <= 1


async def test_who_was_silent_is_taken_over_from() -> None:
    """Only after the whole time, seen by the one who waits."""
    store, ours, theirs = Store(), Machine(), Machine()
    assert await asking(store, "a", theirs).ask()
    waiting = asking(store, "b", ours)
    assert not await waiting.ask()
    ours.passed = LASTS_S - 0.1
    assert not await waiting.ask()
    ours.passed = LASTS_S

    assert await waiting.ask()
    assert store.lease["spec"]["leaseTransitions"] == 1
    assert waiting.holder == "b"


async def test_of_two_who_try_one_is_refused() -> None:
    """The other one came between the look and the write."""
    store, ours = Store(), Machine()
    await asking(store, "a", Machine()).ask()
    waiting = asking(store, "b", ours)
    await waiting.ask()
    ours.passed = LASTS_S

    def faster() -> None:
        store.before_write = None
        store.version += 1
        store.lease["metadata"]["resourceVersion"] = str(store.version)
        store.lease["spec"]["holderIdentity"] = "c"

    store.before_write = faster
    assert not await waiting.ask()
    assert waiting.holder == "c"


async def test_who_edits_a_lease_takes_it_from_nobody() -> None:
    """A label, written between our look and our write: it is still ours."""
    store = Store()
    holder = asking(store, "a", Machine())
    await holder.ask()

    def labels() -> None:
        store.before_write = None
        store.version += 1
        store.lease["metadata"]["resourceVersion"] = str(store.version)

    store.before_write = labels
    assert await holder.ask()


async def test_what_lets_go_keeps_nobody_waiting() -> None:
    """And takes nothing from who has it since."""
    store = Store()
    first, second = asking(store, "a", Machine()), asking(store, "b", Machine())
    await first.ask()
    assert not await second.ask()
    await first.release()
    assert await second.ask()

    await first.release()
    assert store.lease["spec"]["holderIdentity"] == "b"


@pytest.mark.parametrize("trouble", ["down", "forbidden"])
async def test_without_an_answer_nobody_has_it(trouble: str) -> None:
    """And the error says why."""
    store = Store()
    holder = asking(store, "a", Machine())
    await holder.ask()
    setattr(store, trouble, True)

    with pytest.raises(Unavailable, match=r"answers|forbidden"):
        await holder.ask()
