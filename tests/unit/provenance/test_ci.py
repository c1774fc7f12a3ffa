"""What CI systems say of their runs."""

import pytest

from countersign.core.types.evidence import Contributor, Part
from countersign.provenance.ci import NO_CI, ci_run, repository_uri
from countersign.provenance.derive import derive
from countersign.provenance.registry import known_agents
from tests.support.commits import commit, history

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/payments",
    "GITHUB_WORKFLOW_REF": "acme/ci/.github/workflows/provenance.yml@refs/heads/main",
    "GITHUB_ACTOR": "Lee",
    "GITHUB_ACTOR_ID": "12345",
    "GITHUB_REF": "refs/pull/42/merge",
    "GITHUB_HEAD_REF": "codex/fix",
}


def test_reads_a_pull_request_on_github() -> None:
    """Who pushed and who opened both had a part in the change."""
    event = {
        "pull_request": {
            "html_url": "https://github.com/acme/payments/pull/42",
            "user": {"login": "ravi", "id": 7},
        }
    }

    run = ci_run(GITHUB, event)  # type: ignore[arg-type]

    assert run.repository == "https://github.com/acme/payments"
    assert run.collector.endswith(
        "/acme/ci/.github/workflows/provenance.yml@refs/heads/main"
    )
    assert run.review_link == "https://github.com/acme/payments/pull/42"
    assert run.target_ref == "refs/pull/42/merge"
    assert run.source_branch == "codex/fix"
    assert run.actors == {
        Contributor(Part.PUSHER, "12345+lee@users.noreply.github.com"),
        Contributor(Part.OPENER, "7+ravi@users.noreply.github.com"),
    }


def test_reads_a_merge_request_on_gitlab() -> None:
    """GitLab gives the address itself."""
    run = ci_run(
        {
            "GITLAB_CI": "true",
            "CI_PROJECT_URL": "https://gitlab.com/acme/payments",
            "GITLAB_USER_EMAIL": "Lee@Example.com",
            "CI_MERGE_REQUEST_IID": "9",
            "CI_COMMIT_BRANCH": "main",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "claude/it",
            "CI_MERGE_REQUEST_TITLE": "Retry",
            "CI_MERGE_REQUEST_DESCRIPTION": "Generated with Codex",
        }
    )

    assert run.repository == "https://gitlab.com/acme/payments"
    assert run.actors == {Contributor(Part.PUSHER, "lee@example.com")}
    assert run.review_link == "https://gitlab.com/acme/payments/-/merge_requests/9"
    assert run.target_ref == "refs/heads/main"
    assert run.source_branch == "claude/it"
    assert run.request.text == "Retry\n\nGenerated with Codex"


@pytest.mark.parametrize("event", [None, [], "x", {"pull_request": {"user": 3}}])
def test_an_odd_event_adds_nobody(event: object) -> None:
    """The event is a file that somebody may have written over."""
    run = ci_run(GITHUB, event)  # type: ignore[arg-type]

    assert {a.part for a in run.actors} == {Part.PUSHER}


def test_a_laptop_is_no_ci() -> None:
    """Variables without the system's own switch are somebody's leftovers."""
    assert ci_run({"GITHUB_ACTOR": "lee"}) == NO_CI


@pytest.mark.parametrize(
    ("remote", "uri"),
    [
        ("git@github.com:acme/payments.git", "https://github.com/acme/payments"),
        (
            "https://x-token:s3cret@github.com/acme/payments.git",
            "https://github.com/acme/payments",
        ),
        (
            "ssh://git@Git.Acme.example:2222/acme/payments",
            "https://git.acme.example/acme/payments",
        ),
        (
            "https://git.acme.example:8443/acme/payments/",
            "https://git.acme.example:8443/acme/payments",
        ),
        ("file:///srv/git/payments.git", "file:///srv/git/payments"),
        ("/srv/git/payments", "/srv/git/payments"),
        ("", ""),
    ],
)
def test_names_a_repository_as_policies_do(remote: str, uri: str) -> None:
    """However it was cloned; credentials never get into a statement."""
    assert repository_uri(remote) == uri


@pytest.mark.parametrize("cut", ["true", "false", ""])
def test_a_description_that_was_cut_is_not_whole(cut: str) -> None:
    """GitLab tells its jobs the beginning; what an assistant adds stands at the end."""
    told = ci_run(
        {
            "GITLAB_CI": "true",
            "CI_MERGE_REQUEST_IID": "9",
            "CI_MERGE_REQUEST_DESCRIPTION": "x" * 2700,
            "CI_MERGE_REQUEST_DESCRIPTION_IS_TRUNCATED": cut,
        }
    )

    found = derive(history(commit()), known_agents(), told.request)

    assert found.complete is (cut != "true")
