"""Marks that a commit holds and that git itself does not show."""

from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.core.types.evidence import Assistance
from countersign.provenance.agent_trace import PATH
from countersign.provenance.derive import Derivation, derive
from countersign.provenance.registry import known_agents
from tests.support.forms import AI_NOTE, FILE, trace
from tests.support.git import DEV, GitFolder

MARK = "AI-Assisted: claude"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> GitFolder:
    folder = GitFolder.init(tmp_path / "repo")
    folder.write(FILE, "one\n")
    folder.commit("Begin")
    folder.git("checkout", "-q", "-b", "work")
    return folder


def derived(folder: GitFolder, span: str = "main..work") -> Derivation:
    """Return what is derived of a range."""
    return derive(GitRepository(folder.path).history(span), known_agents())


def crafted(folder: GitFolder, message: bytes, header: str = "") -> str:
    """Write a commit on ``main`` that git would not write; return it."""
    head = folder.git("cat-file", "commit", "main").partition("\n\n")[0]
    head = f"{head}\nparent {folder.git('rev-parse', 'main')}"
    lines = sorted(head.split("\n"), key=lambda line: _ORDER.index(line.split()[0]))
    text = "\n".join((*lines, *((header,) if header else ()), "", ""))
    command = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    made = folder.git(*command, stdin=text.encode() + message)
    folder.git("update-ref", "refs/heads/work", made)
    return made


_ORDER = ("tree", "parent", "author", "committer")


@pytest.mark.parametrize(
    ("message", "header"),
    [
        pytest.param(f"Fix\n\0\n\n{MARK}\n".encode(), "", id="behind a NUL"),
        pytest.param(f"Fix\0{MARK}\0".encode(), "", id="between NULs"),
        pytest.param(f"Fix\n\n{MARK}\n".encode(), "encoding utf-16", id="UTF-16"),
        pytest.param(f"Fix\n\n{MARK}\n".encode(), "encoding cp037", id="EBCDIC, said"),
        pytest.param(f"Fix\n\n{MARK}\n".encode("cp037"), "encoding cp037", id="EBCDIC"),
        pytest.param(b"Fix\n\nAI-Assisted+ADo- x\n", "encoding utf-7", id="UTF-7"),
        pytest.param(f"Fix\n\n{MARK}\n".encode(), "encoding punycode", id="punycode"),
        pytest.param(f"Fix\n\n{MARK}\n".encode(), "encoding hex", id="no charset"),
        pytest.param(f"Fix\r\r{MARK}\r".encode(), "", id="carriage returns"),
        pytest.param(f"Fix\n\n\xff{MARK}\n{MARK}".encode(), "", id="broken UTF-8"),
    ],
)
def test_a_message_is_read_whole(
    folder: GitFolder, message: bytes, header: str
) -> None:
    """In whatever encoding it says it is, and behind whatever ends a string in C."""
    crafted(folder, message, header)

    found = derived(folder)

    assert found.assistance is Assistance.MIXED
    assert found.complete


@pytest.mark.parametrize("attribute", ["-diff", "binary", "-text", "diff=none"])
def test_traces_that_are_called_binary(folder: GitFolder, attribute: str) -> None:
    """Attributes are the committer's to write."""
    folder.write(".gitattributes", f"* {attribute}\n")
    folder.write(FILE, "one\ntwo\n")
    folder.write(PATH, trace("ai"))
    folder.commit("More")

    assert derived(folder).assistance is Assistance.MIXED


def test_traces_that_a_merge_brings(folder: GitFolder) -> None:
    """What no parent has nobody looks for in a difference."""
    folder.git("checkout", "-q", "-b", "side")
    folder.write("other", "x\n")
    folder.commit("Beside")
    folder.git("checkout", "-q", "work")
    folder.write("another", "x\n")
    folder.commit("Here")
    who = ("-c", "user.name=x", "-c", "user.email=x")
    folder.git(*who, "merge", "-q", "--no-ff", "--no-commit", "side")
    folder.write(FILE, "one\ntwo\n")
    folder.write(PATH, trace("ai"))
    folder.commit("Merge it")
    (folder.path / PATH).unlink()

    found = derived(folder)

    assert [one.assistance for one in found.commits].count(Assistance.MIXED) == 1


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_traces_that_are_no_file(folder: GitFolder, kind: str) -> None:
    """A link is no record, so it is named; of a folder there is nothing to read."""
    place = folder.path / PATH
    place.parent.mkdir()
    if kind == "link":
        place.symlink_to("/etc/hostname")
    else:
        place.mkdir()
        (place / "x").write_text("x")
    folder.git("add", "--all")
    folder.commit("More")

    assert derived(folder).complete is (kind == "folder")


