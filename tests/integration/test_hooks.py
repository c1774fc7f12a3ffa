"""Hooks that record who helped, in real repositories, by real git commands.

git is started in a session of its own, and with no variable of this machine: whoever runs
the tests is not who commits.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.adapters.git_hooks import GitHooks
from countersign.core.errors import Malformed
from countersign.provenance.derive import derive, judge
from countersign.provenance.environment import Surroundings, known_surroundings
from countersign.provenance.hook_script import HOOKS, KEPT, hook_script
from countersign.provenance.registry import known_agents
from countersign.provenance.trailers import marks_in
from countersign.usecases.hooks import HookState, install, status, uninstall
from tests.support.assistants import Case, cases
from tests.support.git import GitFolder

CLAUDE = {"CLAUDECODE": "1"}
CURSOR = {"CURSOR_AGENT": "1"}
MARK = "AI-Assisted: claude"


# Trailers as forges, squashes and Markdown leave them.
HIDDEN = (
    "> * Assisted-by: claude:opus-5",
    "**Co-Authored-By:** Claude <noreply@anthropic.com>",
    "Co-authored-by: Claude\n  <noreply@anthropic.com>",
    "Assisted-by:\n  claude:opus-5",
    "Signed-off-by: Claude <noreply@anthropic.com>",
    "AI-Assisted: none",
    "AI-Assisted:",
    "Co-authored-by: Ann <ann@example.com>",
    "Reviewed-by: Claude <noreply@anthropic.com>",
    "Claude: a plan\n  by noreply@anthropic.com",
)


@dataclass(frozen=True)
class Clone:
    """A work tree whose git sees only what it is told."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(
        self, *args: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the work tree."""
        return subprocess.run(
            args,
            cwd=self.path,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            start_new_session=True,
        )

    def git(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run ``git args…``, which has to succeed; return what it prints."""
        done = self.run("git", *args, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def change(self, name: str = "file", text: str | None = None) -> None:
        """Change a file, and stage it."""
        file = self.path / name
        old = file.read_text() if file.exists() else ""
        file.write_text(f"{old}{len(old)}\n" if text is None else text)
        self.git("add", name)

    def commit(
        self,
        message: str,
        *args: str,
        name: str = "file",
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Change a file and commit it; return the message that became of it."""
        self.change(name)
        self.git("commit", "--quiet", "--message", message, *args, env=env)
        return self.message()

    def message(self, revision: str = "HEAD") -> str:
        """Return the message of a commit."""
        return self.git("log", "-1", "--format=%B", revision)

    def assistants(self, revision: str = "HEAD") -> set[str]:
        """Return which assistants a commit's message names."""
        marks = marks_in(self.message(revision), known_agents())
        return {mark.tool.name for mark in marks}

    def note(self, text: str) -> None:
        """Give the last commit a note of line ranges."""
        self.git("notes", "--ref=ai", "add", "--message", text)

    def notes(self) -> str:
        """Return the notes of the last commit."""
        return self.git("log", "-1", "--notes=ai", "--format=%N")

    def hook(self, name: str, script: str, mode: int = 0o755) -> Path:
        """Write a hook of the user's own."""
        file = self.path / ".git/hooks" / name
        file.write_text(script)
        file.chmod(mode)
        return file


@pytest.fixture(name="bare")
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Return a repository with one commit and no hooks."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "config").touch()
    environ = {
        "HOME": str(home),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GIT_CONFIG_GLOBAL": str(home / "config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "false",
        "GIT_AUTHOR_NAME": "Dev",
        "GIT_AUTHOR_EMAIL": "dev@example.com",
        "GIT_COMMITTER_NAME": "Dev",
        "GIT_COMMITTER_EMAIL": "dev@example.com",
    }
    for name in ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, environ[name])
    path = tmp_path / "repo"
    path.mkdir()
    clone = Clone(path, environ)
    clone.git("init", "--quiet", "--initial-branch=main")
    clone.commit("First")
    return clone


@pytest.fixture(name="clone")
def _clone(bare: Clone) -> Clone:
    """Return a repository with one commit and our hooks."""
    install(GitHooks(bare.path))
    return bare


def _variables() -> list[object]:
    return [
        pytest.param(seen, name, value, id=f"{seen.agent} by {name}")
        for seen in known_surroundings()
        for name, value in (
            *((name, "1") for name in seen.variables),
            *((name, f"x {part}/1") for name, part in seen.values),
        )
    ]


@pytest.mark.parametrize(("seen", "name", "value"), _variables())
def test_every_assistant_is_recorded(
    clone: Clone, seen: Surroundings, name: str, value: str
) -> None:
    """By each variable that it sets; and the collector reads what the hook wrote."""
    clone.commit("Change it", env={name: value})

    assert clone.assistants() == {seen.agent}
    assert clone.message().startswith("Change it\n\nAI-Assisted: ")


@pytest.mark.parametrize(
    ("env", "mark"),
    [
        ({**CLAUDE, "ANTHROPIC_MODEL": "opus-5"}, "Assisted-by: claude:opus-5"),
        ({**CLAUDE, "ANTHROPIC_MODEL": "$(x);\n"}, MARK),
        ({**CLAUDE, **CURSOR}, f"{MARK}\nAI-Assisted: cursor"),
        ({"AI_AGENT": "Claude-Code@2.1"}, MARK),
        ({"AI_AGENT": "new-one@1"}, "AI-Assisted: new-one"),
        ({"AI_AGENT": "1"}, "AI-Assisted: true"),
        ({"AI_AGENT": "1", **CLAUDE}, MARK),
        ({"AGENT": "amp"}, "AI-Assisted: amp"),
    ],
)
def test_what_is_written(clone: Clone, env: dict[str, str], mark: str) -> None:
    """The model where it is told, and nothing that a variable could smuggle in."""
    assert clone.commit("Change it", env=env) == f"Change it\n\n{mark}"


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"CLAUDECODE": ""},
        {"CLAUDECODE": "0"},
        {"AGENT": "ssh"},
        {"AI_AGENT": "none"},
        {"AI_AGENT": "a b; c"},
        {"CURSOR_TRACE_ID": "set in each terminal of the editor"},
        {"AWS_EXECUTION_ENV": "CloudShell"},
    ],
)
def test_a_person_is_left_alone(clone: Clone, env: dict[str, str]) -> None:
    """Not a byte is added to the message."""
    assert clone.commit("Change it", env=env) == "Change it"


