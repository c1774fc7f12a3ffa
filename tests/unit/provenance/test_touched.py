"""Which paths somebody touched: all of them, by both names, or nothing is said."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countersign.adapters.git import GitRepository
from countersign.core.types.evidence import Contributor, Part
from countersign.provenance.derive import derive
from countersign.provenance.registry import known_agents
from countersign.provenance.touched import MAX_ALL, MAX_EACH, touched
from tests.support.git import DEV, GitFolder, Who

BOT = Who("versions", "versions@acme.example")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> GitFolder:
    folder = GitFolder.init(tmp_path / "repo")
    folder.write("charts/a/values.yaml", "version: 1\n" * 20)
    folder.write("src/ledger.go", "one\n" * 20)
    folder.commit("Begin")
    return folder


def told(folder: GitFolder, *actors: str) -> dict[str, set[str]]:
    """Return what the collector says that each address touched since the tag ``begin``."""
    history = GitRepository(folder.path).history("begin..HEAD")
    found = touched(
        derive(history, known_agents()).commits,
        [Contributor(Part.PUSHER, actor) for actor in actors],
    )
    return {one.id: set(one.paths) for one in found}


@pytest.fixture(name="begun")
def _begun(folder: GitFolder) -> GitFolder:
    folder.git("tag", "begin")
    return folder


def test_a_rename_is_of_both_names(begun: GitFolder) -> None:
    """Else what lies outside could be moved in."""
    begun.git("mv", "src/ledger.go", "charts/a/ledger.go")
    begun.commit("Move", author=BOT)

    assert told(begun) == {BOT.email: {"src/ledger.go", "charts/a/ledger.go"}}


def test_who_commits_and_who_is_named_beside_the_author_touched_it_as_well(
    begun: GitFolder,
) -> None:
    """Whatever part somebody had in a commit, it is of all of it."""
    begun.write("src/new.go", "x\n")
    begun.commit(f"Add\n\nCo-authored-by: versions <{BOT.email}>", author=DEV)
    begun.write("charts/a/values.yaml", "version: 2\n")
    begun.commit("Raise", author=BOT, committer=Who("Queue", "queue@acme.example"))

    assert told(begun) == {
        DEV.email: {"src/new.go"},
        BOT.email: {"src/new.go", "charts/a/values.yaml"},
        "queue@acme.example": {"charts/a/values.yaml"},
    }


def test_who_pushed_touched_all_of_it(begun: GitFolder) -> None:
    """Whose hands it went through may have changed any of it."""
    begun.write("src/new.go", "x\n")
    begun.commit("Add")
    begun.write("src/newer.go", "x\n")
    begun.commit("Add")

    assert told(begun, BOT.email)[BOT.email] == {"src/new.go", "src/newer.go"}


def test_a_link_stands_for_what_nobody_tells(begun: GitFolder) -> None:
    """It lies within, and points anywhere; taking one away does, too."""
    (begun.path / "charts/a/link.yaml").symlink_to("../../src/ledger.go")
    begun.git("add", "--all")
    begun.commit("Link", author=BOT)
    begun.write("charts/a/values.yaml", "version: 2\n")
    begun.commit("Raise", author=BOT)

    assert BOT.email not in told(begun)

    begun.git("tag", "--force", "begin")
    begun.git("rm", "--quiet", "charts/a/link.yaml")
    begun.commit("Unlink", author=BOT)

    assert BOT.email not in told(begun)


def test_a_merge_that_takes_one_side_undoes_the_other(begun: GitFolder) -> None:
    """Nothing in it is of its own making, and yet a file outside goes back."""
    begun.git("checkout", "--quiet", "-b", "robot")
    begun.write("charts/a/values.yaml", "version: 2\n")
    begun.commit("Raise", author=BOT)
    begun.git("checkout", "--quiet", "main")
    begun.write("src/ledger.go", "mended\n")
    begun.commit("Mend")
    begun.git("tag", "--force", "begin")
    begun.git("checkout", "--quiet", "robot")
    begun.git(
        *("-c", f"user.name={BOT.name}", "-c", f"user.email={BOT.email}"),
        *("merge", "--quiet", "--strategy=ours", "-m", "Take ours", "main"),
    )

    assert "src/ledger.go" in told(begun)[BOT.email]


def test_a_bytes_name_that_is_no_text_is_still_a_name(begun: GitFolder) -> None:
    """Escaped, and never a folder more or less than there is."""
    name = b"charts/\xff/values.yaml"
    blob = begun.git("hash-object", "-w", "--stdin", stdin="x")
    begun.git(
        *("update-index", "--index-info"), stdin=f"100644 {blob}\t".encode() + name
    )
    begun.commit("Odd", author=BOT)

    assert told(begun) == {BOT.email: {"charts/\\xff/values.yaml"}}


@pytest.mark.parametrize("over", [0, 1])
def test_too_many_are_not_told_at_all(begun: GitFolder, over: int) -> None:
    """Half of them would be worse than none."""
    for number in range(MAX_EACH + over):
        (begun.path / f"{number}.txt").write_text("x\n")
    begun.git("add", "--all")
    begun.commit("Many", author=BOT)
    begun.write("one.txt", "x\n")
    begun.commit("One")

    assert (BOT.email in told(begun)) == (not over)
    assert told(begun)[DEV.email] == {"one.txt"}


def test_who_touched_least_is_told_first(begun: GitFolder) -> None:
    """So that no crowd of paths takes a robot's word away."""
    authors = MAX_ALL // MAX_EACH + 1
    for author in range(authors):
        for number in range(MAX_EACH):
            (begun.path / f"{author}-{number}.txt").write_text("x\n")
        begun.git("add", "--all")
        begun.commit("Many", author=Who("Dev", f"dev{author}@acme.example"))
    begun.write("charts/a/values.yaml", "version: 2\n")
    begun.commit("Raise", author=BOT)

    found = told(begun)

    assert found[BOT.email] == {"charts/a/values.yaml"}
    assert sum(map(len, found.values())) <= MAX_ALL


