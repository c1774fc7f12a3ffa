"""Lines with their assistance, from real repositories."""

import json
from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.adapters.git_blame import GitBlame
from countersign.core.errors import Malformed
from countersign.core.types.evidence import Assistance
from countersign.faces.cli import main
from countersign.provenance.derive import derive
from countersign.provenance.registry import known_agents
from countersign.usecases.blame import Blame, blame
from tests.support.git import COPILOT, DEV, GitFolder

AI, MIXED, UNKNOWN = Assistance.AI, Assistance.MIXED, Assistance.UNKNOWN
WHO = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
SESSION = "s_c9883b05a2487d"


def _blame(folder: GitFolder, file: str = "a.go", *, revision: str = "") -> Blame:
    return blame(
        file,
        revision=revision,
        spans=(),
        source=GitBlame(folder.path),
        repository=GitRepository(folder.path),
        registry=known_agents(),
    )


def _states(found: Blame) -> list[Assistance]:
    return [line.assistance for line in found.lines]


def _note(path: str, lines: str) -> str:
    agent = {"agent_id": {"tool": "claude", "id": "1", "model": "opus"}}
    meta = {"schema_version": "authorship/3.0.0", "sessions": {SESSION: agent}}
    return f"{path}\n  {SESSION}::t_{'0' * 14} {lines}\n---\n{json.dumps(meta)}\n"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> GitFolder:
    """Return a file of four lines: silence, a trailer, an author, and no commit."""
    folder = GitFolder.init(tmp_path / "repo")
    folder.write("a.go", "one\n")
    folder.commit("Begin")
    folder.write("a.go", "one\ntwo\n")
    folder.commit("Go on\n\nAssisted-by: claude:opus-5")
    folder.write("a.go", "one\ntwo\nthree\n")
    folder.commit("Bot", author=COPILOT, committer=DEV)
    (folder.path / "a.go").write_text("one\ntwo\nthree\nfour\n")
    return folder


def test_each_line_is_as_its_commit_is(folder: GitFolder) -> None:
    """What nobody marked, or committed, is unknown; never human."""
    found = _blame(folder)

    assert _states(found) == [UNKNOWN, MIXED, AI, UNKNOWN]
    assert [line.tools for line in found.lines] == [
        (),
        ("claude opus-5",),
        ("copilot",),
        (),
    ]
    assert [line.blamed.text for line in found.lines] == ["one", "two", "three", "four"]
    assert found.lines[3].blamed.commit == ""


def test_as_it_was(folder: GitFolder) -> None:
    """Of a revision."""
    assert _states(_blame(folder, revision="HEAD~1")) == [UNKNOWN, MIXED]


def test_a_note_speaks_of_the_lines_that_it_names(folder: GitFolder) -> None:
    """By their place in its commit, under the name that the file had there."""
    folder.write("a.go", "zero\none\ntwo\nthree\nfour\nfive\n")
    folder.commit("By hand, and not")
    folder.git(*WHO, "notes", "--ref=ai", "add", "-F-", stdin=_note("a.go", "5"))
    folder.git("mv", "a.go", "b c.go")
    folder.write("b c.go", "first\nzero\none\ntwo\nthree\nfour\nfive\n")
    folder.commit("Move")

    found = _blame(folder, "b c.go")

    assert _states(found) == [UNKNOWN, UNKNOWN, UNKNOWN, MIXED, AI, AI, UNKNOWN]
    assert found.lines[5].tools == ("claude opus",)
    assert found.lines[6].tools == ()


def test_a_trace_speaks_of_the_lines_that_it_names(folder: GitFolder) -> None:
    """As the collector reads it."""
    lines = [{"start_line": 4, "end_line": 4}]
    record = {
        "version": "0.1.0",
        "id": "7",
        "timestamp": "2026-11-20T10:00:00Z",
        "tool": {"name": "cursor"},
        "files": [
            {
                "path": "a.go",
                "conversations": [{"contributor": {"type": "ai"}, "ranges": lines}],
            }
        ],
    }
    folder.write(".agent-trace/traces.jsonl", json.dumps(record) + "\n")
    folder.commit("Record")

    found = _blame(folder)

    assert _states(found) == [UNKNOWN, MIXED, AI, AI]
    assert found.lines[3].tools == ("cursor",)