def test_a_program_is_known_by_its_name(clone: Clone, tmp_path: Path) -> None:
    """Assistants that set nothing are seen where git descends from them."""
    aider = tmp_path / "aider"
    aider.write_text("#!/bin/sh\ngit commit --quiet --message 'Change it'\n:\n")
    aider.chmod(0o755)
    clone.change()

    done = clone.run(str(aider), env={"AIDER_MODEL": "gpt-9"})

    assert done.returncode == 0, done.stderr
    assert clone.message() == "Change it\n\nAssisted-by: aider:gpt-9"


def test_an_assistant_may_ask_whether_it_is_known(clone: Clone) -> None:
    """What is said is what a commit from there gets."""
    command = (sys.executable, "-m", "countersign", "hooks", "status")

    def said(*args: str, env: Mapping[str, str]) -> str:
        path = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        return clone.run(*command, *args, env={**path, **env}).stdout

    assert said(env={}).endswith("a commit from here: nothing to record\n")
    assert said(env=CLAUDE).endswith(f"a commit from here: {MARK}\n")
    both = json.loads(said("-o", "json", env={**CLAUDE, **CURSOR}))
    assert both["seen"] == [MARK, "AI-Assisted: cursor"]


def test_the_mark_is_written_once(clone: Clone) -> None:
    """Amending adds none; an amendment by another assistant adds its own."""
    clone.commit("Change it", env=CLAUDE)

    clone.git("commit", "--amend", "--no-edit", env=CLAUDE)
    assert clone.message() == f"Change it\n\n{MARK}"

    clone.git("commit", "--amend", "--no-edit", env=CURSOR)
    assert clone.message() == f"Change it\n\n{MARK}\nAI-Assisted: cursor"


