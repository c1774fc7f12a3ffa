"""Marks and notes go with their commits, whatever git does to them."""

import json
from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.adapters.git_hooks import GitHooks
from countersign.provenance.derive import derive, judge
from countersign.provenance.hook_script import KEPT, hook_script
from countersign.provenance.registry import known_agents
from countersign.provenance.trailers import marks_in
from countersign.usecases.hooks import install, status
from tests.support.assistants import Case, cases
from tests.support.git import GitFolder
from tests.support.hooked import CLAUDE, CURSOR, MARK, Clone, repository

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


@pytest.fixture(name="bare")
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Return a repository with one commit and no hooks."""
    return repository(tmp_path, monkeypatch)


@pytest.fixture(name="clone")
def _clone(bare: Clone) -> Clone:
    """Return it with our hooks."""
    install(GitHooks(bare.path))
    return bare


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


def test_signatures_are_not_looked_at(clone: Clone, tmp_path: Path) -> None:
    """A program that checks them would be run, and its words taken for a message's."""
    gpg = tmp_path / "gpg"
    gpg.write_text("#!/bin/sh\necho 'AI-Assisted: aider' >&2\n")
    gpg.chmod(0o755)
    clone.git("config", "log.showSignature", "true")
    clone.git("config", "gpg.program", str(gpg))
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit("One", name="topic", env=CLAUDE)
    raw = clone.git("cat-file", "commit", "HEAD").replace(
        "\n\n",
        "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n"
        " -----END PGP SIGNATURE-----\n\n",
        1,
    )
    (tmp_path / "raw").write_text(f"{raw}\n")
    signed = clone.git("hash-object", "-t", "commit", "-w", str(tmp_path / "raw"))
    clone.git("checkout", "--quiet", "main")

    clone.git("-c", "log.showSignature=false", "merge", "--squash", signed)
    clone.git("commit", "--quiet", "--message", "Picked")

    assert clone.assistants() == {"claude"}
