"""What policies would deny: the same whatever they say of their own enforcement.

Seen to fail: with a page's last moment left out, with Events counted, with a missing
answer taken for a denial, and with a colleague's own word taken for a senior's.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from countersign.core.types.artifacts import Digest, ObjectRef, Tree
from countersign.core.types.decision import Outcome, Recorded
from countersign.core.types.impact import State
from countersign.core.types.policy import Enforcement
from countersign.core.types.running import Bar, Running, Voice, Word
from countersign.core.types.verdict import Reason
from countersign.ports import MAX_FOUND, InvalidPolicy, Query
from countersign.usecases.impact import affected, enforced
from countersign.usecases.record import decision_of
from countersign.usecases.running import Seen
from countersign.usecases.traffic import as_judged, judged_anew, recorded
from tests.support import a
from tests.support.decisions import denied
from tests.support.world import SALT, World, create, delete, stored

PLACE = {"name": "settings", "namespace": a.NAMESPACE}
CONFIG: Tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**PLACE}}
WEB = ObjectRef("", "ConfigMap", a.NAMESPACE, "settings")
POD = ObjectRef("", "Pod", a.NAMESPACE, "web-1")
VOICE = Voice("lee", Word.SIGN_OFF, (), Digest.sha256(b"x"), a.NOON)


class Kept:
    """The port Records over a list; answers are as long as the recorder's."""

    def __init__(self, found: Sequence[Recorded]) -> None:
        self._found = sorted(found, key=lambda one: one.last, reverse=True)

    async def get(self, decision: str) -> Recorded | None:
        """Return one."""
        found = (one for one in self._found if one.decision.id == decision)
        return next(found, None)

    async def find(self, query: Query) -> tuple[Recorded, ...]:
        """Return the newest."""
        until, since = query.until, query.since
        found = [
            one
            for one in self._found
            if (until is None or one.last <= until)
            and (since is None or one.last >= since)
        ]
        return tuple(found[: query.limit])


def kept(number: int = 0, last: datetime = a.NOON, **fields: Any) -> Recorded:
    """Return a recorded denial."""
    made = denied(number, **fields)
    return Recorded(decision=made, first=last, last=last, count=2, requesters=("lee",))


async def judged(world: World, asked: Any) -> Recorded:
    """Judge a request, and return what the recorder would keep of it."""
    found = decision_of(
        await world.reviewer().judge(asked),
        asked,
        cluster=a.CLUSTER,
        at=a.NOON,
        salt=SALT,
    )
    assert found is not None
    return Recorded(
        decision=found, first=a.NOON, last=a.NOON, count=1, requesters=("lee",)
    )


def test_every_policy_denies_here() -> None:
    """And only those that are asked about; what nobody can scope always counts."""
    world = World()
    world.policies = tuple(
        a.policy(name=how.value, enforcement=how) for how in Enforcement
    )
    blind = InvalidPolicy(name="Revocation/x", scope=None, problems=("x",))
    world.invalid = (blind,)
    found = enforced(world.snapshot(), {"audit", "warn"})

    assert {p.name for p in found.policies} == {"audit", "warn"}
    assert {p.enforcement for p in found.policies} == {Enforcement.DENY}
    assert found.invalid == (blind,)
    assert len(enforced(world.snapshot(), None).policies) == len(Enforcement)


@pytest.mark.parametrize("how", Enforcement)
@pytest.mark.parametrize("asked", [create(CONFIG), delete(stored(CONFIG, uid="u-1"))])
async def test_judged_anew_as_it_was_judged_then(how: Enforcement, asked: Any) -> None:
    """By the same policy, whatever it did about it: what was asked is kept whole."""
    world = World(policies=(a.policy(enforcement=how),))
    one = await judged(world, asked)
    told = as_judged([one], world.policies)
    world.policies = (a.policy(),)
    anew = await judged_anew([one], world.policies, world.reviewer())

    assert told.found
    assert anew.unjudged == 0
    assert {(s.policy, s.reason) for r in anew.found for s in r.shortfalls} == {
        (s.policy, s.reason) for r in told.found for s in r.shortfalls
    }
    assert (told.found[0].outcome is Outcome.DENIED) is (how is Enforcement.DENY)


