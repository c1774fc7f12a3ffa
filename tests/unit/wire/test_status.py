"""What is written into a status, and when nothing is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.artifacts import Json, Tree
from countersign.wire.resources.status import (
    FIELDS,
    MAX_MESSAGE,
    MAX_NAMED,
    About,
    Condition,
    Status,
    named,
    render_status,
)
from tests.support import resources as stored

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)

words = st.text(max_size=20)
values: dict[str, st.SearchStrategy[Json]] = {
    "array": st.lists(words).map(lambda found: [*found]),
    "integer": st.integers(0, 2**31),
    "string": words,
}
statuses = st.builds(
    Status,
    conditions=st.lists(
        st.builds(
            Condition,
            about=st.sampled_from(About),
            holds=st.booleans(),
            reason=words,
            message=words,
        ),
        unique_by=lambda one: one.about,
        min_size=1,
    ).map(tuple),
    fields=st.fixed_dictionaries(
        {}, optional={name: values[str(s["type"])] for name, s in FIELDS.items()}
    ),
)


def after(tree: Tree, patch: Tree | None) -> Tree:
    """Return `tree` as the server has it after an apply, by a manager of everything."""
    return tree if patch is None else {**tree, "status": patch["status"]}


def conditions(patch: Tree | None) -> dict[str, Any]:
    """Return the conditions of a patch, by type."""
    status: Any = patch["status"] if patch else {}
    return {one["type"]: one for one in status.get("conditions", [])}


@given(statuses)
def test_what_was_said_is_not_said_again(said: Status) -> None:
    """Also not an hour later: else every look would be a write, and news of itself."""
    tree = after(stored.policy(), render_status(said, stored.policy(), NOON))

    assert render_status(said, tree, LATER) is None


@given(statuses, statuses)
def test_what_differs_is_said_whole(before: Status, said: Status) -> None:
    """What is left out of an apply goes away: nothing may be missing."""
    tree = after(stored.policy(), render_status(before, stored.policy(), NOON))
    patch = render_status(said, tree, LATER)
    fresh = render_status(said, stored.policy(), LATER)
    assert fresh is not None
    expected: Any = fresh["status"]
    seen: Any = after(tree, patch)["status"]

    assert {**seen, "conditions": 0} == {**expected, "conditions": 0}
    assert [
        {**one, "lastTransitionTime": 0}
        for one in conditions({"status": seen}).values()
    ] == [{**one, "lastTransitionTime": 0} for one in conditions(fresh).values()] or (
        patch is None
    )


@given(statuses, statuses)
def test_a_transition_moves_its_time_and_nothing_else_does(
    before: Status, said: Status
) -> None:
    """A message may change every minute; since when it holds does not."""
    first = render_status(before, stored.policy(), NOON)
    old, new = (
        conditions(first),
        conditions(render_status(said, after(stored.policy(), first), LATER)),
    )

    for name, one in new.items():
        kept = name in old and old[name]["status"] == one["status"]
        assert one["lastTransitionTime"] == (
            "2026-11-22T12:00:00Z" if kept else "2026-11-22T13:00:00Z"
        )


def test_a_new_generation_is_said_to_be_seen() -> None:
    """Even where nothing else changes: whoever waits for it goes on."""
    said = Status(conditions=(ready(),))
    tree = after(stored.policy(), render_status(said, stored.policy(), NOON))
    tree["metadata"] = {"name": "payments", "generation": 2}
    patch = render_status(said, tree, LATER)
    assert patch is not None
    status: Any = patch["status"]

    assert status["observedGeneration"] == 2
    assert status["conditions"][0]["lastTransitionTime"] == "2026-11-22T12:00:00Z"


def test_what_others_say_is_left_to_them() -> None:
    """Conditions and fields that are not ours neither count nor are taken over."""
    said = Status(conditions=(ready(),))
    tree: Any = after(stored.policy(), render_status(said, stored.policy(), NOON))
    theirs = {"type": "Synced", "status": "True"}
    tree["status"] = {
        **tree["status"],
        "conditions": [theirs, *tree["status"]["conditions"]],
        "theirs": 1,
    }

    assert render_status(said, tree, LATER) is None


def test_names_which_object_was_looked_at() -> None:
    """One made anew under the name is another."""
    patch = render_status(Status(conditions=(ready(),)), stored.policy(), NOON)

    assert patch is not None
    assert patch["metadata"] == {"name": "payments", "uid": "uid-of-payments"}


def test_is_bounded() -> None:
    """By what etcd takes, and by what people read."""
    long = Status(conditions=(ready("x" * 10**6),))
    patch = render_status(long, stored.policy(), NOON)

    assert len(conditions(patch)["Ready"]["message"]) == MAX_MESSAGE
    assert named(map(str, range(100))) == [
        *map(str, range(MAX_NAMED)),
        f"and {100 - MAX_NAMED} more",
    ]


def ready(message: str = "") -> Condition:
    """Return that an object is ready."""
    return Condition(about=About.READY, holds=True, reason="Valid", message=message)