def test_trailers_that_are_there_stay_in_one_block(clone: Clone) -> None:
    """And a rule in the text does not end the message."""
    text = "Change it\n\nWhy\n---\nmore\n\nSigned-off-by: Dev <dev@example.com>"

    assert clone.commit(text, env=CLAUDE) == f"{text}\n{MARK}"


@pytest.mark.parametrize("how", [[], ["--verbose"]])
@pytest.mark.parametrize("template", ["", "Say why\n"])
def test_an_editor_left_without_a_word_stops_the_commit(
    clone: Clone, template: str, how: list[str]
) -> None:
    """The mark alone is no message."""
    if template:
        (clone.path / "template").write_text(template)
        clone.git("config", "commit.template", str(clone.path / "template"))
    clone.change()

    done = clone.run("git", "commit", *how, env={**CLAUDE, "GIT_EDITOR": "true"})

    assert done.returncode == 1
    assert "Aborting commit" in done.stderr
    assert clone.message() == "First"


@pytest.mark.parametrize("how", [[], ["--verbose"], ["--no-verify"]])
def test_a_message_from_an_editor(clone: Clone, how: list[str]) -> None:
    """The person sees the mark, and may take it away."""
    clone.change()
    clone.git("commit", *how, env={**CLAUDE, "GIT_EDITOR": "sed -i 1iTitle"})
    assert clone.message() == f"Title\n\n{MARK}"

    clone.change()
    editor = "sed -i -e /claude/d -e 1iTitle"
    clone.git("commit", *how, env={**CLAUDE, "GIT_EDITOR": editor})
    assert clone.message() == "Title"


def test_a_squash_keeps_the_marks(clone: Clone) -> None:
    """Also where a person squashes, with words of his own."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("One", name="topic", env=CLAUDE)
    clone.commit("Two\n\nCo-authored-by: X <cursoragent@cursor.com>", name="topic")
    clone.commit("Generated with [Gemini CLI](https://example.com)", name="topic")
    bot = "Bot <198982749+Copilot@users.noreply.github.com>"
    clone.commit("Four", f"--author={bot}", name="topic")
    clone.commit("Five", "--author=Lee (aider) <lee@example.com>", name="topic")
    clone.commit(
        "Six\n\nAI-Assisted: none\nCo-authored-by: Ann <ann@x.io>", name="topic"
    )
    clone.git("checkout", "--quiet", "main")

    clone.git("merge", "--squash", "topic")
    clone.git("commit", "--quiet", "--message", "All of it")

    assert clone.assistants() == {"aider", "claude", "copilot", "cursor", "gemini"}
    assert "Ann" not in clone.message()
    assert "none" not in clone.message()


def test_a_squash_keeps_whatever_the_collector_would_find(bare: Clone) -> None:
    """Of each assistant's real commits; and of people's it makes nothing."""
    folder = GitFolder(bare.path)
    begin = folder.git("rev-parse", "HEAD")
    hidden = [Case(name=text, message=f"Change\n\n{text}\n") for text in HIDDEN]
    all_of_them = (*cases(), *hidden)
    for case in all_of_them:
        folder.commit(case.message, author=case.author, committer=case.committer)
    made = GitRepository(bare.path).history(f"{begin}..HEAD").commits
    hook, message = bare.path / "hook", bare.path / ".git/COMMIT_EDITMSG"
    hook.write_text(hook_script("prepare-commit-msg"))
    lost: dict[str, set[str]] = {}
    for case, commit in zip(all_of_them, made, strict=True):
        message.write_text("All\n")
        (bare.path / ".git/SQUASH_MSG").write_text(f"commit {commit.digest.value}\n")

        done = bare.run("sh", str(hook), str(message), "message")

        assert (done.returncode, done.stderr) == (0, "")
        kept = {m.tool.name for m in marks_in(message.read_text(), known_agents())}
        found = {mark.tool.name for mark in judge(commit, known_agents()).marks}
        if kept != found:
            lost[case.name] = kept ^ found
    assert not lost


def test_fixups_keep_the_marks(clone: Clone) -> None:
    """Git drops the messages of fixups; their marks stay."""
    clone.commit("One", name="one")
    clone.commit("fixup! One", name="two", env=CLAUDE)
    clone.commit("squash! One", name="three", env=CURSOR)
    clone.commit("Other", name="four")

    env = {"GIT_SEQUENCE_EDITOR": "true", "GIT_EDITOR": "true"}
    clone.git("rebase", "--quiet", "-i", "--autosquash", "HEAD~4", env=env)

    assert clone.message() == "Other"
    assert clone.assistants("HEAD~1") == {"claude", "cursor"}


def test_a_rebase_by_an_assistant_marks_nobodys_work(clone: Clone) -> None:
    """Moving commits is no help with them; resolving a conflict is."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("Clean", name="other")
    clone.commit("Conflict", name="file")
    clone.git("checkout", "--quiet", "main")
    clone.change(text="something else\n")
    clone.git("commit", "--quiet", "--message", "Main")
    clone.git("checkout", "--quiet", "topic")

    assert clone.run("git", "rebase", "main", env=CLAUDE).returncode == 1
    clone.change(text="both\n")
    clone.git("rebase", "--continue", env={**CLAUDE, "GIT_EDITOR": "true"})

    assert clone.message("HEAD~1") == "Clean"
    assert clone.assistants() == {"claude"}