def test_a_replaced_commit_is_still_itself(folder: GitFolder) -> None:
    """``git replace`` and grafts are a clone's own: what is attested is what is named."""
    folder.write(FILE, "two\n")
    marked = folder.commit(f"By machine\n\n{MARK}\n")
    clean = folder.git(
        *("commit-tree", f"{marked}^{{tree}}", "-p", "main", "-m", "By hand"),
        env={
            "GIT_AUTHOR_NAME": DEV.name,
            "GIT_AUTHOR_EMAIL": DEV.email,
            "GIT_COMMITTER_NAME": DEV.name,
            "GIT_COMMITTER_EMAIL": DEV.email,
        },
    )
    folder.git("replace", marked, clean)
    assert "By hand" in folder.git("log", "-1", "--format=%B", marked)

    assert derived(folder).assistance is Assistance.MIXED


def test_a_grafted_history_is_a_cut_one(folder: GitFolder) -> None:
    """Whose parents a clone hides is not all that there is."""
    folder.write(FILE, "two\n")
    folder.commit(f"By machine\n\n{MARK}\n")
    folder.write(FILE, "three\n")
    head = folder.commit("By hand")
    grafts = folder.path / ".git/info/grafts"
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(f"{head} {folder.git('rev-parse', 'main')}\n")

    found = derived(folder)

    assert found.assistance is Assistance.MIXED or not found.complete


@pytest.mark.parametrize("name", ["refs/pull/7/head", "refs/notes/ai"])
def test_a_reference_to_no_commit(folder: GitFolder, name: str) -> None:
    """Whoever may push may point a reference anywhere: what it hides is missing."""
    folder.write(FILE, "two\n")
    folder.commit("Fix (#7)")
    folder.git("update-ref", name, folder.git("rev-parse", f"HEAD:{FILE}"))

    assert not derived(folder).complete


def test_dates_change_no_range(folder: GitFolder) -> None:
    """A commit of the future below one of the past."""
    for date, message in (("2099-01-01", MARK), ("1970-01-02", "Two"), ("2000", "3")):
        folder.write(FILE, message)
        env = {"GIT_COMMITTER_DATE": f"{date[:4]}-01-02T00:00:00Z"}
        who = ("-c", "user.name=x", "-c", "user.email=x")
        folder.git(*who, "commit", "-q", "-m", f"Fix\n\n{message}", env=env)

    assert len(derived(folder).commits) == 3
    assert derived(folder).assistance is Assistance.MIXED


def test_mailmaps_rename_nobody(folder: GitFolder) -> None:
    """Git shows another author; the commit has its own."""
    agent = "noreply@anthropic.com"
    folder.write(".mailmap", f"Lee <lee@acme.example> <{agent}>\n")
    folder.commit("Fix", author=type(DEV)("Claude", agent))

    assert derived(folder).assistance is Assistance.AI


def test_the_environment_chooses_no_other_repository(
    folder: GitFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is given is read, whatever ``GIT_…`` says."""
    folder.write(FILE, "two\n")
    folder.commit(f"By machine\n\n{MARK}\n")
    clean = GitFolder.init(tmp_path / "clean")
    clean.write(FILE, "two\n")
    clean.commit("By hand")
    monkeypatch.setenv("GIT_DIR", str(clean.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(clean.path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(clean.path / ".git/objects"))
    monkeypatch.setenv("GIT_NAMESPACE", "other")

    found = derived(folder)

    assert found.assistance is Assistance.MIXED


def test_a_note_in_words_nobody_uses(folder: GitFolder) -> None:
    """Rewritten into another format, it is unreadable and not silence."""
    folder.write(FILE, "two\n")
    folder.commit("Fix")
    who = ("-c", "user.name=x", "-c", "user.email=x")
    for text in (AI_NOTE.replace("authorship/3", "authorship/9"), "nothing to see"):
        folder.git(*who, "notes", "--ref=ai", "add", "-f", "-F", "-", stdin=text)
        assert not derived(folder).complete
