"""Fetches what the image is made of: ``python -m tools.wheelhouse [ARCHITECTURE…]``.

Every wheel that ``uv.lock`` names, by its hash, for each architecture, and our own:
into ``dist/wheelhouse``. After that the image builds without a network.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "dist" / "wheelhouse"
PYTHON = "3.11"  # of the images in the Dockerfile
# machine as wheels call it, by the name that image builders use
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
# bookworm has glibc 2.36; what asks for more would not start there


def main(architectures: Sequence[str]) -> int:
    """Fetch all; return the exit code."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        print("expected uv: `make wheelhouse` brings it", file=sys.stderr)
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    requirements = FOLDER / "requirements.txt"
    _run(
        *(uv, "export", "--frozen", "--quiet", "--no-default-groups"),
        *("--no-emit-project", "--no-header", "--no-annotate"),
        *("--output-file", requirements),
    )
    _run(uv, "build", "--quiet", "--wheel", "--out-dir", FOLDER / "own")
    (FOLDER / "own" / ".gitignore").unlink(missing_ok=True)
    for name in architectures or ARCHITECTURES:
        machine = ARCHITECTURES[name]
        platforms = [f"--platform={libc}_{machine}" for libc in _GLIBC]
        _run(
            *(uv, "tool", "run", "pip", "download", "--quiet", "--no-deps"),
            *("--disable-pip-version-check", "--only-binary=:all:"),
            *("--require-hashes", f"--python-version={PYTHON}", *platforms),
            *("--dest", FOLDER / name, "--requirement", requirements),
        )
    return 0


def _run(*command: str | Path) -> None:
    subprocess.run(
        command,
        cwd=ROOT,
        # one date for whatever is packed: the wheel is the same each time
        env={"SOURCE_DATE_EPOCH": "315532800", **os.environ},
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
