"""The tutorial's commands work as they stand."""

import os
import re
import subprocess
from pathlib import Path

from tests.support.gate import Gate

_TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```sh( denied)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_tutorial(gate: Gate, tmp_path: Path) -> None:
    """Those that are to be denied are denied, the others succeed."""
    (tmp_path / ".run").symlink_to(gate.stack.folder)
    script = ["set -euo pipefail", f"source {gate.stack.folder}/env"]
    for denied, commands in _BLOCK.findall(_TUTORIAL.read_text()):
        script.append(f"if {{ {commands} }}; then exit 99; fi" if denied else commands)

    done = subprocess.run(
        ["bash", "-x"],
        input="\n".join(script),
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert "denied the request" in done.stderr
