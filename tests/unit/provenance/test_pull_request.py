"""Files about pull and merge requests."""

import json

import pytest

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance, Contributor, Part
from countersign.provenance.derive import derive
from countersign.provenance.marks import MarkKind
from countersign.provenance.pull_request import (
    NO_REQUEST,
    PullRequest,
    read_request,
    request_actors,
)
from countersign.provenance.registry import known_agents
from tests.support.commits import commit, history

AGENTS = known_agents()
BODY = "Fixes the retry\n\n🤖 Generated with [Claude Code](https://claude.com)"
PULL: dict[str, Json] = {
    "number": 42,
    "title": "Retry",
    "body": BODY,
    "html_url": "https://github.com/acme/payments/pull/42",
    "user": {"login": "Lee", "id": 12345},
    "assignees": [{"login": "ravi", "id": 7}],
    "head": {"ref": "lee/retry", "sha": "9f"},
}
MERGE: Json = {
    "iid": 9,
    "title": "Retry",
    "description": BODY,
    "web_url": "https://gitlab.com/acme/payments/-/merge_requests/9",
    "source_branch": "lee/retry",
    "author": {"username": "lee", "id": 3},
    "assignees": [{"username": "ravi", "id": 7}],
}


@pytest.mark.parametrize(
    ("document", "opener"),
    [
        pytest.param(
            {"action": "opened", "pull_request": PULL},
            "12345+lee@users.noreply.github.com",
            id="GitHub's event",
        ),
        pytest.param(PULL, "12345+lee@users.noreply.github.com", id="GitHub's API"),
        pytest.param(
            {
                "author": {"login": "lee", "id": "MDQ6VXNlcjE="},
                "body": BODY,
                "title": "Retry",
                "headRefName": "lee/retry",
                "url": "https://github.com/acme/payments/pull/42",
            },
            "lee",
            id="gh",
        ),
        pytest.param(MERGE, "lee", id="GitLab's API"),
        pytest.param(
            {
                "object_kind": "merge_request",
                "user": {"username": "lee", "email": "Lee@example.com"},
                "object_attributes": {
                    "title": "Retry",
                    "description": BODY,
                    "source_branch": "lee/retry",
                    "url": "https://gitlab.com/acme/payments/-/merge_requests/9",
                },
            },
            "lee@example.com",
            id="GitLab's event",
        ),
        pytest.param(
            {
                "object_kind": "merge_request",
                "user": {"username": "lee", "email": "[REDACTED]"},
                "object_attributes": {
                    "description": BODY,
                    "source_branch": "lee/retry",
                    "url": "https://gitlab.com/acme/payments/-/merge_requests/9",
                },
            },
            "lee",
            id="GitLab's event, without the address",
        ),
    ],
)
def test_reads_each_form(document: Json, opener: str) -> None:
    """Who opened it, from which branch, in which words."""
    request = read_request(json.loads(json.dumps(document)))

    assert request.branch == "lee/retry"
    assert request.link.endswith(("/pull/42", "/merge_requests/9"))
    assert request_actors(request, AGENTS) == {Contributor(Part.OPENER, opener)}
    found = derive(history(commit()), AGENTS, request)
    assert [m.kind for m in found.commits[0].marks] == [MarkKind.PULL_REQUEST]
    assert found.assistance is Assistance.MIXED


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, {"pull_request": 3}, {"title": "x", "body": BODY}]
)
def test_anything_else_is_no_request(document: Json) -> None:
    """The event of a push, or a file that somebody wrote over."""
    assert read_request(document) == NO_REQUEST


def test_an_assistant_opened_it_for_whom_it_is_assigned_to() -> None:
    """Copilot's agent opens a request as itself, and assigns who asked for it."""
    user: Json = {"login": "Copilot", "id": 198982749}
    opened: Json = {**PULL, "body": "", "user": user}
    request = read_request(opened)

    assert request_actors(request, AGENTS) == {
        Contributor(
            Part.OPENER, "198982749+copilot@users.noreply.github.com", agent=True
        ),
        Contributor(Part.REQUESTER, "7+ravi@users.noreply.github.com"),
    }
    found = derive(history(commit(), commit("More")), AGENTS, request)
    assert found.marked == 2
    assert {tool.name for tool in found.tools} == {"copilot"}


def test_the_branch_of_a_request_is_a_mark() -> None:
    """As any other branch that an assistant opens."""
    found = derive(history(commit()), AGENTS, PullRequest(branch="codex/fix"))

    assert found.assistance is Assistance.MIXED


def test_a_person_s_request_marks_nothing() -> None:
    """Nor is an assignee of it an author."""
    request = read_request({**PULL, "body": "Retry"})

    assert derive(history(commit()), AGENTS, request).marked == 0
