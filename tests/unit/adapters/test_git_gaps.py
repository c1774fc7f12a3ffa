"""What a clone does not show: it is named, and never taken for silence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.core.types.evidence import Assistance, Lines
from countersign.provenance.commits import Content, Gap, Unseen
from countersign.provenance.derive import Derivation, derive
from countersign.provenance.registry import known_agents
from tests.support.git import WEB_FLOW, GitFolder

NOTE = (
    "ledger\n  s_1::t_1 1-2\n---\n"
    '{"schema_version": "authorship/3.0.0", "sessions": {"s_1": {"agent_id": '
    '{"tool": "cursor", "id": "1", "model": "gpt-5"}}}}'
)
CLAUDE = "Part\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n"

Clone = Callable[..., GitFolder]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> GitFolder:
    folder = GitFolder.init(tmp_path / "repo")
    folder.git("config", "uploadpack.allowFilter", "true")
    folder.write("ledger", "one\ntwo\nthree\n")
    folder.commit("Begin")
    return folder


@pytest.fixture(name="clone")
def _clone(folder: GitFolder, tmp_path: Path) -> Clone:
    def make(*options: str) -> GitFolder:
        made = tmp_path / "clone"
        folder.git("clone", "-q", *options, f"file://{folder.path}", str(made))
        return GitFolder(made)

    return make


def derived(folder: GitFolder, span: str = "HEAD") -> Derivation:
    """Return what is derived of a range."""
    return derive(GitRepository(folder.path).history(span), known_agents())


def noted(folder: GitFolder, text: str = NOTE) -> None:
    """Put a note of git-ai on HEAD."""
    who = ("-c", "user.name=x", "-c", "user.email=x")
    folder.git(*who, "notes", "--ref=ai", "add", "-f", "-F", "-", stdin=text)


def test_notes_that_nobody_fetched(folder: GitFolder, clone: Clone) -> None:
    """A clone brings none by itself: there may be some."""
    noted(folder)
    cloned = clone()

    assert derived(cloned).unseen == (Unseen(Gap.NOTES),)

    cloned.fetching_notes()
    cloned.git("fetch", "-q")

    assert derived(cloned).complete
    assert derived(cloned).lines == Lines(ai=2, unknown=1)


def test_a_repository_without_notes(folder: GitFolder, clone: Clone) -> None:
    """Where a fetch would have brought them there are none; nor has it a remote."""
    assert derived(folder).complete
    cloned = clone()
    cloned.git("config", "--add", "remote.origin.fetch", "+refs/heads/*:refs/x/*")

    assert derived(cloned).unseen == (Unseen(Gap.NOTES),)

    cloned.git("config", "--add", "remote.origin.fetch", "refs/notes/ai:refs/notes/ai")

    assert derived(cloned).complete


def test_notes_in_folders(folder: GitFolder) -> None:
    """Git sorts many notes into folders."""
    head = folder.git("rev-parse", "HEAD")
    stream = (
        "commit refs/notes/ai\ncommitter x <x> 1 +0000\ndata 1\nx\n"
        f"M 100644 inline {head[:2]}/{head[2:]}\ndata {len(NOTE)}\n{NOTE}\n"
    )
    folder.git("fast-import", "--quiet", stdin=stream)

    assert derived(folder).assistance is Assistance.MIXED


def test_a_partial_clone(folder: GitFolder, clone: Clone) -> None:
    """Without the content nobody counts lines; the marks are all there."""
    folder.write("ledger", "one\ntwo\nthree\nfour\n")
    folder.commit(CLAUDE)
    cloned = clone("--filter=blob:none", "--no-checkout")
    cloned.fetching_notes()

    found = derived(cloned)

    assert found.unseen == (Unseen(Gap.OBJECTS, "ledger"),)
    assert found.uncounted == ("ledger",)
    assert found.assistance is Assistance.MIXED
    assert found.lines == Lines()


def test_a_clone_without_trees(folder: GitFolder, clone: Clone) -> None:
    """Nobody knows what such commits touch; who made them is known."""
    folder.write("ledger", "one\n")
    folder.commit(CLAUDE)
    cloned = clone("--filter=tree:0", "--no-checkout")
    cloned.fetching_notes()

    found = derived(cloned)

    assert {one.gap for one in found.unseen} == {Gap.OBJECTS}
    assert found.marked == 1


def test_a_note_whose_text_is_missing(folder: GitFolder) -> None:
    """As in a partial clone that fetched notes."""
    noted(folder)
    blob = folder.git("notes", "--ref=ai", "list", "HEAD")
    (folder.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    assert {one.gap for one in derived(folder).unseen} == {Gap.OBJECTS}


def test_a_submodule_that_moves(folder: GitFolder) -> None:
    """Its commits are in another repository; who made them is not known here."""
    base = folder.git("rev-parse", "HEAD")
    head = ("--cacheinfo", f"160000,{base},vendor/lib")
    folder.git("update-index", "--add", *head)
    folder.commit("Take the library")
    (folder.path / "vendor" / "lib").mkdir(parents=True)

    found = derived(folder, f"{base}..")

    assert found.unseen == (Unseen(Gap.SUBMODULE, "vendor/lib"),)
    folder.git("rm", "-q", "--cached", "vendor/lib")
    folder.commit("Drop it")
    assert derived(folder, "HEAD~1..").complete


def test_what_has_no_lines_is_named(folder: GitFolder) -> None:
    """Binary and generated files are seen; their lines are nobody's."""
    folder.write(".gitattributes", "*.pb.go linguist-generated\n")
    folder.write("api.pb.go", "x\n" * 50)
    folder.write("logo.png", b"\x00\xff" * 50)
    folder.write("main.go", "x\n")
    folder.commit(CLAUDE)

    found = derived(folder, "HEAD~1..")

    assert found.complete
    assert found.uncounted == ("api.pb.go", "logo.png")
    assert found.lines == Lines(ai=2)


