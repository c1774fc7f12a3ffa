"""Runs the tests that need a server on every minor of Kubernetes that is supported.

``python -m tools.matrix [--minors '1.34 1.37'] [PYTEST ARGUMENT...]``

Sweeps, of which a usual run draws a sample, are run whole. One minor that fails does not
keep the others from being tried; at the end stands one line for each.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from tools.controlplane import supported
from tools.controlplane.binaries import ensure
from tools.controlplane.errors import ControlPlaneError

TESTS = "tests/integration"
FULL = {"COUNTERSIGN_SWEEP": "full"}
_NO_TESTS = 5  # pytest's exit code: nothing was asked for, so nothing is wrong


def run(minor: str, arguments: Sequence[str]) -> str:
    """Run the tests on one minor; return what went wrong, or an empty string.

    Args:
        minor: As in ``1.37``.
        arguments: For pytest; those that start with a path replace `TESTS`.
    """
    try:
        ensure(minor=minor)
    except ControlPlaneError as error:
        return str(error)
    chosen = any(not argument.startswith("-") for argument in arguments)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *([] if chosen else [TESTS]), *arguments],
        env={**os.environ, **FULL, supported.CHOSEN: minor},
        check=False,
    )
    return "" if done.returncode in (0, _NO_TESTS) else "tests failed"


def main(given: Sequence[str] | None = None) -> int:
    """Run the tests on each minor; return 0 if all passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.matrix", description=__doc__)
    parser.add_argument("--minors", default=" ".join(supported.minors()))
    known, arguments = parser.parse_known_args(given)
    lines, code = [], 0
    for minor in known.minors.split():
        print(f"━━━ Kubernetes {minor} ━━━", flush=True)
        before = time.monotonic()
        problem = run(minor, arguments)
        took = time.monotonic() - before
        lines.append(f"{minor:>5}  {problem or 'passed'}  ({took:.0f} s)")
        code |= bool(problem)
    print("━━━ all minors ━━━", *lines, sep="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
