"""How many commits of assistants are recognised, in a real repository that git made."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.core.types.evidence import Assistance
from countersign.provenance.derive import Derivation, derive
from countersign.provenance.registry import known_agents
from tests.support.assistants import Case, cases, of
from tests.support.git import WEB_FLOW, GitFolder, Who

AGENTS = known_agents()
DANA = Who("Dana", "dana@example.com")
_DANA = {
    "GIT_AUTHOR_NAME": DANA.name,
    "GIT_AUTHOR_EMAIL": DANA.email,
    "GIT_COMMITTER_NAME": DANA.name,
    "GIT_COMMITTER_EMAIL": DANA.email,
}


@dataclass
class Tally:
    """What was found, against what is."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Of those that were found, how many are."""
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of those that are, how many were found."""
        return self.right / (self.right + self.missed)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> GitFolder:
    folder = GitFolder.init(tmp_path / "repo")
    folder.write("src/ledger.go", "one\ntwo\nthree\n")
    folder.commit("Begin")
    return folder


def found_in(folder: GitFolder, branch: str) -> Derivation:
    """Return what is derived of a branch."""
    return derive(GitRepository(folder.path).history(f"main..{branch}"), AGENTS)


def test_precision_and_recall(folder: GitFolder, tell: Callable[[str], None]) -> None:
    """Whoever leaves a mark is recognised, and nobody else is; told at the run's end."""
    marked, silent = Tally(), Tally()
    slips: list[str] = []
    made = Counter(case.made_by for case in cases() if case.made_by and not case.silent)
    hits: Counter[str] = Counter()
    for case in cases():
        found = found_in(folder, case.commit(folder))
        names = {tool.name for tool in found.tools}
        tally = silent if case.silent else marked
        tally.right += case.made_by in names
        tally.wrong += len(names - {case.made_by})
        tally.missed += bool(case.made_by) and case.made_by not in names
        hits[case.made_by] += case.made_by in names
        assert found.complete, case.name
        assert (found.assistance > Assistance.UNKNOWN) is bool(names)
        if names != ({case.made_by} - {""}) and not case.silent:
            slips.append(f"{case.name}: {sorted(names)}")

    tell(
        f"assistants: precision {marked.precision:.3f}, recall {marked.recall:.3f} "
        f"over {len(cases())} commits, {marked.right} of them by assistants that "
        f"mark; without a mark {silent.right} of {silent.missed} found"
    )
    tell(
        ", ".join(
            f"{name} {count}/{made[name]}"
            for name, count in sorted(hits.items())
            if name
        )
    )
    assert slips == []
    assert silent.right == 0
    assert len({case.made_by for case in cases()} - {""}) == len(AGENTS.agents)


def squashed(folder: GitFolder, branch: str) -> None:
    """Squash as git does, with the message that it proposes."""
    folder.git("merge", "--quiet", "--squash", branch)
    folder.git("commit", "--quiet", "--no-edit", env=_DANA)


def squashed_by_the_forge(folder: GitFolder, branch: str) -> None:
    """Squash as GitHub does: subjects become a list, trailers stand where they stood."""
    message = folder.git("log", "-1", "--format=%B", branch)
    author = folder.git("log", "-1", "--format=%an <%ae>", branch)
    listed = f"Change (#7)\n\n* {message}\n\n---------\n\nCo-authored-by: {author}\n"
    folder.git("merge", "--quiet", "--squash", branch)
    folder.commit(listed, author=DANA, committer=WEB_FLOW)


def picked(folder: GitFolder, branch: str) -> None:
    """Cherry-pick, with the line that names its origin."""
    folder.git("cherry-pick", "-x", branch, env=_COMMITTER)


def rebased(folder: GitFolder, branch: str) -> None:
    """Rebase onto a commit that came meanwhile."""
    folder.write("README", "meanwhile\n")
    folder.commit("Meanwhile", author=DANA)
    folder.git("rebase", "--quiet", "work", branch, env=_COMMITTER)
    folder.git("checkout", "--quiet", "-B", "work")


def amended(folder: GitFolder, branch: str) -> None:
    """Amend somebody's commit, and keep what it says."""
    folder.git("reset", "--quiet", "--hard", branch)
    folder.write("README", "more\n")
    folder.git("commit", "--quiet", "--amend", "--no-edit", env=_COMMITTER)


def merged(folder: GitFolder, branch: str) -> None:
    """Merge: the commit itself is in the range."""
    folder.git("merge", "--quiet", "--no-ff", "--log", branch, env=_DANA)


_COMMITTER = {k: v for k, v in _DANA.items() if "COMMITTER" in k}
_MARKED = ("claude-commit", "copilot-agent", "account-198982749", "claude-kernel")


@pytest.mark.parametrize("name", _MARKED)
@pytest.mark.parametrize(
    "way", [squashed, squashed_by_the_forge, picked, rebased, amended, merged]
)
def test_marks_survive_what_git_does_to_commits(
    folder: GitFolder, way: Callable[[GitFolder, str], None], name: str
) -> None:
    """Each way that git itself moves a commit keeps its mark where it is found."""
    case: Case = of(name)
    branch = case.commit(folder)
    folder.git("checkout", "--quiet", "-B", "work", "main")

    way(folder, branch)

    found = found_in(folder, "work")
    assert case.made_by in {tool.name for tool in found.tools}


def test_a_revert_is_a_change_like_any_other(folder: GitFolder) -> None:
    """Git quotes the subject alone; whose change it takes back does not matter."""
    branch = of("claude-commit").commit(folder)
    folder.git("revert", "--no-edit", "HEAD", env=_DANA)

    found = found_in(folder, branch)

    assert [judged.assistance for judged in found.commits] == [
        Assistance.MIXED,
        Assistance.UNKNOWN,
    ]
    assert found.lines.ai == 0


def test_a_reworded_commit_is_unknown_and_not_human(folder: GitFolder) -> None:
    """Who strips the mark gains nothing: what nobody marked has to be signed off too."""
    branch = of("claude-commit").commit(folder)
    folder.git("commit", "--quiet", "--amend", "-m", "Mine", env=_DANA)

    assert found_in(folder, branch).assistance is Assistance.UNKNOWN
