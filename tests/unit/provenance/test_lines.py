"""Origins of lines, against git's own blame of histories drawn at random.

Seen to fail with: insertions placed a line too high, the second parent of a merge asked
before the first, and a renamed file taken for a new one.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.provenance.commits import History
from countersign.provenance.lines import blame
from tests.support.git import GitFolder

Text = list[str]
Files = dict[str, Text]


@dataclass
class Drawn:
    """A history drawn at random, written as a stream for ``git fast-import``.

    Attributes:
        dice: Draws.
        files: Those of each commit, by its mark.
        stream: What git reads.
    """

    dice: random.Random
    files: list[Files] = field(default_factory=lambda: [{}])
    stream: list[bytes] = field(default_factory=list)

    def draw(self, commits: int) -> bytes:
        """Return a stream of so many commits, one in four a merge."""
        for mark in range(1, commits + 1):
            parents = self._parents(mark)
            made = self._edited(self._merged([self.files[p] for p in parents]))
            self._write(mark, parents, made)
            self.files.append(made)
        return b"".join(self.stream)

    def _parents(self, mark: int) -> list[int]:
        if mark <= 2:
            return [mark - 1] if mark > 1 else []
        near = range(max(1, mark - 4), mark)
        count = 2 if self.dice.random() < 0.25 and len(near) > 1 else 1
        return sorted(self.dice.sample(near, count), reverse=True)

    def _merged(self, sides: list[Files]) -> Files:
        """Take each file whole from a side, or one side's head and another's tail."""
        made: Files = {}
        for path in sorted({path for side in sides for path in side}):
            there = [side[path] for side in sides if path in side]
            first, last = there[0], there[-1]
            cut = self.dice.randint(0, min(len(first), len(last)))
            choices = [first, last, [*first[:cut], *last[cut:]]]
            made[path] = list(self.dice.choice(choices))
        return made

    def _edited(self, files: Files) -> Files:
        if not files or self.dice.random() < 0.2:
            files[f"f{self.dice.randrange(6)}"] = self._lines(12)
        for path in sorted(files):
            if self.dice.random() < 0.6:
                self._change(files[path])
        if files and self.dice.random() < 0.2:
            moved = self.dice.choice(sorted(files))
            files.setdefault(f"moved-{moved[-2:]}", files.pop(moved))
        if len(files) > 1 and self.dice.random() < 0.1:
            del files[self.dice.choice(sorted(files))]
        return files

    def _change(self, text: Text) -> None:
        at = self.dice.randint(0, len(text))
        text[at : at + self.dice.randrange(3)] = self._lines(3)

    def _lines(self, most: int) -> Text:
        # now and then a line that stands elsewhere too, as braces do
        return [
            "}" if self.dice.random() < 0.1 else f"{self.dice.getrandbits(64):x}"
            for _ in range(self.dice.randint(1, most))
        ]

    def _write(self, mark: int, parents: list[int], files: Files) -> None:
        lines = [
            b"commit refs/heads/main",
            b"mark :%d" % mark,
            b"committer Dev <dev@example.com> %d +0000" % (1_700_000_000 + mark),
            b"data 1\nx",
            *(
                b"%s :%d" % (b"merge" if number else b"from", parent)
                for number, parent in enumerate(parents)
            ),
            b"deleteall",
        ]
        for path, text in files.items():
            data = "".join(f"{line}\n" for line in text).encode()
            lines += [b"M 100644 inline %s" % path.encode(), b"data %d" % len(data)]
            lines.append(data)
        self.stream.append(b"\n".join(lines) + b"\n")


def ours(history: History) -> dict[str, list[tuple[str, int]]]:
    """Return commit and line of origin of each line, by path; ``""``: before."""
    return {
        path: [
            (history.commits[run.commit].digest.value, run.start + number)
            if run.commit is not None
            else ("", 0)
            for run in runs
            for number in range(run.count)
        ]
        for path, runs in blame(history).items()
    }


def gits(
    folder: GitFolder, span: str, path: str, inside: set[str]
) -> Iterator[tuple[str, int]]:
    """Yield the same as git tells it."""
    for line in folder.git("blame", "--porcelain", span, "--", path).splitlines():
        words = line.split(" ")
        if not line.startswith("\t") and len(words) in {3, 4} and len(words[0]) == 40:
            known = words[0] in inside
            yield (words[0], int(words[1])) if known else ("", 0)


@pytest.mark.parametrize("seed", range(12))
def test_lines_are_whose_git_says_they_are(tmp_path: Path, seed: int) -> None:
    """Through merges, renames, deletions and lines that occur more than once."""
    folder = GitFolder.init(tmp_path)
    dice = random.Random(seed)  # noqa: S311 - the same histories every time
    folder.git("fast-import", "--quiet", stdin=Drawn(dice).draw(25))
    base = folder.git("rev-parse", f"main~{dice.randint(1, 4)}")
    history = GitRepository(tmp_path).history(f"{base}..main")

    found = ours(history)

    inside = {commit.digest.value for commit in history.commits}
    assert found
    for path in folder.git("ls-tree", "--name-only", "main").splitlines():
        want = [*gits(folder, f"{base}..main", path, inside)]
        # what no commit of the range touched needs no telling
        have = found.get(path, [])
        have += [("", 0)] * (len(want) - len(have))
        assert have == want, path