def test_a_squash_is_what_its_request_was(folder: GitFolder) -> None:
    """Where the clone has the request's commits, the marks that a squash lost count."""
    folder.git("checkout", "-q", "-b", "work")
    folder.write("ledger", "one\ntwo\nthree\nfour\n")
    head = folder.commit(CLAUDE)
    folder.git("checkout", "-q", "main")
    folder.git("merge", "-q", "--squash", "work")
    folder.commit("Part (#42)", committer=WEB_FLOW)
    assert derived(folder, "HEAD~1..").marked == 0

    folder.git("update-ref", "refs/remotes/origin/pull/42/head", head)

    found = derived(folder, "HEAD~1..")
    assert found.complete
    assert {tool.name for tool in found.tools} == {"claude"}
    assert found.lines == Lines(ai=1)


def test_no_branch_takes_the_place_of_a_request(folder: GitFolder) -> None:
    """Whoever may push may call a branch like one."""
    base = folder.git("rev-parse", "HEAD")
    head = folder.commit(CLAUDE)
    folder.git("reset", "-q", "--hard", base)
    folder.write("ledger", "one\n")
    folder.commit("Part (#42)", committer=WEB_FLOW)
    folder.git("update-ref", "refs/pull/42/head", head)
    for place in ("pull/42/head", "pr/42"):
        folder.git("update-ref", f"refs/remotes/aside/{place}", base)
        folder.git("update-ref", f"refs/remotes/zoo/{place}", base)

    assert derived(folder, "HEAD~1..").marked == 1


def test_a_squash_of_noted_commits_is_mixed_as_a_whole(folder: GitFolder) -> None:
    """Lines of the commits that were squashed are not those of the squash."""
    base = folder.git("rev-parse", "HEAD")
    folder.write("ledger", "1\n2\n3\n")
    head = folder.commit("Part")
    noted(folder)
    folder.git("reset", "-q", "--soft", base)
    folder.commit("Part (#42)", committer=WEB_FLOW)
    folder.git("update-ref", "refs/pull/42/head", head)

    found = derived(folder, "HEAD~1..")

    assert found.assistance is Assistance.MIXED
    assert found.lines == Lines(ai=3)


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("Part (#42)", True),
        ("Part\n\nSee merge request acme/payments!42", True),
        ("Part, see #42", False),
    ],
)
def test_a_request_whose_commits_are_gone(
    folder: GitFolder, message: str, *, gone: bool
) -> None:
    """Only where the clone fetches requests, and only of what a forge squashed."""
    folder.git("update-ref", "refs/pull/7/head", "HEAD")
    folder.commit(message, committer=WEB_FLOW)
    found = derived(folder, "HEAD~1..")

    assert found.unseen == ((Unseen(Gap.PULL_REQUEST, "42"),) if gone else ())
    folder.commit(message)
    assert derived(folder, "HEAD~1..").complete


def test_traces_that_a_later_commit_takes_away(folder: GitFolder) -> None:
    """They were committed with what they are about, and nothing unsays that."""
    record = (
        '{"version":"0.1.0","id":"1","timestamp":"2026-01-23T14:30:00Z","files":[{'
        '"path":"ledger","conversations":[{"contributor":{"type":"ai"},"ranges":[{'
        '"start_line":4,"end_line":4}]}]}]}\n'
    )
    folder.write("ledger", "one\ntwo\nthree\nfour\n")
    folder.write(".agent-trace/traces.jsonl", record)
    folder.commit("Fourth")
    folder.git("rm", "-q", "-r", ".agent-trace")
    folder.commit("Tidy up")

    found = derived(folder, "HEAD~2..")

    assert [judged.assistance for judged in found.commits] == [
        Assistance.MIXED,
        Assistance.UNKNOWN,
    ]
    assert found.lines == Lines(ai=1)


def test_traces_of_the_work_tree_count(folder: GitFolder) -> None:
    """They name the commit they started from, committed or not."""
    base = folder.git("rev-parse", "HEAD")
    folder.write("ledger", "one\ntwo\nthree\nfour\n")
    folder.commit("Fourth")
    file = folder.path / ".agent-trace" / "traces.jsonl"
    file.parent.mkdir()
    file.write_text(
        f'{{"vcs":{{"type":"git","revision":"{base}"}},"files":[{{"path":"ledger",'
        '"conversations":[{"contributor":{"type":"ai"},"ranges":[{"start_line":4,'
        '"end_line":4}]}]}]}\n'
    )

    assert derived(folder, f"{base}..").assistance is Assistance.AI


def test_a_range_is_read_with_word_of_its_progress(folder: GitFolder) -> None:
    """Whoever waits wants to see that something happens."""
    for number in range(130):
        folder.commit(f"Commit {number}")
    told: list[int] = []

    GitRepository(folder.path, told.append).history("HEAD")

    assert told == [0, 64, 128]


def test_says_what_a_path_holds(folder: GitFolder) -> None:
    """A picture has no lines."""
    folder.write("logo.png", b"\x00\xff" * 50)
    folder.commit("Picture")

    (commit,) = GitRepository(folder.path).history("HEAD~1..").commits

    (edit,) = commit.edits[0]
    assert edit.content is Content.BINARY
