"""What the gate is told by where it runs: places of objects, files, commits, the run."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.faces.cli.files import STDIN, read_inputs
from countersign.faces.cli.session import NoInput
from countersign.report.gate import Place
from countersign.report.phrases import clean
from countersign.report.steps import BY_FILE, Way

_MAX_FILES = 2000  # characters of a command
NOWHERE = Place("stdin")
"""Of what came through a pipe, or from beside an image: readers of reports want a file."""


def read_placed(names: Sequence[str]) -> tuple[tuple[Tree, Place], ...]:
    """Return all objects in all files, in order, and where each is written.

    Raises:
        NoInput: there is no file, or no object in any.
        Malformed: a file holds something else; the message names it.
        Unavailable: a file cannot be read.
    """
    # yaml, which --help does not need
    from countersign.wire.manifests import parse_placed  # noqa: PLC0415

    found: list[tuple[Tree, Place]] = []
    for name, raw in read_inputs(names):
        file = NOWHERE.file if name == STDIN else in_repository(Path(name))
        try:
            found += [(tree, Place(file, line)) for line, tree in parse_placed(raw)]
        except Malformed as error:
            raise Malformed(f"{name}: {error}") from error
    if not found:
        raise NoInput(f"expected objects, saw none in {', '.join(names)}")
    return tuple(found)


def in_repository(file: Path) -> str:
    """Return the path of `file` below the work tree that it is in, with slashes.

    Outside of any it is relative to the present folder.
    """
    whole = file.absolute()
    top = next((d for d in whole.parents if (d / ".git").exists()), Path.cwd())
    return Path(os.path.relpath(whole, top)).as_posix()


def way_of(names: Sequence[str], namespace: str, environ: Mapping[str, str]) -> Way:
    """Return files and commits as a shell takes them, for the commands.

    What cannot be written on one line stays a placeholder, and so does standard input.
    """
    files = " -f ".join(map(shlex.quote, names))
    if namespace:
        files += f" --namespace {shlex.quote(namespace)}"
    plain = files and STDIN not in names and clean(files, _MAX_FILES) == files
    return Way(
        file=files if plain else BY_FILE.file,
        commits=_commits(environ) or BY_FILE.commits,
        ahead=True,
    )


def run_of(environ: Mapping[str, str]) -> str:
    """Return the address of the CI's run, or ``""``.

    Source:
        docs.github.com, "Default environment variables"; docs.gitlab.com, "Predefined
        CI/CD variables".
    """
    parts = [environ.get(f"GITHUB_{n}") for n in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if all(parts):
        return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}"
    return environ.get("CI_JOB_URL", "")


def on_github(environ: Mapping[str, str]) -> bool:
    """Tell whether GitHub Actions runs this."""
    return environ.get("GITHUB_ACTIONS") == "true"


def append(path: str | None, text: str) -> None:
    """Append to a file that the CI system named; there may be none.

    Raises:
        Unavailable: it cannot be written.
    """
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Unavailable(f"could not write {path}: {error.strerror}") from error


def _commits(environ: Mapping[str, str]) -> str:
    """Return the range of the pull or merge request, or ``""``."""
    base = environ.get("GITHUB_BASE_REF") or environ.get(
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
    )
    commits = shlex.quote(f"origin/{base}..HEAD") if base else ""
    return commits if clean(commits) == commits else ""