_NAMES = ["a", "b", "d/a", "d/b", "e/a"]
_steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "remove", "move", "merge"]),
        st.sampled_from(_NAMES),
        st.sampled_from(_NAMES),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_steps)
def test_tells_all_that_git_tells(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    """As ``git diff-tree -m`` compares with each parent, without looking for renames.

    Caught: only the new name of what moved; of a merge only what it wrote itself.
    """
    folder = GitFolder.init(tmp_path_factory.mktemp("steps"))
    for name in _NAMES:
        folder.write(name, f"{name}\n" * 9)
    folder.commit("Begin")
    folder.git("tag", "begin")
    for number, (what, first, second) in enumerate(steps):
        _step(folder, number, what, first, second)
    log = ("log", "-m", "--no-renames", "--name-only", "--format=", "begin..HEAD")
    expected = set(folder.git(*log).split())

    assert told(folder).get(BOT.email, set()) == expected


def _step(folder: GitFolder, number: int, what: str, first: str, second: str) -> None:
    there = (folder.path / first).exists()
    if what == "merge":
        side = folder.git("rev-parse", "begin")
        folder.git("checkout", "--quiet", "-b", f"side{number}", side)
        folder.write(first, f"side {number}\n")
        folder.commit("Side", author=BOT)
        folder.git("checkout", "--quiet", "main")
        identity = ("-c", f"user.name={BOT.name}", "-c", f"user.email={BOT.email}")
        merge = ("merge", "--quiet", "--strategy=ours", "-m", "Join", f"side{number}")
        folder.git(*identity, *merge)
        return
    if what == "write" or not there:
        folder.write(first, f"{number}\n")
    elif what == "remove":
        folder.git("rm", "--quiet", first)
    elif first != second:
        (folder.path / second).parent.mkdir(exist_ok=True)
        folder.git("mv", "--force", first, second)
    folder.commit(what, author=BOT)
