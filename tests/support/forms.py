"""Commits that an assistant had a hand in, one for each form in which that is recorded.

Made by real git commands, on a branch each, by people whom the demo's roster knows: so
that nothing but the assistance stands between them and the cluster. `TWINS` are the same
without the mark. (`assistants` has what each single tool writes, by nobody anybody knows.)
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from countersign.core.types.artifacts import Algorithm, Digest, Subject
from countersign.core.types.evidence import CommitRange, Declaration
from countersign.provenance.agent_trace import PATH
from countersign.wire.declaration import render_declaration
from tests.support.author import Work, known
from tests.support.git import COPILOT, WEB_FLOW, GitFolder, Who
from tests.support.hooked import CLAUDE, Clone
from tools.stack.people import LEE, REPOSITORY

FILE = "deploy/region"

_LEE = known(LEE)
_CURSOR = Who("cursor[bot]", "206951365+cursor[bot]@users.noreply.github.com")
BY_LEE = {
    "GIT_AUTHOR_NAME": LEE.name,
    "GIT_AUTHOR_EMAIL": LEE.email,
    "GIT_COMMITTER_NAME": LEE.name,
    "GIT_COMMITTER_EMAIL": LEE.email,
}
_MARKED = "Set it\n\nAssisted-by: Claude:claude-opus-4-5\n"
_PLAIN = "Set it\n"


@dataclass(frozen=True)
class Form:
    """One way to record.

    Attributes:
        name: Of the branch, and of the object that is made of it.
        agent: As a denial names it; ``""``: none had a hand in it.
        make: Commits on the branch that is checked out, which is at the baseline.
        branch: Its name, if another.
        request: What a file about the pull request says.
        in_request: Nothing but that file tells of the assistant.
    """

    name: str
    agent: str
    make: Callable[[GitFolder], object]
    branch: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    in_request: bool = False

    def begin(self, work: Work) -> None:
        """Make its commits, and leave them checked out."""
        branch = self.branch or f"topic/{self.name}"
        work.git.git("checkout", "--quiet", "--force", "-B", branch, work.base)
        self.make(work.git)

    def flags(self, work: Work, folder: Path) -> list[str | Path]:
        """Return what ``attest`` has to be told; its file is written to `folder`."""
        if not self.request:
            return []
        file = folder / f"{self.name}.request.json"
        text = json.dumps(self.request)
        if HEAD_OF_REQUEST in text:
            head = work.git.git("rev-parse", HEAD_OF_REQUEST)
            text = text.replace(HEAD_OF_REQUEST, head)
        file.write_text(text)
        return ["--pull-request", file]


def spoken(work: Work) -> bytes:
    """Return the words, to be signed, that the command refuses to sign of some ranges."""
    base, head, tree = work.git.git(
        "rev-parse", work.base, "HEAD", "HEAD^{tree}"
    ).split()
    span = CommitRange(*(Digest(Algorithm.GIT_COMMIT, one) for one in (base, head)))
    return render_declaration(
        Declaration(repository=REPOSITORY, range=span, declared_on=datetime.now(UTC)),
        [Subject("tree", Digest(Algorithm.GIT_TREE, tree))],
    )


HEAD_OF_REQUEST = "refs/pull/10/head"


def _change(folder: GitFolder) -> None:
    """Change the file as nobody else does: no two forms are the same commit."""
    folder.write(FILE, folder.git("branch", "--show-current") + "\n")


def _saying(
    *lines: str, author: Who = _LEE, committer: Who = _LEE
) -> Callable[[GitFolder], object]:
    """Commit with these lines as the last paragraph of the message."""

    def make(folder: GitFolder) -> None:
        _change(folder)
        text = "\n".join(("Set it", *(("", *lines) if lines else ()), ""))
        folder.commit(text, author=author, committer=committer)

    return make


def _noted(note: str) -> Callable[[GitFolder], object]:
    def make(folder: GitFolder) -> None:
        _saying()(folder)
        folder.git("notes", "--ref=ai", "add", "--force", "-F-", stdin=note, env=BY_LEE)

    return make


def _traced(who: str) -> Callable[[GitFolder], object]:
    def make(folder: GitFolder) -> None:
        folder.write(PATH, trace(who))
        _saying()(folder)

    return make


def note(head: str, **meta: object) -> str:
    """Return a note of git-ai about the first line of `FILE`."""
    described = json.dumps({"schema_version": "authorship/3.0.0", **meta})
    return f"{FILE}\n  {head} 1\n---\n{described}"


def trace(who: str) -> str:
    """Return a record of Agent Trace about the same, by ``ai`` or ``human``."""
    conversation = {
        "contributor": {"type": who},
        "ranges": [{"start_line": 1, "end_line": 1}],
    }
    files = [{"path": FILE, "conversations": [conversation]}]
    record = {"version": "0.1.0", "id": "5", "tool": {"name": "cursor"}, "files": files}
    return json.dumps(record) + "\n"


_SESSION = {"agent_id": {"tool": "codex", "id": "c", "model": "gpt-5"}}
AI_NOTE = note(
    "s_c9883b05a2487d::t_9f8e7d6c5b4a32", sessions={"s_c9883b05a2487d": _SESSION}
)
HUMAN_NOTE = note(
    "h_31dce776f88375", humans={"h_31dce776f88375": {"author": f"<{LEE.email}>"}}
)


def _side(folder: GitFolder, message: str) -> str:
    """Commit on a branch beside this one, and come back; return the commit."""
    _change(folder)
    folder.git("checkout", "--quiet", "-b", "side")
    made = folder.commit(message, author=_LEE)
    folder.git("checkout", "--quiet", "-")
    return made


def _gone(folder: GitFolder) -> None:
    folder.git("branch", "--quiet", "-D", "side")


def squashed(message: str) -> Callable[[GitFolder], object]:
    """Squash one commit as git does, with the message that it proposes."""

    def make(folder: GitFolder) -> None:
        _side(folder, message)
        folder.git("merge", "--quiet", "--squash", "side")
        folder.git("commit", "--quiet", "--no-edit", env=BY_LEE)
        _gone(folder)

    return make


def squashed_by_the_forge(message: str, number: int) -> Callable[[GitFolder], object]:
    """Squash with a message that says nothing; the forge keeps the request's head."""

    def make(folder: GitFolder) -> None:
        head = _side(folder, message)
        folder.git("update-ref", f"refs/pull/{number}/head", head)
        folder.git("merge", "--quiet", "--squash", "side")
        folder.commit(f"Set it (#{number})\n", author=_LEE, committer=WEB_FLOW)
        _gone(folder)

    return make


