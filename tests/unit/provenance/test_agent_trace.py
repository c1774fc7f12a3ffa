"""Records of Agent Trace."""

import json

import pytest

from countersign.core.types.artifacts import Digest, Json
from countersign.core.types.evidence import Assistance, Lines
from countersign.provenance.agent_trace import MAX_TRACE, read_trace
from countersign.provenance.commits import ChangedFile, Gap
from countersign.provenance.derive import derive
from countersign.provenance.marks import MarkKind, Tool
from countersign.provenance.registry import known_agents
from tests.support.commits import commit, commit_id, history

AGENTS = known_agents()
BASE = commit_id("base")
MODEL = "anthropic/claude-opus-4-5"


def trace(
    kind: str | None = "ai",
    *,
    start: int = 1,
    end: int = 3,
    path: str = "src/ledger.go",
    revision: Digest | None = None,
    over: Json = None,
) -> str:
    """Return a record of one conversation about one path."""
    span: dict[str, Json] = {"start_line": start, "end_line": end}
    if over is not None:
        span["contributor"] = over
    conversation: dict[str, Json] = {"url": "https://x.example/1", "ranges": [span]}
    if kind is not None:
        conversation["contributor"] = {"type": kind, "model_id": MODEL}
    record: dict[str, Json] = {
        "version": "0.1.0",
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "timestamp": "2026-01-23T14:30:00Z",
        "tool": {"name": "cursor", "version": "2.4.0"},
        "files": [{"path": path, "conversations": [conversation]}],
    }
    if revision:
        record["vcs"] = {"type": "git", "revision": revision.value}
    return json.dumps(record)


@pytest.mark.parametrize(
    ("record", "expected", "lines"),
    [
        pytest.param(trace(), Assistance.AI, Lines(ai=3), id="all lines"),
        pytest.param(
            trace(end=2), Assistance.MIXED, Lines(ai=2, unknown=1), id="some lines"
        ),
        pytest.param(trace("mixed"), Assistance.MIXED, Lines(ai=3), id="mixed"),
        pytest.param(trace("human"), Assistance.UNKNOWN, Lines(unknown=3), id="human"),
        pytest.param(
            trace("unknown"), Assistance.UNKNOWN, Lines(unknown=3), id="unknown"
        ),
        pytest.param(trace(None), Assistance.MIXED, Lines(ai=3), id="nobody named"),
        pytest.param(
            trace("human", over={"type": "ai"}),
            Assistance.AI,
            Lines(ai=3),
            id="a range of its own",
        ),
        pytest.param(
            trace(start=40, end=50),
            Assistance.MIXED,
            Lines(unknown=3),
            id="lines that moved",
        ),
        pytest.param(
            trace(path="README"), Assistance.UNKNOWN, Lines(unknown=3), id="other file"
        ),
        pytest.param(
            trace(path="./src/ledger.go"), Assistance.AI, Lines(ai=3), id="./"
        ),
    ],
)
def test_a_commit_brings_its_records(
    record: str, expected: Assistance, lines: Lines
) -> None:
    """By far the usual way: the file of traces is committed with what it is about."""
    found = derive(history(commit(traces=(record,))), AGENTS)

    assert found.complete
    assert found.assistance is expected
    assert found.lines == lines


def test_names_the_tool_and_the_conversation() -> None:
    """As the registry knows the tool."""
    (judged,) = derive(history(commit(traces=(trace(),))), AGENTS).commits

    (mark,) = judged.marks
    assert (mark.kind, mark.tool) == (MarkKind.TRACE, Tool("cursor", model=MODEL))
    assert mark.session == "https://x.example/1"


def test_a_record_is_found_by_the_revision_it_names() -> None:
    """Tools name the commit they started from; it may be brought by a later one."""
    first, third = commit("First"), commit("Third", parents=(commit_id("x"),))
    later = commit("Later", files=(), traces=(trace(revision=BASE),))

    found = derive(history(first, later, third), AGENTS)

    assert [judged.assistance for judged in found.commits] == [
        Assistance.AI,
        Assistance.UNKNOWN,
        Assistance.UNKNOWN,
    ]


@pytest.mark.parametrize(
    "revision", [None, commit_id("gone")], ids=["none", "before a rebase"]
)
def test_a_record_that_comes_apart_from_its_lines(revision: Digest | None) -> None:
    """Brought by a commit of its own, it may mean any that touches its paths."""
    record = trace(revision=revision)
    found = derive(
        history(
            commit("First"),
            commit("Other", files=(ChangedFile("README", 1),)),
            commit("Later", files=(), traces=(record,)),
        ),
        AGENTS,
    )

    assert [judged.assistance for judged in found.commits] == [
        Assistance.AI,
        Assistance.UNKNOWN,
        Assistance.UNKNOWN,
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"files": 3}',
        '{"files": [3]}',
        trace().replace('"ai"', '"robot"'),
        trace().replace('"start_line": 1', '"start_line": 0'),
        trace().replace('"end_line": 3', '"end_line": "3"'),
        trace(path=" "),
        trace() + " " * MAX_TRACE,
        "[" * 100_000,
    ],
)
def test_what_it_does_not_understand_it_says(line: str) -> None:
    """Silence about a record would be taken for no record."""
    assert read_trace(line) is None
    found = derive(history(commit(traces=(line, trace()))), AGENTS)

    assert {one.gap for one in found.unseen} == {Gap.TRACE}
    assert found.assistance is Assistance.AI
