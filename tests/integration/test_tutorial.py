"""The tutorial's commands work as they stand."""

import os
import re
import subprocess
from pathlib import Path

from tests.support.gate import Gate
from tests.support.registry import Registry
from tools.controlplane.binaries import ensure
from tools.controlplane.programs import CRANE

_TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```sh( denied)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ADMITTED, _FAILED_OTHERWISE = 99, 98  # exit codes of the script
_SAID = "denied the request\\|failed to delete release"  # all that helm uninstall says
_DENIED = """\
if {{ {commands} }} > {said} 2>&1; then exit {admitted}; fi
grep -q '{denied}' {said} || {{ cat {said}; exit {failed}; }}
"""


def test_every_command_of_the_tutorial(
    gate: Gate, docks: Registry, tmp_path: Path
) -> None:
    """Those that are to be denied are denied by the webhook, the others succeed."""
    crane = ensure([CRANE])[CRANE.name]
    (tmp_path / ".run").symlink_to(gate.stack.folder)
    script = [
        "set -euo pipefail",
        f"source {gate.stack.folder}/env",
        f'PATH="$PATH:{crane.parent}"',
    ]
    for denied, commands in _BLOCK.findall(_TUTORIAL.read_text()):
        script.append(_denied(commands, tmp_path / "said") if denied else commands)

    done = subprocess.run(
        ["bash", "-x"],
        input="\n".join(script),
        cwd=tmp_path,
        env={
            **os.environ,
            **docks.environment,
            "REGISTRY": f"{docks.host}/tutorial",
            "COUNTERSIGN_REGISTRY_CA": str(docks.authority),
            "NO_COLOR": "1",
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=600,  # a busy machine takes thrice as long
    )

    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def _denied(commands: str, said: Path) -> str:
    return _DENIED.format(
        commands=commands,
        said=said,
        denied=_SAID,
        admitted=_ADMITTED,
        failed=_FAILED_OTHERWISE,
    )