def _squashed_in_silence(folder: GitFolder) -> None:
    """Squash with words of one's own; the file about the request names its head."""
    head = _side(folder, _MARKED)
    folder.git("update-ref", HEAD_OF_REQUEST, head)
    folder.git("merge", "--quiet", "--squash", "side")
    folder.commit("Mine\n", author=_LEE)
    _gone(folder)


def picked(message: str) -> Callable[[GitFolder], object]:
    """Cherry-pick with the line that names the origin."""

    def make(folder: GitFolder) -> None:
        made = _side(folder, message)
        folder.git("cherry-pick", "-x", made, env=BY_LEE)
        _gone(folder)

    return make


def reverted(message: str) -> Callable[[GitFolder], object]:
    """Commit, and take it back: the range holds both."""

    def make(folder: GitFolder) -> None:
        _change(folder)
        folder.commit(message, author=_LEE)
        folder.git("revert", "--no-edit", "HEAD", env=BY_LEE)

    return make


def merged(message: str) -> Callable[[GitFolder], object]:
    """Merge a branch, and say nothing of it."""

    def make(folder: GitFolder) -> None:
        _side(folder, message)
        folder.git("merge", "--quiet", "--no-ff", "-m", "Merge it", "side", env=BY_LEE)
        _gone(folder)

    return make


def _by_hook(environ: dict[str, str]) -> Callable[[GitFolder], object]:
    """Commit where ``countersign hooks install`` was run, as a program with `environ`."""

    def make(folder: GitFolder) -> None:
        clone = Clone(folder.path, {**BY_LEE, "PATH": "/usr/local/bin:/usr/bin:/bin"})
        clone.change(FILE, "changed\n")
        clone.git("commit", "--quiet", "--message", "Set it", env=environ)

    return make


def _pull(body: str, **user: object) -> dict[str, Any]:
    """Return what GitHub's API says of a pull request."""
    head = {"ref": "set-it"}
    return {"number": 9, "title": "Set it", "body": body, "head": head, "user": user}


def _merge_request(description: str, branch: str = "set-it") -> dict[str, Any]:
    """Return what GitLab's event says of a merge request."""
    told = {"title": "Set it", "description": description, "source_branch": branch}
    user = {"username": "lee", "email": LEE.email}
    return {"object_kind": "merge_request", "user": user, "object_attributes": told}


