"""What docs/break-glass.md says is so: its commands, one after the other."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.test_break_glass import roles
from tests.support import chart
from tests.support.gate import Gate, written
from tools.stack.people import CI, DANA, LEE, OMAR, RAVI, Someone

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/break-glass.md").read_text()
_BLOCK = re.compile(r"^```sh( denied)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_page(gate: Gate, tmp_path: Path) -> None:
    """As a developer, two on call, CI and a senior; what it calls denied is denied."""
    stack = gate.stack
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kubectl").symlink_to(stack.plane.binaries["kubectl"])
    program = tmp_path / "bin/countersign"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m countersign "$@"\n')
    program.chmod(0o755)
    (tmp_path / "limits.yaml").write_text(written([chart.config_map("limits", a="b")]))
    answers = f"--answers {stack.folder / 'people' / 'answers.yaml'}"
    history = stack.history
    said = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "KUBECONFIG": str(stack.kubeconfig(LEE)),
        "COUNTERSIGN_PASSWORD": "",
        "COUNTERSIGN_KEY": "",
        "omar": _as(gate, OMAR),
        "ravi": _as(gate, RAVI),
        "dana": f"{_as(gate, DANA)} {answers}",
        "admin": f"--kubeconfig {stack.plane.admin}",
        "ci": f"--key {stack.key(CI)}",
        "span": f"{history.baseline}..{history.head}",
        "repo": str(history.path),
    }
    found = _BLOCK.findall(TEXT)
    lines = [f"! ( {text} )" if denied else text for denied, text in found]
    with roles(gate, ravi=("senior", "service-owner", "on-call")), _shut(gate):
        done = subprocess.run(
            ["bash", "-euxo", "pipefail"],
            input="\n".join(lines),
            cwd=tmp_path,
            env={**os.environ, **stack.environment, **said},
            check=False,
            capture_output=True,
            text=True,
        )

    assert done.returncode == 0, done.stderr[-4000:]
    assert len(found) == 7
    denied = (tmp_path / "denied.txt").read_text()
    line = TEXT.split("  emergency: ")[1].partition("01J…")[0]
    assert f"  emergency: {line}" in denied
    assert "namespace ledger  anything in it" in done.stderr


@contextmanager
def _shut(gate: Gate) -> Iterator[None]:
    """Take away what lies in the other namespace afterwards: it is open for an hour."""
    get = ("get", "bundlesets", "-n", "ledger", "-o", "name")
    plane = gate.stack.plane
    before = set(plane.kubectl(*get).check().stdout.split())
    try:
        yield
    finally:
        for mine in set(plane.kubectl(*get).check().stdout.split()) - before:
            plane.kubectl("delete", "-n", "ledger", mine).check()


def _as(gate: Gate, by: Someone) -> str:
    return f"--kubeconfig {gate.stack.kubeconfig(by)} --key {gate.stack.key(by)}"
