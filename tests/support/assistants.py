"""Commits as assistants really make them, and as people do who only look like them.

Each case is one commit on a branch of its own. `EXPECTED` of a case is the assistant that
made it, `silent` tells that it leaves no mark by itself: there the hook has to.

Source:
    what each tool's documentation and its public commits show; addresses and ids are
    those of `provenance.agents`, written out here once more, so that a slip there shows.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.git import DEV, WEB_FLOW, GitFolder, Who

_MESSAGES = Path(__file__).parents[1] / "unit" / "provenance" / "messages"
_NOREPLY = "users.noreply.github.com"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One commit.

    Attributes:
        name: Also of its branch, if it has none.
        made_by: Canonical name of the assistant; ``""``: a person or another robot.
        message: In full.
        author: Of the commit.
        committer: The same.
        branch: It is on.
        note: Of git-ai, or ``""``.
        trace: A record of Agent Trace, or ``""``.
        silent: The assistant leaves no mark in it.
    """

    name: str
    made_by: str = ""
    message: str = "Change the ledger\n"
    author: Who = DEV
    committer: Who = DEV
    branch: str = ""
    note: str = ""
    trace: str = ""
    silent: bool = False

    def commit(self, folder: GitFolder) -> str:
        """Make the commit on its branch, from ``main``; return the branch."""
        branch = self.branch or f"case/{self.name}"
        folder.git("checkout", "--quiet", "--force", "-B", branch, "main")
        folder.write("src/ledger.go", f"one\n{self.name}\nthree\n")
        if self.trace:
            folder.write(".agent-trace/traces.jsonl", self.trace)
        folder.commit(self.message, author=self.author, committer=self.committer)
        if self.note:
            who = ("-c", "user.name=x", "-c", "user.email=x")
            folder.git(*who, "notes", "--ref=ai", "add", "-F", "-", stdin=self.note)
        return branch


def cases() -> tuple[Case, ...]:
    """Return every case; names are unique."""
    return (*_messages(), *_bots(), *_clients(), *_branches(), *_recorded(), *PEOPLE)


def _messages() -> tuple[Case, ...]:
    """Return the messages that are kept as files, named for their assistant."""
    return tuple(
        Case(
            name=file.stem.replace(".", "-"),
            made_by=file.stem.partition(".")[0].replace("nobody", ""),
            message=file.read_text("utf-8"),
        )
        for file in sorted(_MESSAGES.glob("*.txt"))
    )


def _bots() -> tuple[Case, ...]:
    """Return what agents commit on the forge, as themselves."""
    accounts = (
        ("claude", 209825114, "claude[bot]"),
        ("claude", 215619710, "anthropic-claude[bot]"),
        ("claude", 208546643, "claude-code-action[bot]"),
        ("copilot", 198982749, "Copilot"),
        ("copilot", 223556219, "Copilot"),
        ("copilot", 167198135, "copilot[bot]"),
        ("cursor", 206951365, "cursor[bot]"),
        ("cursor", 201670782, "cursoragent[bot]"),
        ("codex", 215057067, "openai-codex[bot]"),
        ("codex", 199175422, "chatgpt-codex-connector[bot]"),
        ("gemini", 176961590, "gemini-code-assist[bot]"),
        ("gemini", 218195315, "gemini-cli"),
        ("jules", 161369871, "google-labs-jules[bot]"),
        ("amazon-q", 208079219, "amazon-q-developer[bot]"),
        ("devin", 158243242, "devin-ai-integration[bot]"),
        ("cline", 205137888, "cline[bot]"),
        ("continue", 230936708, "continue[bot]"),
        ("cody", 201248094, "sourcegraph-cody[bot]"),
        ("jetbrains-ai", 220155983, "jetbrains-ai[bot]"),
        ("coderabbit", 136622811, "coderabbitai[bot]"),
        ("factory-droid", 138933559, "factory-droid[bot]"),
        ("kilo-code", 240665456, "kilo-code-bot[bot]"),
        ("windsurf", 189301087, "windsurf-bot[bot]"),
    )
    return tuple(
        Case(
            name=f"account-{number}",
            made_by=made_by,
            author=Who(login, f"{number}+{login}@{_NOREPLY}"),
            committer=WEB_FLOW,
        )
        for made_by, number, login in accounts
    )