async def test_what_is_not_kept_is_counted_and_not_judged() -> None:
    """Neither as denied nor as admitted."""
    world = World()
    one = await judged(world, create(CONFIG))
    bare = replace(one, decision=replace(one.decision, proposal=None))
    anew = await judged_anew([bare], world.policies, world.reviewer())

    assert (anew.found, anew.unjudged) == ((), 1)


@pytest.mark.parametrize("moments", [2, 3, 7, 3000])
async def test_reads_every_decision_once(moments: int) -> None:
    """Over several answers, with many at one moment.

    What is made in one moment must fit into one answer; else it says that there is more.
    """
    seconds = [number % moments for number in range(2500)]
    store = [kept(n, a.NOON + timedelta(seconds=s)) for n, s in enumerate(seconds)]
    found, cut = await recorded(Kept(store), a.NAMESPACE, None)
    crowded = max(seconds.count(s) for s in set(seconds)) >= MAX_FOUND

    assert len({one.decision.id for one in found}) == len(found)
    assert cut or {o.decision.id for o in found} == {o.decision.id for o in store}
    assert not cut or crowded


async def test_says_that_there_is_more() -> None:
    """A flood of requests does not hide what it pushes out."""
    store = [kept(n, a.NOON + timedelta(seconds=n)) for n in range(30)]
    found, cut = await recorded(Kept(store), a.NAMESPACE, None, 10)

    assert cut
    assert len(found) >= 10


@pytest.mark.parametrize(
    ("told", "state"),
    [
        pytest.param({}, None, id="somebody stands for it"),
        pytest.param({"doubting": ("payments",)}, State.NOBODY, id="nobody"),
        pytest.param(
            {"doubting": ("payments",), "known": True}, State.DRIFT, id="another state"
        ),
        pytest.param(
            {"doubting": ("payments",), "problem": "x"}, State.UNKNOWN, id="not seen"
        ),
        pytest.param({"withdrawn": ("payments",)}, State.WITHDRAWN, id="withdrawn"),
        pytest.param({"lapsed": ("payments",)}, State.LAPSED, id="out of time"),
        pytest.param(
            {"voices": (replace(VOICE, bar=Bar.NO_ROLE),)},
            State.UNFIT,
            id="a colleague whom nobody asks",
        ),
        pytest.param(
            {"voices": (replace(VOICE, bar=Bar.NO_ROLE), VOICE)},
            None,
            id="and a senior",
        ),
        pytest.param(
            {"voices": (replace(VOICE, bar=Bar.AUTHORS_UNKNOWN),)},
            None,
            id="a senior's baseline, of which nobody knows the authors",
        ),
    ],
)
async def test_how_an_object_stands(told: Any, state: State | None) -> None:
    """The worst of it."""
    world = World()
    world.cluster.store(stored(CONFIG))
    one = Running(object=WEB, policies=("payments",), version="v1", uid="u", **told)
    found, standing = await affected(
        Seen(running=(one,), unseen=()),
        reviewer=world.reviewer(),
        state=world.cluster,
    )

    assert [o.state for o in found] == ([state] if state else [])
    assert standing == int(state is None)
    if state in (State.NOBODY, State.DRIFT):
        (only,) = found
        assert Reason.NO_EVIDENCE in {s.reason for s in only.shortfalls}


async def test_what_is_gone_or_nobodys_is_not_counted() -> None:
    """An Event is judged by nobody, and an object may go while others are listed."""
    world = World()
    event = ObjectRef("", "Event", a.NAMESPACE, "web.1")
    tree = {"apiVersion": "v1", "kind": "Event", "metadata": {**PLACE, "name": "web.1"}}
    world.cluster.store(tree)
    doubted: Any = {
        "policies": ("payments",),
        "doubting": ("payments",),
        "version": "v1",
    }
    seen = (Running(object=event, **doubted), Running(object=WEB, **doubted))
    found, _ = await affected(
        Seen(running=seen, unseen=()), reviewer=world.reviewer(), state=world.cluster
    )

    assert found == ()
