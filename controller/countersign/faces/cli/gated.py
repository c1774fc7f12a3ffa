"""What the gate is told by where it runs: places of objects, files, commits, the run."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from countersign.core.errors import Unavailable
from countersign.faces.cli.files import STDIN
from countersign.faces.cli.inputs import Inputs
from countersign.faces.cli.plans import plan_way
from countersign.report.phrases import clean
from countersign.report.steps import BY_FILE, Way

_MAX_FILES = 2000  # characters of a command


def way_of(inputs: Inputs, environ: Mapping[str, str]) -> Way:
    """Return files and commits as a shell takes them, for the commands.

    What cannot be written on one line stays a placeholder, and so does standard input.
    """
    names = inputs.filenames
    files = " -f ".join(map(shlex.quote, names))
    if files and inputs.recursive:
        files += " -R"
    if inputs.plans:
        return plan_way(inputs, _commits(environ) or BY_FILE.commits)
    if inputs.kustomizations or inputs.render:
        files = BY_FILE.file  # it is signed from a file, or by the same option
    if inputs.namespace:
        files += f" --namespace {shlex.quote(inputs.namespace)}"
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
