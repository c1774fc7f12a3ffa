"""What docs/plans.md says is so: its commands run, one after the other."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.plans import STACK, program
from tests.support.release import Release

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/plans.md").read_text()
PROGRAM = """\
#!/bin/sh
case $1 in
attest) set -- "$@" --key "{folder}/ci.key" ;;
sign-off) set -- "$@" --key "{folder}/dana.key" --answers "{folder}/answers.yaml" ;;
esac
exec {python} -m countersign "$@"
"""


def test_every_command_of_the_page(tmp_path: Path) -> None:
    """From the plan to the apply, with the real program."""
    release = Release.make(tmp_path / "release")
    git = release.git
    git.write("main.tf", STACK)
    git.commit("Make the stack\n\nAI-Assisted: amazon-q/2026-03\n")
    git.git("update-ref", "refs/remotes/origin/main", release.base)
    (git.path / "ci").symlink_to(ROOT / "ci")
    policies = release.path("policies") / "all.yaml"
    policies.write_text(policies.read_text().replace("- payments", "- infra-prod"))
    tofu = program("tofu")
    assert tofu is not None
    (tmp_path / "tofu").symlink_to(tofu)
    ours = tmp_path / "countersign"
    ours.write_text(PROGRAM.format(folder=release.folder, python=sys.executable))
    ours.chmod(0o755)
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input="\n".join(blocks),
        cwd=git.path,
        env={
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "COUNTERSIGN_POLICIES": str(release.path("policies")),
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
        },
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(blocks) == 3
    assert "an AI-assisted change without a senior sign-off" in done.stdout
    assert "Apply complete! Resources: 3 added" in done.stdout
