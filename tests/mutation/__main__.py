"""Run the tests on wrong versions of ``core`` and ``binding``; name those they miss.

Usage: python -m tests.mutation [--each N] [--sample N] [--seed TEXT] [--jobs N]
    [--quick] [FILE...]

Of each mutant: first the tests that import its module, then all of its room, then
(unless ``--quick``) the property tests and those of the use cases. A mutant that no test notices must be killed
by a new test, or be explained in ``survivors.toml``.
"""

import argparse
import random
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trials import fails

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "controller" / "countersign"
ROOMS = (PACKAGE / "binding", PACKAGE / "core")
LIST = Path(__file__).parent / "survivors.toml"
_COPIED = ("controller", "tests", "tools", "docs", "charts", "manifests")
_FIRST = ("tests/unit/binding", "tests/unit/core")
_TESTS = (*_FIRST, "tests/unit", "tests/property")
_REST = ("tests/property", "tests/unit/usecases")
_T = TypeVar("_T")
_NEAR_S, _REST_S = 120.0, 600.0  # of patience; an endless loop is noticed, too


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
    parser.add_argument("files", nargs="*", type=Path, help="or folders")
    parser.add_argument("--sample", type=int, default=0, help="mutants; 0: all of them")
    parser.add_argument("--each", type=int, default=0, help="mutants of each module")
    parser.add_argument("--seed", default="countersign")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="near tests only")
    said = parser.parse_args()
    rest = () if said.quick else _REST
    drawn = list(_drawn(_modules(said.files or ROOMS), said.each, said.seed))
    if said.sample:
        drawn = _sample(drawn, said.sample, said.seed)
    click.echo(f"{len(drawn)} of them are tried, seed {said.seed!r}")
    explained = tomllib.loads(LIST.read_text())["survivors"]
    left = []
    for number, attempt in enumerate(_attempts(drawn, said.jobs, rest), 1):
        if not attempt.noticed and attempt.key not in explained:
            left.append(attempt)
            click.echo(f"survived: {attempt.key} (line {attempt.mutant.line})")
        if number % 25 == 0:
            click.echo(f"{number} of {len(drawn)}, {len(left)} survived")
    click.echo(
        f"{len(drawn)} mutants, {len(left)} that no test notices and nobody explains"
    )
    return 1 if left else 0


def _modules(said: Iterable[Path]) -> Iterator[Path]:
    for path in said:
        one = path.resolve()
        yield from sorted(one.rglob("*.py")) if one.is_dir() else [one]


def _drawn(
    files: Iterable[Path], each: int, seed: str
) -> Iterator[tuple[Path, Mutant]]:
    """Yield the mutants of the modules, or so many of each."""
    known = modules = 0
    for file in files:
        mine = list(mutants(file.read_text()))
        known, modules = known + len(mine), modules + 1
        chosen = _sample(mine, each, f"{seed} {file.name}") if each else mine
        yield from ((file, mutant) for mutant in chosen)
    click.echo(f"{known} mutants of {modules} modules")


def _sample(some: Sequence[_T], number: int, seed: str) -> list[_T]:
    return random.Random(seed).sample(some, min(number, len(some)))  # noqa: S311


def _attempts(
    drawn: Iterable[tuple[Path, Mutant]], jobs: int, rest: Sequence[str]
) -> Iterator[Attempt]:
    with tempfile.TemporaryDirectory(prefix="countersign-mutants-") as folder:
        tree = Path(folder)
        for part in _COPIED:
            shutil.copytree(ROOT / part, tree / part)
        for one in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / one, tree / one)
        if fails(tree, "", "", (*_FIRST, *rest), _REST_S):
            raise SystemExit("expected all tests to pass without a mutant")

        def attempt(job: tuple[Path, Mutant]) -> Attempt:
            return Attempt(*job, noticed=_noticed(tree, *job, rest))

        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(attempt, drawn)


def _noticed(tree: Path, file: Path, mutant: Mutant, last: Sequence[str]) -> bool:
    """Tell whether some test fails with this mutant in place."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    module, room = ".".join(parts), f"tests/unit/{parts[1]}"
    near = _near(tree, module)
    rest = [
        str(test.relative_to(tree))
        for test in sorted((tree / room).glob("test_*.py"))
        if str(test.relative_to(tree)) not in near
    ]
    return (
        fails(tree, module, mutant.source, near, _NEAR_S)
        or fails(tree, module, mutant.source, rest, _NEAR_S)
        or fails(tree, module, mutant.source, last, _REST_S)
    )


def _near(tree: Path, module: str) -> list[str]:
    """Return the test files that import the module, the quickest folders first."""
    found = [
        str(test.relative_to(tree))
        for folder in _TESTS
        for test in sorted((tree / folder).rglob("test_*.py"))
        if f"from {module} import" in test.read_text()
    ]
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    sys.exit(main())