def _clients() -> tuple[Case, ...]:
    """Return what tools on a desk add to the commits of the person at it."""
    co_authors = (
        ("aider", "aider (gpt-4o)", "aider@aider.chat"),
        ("aider", "aider (sonnet)", "noreply@aider.chat"),
        ("amp", "Amp", "amp@ampcode.com"),
        ("claude", "Claude Opus 4.5", "noreply@anthropic.com"),
        ("codex", "Codex", "codex@openai.com"),
        ("copilot", "Copilot", "copilot@github.com"),
        ("crush", "Crush", "crush@charm.land"),
        ("cursor", "Cursor Agent", "cursoragent@cursor.com"),
        ("gitlab-duo", "Duo", "duo.workflow.agent@gitlab.com"),
        ("opencode", "opencode", "noreply@opencode.ai"),
        ("openhands", "openhands", "openhands@all-hands.dev"),
        ("qwen-coder", "Qwen-Coder", "qwen-coder@alibabacloud.com"),
        ("roo-code", "Roomote", "roomote@roocode.com"),
        ("warp", "Oz", "oz-agent@warp.dev"),
        ("windsurf", "Windsurf", "noreply@windsurf.com"),
    )
    texts = (
        ("claude", "🤖 Generated with [Claude Code](https://claude.com/claude-code)"),
        ("crush", "💘 Generated with Crush"),
        ("opencode", "Generated with opencode"),
        ("codex", "Created with OpenAI Codex"),
        ("claude", "Claude-Session: https://claude.ai/code/session_01AbC"),
        ("codex", "Codex-Session: 0199-af"),
        ("cursor", "Made-with: Cursor"),
        ("cursor", "Cursor-Session: bc-1"),
        ("copilot", "Agent-Logs-Url: https://github.com/acme/x/sessions/5f1d"),
        ("gemini", "AI-Assisted: gemini-cli/2.5"),
        ("roo-code", "AI-Assisted-by: Roo Code:sonnet"),
        ("codex", "Generated-by: ChatGPT (gpt-5)"),
        ("amazon-q", "Assisted-by: Amazon Q Developer"),
    )
    return (
        *(
            Case(
                name=f"co-author-{address}",
                made_by=made_by,
                message=f"Change it\n\nCo-authored-by: {name} <{address}>\n",
            )
            for made_by, name, address in co_authors
        ),
        *(
            Case(
                name=f"line-{number}",
                made_by=made_by,
                message=f"Change it\n\n{text}\n",
            )
            for number, (made_by, text) in enumerate(texts)
        ),
        Case(
            name="aider-attributes",
            made_by="aider",
            author=Who("Dev (aider)", DEV.email),
            committer=Who("Dev (aider)", DEV.email),
        ),
        Case(name="completion", made_by="copilot", silent=True),
        Case(name="pasted-from-a-chat", made_by="codex", silent=True),
        Case(name="attribution-switched-off", made_by="claude", silent=True),
    )


def _branches() -> tuple[Case, ...]:
    """Return branches as agents in the cloud name them."""
    prefixes = {
        "aider": "aider",
        "claude": "claude",
        "cline": "cline",
        "codex": "codex",
        "copilot": "copilot",
        "cursor": "cursor",
        "devin": "devin",
        "gemini": "gemini",
    }
    return tuple(
        Case(
            name=f"on-a-branch-of-{made_by}", made_by=made_by, branch=f"{prefix}/fix-1"
        )
        for made_by, prefix in prefixes.items()
    )