def test_commits_between_the_steps_of_a_rebase(clone: Clone) -> None:
    """They are new."""
    clone.commit("Two")
    editor = {"GIT_SEQUENCE_EDITOR": "sed -i 1ibreak"}
    clone.git("rebase", "--quiet", "-i", "HEAD~1", env=editor)

    assert clone.commit("Between", name="new", env=CLAUDE).endswith(MARK)
    clone.git("rebase", "--continue")


@pytest.mark.parametrize("verb", ["cherry-pick", "revert"])
def test_picks_and_reverts_are_changes(clone: Clone, verb: str) -> None:
    """Whoever makes them is named, beside whom the commit names already."""
    clone.commit("Two", name="two", env=CURSOR)
    clone.git("checkout", "--quiet", "-b", "topic", *(["HEAD~1"] * (verb[0] == "c")))

    clone.git(verb, "main", env={**CLAUDE, "GIT_EDITOR": "true"})

    kept = {"cursor"} if verb == "cherry-pick" else set()
    assert clone.assistants() == {"claude"} | kept


def test_a_merge_by_an_assistant(clone: Clone) -> None:
    """It may have resolved something."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("Two", name="two")
    clone.git("checkout", "--quiet", "main")
    clone.commit("Three", name="three")

    clone.git("merge", "--no-edit", "topic", env={**CLAUDE, "GIT_EDITOR": "true"})

    assert clone.assistants() == {"claude"}


def test_notes_follow_their_commits(clone: Clone) -> None:
    """Through amend, rebase, fixup, cherry-pick and squash; once each."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("One", name="one")
    clone.note("note one")
    clone.git("commit", "--amend", "--message", "First one")
    assert clone.notes() == "note one"

    clone.commit("fixup! First one", name="two")
    clone.note("note two")
    clone.git("checkout", "--quiet", "main")
    clone.commit("Main")
    clone.git("checkout", "--quiet", "topic")
    env = {"GIT_SEQUENCE_EDITOR": "true"}
    clone.git("rebase", "--quiet", "-i", "--autosquash", "main", env=env)
    assert clone.message() == "First one"
    assert clone.notes().split() == ["note", "one", "note", "two"]

    clone.git("checkout", "--quiet", "-b", "picked", "main~1")
    clone.git("cherry-pick", "topic")
    assert clone.notes().split() == ["note", "one", "note", "two"]

    clone.git("checkout", "--quiet", "-b", "squashed", "main~1")
    clone.git("merge", "--squash", "topic")
    clone.git("commit", "--quiet", "--message", "All")
    assert clone.notes().split() == ["note", "one", "note", "two"]


