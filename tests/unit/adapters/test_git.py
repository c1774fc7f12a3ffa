"""Reading real repositories that real git made."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.core.errors import Malformed
from countersign.provenance.commits import ChangedFile, Gap, Unseen
from tests.support.git import COPILOT, DEV, WEB_FLOW, GitFolder, Who


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> GitFolder:
    folder = GitFolder.init(tmp_path / "repo")
    folder.write("README", "one\n")
    folder.commit("Begin")
    return folder


def test_reads_a_range(folder: GitFolder) -> None:
    """Commits after the base, oldest first, in full."""
    base = folder.git("rev-parse", "HEAD")
    folder.write("src/ledger.go", "a\nb\nc\n")
    first = folder.commit("Add\n\nAI-Assisted: true\n", author=DEV, committer=WEB_FLOW)
    folder.write("src/ledger.go", "a\nB\nc\n")
    folder.write("README", "")
    second = folder.commit("Fix", author=COPILOT)

    found = GitRepository(folder.path).history(f"{base}..main")

    assert found.base is not None
    assert found.base.value == base
    assert found.target.value == second
    assert found.tree.value == folder.git("rev-parse", "HEAD^{tree}")
    assert [c.digest.value for c in found.commits] == [first, second]
    assert [p.value for p in found.commits[1].parents] == [first]
    one, two = found.commits
    assert one.message == "Add\n\nAI-Assisted: true\n"
    assert (one.author.email, one.committer.email) == (DEV.email, WEB_FLOW.email)
    assert one.author.at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert one.files == (ChangedFile("src/ledger.go", 3),)
    assert two.files == (
        ChangedFile("README", 0, 1),
        ChangedFile("src/ledger.go", 1, 1),
    )
    assert found.unseen == ()
    assert found.branches == ("main",)


def test_a_single_revision_means_from_the_root(folder: GitFolder) -> None:
    """``TARGET`` alone is the whole of its history."""
    folder.commit("More")

    found = GitRepository(folder.path).history("HEAD")

    assert found.base is None
    assert [c.message for c in found.commits] == ["Begin", "More"]
    assert found.commits[0].files == (ChangedFile("README", 1),)


def test_an_empty_side_means_head(folder: GitFolder) -> None:
    """As git reads it."""
    base = folder.git("rev-parse", "HEAD")
    folder.commit("More")

    assert len(GitRepository(folder.path).history(f"{base}..").commits) == 1
    assert GitRepository(folder.path).history("..HEAD").commits == ()


def test_a_merge_counts_only_what_it_wrote_itself(folder: GitFolder) -> None:
    """Both sides stand in the range already; the resolution is the merge's."""
    folder.write("both", "1\n2\n3\n")
    base = folder.commit("Base")
    folder.git("checkout", "-q", "-b", "side")
    folder.write("both", "side\n2\n3\n")
    folder.write("theirs", "x\n")
    folder.commit("Side")
    folder.git("checkout", "-q", "main")
    folder.write("both", "main\n2\n3\n")
    folder.commit("Main")
    with pytest.raises(subprocess.CalledProcessError):
        folder.git("-c", "user.name=x", "-c", "user.email=x", "merge", "side")
    folder.write("both", "resolved\nand more\n2\n3\n")
    folder.commit("Merge side")

    found = GitRepository(folder.path).history(f"{base}..main")

    (merge,) = [c for c in found.commits if len(c.parents) == 2]
    assert merge.files == (ChangedFile("both", 2),)
    assert len(found.commits) == 3


def test_a_renamed_file_is_not_written_anew(folder: GitFolder) -> None:
    """Moving a file changes no line."""
    folder.write("old", "".join(f"{n}\n" for n in range(50)))
    base = folder.commit("Add")
    folder.git("mv", "old", "new")
    folder.commit("Move")

    found = GitRepository(folder.path).history(f"{base}..")

    assert found.commits[0].files == (ChangedFile("new", 0),)


def test_a_shallow_clone_says_so(folder: GitFolder, tmp_path: Path) -> None:
    """What the clone does not hold was not seen."""
    for number in range(3):
        folder.commit(f"Commit {number}")
    clone = tmp_path / "clone"
    folder.git("clone", "-q", "--depth=2", f"file://{folder.path}", str(clone))

    repository = GitRepository(clone)

    assert Unseen(Gap.SHALLOW) in repository.history("HEAD").unseen
    assert Unseen(Gap.SHALLOW) not in repository.history("HEAD~1..HEAD").unseen
    assert repository.history("HEAD").remote == f"file://{folder.path}"
    with pytest.raises(Malformed, match="shallow"):
        repository.history("HEAD~3..HEAD")


