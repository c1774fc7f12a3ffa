"""Running the programs that render objects: helm, kubectl kustomize and their like."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from countersign.core.errors import Malformed, Unavailable

MAX_SECONDS = 120.0  # for one run; helm gives up looking for a chart before that
MAX_OUTPUT = 4 << 20  # bytes: as much as is read of manifests
_MAX_SAID = 600  # characters of a program's last words

_OURS = ("COUNTERSIGN_", "ACTIONS_ID_TOKEN_", "SIGSTORE_")
"""Beginnings of names in the environment that are for whoever signs, not for a chart."""


def output_of(
    command: Sequence[str], environ: Mapping[str, str] | None = None
) -> bytes:
    """Return what a program prints, run without a shell and without our credentials.

    A chart can have programs of its own run (post-renderers, plugins): those must not
    find what signs.

    Args:
        command: The program, found on the path, and its arguments.
        environ: Variables beside those of this process.

    Raises:
        Malformed: it failed, its own words are the reason; or it printed too much.
        Unavailable: it cannot be run, or does not end.

    Limits:
        `MAX_SECONDS`, `MAX_OUTPUT`.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    try:
        done = subprocess.run(  # noqa: S603 - the user's own words, never a shell's line
            [*command],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**kept, **(environ or {})},
            timeout=MAX_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"{command[0]}: expected an end within {MAX_SECONDS:.0f} s, saw none"
        ) from error
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        raise Unavailable(f"could not run {command[0]}: {why}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-_MAX_SAID:]
        raise Malformed(f"{command[0]}: {said or f'exit code {done.returncode}'}")
    if len(done.stdout) > MAX_OUTPUT:
        raise Malformed(f"{command[0]}: expected at most {MAX_OUTPUT} bytes, saw more")
    return done.stdout