def _recorded() -> tuple[Case, ...]:
    """Return commits that only a recording tool tells about."""
    tools = {
        "claude": "claude",
        "codex": "codex",
        "copilot": "github-copilot-cli",
        "cursor": "cursor",
        "factory-droid": "droid",
        "gemini": "gemini",
        "jetbrains-ai": "junie",
        "opencode": "opencode",
        "windsurf": "windsurf",
    }
    noted = (
        Case(name=f"noted-{made_by}", made_by=made_by, note=_note(tool))
        for made_by, tool in tools.items()
    )
    traced = (
        Case(name=f"traced-{made_by}", made_by=made_by, trace=_trace(tool))
        for made_by, tool in (("claude", "claude-code"), ("cursor", "cursor"))
    )
    return (*noted, *traced)


def _note(tool: str) -> str:
    session = {"agent_id": {"tool": tool, "id": "c", "model": "m"}}
    meta = {
        "schema_version": "authorship/3.0.0",
        "base_commit_sha": "0" * 40,
        "prompts": {},
        "sessions": {"s_c9883b05a2487d": session},
    }
    lines = "src/ledger.go\n  s_c9883b05a2487d::t_9f8e7d6c5b4a32 2\n"
    return f"{lines}---\n{json.dumps(meta)}"


def _trace(tool: str) -> str:
    conversation = {
        "contributor": {"type": "ai", "model_id": "x/m"},
        "ranges": [{"start_line": 2, "end_line": 2}],
    }
    record = {
        "version": "0.1.0",
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "timestamp": "2026-01-25T10:00:00Z",
        "tool": {"name": tool, "version": "1"},
        "files": [{"path": "src/ledger.go", "conversations": [conversation]}],
    }
    return json.dumps(record) + "\n"


PEOPLE = (
    Case(name="nobody-plain"),
    Case(name="nobody-web", committer=WEB_FLOW),
    Case(name="nobody-called-claude", author=Who("Claude", "claude.monet@example.com")),
    Case(name="nobody-called-devin", author=Who("Devin", "devin@example.com")),
    Case(
        name="nobody-claude-too",
        message="Fix\n\nCo-authored-by: Claude <claude.monet@example.com>\n",
    ),
    Case(
        name="nobody-copilot-by-name",
        author=Who("Copilot", f"1+Copilot@{_NOREPLY}"),
    ),
    Case(
        name="nobody-renovate",
        message="Update dependency x to v2\n",
        author=Who("renovate[bot]", f"29139614+renovate[bot]@{_NOREPLY}"),
    ),
    Case(
        name="nobody-actions",
        author=Who("github-actions[bot]", f"41898282+github-actions[bot]@{_NOREPLY}"),
    ),
    Case(
        name="nobody-on-cursors",
        message="Continue with cursors\n\nGenerated with cursor-pagination, and see Amp.\n",
        branch="cursors/paging",
    ),
    Case(
        name="nobody-reviewed",
        message=f"Fix\n\nReviewed-by: x <136622811+coderabbitai[bot]@{_NOREPLY}>\n",
    ),
    Case(
        name="nobody-says-no", message="Fix\n\nAssisted-by: none\nAI-Assisted: false\n"
    ),
    Case(
        name="nobody-talks-about-it",
        message="Forbid Claude Code\n\nCopilot and Cursor were used before. Gemini not.\n",
    ),
    Case(
        name="nobody-typed-it",
        note=(
            "src/ledger.go\n  h_31dce776f88375 2\n---\n"
            '{"schema_version": "authorship/3.0.0", "prompts": {}, "humans": '
            '{"h_31dce776f88375": {"author": "Dev <dev@example.com>"}}}'
        ),
    ),
    Case(
        name="nobody-traced",
        trace=_trace("cursor").replace('"type": "ai"', '"type": "human"'),
    ),
)


def of(name: str) -> Case:
    """Return the case of that name."""
    return next(case for case in cases() if case.name == name)


def named(case: Case, name: str) -> Case:
    """Return a case under another name, on a branch of its own."""
    return replace(case, name=name, branch="")
