"""Properties of provenance: marks only raise, and no message stops the reader.

Faults these were seen to catch: a ``none`` that clears the marks before it; the state
of the last mark instead of the worst; reading only the last paragraph; a limit on the
number of marks; a note that takes back lines which a trailer, or another note, claims.
"""

import json

from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.evidence import Assistance
from countersign.provenance.commits import ChangedFile
from countersign.provenance.derive import Derivation, derive, judge
from countersign.provenance.pull_request import NO_REQUEST, PullRequest, read_request
from countersign.provenance.registry import known_agents
from countersign.provenance.trailers import marks_in
from tests.support.commits import commit, history

AGENTS = known_agents()

MARKERS = st.sampled_from(
    [
        "Assisted-by: Claude:claude-opus-4.5",
        "Assisted-by: somebody's robot",
        "AI-Assisted: amazon-q/2026-03",
        "Generated-by: Codex (gpt-5)",
        "Co-authored-by: Claude <noreply@anthropic.com>",
        "Amp-Thread-ID: https://ampcode.com/threads/T-1",
        "Generated with [Claude Code](https://claude.com/claude-code)",
    ]
)
NOISE = st.one_of(
    MARKERS,
    st.sampled_from(
        [
            "AI-Assisted: none",
            "Assisted-by: false",
            "Co-authored-by: Ravi <ravi@example.com>",
            "Co-authored-by: a name that folds",
            " <noreply@anthropic.com>",
            "",
        ]
    ),
    st.text(max_size=60),
)
ADDRESSES = st.sampled_from(
    ["dev@example.com", "noreply@anthropic.com", "aider@aider.chat", ""]
)


@given(st.lists(NOISE, max_size=8), MARKERS, st.data())
def test_one_more_marker_never_lowers(
    lines: list[str], marker: str, data: st.DataObject
) -> None:
    """Wherever the line is put. MIXED and AI gate alike (predicates)."""
    place = data.draw(st.integers(0, len(lines)))
    author = data.draw(ADDRESSES)
    before = judge(commit("\n".join(lines), author=author), AGENTS)
    after = judge(
        commit("\n".join([*lines[:place], marker, *lines[place:]]), author=author),
        AGENTS,
    )

    assert after.assistance >= min(before.assistance, Assistance.MIXED)
    assert after.assistance >= Assistance.MIXED
    assert len({mark.kind for mark in after.marks}) > 0


@given(st.lists(NOISE, max_size=6), st.lists(NOISE, max_size=6))
def test_one_more_paragraph_never_lowers(first: list[str], second: list[str]) -> None:
    """A squash of two messages shows what either showed, to the letter."""
    one, two = "\n".join(first), "\n".join(second)
    both = judge(commit(f"{one}\n\n{two}"), AGENTS)

    assert set(both.marks) >= set(marks_in(one, AGENTS)) | set(marks_in(two, AGENTS))


@given(st.lists(st.lists(NOISE, max_size=3), min_size=1, max_size=4))
def test_one_more_commit_never_lowers(messages: list[list[str]]) -> None:
    """Nor does its place in the range."""
    commits = [commit("\n".join(lines)) for lines in messages]
    whole = derive(history(*commits), AGENTS)

    assert all(
        derive(history(*commits[:n]), AGENTS).assistance <= whole.assistance
        for n in range(1, len(commits) + 1)
    )
    assert derive(history(*reversed(commits)), AGENTS).assistance is whole.assistance


@given(st.text(), ADDRESSES, st.lists(st.text(max_size=20), max_size=3))
def test_no_message_stops_the_reader(
    message: str, author: str, branches: list[str]
) -> None:
    """Anything may stand in a commit."""
    found = derive(
        history(commit(message, author=author), branches=tuple(branches)), AGENTS
    )

    assert found.assistance is not Assistance.HUMAN


LINES = st.lists(st.integers(0, 12), max_size=4)
KEYS = st.sampled_from(["s_1::t_1", "h_1", "abcd1234abcd1234"])
KINDS = st.sampled_from(["ai", "mixed", "human", "unknown"])


@st.composite
def notes(draw: st.DrawFn) -> str:
    """Return a note, or something that only begins like one."""
    entries = draw(st.lists(st.tuples(KEYS, LINES), max_size=4))
    spans = (f"  {key} {','.join(map(str, lines))}" for key, lines in entries)
    meta = draw(st.sampled_from(['{"schema_version": "authorship/3.0.0"}', "{", "[]"]))
    return "\n".join(["a", *spans, "---", meta])


@st.composite
def traces(draw: st.DrawFn) -> str:
    """Return a record of Agent Trace, or something that only begins like one."""
    start, more = draw(st.integers(0, 9)), draw(st.integers(0, 5))
    conversation = {
        "contributor": {"type": draw(KINDS)},
        "ranges": [{"start_line": start, "end_line": start + more}],
    }
    return json.dumps({"files": [{"path": "a", "conversations": [conversation]}]})


FILES = (ChangedFile("a", 8), ChangedFile("b", 2))
MESSAGES = st.lists(NOISE, max_size=3).map("\n".join)
SEEN = st.tuples(MESSAGES, st.just("") | notes(), st.lists(traces(), max_size=3))


def seen_in(seen: tuple[str, str, list[str]], request: PullRequest) -> Derivation:
    """Return what is derived of two commits, the second with everything."""
    message, note, records = seen
    one = commit(message, files=FILES, note=note, traces=tuple(records))
    return derive(history(commit("First", files=FILES), one), AGENTS, request)


@given(SEEN, traces(), notes(), MARKERS)
def test_one_more_record_never_lowers(
    seen: tuple[str, str, list[str]], record: str, note: str, marker: str
) -> None:
    """Not the state, not the lines of AI, not who took part, not what was unseen."""
    message, before, records = seen
    less = seen_in(seen, NO_REQUEST)
    more = [
        seen_in((message, before, [*records, record]), NO_REQUEST),
        seen_in((f"{message}\n\n{marker}", before, records), NO_REQUEST),
        seen_in(seen, PullRequest(text=marker, branch="codex/x")),
    ]
    if not before:
        more.append(seen_in((message, note, records), NO_REQUEST))

    for each in more:
        floor = min(less.assistance, Assistance.MIXED)
        assert each.assistance >= floor
        assert each.lines.ai >= less.lines.ai
        assert each.lines.total == less.lines.total
        assert each.contributors >= less.contributors
        assert {one.gap for one in each.unseen} >= {one.gap for one in less.unseen}
        assert each.lines.human == 0


@given(st.text(), st.text(), st.text())
def test_no_record_stops_the_reader(note: str, trace: str, body: str) -> None:
    """Whoever may push may write anything."""
    request = read_request({"pull_request": {"body": body, "user": note}})
    made = commit(note=note, traces=(trace,))

    assert derive(history(made), AGENTS, request).assistance is not Assistance.HUMAN


@given(st.lists(NOISE, max_size=8))
def test_nothing_makes_a_commit_human(lines: list[str]) -> None:
    """That is for the law to find, from declarations."""
    assert judge(commit("\n".join(lines)), AGENTS).assistance is not Assistance.HUMAN
