"""What the file about a pull or merge request tells: who asked, from where, in whose words.

Forges hand CI systems such a file, and their tools write one. A squash keeps none of
what stands in it: the branch, the opener, a description that an assistant wrote.

Source:
    docs.github.com, the ``pull_request`` event and the REST object; ``gh pr view
    --json``; docs.gitlab.com, the merge request event and the REST object.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance, Contributor, Part
from countersign.provenance.marks import MAX_VALUE, Mark, MarkKind, Tool
from countersign.provenance.records import text_of
from countersign.provenance.registry import Registry
from countersign.provenance.trailers import marks_in


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull or merge request; empty where its file says nothing.

    Attributes:
        text: Title and description.
        branch: That is to be merged.
        link: Its page.
        head: Commit that it ends at, hexadecimal: a squash or a rebase leaves it behind.
        cut: Some of the description was left out.
        actors: Who opened it, and who pushed; of one that an assistant opened, whom it is assigned to:
            the one who asked for it.
    """

    text: str = ""
    branch: str = ""
    link: str = ""
    head: str = ""
    cut: bool = False
    actors: frozenset[Contributor] = frozenset()


NO_REQUEST = PullRequest()

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def read_request(document: Json) -> PullRequest:
    """Read the file about a request, in any of the forms of `Source`.

    Args:
        document: Parsed. What is no such file gives `NO_REQUEST`; it may be anything,
            since somebody may have written over it.
    """
    whole = _object(document)
    inner = _object(whole.get("pull_request")) or _object(
        whole.get("object_attributes")
    )
    body = inner or whole
    branch = (
        text_of(_object(body.get("head")).get("ref"))
        or text_of(body.get("headRefName"))
        or text_of(body.get("source_branch"))
    )
    if not branch and not inner:
        return NO_REQUEST
    texts = (text_of(body.get(key)) for key in ("title", "body", "description"))
    links = (text_of(body.get(key)) for key in ("html_url", "web_url", "url"))
    heads = (
        text_of(_object(body.get("head")).get("sha")),
        text_of(body.get("headRefOid")),
        text_of(_object(body.get("last_commit")).get("id")),
        text_of(body.get("sha")),
    )
    openers = [body.get("user"), body.get("author")]
    if "object_attributes" in whole:
        # of GitLab's event the user is who acted, whose request it may not be
        openers = [body.get("last_edited_by"), body.get("author"), whole.get("user")]
    return PullRequest(
        text="\n\n".join(text for text in texts if text),
        branch=branch,
        link=next((link for link in links if link), ""),
        head=next((head for head in heads if _COMMIT.fullmatch(head)), ""),
        actors=frozenset(
            {
                *_named(openers, Part.OPENER),
                *_named(_list(body.get("assignees")), Part.REQUESTER),
            }
        ),
    )


def request_marks(request: PullRequest, registry: Registry) -> Iterable[Mark]:
    """Return the marks of a request; they hold for all its commits."""
    for mark in marks_in(request.text, registry):
        yield replace(mark, kind=MarkKind.PULL_REQUEST)
    if agent := registry.by_branch(request.branch):
        shown = request.branch[:MAX_VALUE]
        yield Mark(MarkKind.BRANCH, shown, Assistance.MIXED, Tool(agent.name))
    for actor in request.actors:
        acted = actor.part in {Part.OPENER, Part.PUSHER}
        if acted and (agent := registry.by_address(actor.id)):
            shown = actor.id[:MAX_VALUE]
            tool = Tool(agent.name)
            yield Mark(MarkKind.PULL_REQUEST, shown, Assistance.MIXED, tool)


def request_actors(request: PullRequest, registry: Registry) -> frozenset[Contributor]:
    """Return who had a part in a request, assistants told from persons.

    Whom a person's own request is assigned to asked for nothing.
    """
    marked = {
        replace(actor, agent=registry.by_address(actor.id) is not None)
        for actor in request.actors
    }
    by_agent = any(actor.agent for actor in marked if actor.part is Part.OPENER)
    return frozenset(
        actor
        for actor in marked
        if actor.part is not Part.REQUESTER or (by_agent and not actor.agent)
    )


def noreply(login: str, number: str) -> str:
    """Return the address by which GitHub signs what `login` does on its pages."""
    return f"{number}+{login}@users.noreply.github.com".lower() if number else login


def _named(users: Iterable[Json], part: Part) -> Iterable[Contributor]:
    for user in users:
        entry = _object(user)
        email = text_of(entry.get("email")).lower()
        if "@" in email:  # GitLab writes [REDACTED] where it may not tell
            yield Contributor(part, email)
            continue
        number = entry.get("id")
        known = isinstance(number, int) and not isinstance(number, bool)
        if login := text_of(entry.get("login")):
            yield Contributor(part, noreply(login, str(number) if known else ""))
        elif username := text_of(entry.get("username")):
            yield Contributor(part, username)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
