"""What docs/hooks.md says is so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from countersign.provenance.environment import known_surroundings
from countersign.provenance.hook_script import HOOKS, hook_script
from countersign.provenance.registry import known_agents
from tests.support.git import GitFolder

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/hooks.md").read_text()
WHO = {
    f"GIT_{part}_{what}": value
    for part in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Dev"), ("EMAIL", "dev@example.com"))
}


def test_every_command_of_the_page(tmp_path: Path) -> None:
    """In a fresh repository, one after the other; nothing is left at the end."""
    folder = GitFolder.init(tmp_path / "repo")
    program = tmp_path / "countersign"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m countersign "$@"\n')
    program.chmod(0o755)
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

    done = subprocess.run(
        ["bash", "-euxo", "pipefail"],
        input="\n".join(blocks),
        cwd=folder.path,
        env={**os.environ, **WHO, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert len(blocks) == 3
    assert "mixed  claude  Dev" in done.stdout
    assert not set(HOOKS) & {file.name for file in folder.path.glob(".git/hooks/*")}


def test_the_table_names_what_is_looked_at() -> None:
    """Each variable of each assistant, and no other."""
    rows = re.findall(r"^\| ([A-Z][\w ]*|opencode) \| (.*) \|$", TEXT, re.MULTILINE)
    told = {title: seen for title, seen in rows if "`" in seen or "program" in seen}
    titles = {agent.name: agent.title for agent in known_agents().agents}

    for known in known_surroundings():
        (seen,) = (told[t] for t in told if t.split()[0] in titles[known.agent].split())
        names = {*known.variables, *(name for name, _ in known.values)}
        assert set(re.findall(r"`(\w+)`", seen)) == names, known.agent
        assert ("its program" in seen) == bool(known.processes), known.agent
        assert all(f"`{model}`" in TEXT for model in known.models)
    assert len(told) == len(known_surroundings())


def test_the_framework_finds_what_the_page_names() -> None:
    """Programs of this repository, that are what `hooks install` writes."""
    offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (shown,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    config = yaml.safe_load(shown)

    assert [hook["id"] for hook in config["repos"][0]["hooks"]] == [
        hook["id"] for hook in offered
    ]
    for hook in offered:
        (stage,) = hook["stages"]
        file = ROOT / hook["entry"]
        assert stage in config["default_install_hook_types"]
        assert hook["language"] == "script"
        assert file.read_text() == hook_script(stage)
        assert os.access(file, os.X_OK)
    assert {hook["stages"][0] for hook in offered} == set(HOOKS)


def test_the_framework_tells_the_source_by_a_variable(tmp_path: Path) -> None:
    """It passes the message alone, and says in a variable where that came from."""
    folder = GitFolder.init(tmp_path / "repo")
    message = folder.path / ".git/COMMIT_EDITMSG"
    message.write_text("\n# say why\n")
    environ = {"PATH": os.environ["PATH"], "CLAUDECODE": "1"}

    def run(name: str, extra: dict[str, str]) -> str:
        subprocess.run(
            [ROOT / "hooks" / name, ".git/COMMIT_EDITMSG"],
            cwd=folder.path,
            env={**environ, **extra},
            check=True,
        )
        return message.read_text()

    assert "AI-Assisted: claude" in run("prepare-commit-msg", {})
    assert run("commit-msg", {}) == ""

    message.write_text("AI-Assisted: claude\n")
    source = {"PRE_COMMIT_COMMIT_MSG_SOURCE": "message"}
    run("prepare-commit-msg", source)
    assert run("commit-msg", {}) == "AI-Assisted: claude\n"