def test_joined_notes_still_tell(clone: Clone) -> None:
    """What git-ai recorded of each commit is known of the squash of them."""
    clone.git("checkout", "--quiet", "-b", "topic")
    for name, tool in (("one.go", "claude"), ("two.go", "cursor")):
        clone.commit(name, name=name)
        session = f"s_{len(name):014x}{tool}"
        agent = {"agent_id": {"tool": tool, "id": "1", "model": "m"}}
        meta = {"schema_version": "authorship/3.0.0", "sessions": {session: agent}}
        clone.note(f"{name}\n  {session}::t_1 1\n---\n{json.dumps(meta)}")
    clone.git("checkout", "--quiet", "main")
    clone.git("merge", "--squash", "topic")
    clone.git("commit", "--quiet", "--message", "All")

    found = derive(GitRepository(clone.path).history("main~1..main"), known_agents())

    assert {tool.name for tool in found.tools} == {"claude", "cursor"}
    assert found.complete
    assert (found.lines.ai, found.lines.total) == (2, 2)


def test_a_note_that_is_there_wins(clone: Clone) -> None:
    """Who writes notes itself is not written over, nor added to."""
    clone.hook(
        f"post-commit.{KEPT}",
        "#!/bin/sh\ngit notes --ref=ai add --message 'its own' HEAD\n",
    )
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("One", name="one")
    clone.git("checkout", "--quiet", "main")

    clone.git("cherry-pick", "topic")

    assert clone.notes() == "its own"


def test_nothing_is_left_of_a_commit_that_was_stopped(clone: Clone) -> None:
    """What a squash that never happened would have carried goes nowhere else."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("One", name="one")
    clone.note("note one")
    clone.git("checkout", "--quiet", "main")
    clone.git("merge", "--squash", "topic")
    assert clone.run("git", "commit").returncode == 1  # the editor fails
    clone.git("reset", "--quiet", "--hard")

    clone.commit("Another")

    assert clone.notes() == ""
    assert not list((clone.path / ".git").glob("countersign-*"))


def test_a_work_tree_records_too(clone: Clone, tmp_path: Path) -> None:
    """Hooks are the repository's; what a commit leaves for the next hook is its own."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("One", name="one", env=CLAUDE)
    clone.note("note one")
    clone.git(
        "worktree", "add", "--quiet", "-b", "second", str(tmp_path / "w t"), "main"
    )
    second = Clone(tmp_path / "w t", clone.environ)

    second.git("merge", "--squash", "topic")
    second.git("commit", "--quiet", "--message", "All")

    assert second.assistants() == {"claude"}
    assert second.notes() == "note one"
    assert status(GitHooks(second.path)).hooks == status(GitHooks(clone.path)).hooks


