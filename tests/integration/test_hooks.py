"""Hooks that record who helped, in real repositories, by real git commands."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from countersign.adapters.git_hooks import GitHooks
from countersign.provenance.environment import Surroundings, known_surroundings
from countersign.provenance.hook_script import HOOKS
from countersign.usecases.hooks import install
from tests.support.hooked import CLAUDE, CURSOR, MARK, Clone, repository


@pytest.fixture(name="clone")
def _clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Return a repository with one commit and our hooks."""
    clone = repository(tmp_path, monkeypatch)
    install(GitHooks(clone.path))
    return clone


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


@pytest.mark.parametrize("key", ["command", "cmd"])
def test_no_trailer_is_made_by_a_command(
    clone: Clone, tmp_path: Path, key: str
) -> None:
    """Wherever it is configured; what a trailer and a comment are stays configured."""
    ran = tmp_path / "ran"
    clone.git("config", f"trailer.see.{key}", f"touch {ran}; echo it")
    clone.git("config", "trailer.see.key", "See")
    clone.git("config", "core.commentChar", ";")
    clone.git("config", "--global", f"trailer.sign.{key}", f"touch {ran}; echo me")
    clone.change()
    words = "Change it\n\nSee: there\nand here\nand"
    here = ("-c", f"trailer.now.{key}=touch {ran}", "commit", "--quiet", "--edit")
    editor = "sed -i '$a; comment'"

    clone.git(*here, "--message", words, env={**CLAUDE, "GIT_EDITOR": editor})

    assert clone.message() == f"{words}\n{MARK}"
    assert not ran.exists()


@pytest.mark.parametrize("mark", ["#", "//", "é", "REM "])
def test_an_editor_left_alone_commits_no_patch(clone: Clone, mark: str) -> None:
    """Whatever a comment begins with: newer editions of git take any string."""
    message = clone.path / ".git/COMMIT_EDITMSG"
    line = "-" * 24
    message.write_text(f"\n{mark} {line} >8 {line}\ndiff --git a/file b/file\n+1\n")

    for name in ("prepare-commit-msg", "commit-msg"):
        hook = str(clone.path / ".git/hooks" / name)
        assert clone.run(hook, str(message), env=CLAUDE).returncode == 0

    assert message.read_text() == ""
