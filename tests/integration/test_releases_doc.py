"""What docs/releases.md says is so: its commands, one after the other."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.gate import Gate
from tools.stack.people import DANA, LEE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/releases.md").read_text()
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"


def test_every_command_of_the_page(gate: Gate, tmp_path: Path) -> None:
    """As a developer who may not sign, and a senior who does; no step is denied."""
    stack = gate.stack
    gate.helm("version")  # built, if it was not
    _files(tmp_path)
    for name in ("kubectl", "helm"):
        (tmp_path / "bin" / name).symlink_to(stack.plane.binaries[name])
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    answers = stack.folder / "people" / "answers.yaml"
    place = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "KUBECONFIG": str(stack.kubeconfig(LEE)),
        "COUNTERSIGN_PASSWORD": "",
        "HELM_CACHE_HOME": str(tmp_path / "cache"),
        "senior": f"--cluster local --key {stack.key(DANA)} --answers {answers}",
    }

    done = subprocess.run(
        ["bash", "-euxo", "pipefail"],
        input="\n".join(blocks),
        cwd=tmp_path,
        env={**os.environ, **stack.environment, **place},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr[-4000:]
    assert len(blocks) == 4
    assert "objects changed; " in done.stderr
    assert "orders/ConfigMap/web-extra  to be deleted" in done.stderr


def _files(folder: Path) -> None:
    """Write what the page speaks of."""
    shutil.copytree(ROOT / "tests/support/charts/web", folder / "chart")
    (folder / "bin").mkdir()
    program = folder / "bin" / "countersign"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m countersign "$@"\n')
    program.chmod(0o755)
    (folder / "overlays/prod").mkdir(parents=True)
    (folder / "overlays/prod/map.yaml").write_text(MAP % "built")
    (folder / "overlays/prod/kustomization.yaml").write_text(
        "namespace: orders\nresources: [map.yaml]\n"
    )
    (folder / "manifests/deep").mkdir(parents=True)
    (folder / "manifests/deep/map.yaml").write_text(MAP % "deep")