def test_a_hook_that_fails_stops_nothing(clone: Clone, tmp_path: Path) -> None:
    """It says so in one line; what it could write, it wrote."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cat", "git", "grep", "rm", "sed", "sh", "tee", "tr"):
        (programs / name).symlink_to(str(shutil.which(name)))
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("One", name="one", env=CLAUDE)
    clone.git("checkout", "--quiet", "main")
    clone.git("merge", "--squash", "topic")
    env = {**CURSOR, "PATH": str(programs)}

    done = clone.run("git", "commit", "--quiet", "--message", "All", env=env)

    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("countersign: this commit may lack its marks: ")
    assert "awk" in line
    assert clone.assistants() == {"cursor"}


def test_it_needs_no_countersign(clone: Clone) -> None:
    """The hooks name no file of an installation, and no interpreter but sh."""
    assert shutil.which("countersign", path=clone.environ["PATH"]) is None
    for name in HOOKS:
        text = (clone.path / ".git/hooks" / name).read_text()
        assert "python" not in text
        assert text.startswith("#!/bin/sh\n")
    assert clone.commit("Change it", env=CLAUDE).endswith(MARK)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_any_shell_will_do(clone: Clone, shell: str) -> None:
    """Where one of these is `sh`, the hook says the same."""
    if shutil.which(shell) is None:
        return
    message = clone.path / ".git/COMMIT_EDITMSG"
    message.write_text("Change it\n")
    command = [shell, "sh"] if shell == "busybox" else [shell]
    hook = str(clone.path / ".git/hooks/prepare-commit-msg")

    done = clone.run(*command, hook, str(message), "message", env=CLAUDE)

    assert (done.returncode, done.stderr) == (0, "")
    assert message.read_text() == f"Change it\n\n{MARK}\n"


def _everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(file.relative_to(folder)): (
            stat.S_IMODE(file.lstat().st_mode),
            str(file.readlink()).encode() if file.is_symlink() else file.read_bytes(),
        )
        for file in sorted(folder.rglob("*"))
        if file.is_symlink() or file.is_file()
    }


def test_it_goes_without_a_trace(bare: Clone) -> None:
    """Every byte, mode and link of the repository is as before."""
    bare.hook("prepare-commit-msg", '#!/bin/sh\necho >>"$1"\n', 0o700)
    bare.hook("commit-msg", "#!/bin/sh\nexit 1\n", 0o644)
    (bare.path / ".git/hooks/post-commit").symlink_to("../../missing")
    bare.git("config", "notes.rewriteMode", "overwrite")
    before = _everything(bare.path)

    install(GitHooks(bare.path))
    assert install(GitHooks(bare.path)) == status(GitHooks(bare.path))
    found = uninstall(GitHooks(bare.path))

    assert {hook.state for hook in found.hooks} == {HookState.ABSENT}
    assert _everything(bare.path) == before
    assert uninstall(GitHooks(bare.path)) == found


def test_what_was_configured_before_stays(bare: Clone) -> None:
    """Notes that were carried are carried on."""
    bare.git("config", "notes.rewriteRef", "refs/notes/*")

    install(GitHooks(bare.path))
    uninstall(GitHooks(bare.path))

    assert bare.git("config", "--get-all", "notes.rewriteRef") == "refs/notes/*"


def test_a_hook_that_was_there_has_its_say(bare: Clone) -> None:
    """First, with all arguments; ours adds to what it wrote."""
    bare.hook("prepare-commit-msg", '#!/bin/sh\nshift\necho "$@" >.git/said\n')
    bare.hook("commit-msg", "#!/bin/sh\nsed -i 's/it/that/' \"$1\"\n")
    bare.hook("post-commit", "#!/bin/sh\ntouch .git/done\n")
    install(GitHooks(bare.path))

    assert bare.commit("Change it", env=CLAUDE) == f"Change that\n\n{MARK}"
    assert (bare.path / ".git/said").read_text() == "message\n"
    assert (bare.path / ".git/done").exists()


@pytest.mark.parametrize("name", ["prepare-commit-msg", "commit-msg"])
def test_a_hook_that_was_there_may_stop_a_commit(bare: Clone, name: str) -> None:
    """As it did before; one that git would not run does nothing."""
    hook = bare.hook(name, "#!/bin/sh\necho no >&2\nexit 3\n")
    install(GitHooks(bare.path))
    bare.change()

    done = bare.run("git", "commit", "--message", "Change it")
    assert (done.returncode, done.stderr) == (1, "no\n")

    hook.with_name(f"{name}.{KEPT}").chmod(0o644)
    bare.git("commit", "--message", "Change it")


def test_what_it_would_overwrite_is_not_touched(clone: Clone) -> None:
    """Somebody put another hook over ours, which had kept one."""
    clone.hook("commit-msg", "#!/bin/sh\n")
    clone.hook(f"commit-msg.{KEPT}", "#!/bin/sh\n")

    with pytest.raises(Malformed, match="rename or remove"):
        install(GitHooks(clone.path))


def test_an_older_edition_is_brought_up_to_date(clone: Clone) -> None:
    """It knew other assistants."""
    hook = clone.hook("commit-msg", hook_script("commit-msg") + "# older\n")
    states = {hook.name: hook.state for hook in status(GitHooks(clone.path)).hooks}
    assert states["commit-msg"] is HookState.OTHER

    install(GitHooks(clone.path))

    assert hook.read_text() == hook_script("commit-msg")


def test_hooks_path_in_the_work_tree(bare: Clone) -> None:
    """Git looks there, so they go there."""
    bare.git("config", "core.hooksPath", ".githooks")

    install(GitHooks(bare.path))

    assert {file.name for file in (bare.path / ".githooks").iterdir()} == set(HOOKS)
    assert bare.commit("Change it", env=CLAUDE).endswith(MARK)
    uninstall(GitHooks(bare.path))
    assert not (bare.path / ".githooks").exists()


def test_hooks_path_of_all_repositories(bare: Clone, tmp_path: Path) -> None:
    """They are other repositories' hooks, too: that has to be meant."""
    bare.git("config", "--global", "core.hooksPath", str(tmp_path / "shared"))
    before = _everything(tmp_path)
    with pytest.raises(Malformed, match="--shared"):
        install(GitHooks(bare.path))

    install(GitHooks(bare.path), shared=True)

    other = Clone(tmp_path / "other", bare.environ)
    bare.git("init", "--quiet", str(other.path))
    assert other.commit("Change it", env=CLAUDE).endswith(MARK)
    shutil.rmtree(other.path)
    uninstall(GitHooks(bare.path), shared=True)
    assert _everything(tmp_path) == before