_WRITTEN = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"
_CO_AUTHOR = "Co-authored-by: Cursor Agent <cursoragent@cursor.com>"
_AIDER = Who("Lee (aider)", LEE.email)

FORMS = (
    Form("assisted-by", "claude", _saying("Assisted-by: Claude:claude-opus-4-5")),
    Form("generated-by", "codex", _saying("Generated-by: ChatGPT (gpt-5)")),
    Form("ai-assisted", "amazon-q", _saying("AI-Assisted: amazon-q/2026-03")),
    Form("ai-assisted-by", "roo-code", _saying("AI-Assisted-by: Roo Code:sonnet")),
    Form("made-with", "cursor", _saying("Made-with: Cursor")),
    Form("co-author", "cursor", _saying(_CO_AUTHOR)),
    Form("folded", "cursor", _saying("Co-authored-by: Ä\n <cursoragent@cursor.com>")),
    Form("agent-author", "copilot", _saying(author=COPILOT)),
    Form(
        "agent-committer",
        "cursor",
        _saying(committer=_CURSOR),
        request=_merge_request("By hand"),  # of whoever answers for the agent
    ),
    Form("claude-session", "claude", _saying("Claude-Session: https://claude.ai/c/1")),
    Form("codex-session", "codex", _saying("Codex-Session: 0199-af")),
    Form("agent-logs", "copilot", _saying("Agent-Logs-Url: https://github.com/s/5")),
    Form("amp-thread", "amp", _saying("Amp-Thread-ID: https://ampcode.com/T-1")),
    Form("entire", "entire", _saying("Entire-Checkpoint: a3b2c4d5e6f7")),
    Form("replit", "replit", _saying("Replit-Commit-Author: Agent")),
    Form("text", "claude", _saying(_WRITTEN)),
    Form("aider", "aider", _saying(author=_AIDER, committer=_AIDER)),
    Form("branch", "codex", _saying(), branch="codex/set-it"),
    Form("note", "codex", _noted(AI_NOTE)),
    Form("trace", "cursor", _traced("ai")),
    Form("github", "claude", _saying(), request=_pull(_WRITTEN), in_request=True),
    Form(
        "github-opener",
        "copilot",
        _saying(),
        request=_pull("", login="Copilot", id=198982749),
        in_request=True,
    ),
    Form(
        "gitlab", "claude", _saying(), request=_merge_request(_WRITTEN), in_request=True
    ),
    Form(
        "gitlab-branch",
        "devin",
        _saying(),
        request=_merge_request("", "devin/1"),
        in_request=True,
    ),
    Form("hook", "claude", _by_hook(CLAUDE)),
    Form("squash", "claude", squashed(_MARKED)),
    Form("forge-squash", "claude", squashed_by_the_forge(_MARKED, 7)),
    Form(
        "silent-squash",
        "claude",
        _squashed_in_silence,
        request={"headRefName": "set-it", "headRefOid": HEAD_OF_REQUEST},
        in_request=True,
    ),
    Form("picked", "claude", picked(_MARKED)),
    Form("reverted", "claude", reverted(_MARKED)),
    Form("merged", "claude", merged(_MARKED)),
)
"""Every form of recording; the agent is the one that has to be named."""

TWINS = (
    Form("twin-plain", "", _saying()),
    Form("twin-none", "", _saying("AI-Assisted: none", "Assisted-by: nobody")),
    Form("twin-co-author", "", _saying(f"Co-authored-by: Claude <{LEE.email}>")),
    Form("twin-reviewer", "", _saying("Reviewed-by: x <noreply@anthropic.com>")),
    Form("twin-branch", "", _saying(), branch="codexes/set-it"),
    Form("twin-note", "", _noted(HUMAN_NOTE)),
    Form("twin-trace", "", _traced("human")),
    Form("twin-gitlab", "", _saying(), request=_merge_request("By hand")),
    Form("twin-hook", "", _by_hook({})),
    Form("twin-squash", "", squashed(_PLAIN)),
    Form("twin-forge-squash", "", squashed_by_the_forge(_PLAIN, 8)),
    Form("twin-picked", "", picked(_PLAIN)),
    Form("twin-reverted", "", reverted(_PLAIN)),
    Form("twin-merged", "", merged(_PLAIN)),
)
"""The same by people alone: what looks like a mark is none."""