def test_reads_the_note_and_the_branches(folder: GitFolder) -> None:
    """Notes of ``refs/notes/ai``; every branch at the target, its remote taken off."""
    folder.git(
        "-c",
        "user.name=x",
        "-c",
        "user.email=x",
        "notes",
        "--ref=ai",
        "add",
        "-m",
        "hi",
    )
    folder.git("branch", "codex/fix")
    folder.git("remote", "add", "origin", "https://example.com/acme/payments")
    folder.git("update-ref", "refs/remotes/origin/claude/it", "HEAD")

    found = GitRepository(folder.path).history("HEAD")

    assert found.commits[0].note == "hi\n"
    assert found.branches == ("main", "claude/it", "codex/fix")
    assert found.remote == "https://example.com/acme/payments"


def test_reads_bytes_that_are_no_text(folder: GitFolder) -> None:
    """Old encodings, wrong bytes and binary files are read, not refused."""
    folder.write("caf\udce9".encode(errors="surrogateescape").decode("latin-1"), "x\n")
    folder.write("binary", b"\x00\xff" * 100)
    folder.git("config", "i18n.commitEncoding", "iso-8859-1")
    folder.git(
        "-c",
        "user.name=x",
        "-c",
        "user.email=x",
        "commit",
        "-q",
        "-F",
        "-",
        stdin="Gr\xfc\xdfe \xff".encode("latin-1"),
    )

    found = GitRepository(folder.path).history("HEAD~1..")

    assert found.commits[0].message.startswith("Gr\xfc\xdfe")
    assert ChangedFile("binary", 0) in found.commits[0].files


def test_an_encoding_nobody_knows_is_read_as_utf8(folder: GitFolder) -> None:
    """The header is the committer's to choose; it must not stop the reader."""
    raw = folder.git("cat-file", "commit", "HEAD").replace(
        "\n\n", "\nencoding rot13-of-mars\n\n", 1
    )
    odd = folder.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)

    assert (
        GitRepository(folder.path).history(odd).commits[0].message.startswith("Begin")
    )


def test_an_impossible_date_does_not_stop_the_reader(folder: GitFolder) -> None:
    """Dates are the committer's to choose too."""
    raw = folder.git("cat-file", "commit", "HEAD").replace(
        "1763632800", "99999999999999"
    )
    odd = folder.git(
        "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw
    )

    assert len(GitRepository(folder.path).history(odd).commits) == 1


def test_works_in_a_linked_work_tree(folder: GitFolder, tmp_path: Path) -> None:
    """CI systems check out into linked work trees."""
    folder.git("worktree", "add", "-q", str(tmp_path / "linked"))

    assert len(GitRepository(tmp_path / "linked").history("HEAD").commits) == 1


@pytest.mark.parametrize(
    "bad", ["", "a...b", "nowhere", "HEAD..nowhere", "HEAD:README"]
)
def test_says_what_is_no_range(folder: GitFolder, bad: str) -> None:
    """The error names what was seen."""
    with pytest.raises(Malformed, match="expected"):
        GitRepository(folder.path).history(bad)


def test_says_what_is_no_repository(tmp_path: Path) -> None:
    """And what to do about it."""
    with pytest.raises(Malformed, match="--repo"):
        GitRepository(tmp_path)


def test_keeps_names_that_are_odd(folder: GitFolder) -> None:
    """Author lines are free text."""
    folder.commit("x", author=Who("D\xe9v (aider)", "D\xe9v@ex\xe4mple.com"))

    found = GitRepository(folder.path).history("HEAD~1..")

    assert found.commits[0].author.email == "D\xe9v@ex\xe4mple.com"


def test_shows_what_differs_between_two_commits(folder: GitFolder) -> None:
    """As git writes it, in the same order."""
    folder.write("src/ledger.go", "a\nb\n")
    folder.write("picture", b"\x00\xff")
    folder.commit("Add")
    repository = GitRepository(folder.path)
    found = repository.history("HEAD~1..HEAD")

    patch = repository.patch(found.base, found.target, limit=100)

    shown = folder.git("diff", "HEAD~1", "HEAD").splitlines()
    assert [*patch.lines] == shown
    assert patch.left_out == 0


def test_from_the_root_everything_is_new(folder: GitFolder) -> None:
    """There is nothing to compare with."""
    repository = GitRepository(folder.path)
    found = repository.history("HEAD")

    assert "+one" in repository.patch(None, found.target, limit=100).lines


def test_a_patch_is_cut_and_says_so(folder: GitFolder) -> None:
    """Whoever shows it has to say how much is left out."""
    repository = GitRepository(folder.path)
    target = repository.history("HEAD").target
    whole = repository.patch(None, target, limit=100)

    cut = repository.patch(None, target, limit=2)

    assert cut.lines == whole.lines[:2]
    assert cut.left_out == len(whole.lines) - 2