def test_a_folder_of_hooks_elsewhere(bare: Clone, tmp_path: Path) -> None:
    """A link leads out of the repository: who knows who else uses what is there."""
    hooks = bare.path / ".git/hooks"
    shutil.rmtree(hooks)
    (tmp_path / "elsewhere").mkdir()
    hooks.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Malformed, match="--shared"):
        install(GitHooks(bare.path))

    assert not list((tmp_path / "elsewhere").iterdir())


# What both frameworks write: cut down to how they find the hook that they call.
FRAMEWORK = """\
#!/bin/sh
# File generated by pre-commit: https://pre-commit.com
[ -z "$RUNNING" ] || exit 1
export RUNNING=1
if [ -x "$0.legacy" ]; then "$0.legacy" "$@" || exit; fi
echo framework >&2
"""
HUSKY = """\
#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
sh -e "$s" "$@"
"""


def test_the_framework_was_there_first(bare: Clone) -> None:
    """It calls ours; it may be installed again, and removed."""
    hook = bare.hook("prepare-commit-msg", FRAMEWORK)
    install(GitHooks(bare.path))

    assert hook.read_text() == FRAMEWORK
    assert bare.commit("Change it", env=CLAUDE).endswith(MARK)
    hook.with_name("prepare-commit-msg.legacy").rename(hook)  # pre-commit uninstall
    assert bare.commit("Change it", env=CLAUDE).endswith(MARK)


def test_the_framework_came_later(bare: Clone) -> None:
    """It calls ours, which calls what was there before both."""
    hook = bare.hook("prepare-commit-msg", "#!/bin/sh\necho before >&2\n")
    install(GitHooks(bare.path))
    hook.rename(f"{hook}.legacy")  # pre-commit install
    bare.hook("prepare-commit-msg", FRAMEWORK)
    install(GitHooks(bare.path))
    bare.change()

    done = bare.run("git", "commit", "--quiet", "-m", "Change it", env=CLAUDE)

    assert done.stderr.split() == ["before", "framework"]
    assert bare.message().endswith(MARK)
    uninstall(GitHooks(bare.path))
    assert hook.read_text() == FRAMEWORK
    legacy = hook.with_name("prepare-commit-msg.legacy")
    assert "before" in legacy.read_text()


def test_husky(bare: Clone) -> None:
    """Its folder is made anew at each start; what it calls is above."""
    shims = bare.path / ".husky/_"
    shims.mkdir(parents=True)
    (shims / "h").touch()
    for name in HOOKS:
        (shims / name).write_text(HUSKY)
        (shims / name).chmod(0o755)
    bare.git("config", "core.hooksPath", ".husky/_")
    own = bare.path / ".husky/prepare-commit-msg"
    own.write_text("echo husky >&2\n")

    install(GitHooks(bare.path))
    bare.change()
    done = bare.run("git", "commit", "--quiet", "-m", "Change it", env=CLAUDE)
    assert (done.returncode, done.stderr) == (0, "husky\n")
    assert bare.message().endswith(MARK)
    uninstall(GitHooks(bare.path))

    assert own.read_text() == "echo husky >&2\n"
    assert {file.name for file in own.parent.iterdir()} == {"_", own.name}


def test_no_repository(tmp_path: Path) -> None:
    """Git's own words say so."""
    with pytest.raises(Malformed, match="not a git repository"):
        GitHooks(tmp_path)
