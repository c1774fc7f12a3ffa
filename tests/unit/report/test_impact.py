"""What would be denied, in words: bounded, and nothing in it moves a terminal."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Outcome
from countersign.core.types.impact import (
    Affected,
    Impact,
    Request,
    Shortfall,
    State,
    Traffic,
)
from countersign.core.types.request import Verb
from countersign.core.types.verdict import Reason
from countersign.report.impact import MAX_SHOWN, impact_json, impact_text
from tests.support import a

ID = "01J8Z000000000000000000000"
text = st.text(max_size=300)
refs = st.builds(ObjectRef, text, text, text, text)
shortfalls = st.builds(Shortfall, text, st.sampled_from(Reason), text)
requests = st.builds(
    Request,
    decision=st.just(ID),
    object=refs,
    verb=st.sampled_from(Verb),
    requesters=st.lists(text, max_size=8).map(tuple),
    count=st.integers(1, 10**6),
    last=st.just(a.NOON),
    outcome=st.sampled_from(Outcome),
    shortfalls=st.lists(shortfalls, min_size=1, max_size=3).map(tuple),
    signable=st.booleans(),
)
running = st.builds(
    Affected,
    object=refs,
    state=st.sampled_from(State),
    policies=st.just(("payments",)),
    makes=st.booleans(),
    children=st.integers(0, 9),
    shortfalls=st.lists(shortfalls, max_size=2).map(tuple),
    detail=text,
)


def made(*found: Request, running: tuple[Affected, ...] = ()) -> Impact:
    """Return what was looked at."""
    traffic = Traffic(
        found=found,
        decisions=len(found),
        requests=sum(one.count for one in found),
        anew=False,
        since=a.NOON - timedelta(days=1),
    )
    return Impact(
        cluster="prod-eu",
        policies=("payments",),
        namespaces=("payments",),
        running=running,
        traffic=traffic,
    )


@given(st.lists(requests, max_size=30), st.lists(running, max_size=30), text)
def test_nothing_of_an_object_moves_the_terminal(
    found: list[Request], live: list[Affected], unseen: str
) -> None:
    """Names, messages, users and errors were written by somebody else.

    Caught: an error of what could not be seen, told as it came.
    """
    impact = made(*found, running=tuple(live))
    lines = list(impact_text(replace(impact, unseen=(unseen,))))

    assert all(line.isprintable() for line in lines)
    assert len(lines) < 400 + 8 * MAX_SHOWN
    json.dumps(impact_json(impact))


def test_says_what_helps() -> None:
    """The command for each, ready for a shell."""
    ref = ObjectRef("apps", "Deployment", "payments", "web; rm -rf /")
    live = Affected(
        object=ref, state=State.NOBODY, policies=("payments",), makes=True, children=2
    )
    asked = Request(
        decision=ID,
        object=ref,
        verb=Verb.UPDATE,
        requesters=("lee",),
        count=7,
        last=a.NOON,
        outcome=Outcome.ALLOWED,
        shortfalls=(Shortfall("payments", Reason.SLOT_OPEN, "nobody signed"),),
        signable=True,
    )
    impact = made(asked, running=(live,))
    said = "\n".join(impact_text(impact))

    assert "when controllers make more of it, 2 now" in said
    assert "next: countersign sign-off --live -n payments --cluster prod-eu" in said
    assert "7x slot_open (policy payments): nobody signed" in said
    assert f"countersign sign-off --decision {ID}" in said
    (one,) = json.loads(json.dumps(impact_json(impact)))["running"]
    assert "'Deployment/web; rm -rf /'" in one["next"]
    assert impact.denies
    assert not made().denies


def test_what_could_not_be_looked_at_is_not_fine() -> None:
    """A right that is missing must not look like nothing to do."""
    blind = Impact(cluster="c", policies=("p",), unseen=("Secret: forbidden",))

    assert blind.denies
    assert "not seen: Secret: forbidden" in "\n".join(impact_text(blind))
