"""Messages, notes, traces and requests as somebody writes them who means no good.

Whatever they hold, reading ends with a result, or with `Malformed`; and one more of them
never makes anything better.
"""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance
from countersign.provenance.agent_trace import read_trace
from countersign.provenance.commits import Commit, History
from countersign.provenance.derive import Derivation, derive
from countersign.provenance.notes import read_note
from countersign.provenance.pull_request import read_request, request_actors
from countersign.provenance.registry import known_agents
from tests.support.commits import commit, history
from tests.support.forms import AI_NOTE, FILE, HUMAN_NOTE, trace

AGENTS = known_agents()

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=9),
    st.sampled_from(["ai", "human", "mixed", FILE, "authorship/3.0.0", "claude/x"]),
)
_KEYS = st.one_of(
    st.sampled_from(
        (
            *("files", "path", "conversations", "contributor", "type", "ranges"),
            *("start_line", "end_line", "tool", "name", "vcs", "revision", "url"),
            *("schema_version", "sessions", "prompts", "agent_id", "human_author"),
            *("humans", "author", "pull_request", "object_attributes", "head", "ref"),
            *("sha", "user", "login", "id", "email", "assignees", "body", "title"),
            *("source_branch", "description", "last_commit"),
        )
    ),
    st.text(max_size=4),
)
JSON: st.SearchStrategy[Json] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=5)
    ),
    max_leaves=12,
)

_LINES = (
    *("Assisted-by: Claude:opus", "Generated-by: ChatGPT", "AI-Assisted: none"),
    *("Co-authored-by: x <noreply@anthropic.com>", "Co-authored-by: Ann", " <a@b.c>"),
    *("Claude-Session: 1", "Generated with Claude Code", "Fix (#7)", "", ":", "-" * 80),
    *("Assisted-by:", "AI-Assisted", "Reviewed-by: x <noreply@anthropic.com>", "\0"),
)
MESSAGES = st.lists(
    st.one_of(st.sampled_from(_LINES), st.text(max_size=30)), max_size=5
).map("\n".join)


def _torn(whole: str) -> st.SearchStrategy[str]:
    """Return `whole` with a piece cut out, and something else in its place."""
    places = st.integers(0, len(whole))
    return st.builds(
        lambda a, b, put: whole[: min(a, b)] + put + whole[max(a, b) :],
        places,
        places,
        st.text(max_size=5),
    )


NOTES = st.one_of(
    st.just(""),
    _torn(AI_NOTE),
    _torn(HUMAN_NOTE),
    JSON.map(lambda meta: f"{FILE}\n  s_1 1-2\n---\n{json.dumps(meta)}"),
    st.text(max_size=60),
    st.sampled_from([AI_NOTE, HUMAN_NOTE]),
)
TRACES = st.one_of(
    _torn(trace("ai")),
    _torn(trace("human")),
    JSON.map(json.dumps),
    st.text(max_size=60),
    st.sampled_from([trace("ai"), trace("human")]),
)
COMMITS = st.builds(
    lambda message, note, traces: replace(commit(message), note=note, traces=traces),
    MESSAGES,
    NOTES,
    st.lists(TRACES, max_size=2).map(tuple),
)


def read(found: History) -> Derivation:
    """Derive what a history shows."""
    return derive(found, AGENTS)


@given(st.lists(COMMITS, min_size=1, max_size=3, unique_by=lambda one: one.digest))
def test_reading_always_ends(made: list[Commit]) -> None:
    """With a result that is no more than unknown where there is no mark."""
    found = read(history(*made))

    assert found.assistance is not Assistance.HUMAN
    assert (found.assistance > Assistance.UNKNOWN) is bool(found.marked)
    assert sum(len(one.marks) > 0 for one in found.commits) == found.marked


@given(COMMITS, MESSAGES, NOTES, TRACES)
def test_one_more_never_lowers(made: Commit, line: str, note: str, record: str) -> None:
    """Neither the state nor what was not seen nor who took part gets less."""
    before = read(history(made))
    longer = replace(made, message=f"{made.message}\n\n{line}")
    joined = replace(made, note=f"{made.note}\n\n{note}" if made.note else note)
    traced = replace(made, traces=(*made.traces, record))

    for more in (longer, joined, traced):
        after = read(history(more))
        assert after.assistance >= before.assistance
        assert before.complete or not after.complete
        assert {c.id for c in before.contributors} <= {c.id for c in after.contributors}
        assert after.lines.ai >= before.lines.ai


@given(JSON)
def test_a_file_about_a_request(document: Json) -> None:
    """Anything may stand in it."""
    request = read_request(document)

    request_actors(request, AGENTS)
    bare, told = read(history(commit())), derive(history(commit()), AGENTS, request)
    assert told.assistance >= bare.assistance


@given(st.one_of(NOTES, TRACES, JSON.map(json.dumps), st.binary().map(repr)))
def test_each_reader_of_anything(text: str) -> None:
    """A note is read or unreadable, a trace is or is none."""
    read_note(text)
    read_trace(text)