def test_a_merge_is_asked_of_its_own_lines_only(folder: GitFolder) -> None:
    """What came with a branch is the branch's."""
    folder.git("add", "a.go")
    folder.commit("Four")
    folder.git("checkout", "--quiet", "-b", "topic", "HEAD~1")
    folder.write("other.go", "x\n")
    folder.commit("Topic\n\nAI-Assisted: amp")
    folder.git("checkout", "--quiet", "main")
    folder.git(*WHO, "merge", "--quiet", "--no-edit", "topic")

    assert _blame(folder, "other.go").lines[0].tools == ("amp",)
    assert _states(_blame(folder)) == [UNKNOWN, MIXED, AI, UNKNOWN]


def test_it_counts_as_an_attestation_does(folder: GitFolder) -> None:
    """Of each file, over the whole history: notes, renames and a merge included."""
    folder.write("a.go", "zero\none\ntwo\nthree\nfour\nfive\n")
    folder.commit("By hand, and not")
    folder.git(*WHO, "notes", "--ref=ai", "add", "-F-", stdin=_note("a.go", "5"))
    folder.git("checkout", "--quiet", "-b", "topic")
    folder.write("other.go", "x\ny\n")
    folder.commit("Topic\n\nAI-Assisted: amp")
    folder.git("checkout", "--quiet", "main")
    folder.git("mv", "a.go", "b.go")
    folder.write("b.go", "first\nzero\none\nTWO\nthree\nfour\nfive\n")
    folder.commit("Move")
    folder.git(*WHO, "merge", "--quiet", "--no-edit", "topic")
    attested = derive(GitRepository(folder.path).history("HEAD"), known_agents())

    assert set(attested.files()) == {"b.go", "other.go"}
    for path, counted in attested.files().items():
        assert _blame(folder, path).counted == counted


def test_a_shallow_clone(folder: GitFolder, tmp_path: Path) -> None:
    """Its first commit is blamed for all that came before; nothing becomes human."""
    source = f"file://{folder.path}"
    folder.git("clone", "--quiet", "--depth=1", source, str(tmp_path / "clone"))

    found = _blame(GitFolder(tmp_path / "clone"))

    assert set(_states(found)) == {AI}


def test_nobody_hides_a_commit(folder: GitFolder) -> None:
    """A list of commits to look through is not heeded."""
    commit = folder.git("rev-parse", "HEAD")
    (folder.path / "ignored").write_text(f"{commit}\n")
    folder.git("config", "blame.ignoreRevsFile", str(folder.path / "ignored"))

    assert _states(_blame(folder))[2] is AI


@pytest.mark.parametrize(
    ("file", "revision", "said"),
    [
        ("nothing.go", "", "no such path"),
        ("a.go", "nowhere", "expected a revision"),
        ("a.go", "--help", "expected a revision"),
    ],
)
def test_what_is_not_there(
    folder: GitFolder, file: str, revision: str, said: str
) -> None:
    """Git's own words say so; no revision is an option."""
    with pytest.raises(Malformed, match=said):
        _blame(folder, file, revision=revision)


def test_the_command(
    folder: GitFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Columns for people, JSON for machines, and a sum on standard error."""
    where = ("--repo", str(folder.path))
    assert main(["blame", *where, "-L", "2,3", "a.go"]) == 0
    shown = capsys.readouterr()
    first, second = shown.out.splitlines()

    assert first.split()[1:] == [
        *("mixed", "claude", "opus-5", "Dev", "2026-11-20", "2)", "two")
    ]
    assert second.split()[1:4] == ["ai", "copilot", "Copilot"]
    assert shown.err == "assistants had a hand in 2 of 2 lines, 100 %\n"

    assert main(["blame", *where, "-o", "json", "a.go"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["counted"] == {"unknown": 2, "mixed": 1, "ai": 1}
    line = read["lines"][1]
    assert (line["assistance"], line["tools"]) == ("mixed", ["claude opus-5"])
    assert read["commits"][line["commit"]]["evidence"] == [
        {"kind": "trailer", "value": "assisted-by: claude:opus-5", "claims": "mixed"}
    ]
    assert read["lines"][3]["commit"] is None

    (folder.path / "empty").touch()
    folder.git("add", "empty")
    assert main(["blame", *where, "empty"]) == 3
    assert main(["blame", "--repo", str(tmp_path), "a.go"]) == 1


def test_no_program_of_the_repository_is_run(folder: GitFolder, tmp_path: Path) -> None:
    """One that watches the work tree is somebody's who wrote its configuration."""
    ran = tmp_path / "ran"
    name = folder.git("ls-files").splitlines()[0]
    folder.git("config", "core.fsmonitor", f"touch {ran};:")

    GitBlame(folder.path).lines(name, "", ())

    assert not ran.exists()
