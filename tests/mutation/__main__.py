"""Run the tests on wrong versions of ``core`` and ``binding``; name those they miss.

Usage: python -m tests.mutation [--sample N] [--seed TEXT] [--jobs N] [FILE...]

Each mutant runs in a copy of the tree: first the tests that import its module, then all
unit and property tests of the two rooms and of the use cases. A mutant that no test
notices must be killed by a new test, or be explained in ``survivors.toml``.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "controller" / "countersign"
ROOMS = (PACKAGE / "binding", PACKAGE / "core")
LIST = Path(__file__).parent / "survivors.toml"
_REST = (
    "tests/unit/binding",
    "tests/unit/core",
    "tests/property",
    "tests/unit/usecases",
)
_TESTS = ("tests/unit", "tests/property")
_PATIENCE_S = 900.0  # for the tests on one mutant; an endless loop is noticed, too
_CAUGHT = 1  # exit code of pytest where a test failed
_BROKEN = 2  # and where the module could not even be imported


@dataclass(frozen=True, slots=True)
class Attempt:
    """A mutant of a module, and whether a test noticed it."""

    file: Path
    mutant: Mutant
    noticed: bool

    @property
    def key(self) -> str:
        """How the list names it: by its code, since lines move."""
        return (
            f"{self.file.relative_to(PACKAGE)}: {self.mutant.was} -> {self.mutant.now}"
        )


def main() -> int:
    """Return 0 if every mutant is noticed or explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="mutants; 0: all of them")
    parser.add_argument("--seed", default="countersign")
    parser.add_argument("--jobs", type=int, default=2)
    said = parser.parse_args()
    files = [f.resolve() for f in said.files] or sorted(
        file for room in ROOMS for file in room.rglob("*.py")
    )
    drawn = [(file, mutant) for file in files for mutant in mutants(file.read_text())]
    click.echo(f"{len(drawn)} mutants of {len(files)} modules")
    if said.sample:
        drawn = random.Random(said.seed).sample(drawn, min(said.sample, len(drawn)))  # noqa: S311
        click.echo(f"a sample of {len(drawn)}, seed {said.seed!r}")
    explained = tomllib.loads(LIST.read_text())["survivors"]
    left = []
    for number, attempt in enumerate(_attempts(drawn, said.jobs), 1):
        if not attempt.noticed and attempt.key not in explained:
            left.append(attempt)
            click.echo(f"survived: {attempt.key} (line {attempt.mutant.line})")
        if number % 25 == 0:
            click.echo(f"{number} of {len(drawn)}, {len(left)} survived")
    click.echo(
        f"{len(drawn)} mutants, {len(left)} that no test notices and nobody explains"
    )
    return 1 if left else 0


def _attempts(drawn: Iterable[tuple[Path, Mutant]], jobs: int) -> Iterator[Attempt]:
    with tempfile.TemporaryDirectory(prefix="countersign-mutants-") as folder:
        trees = [Path(folder) / str(n) for n in range(jobs)]
        for tree in trees:
            for part in ("controller", "tests", "tools", "docs", "charts", "manifests"):
                shutil.copytree(ROOT / part, tree / part)
            for one in ("pyproject.toml", "README.md"):
                shutil.copy(ROOT / one, tree / one)

        def attempt(job: tuple[Path, Mutant]) -> Attempt:
            tree = trees.pop()
            try:
                return Attempt(*job, noticed=_noticed(tree, *job))
            finally:
                trees.append(tree)

        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(attempt, drawn)


def _noticed(tree: Path, file: Path, mutant: Mutant) -> bool:
    """Tell whether some test fails with this mutant in place."""
    place = tree / file.relative_to(ROOT)
    original = place.read_text()
    place.write_text(mutant.source)
    try:
        return any(_fails(tree, tests) for tests in (_near(file), _REST))
    finally:
        place.write_text(original)


def _near(file: Path) -> tuple[str, ...]:
    """Return the test files that import the module."""
    name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
    return tuple(
        str(test.relative_to(ROOT))
        for folder in _TESTS
        for test in sorted((ROOT / folder).rglob("test_*.py"))
        if f"from {name} import" in test.read_text()
    )


def _fails(tree: Path, tests: tuple[str, ...]) -> bool:
    if not tests:
        return False
    options = ("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")
    command = [sys.executable, "-m", "pytest", *options, *tests]
    paths = f"{tree / 'controller'}:{tree}"
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin", "HOME": str(tree)},
            check=False,
            capture_output=True,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode in (_CAUGHT, _BROKEN)


if __name__ == "__main__":
    sys.exit(main())
