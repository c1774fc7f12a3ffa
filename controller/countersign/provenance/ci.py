"""What a CI system says of the run that collects: who pushed, where, for which review.

None of it is proof: it names people who may *not* approve, and defaults of options.

Source:
    docs.github.com, "Default environment variables" and the ``pull_request`` event;
    docs.gitlab.com, "Predefined CI/CD variables".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Contributor, Part
from countersign.provenance.pull_request import (
    NO_REQUEST,
    PullRequest,
    noreply,
    read_request,
)

_SCP_LIKE = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!//)(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CiRun:
    """One run of a CI system; empty where it says nothing.

    Attributes:
        repository: URI of the repository.
        collector: The workflow, as a certificate of the CI system names it.
        actors: Who pushed or opened the pull request.
        source_branch: Branch that is to be merged: assistants name those they open.
        target_ref: Branch or tag that is being built.
        review_link: The pull or merge request.
        request: What the file about it tells.
    """

    repository: str = ""
    collector: str = ""
    actors: frozenset[Contributor] = frozenset()
    source_branch: str = ""
    target_ref: str = ""
    review_link: str = ""
    request: PullRequest = NO_REQUEST


NO_CI = CiRun()


def ci_run(environ: Mapping[str, str], event: Json = None) -> CiRun:
    """Read what GitHub Actions or GitLab CI says of its run.

    Args:
        environ: The environment of the process.
        event: Parsed content of the file that ``GITHUB_EVENT_PATH`` names.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ, event)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab(environ)
    return NO_CI


def repository_uri(remote: str) -> str:
    """Return the URI under which policies know the repository at `remote`.

    Taken off: credentials, ``.git``; the scp-like form becomes ``https``. Addresses
    that name no host stay as they are.
    """
    text = remote.strip()
    if "://" not in text and (matched := _SCP_LIKE.fullmatch(text)):
        text = f"https://{matched[1]}/{matched[2]}"
    parts = urlsplit(text)
    if parts.scheme in {"https", "http", "ssh", "git", "git+ssh", "git+https"}:
        host = parts.netloc.rpartition("@")[2].lower()
        if parts.scheme not in {"https", "http"}:
            host = host.partition(":")[0]  # a port of ssh is no port of the web page
        scheme = "http" if parts.scheme == "http" else "https"
        text = f"{scheme}://{host}{parts.path}"
    return text.rstrip("/").removesuffix(".git")


def _github(environ: Mapping[str, str], event: Json) -> CiRun:
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    repository = environ.get("GITHUB_REPOSITORY", "")
    workflow = environ.get("GITHUB_WORKFLOW_REF", "")
    request = read_request(event)
    openers = {actor for actor in request.actors if actor.part is Part.OPENER}
    name, number = environ.get("GITHUB_ACTOR"), environ.get("GITHUB_ACTOR_ID")
    if name:
        openers.add(Contributor(Part.PUSHER, noreply(name, number or "")))
    return CiRun(
        repository=f"{server}/{repository}" if repository else "",
        collector=f"{server}/{workflow}" if workflow else "",
        actors=frozenset(openers),
        source_branch=environ.get("GITHUB_HEAD_REF", ""),
        target_ref=environ.get("GITHUB_REF", ""),
        review_link=request.link,
        request=request,
    )


def _gitlab(environ: Mapping[str, str]) -> CiRun:
    project = environ.get("CI_PROJECT_URL", "")
    email = environ.get("GITLAB_USER_EMAIL", "").lower()
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    branch = environ.get("CI_COMMIT_BRANCH", "")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "")
    link = f"{project}/-/merge_requests/{number}" if number else ""
    texts = (
        environ.get("CI_MERGE_REQUEST_TITLE", ""),
        environ.get("CI_MERGE_REQUEST_DESCRIPTION", ""),
    )
    return CiRun(
        repository=repository_uri(project),
        collector=environ.get("CI_CONFIG_REF_URI", ""),
        actors=frozenset({Contributor(Part.PUSHER, email)} if email else ()),
        source_branch=source,
        target_ref=f"refs/heads/{branch}" if branch else "",
        review_link=link,
        request=PullRequest(
            text="\n\n".join(text for text in texts if text),
            branch=source,
            link=link,
            cut=environ.get("CI_MERGE_REQUEST_DESCRIPTION_IS_TRUNCATED") == "true",
        ),
    )
