"""What CI systems read of us is what they take: the action, the component, the examples.

None of them runs here; that their scripts do is asked in tests/integration/test_gate.py.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.controlplane.binaries import ensure
from tools.controlplane.programs import ACTIONLINT

ROOT = Path(__file__).parents[3]
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "gate.yml"
EXAMPLES = ROOT / "ci" / "examples"
SCRIPT = ROOT / "ci" / "gate.sh"
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
"""The workflows that our own repository runs."""
WORKFLOWS = [EXAMPLES / "github.yml", *OWN]
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")


def program(name: str) -> str:
    """Return the path of a program of the test environment."""
    if name == ACTIONLINT.name:
        return str(ensure([ACTIONLINT])[name])
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: uv sync")
    return found


def run(name: str, *args: object) -> None:
    """Run a program that must find nothing."""
    words = [program(name), *map(str, args)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda f: f.name)
def test_zizmor_finds_nothing(file: Path) -> None:
    """At its strictest; seen to find an input that is pasted into a script."""
    run("zizmor", "--offline", "--no-progress", "--persona", "auditor", file)


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", ACTION),
        *(("vendor.github-workflows", file) for file in WORKFLOWS),
        ("vendor.gitlab-ci", EXAMPLES / "gitlab.yml"),
    ],
)
def test_is_valid(schema: str, file: Path) -> None:
    """By the schema that editors and forges use."""
    run("check-jsonschema", "--builtin-schema", schema, file)


def test_the_job_of_the_component_is_valid(tmp_path: Path) -> None:
    """With its inputs filled in; its header has no schema of its own."""
    job = COMPONENT.read_text().partition("\n---\n")[2]
    file = tmp_path / "job.yml"
    file.write_text(re.sub(r"\$\[\[ inputs\.\w+ \]\]", "x", job))

    run("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", file)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.name)
def test_actionlint_finds_nothing(file: Path) -> None:
    """Of expressions, of contexts, of needs; seen to find an output that no step has."""
    run("actionlint", file)


def test_scripts_have_the_line_ends_of_sh(tmp_path: Path) -> None:
    """Also in a clone on Windows, as the pre-commit framework makes one of the hooks."""
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    scripts = ["hooks/commit-msg", "ci/gate.sh"]
    for script in scripts:
        (tmp_path / script).parent.mkdir()
        shutil.copy(ROOT / script, tmp_path / script)

    def git(*words: str) -> None:
        options = ("-c", "core.autocrlf=true", "-c", "core.safecrlf=false")
        subprocess.run(["git", *options, *words], cwd=tmp_path, check=True)

    git("init", "--quiet")
    git("add", ".")
    for script in scripts:
        (tmp_path / script).unlink()
    git("checkout", "--quiet", ".")

    assert all(b"\r" not in (tmp_path / script).read_bytes() for script in scripts)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.name)
def test_every_action_that_is_used_is_pinned(file: Path) -> None:
    """By a commit, with a word that says which."""
    workflow = yaml.safe_load(file.read_text())
    used = [
        step["uses"]
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]

    assert used
    assert all(PINNED.fullmatch(one) for one in used)


def test_nothing_in_the_checkout_is_run_by_the_installation(tmp_path: Path) -> None:
    """A module of Python's name stands where it starts; seen to be run."""
    ours, change = tmp_path / "ours" / "ci", tmp_path / "change"
    ours.mkdir(parents=True)
    change.mkdir()
    shutil.copy(ROOT / "ci" / "install.sh", ours)
    (ours / "uv.txt").write_text("")
    for name in ("venv", "argparse", "ensurepip", "pip"):
        (change / f"{name}.py").write_text("open('ran', 'w').close()\n")

    done = subprocess.run(
        ["sh", ours / "install.sh", tmp_path / "to"],
        cwd=change,
        capture_output=True,
        check=False,
        text=True,
    )

    assert not list(tmp_path.rglob("ran"))
    assert (tmp_path / "to" / "uv" / "bin" / "pip").is_file()
    assert done.returncode != 0  # there is no uv in an empty list


@pytest.mark.parametrize("name", ["uv.txt", "build.txt"])
def test_every_package_that_installs_us_has_its_hashes(name: str) -> None:
    """So that the commit of the action says it all."""
    entries = (ROOT / "ci" / name).read_text().replace("\\\n", "").splitlines()

    assert entries
    assert all(re.match(r"[\w.-]+==\S+.*--hash=sha256:", entry) for entry in entries)


def test_the_component_is_the_script() -> None:
    """Word for word."""
    (script,) = _job()["script"]

    assert script.strip() == SCRIPT.read_text().strip()


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        pytest.param(
            yaml.safe_load(ACTION.read_text())["inputs"],
            yaml.safe_load(ACTION.read_text())["runs"]["steps"][1]["env"],
            id="action",
        ),
        pytest.param(
            next(yaml.safe_load_all(COMPONENT.read_text()))["spec"]["inputs"],
            list(yaml.safe_load_all(COMPONENT.read_text()))[1]["countersign-gate"][
                "variables"
            ],
            id="component",
        ),
    ],
)
def test_every_input_reaches_the_script(
    given: dict[str, Any], variables: dict[str, Any]
) -> None:
    """Under the name that the script documents."""
    said = " ".join(map(str, variables.values()))
    script = SCRIPT.read_text()

    for name in given.keys() - {"image", "stage"}:
        assert f"inputs.{name} " in said
    for name in variables:
        if name.startswith("COUNTERSIGN_"):
            assert f"#   {name} " in script


def test_the_example_uploads_no_report_that_a_change_brought(tmp_path: Path) -> None:
    """Also where the installation fails: what was brought goes before it starts."""
    steps = yaml.safe_load((EXAMPLES / "github.yml").read_text())["jobs"]["gate"][
        "steps"
    ]
    names = [step["name"] for step in steps]
    leave = names.index("Leave no report that the change brought")
    elsewhere = tmp_path / "policies"
    elsewhere.mkdir()
    (elsewhere / "gate.md").touch()
    (tmp_path / "countersign-reports").symlink_to(elsewhere)

    subprocess.run(["sh", "-ec", steps[leave]["run"]], cwd=tmp_path, check=True)

    assert names[:leave] == ["Check out the change"]
    assert [file.name for file in tmp_path.iterdir()] == ["policies"]
    assert (elsewhere / "gate.md").exists()


@pytest.mark.parametrize("last", ["", "17"])
def test_the_example_replaces_its_own_comment_only(tmp_path: Path, last: str) -> None:
    """By its first line, among comments of the same bot; `gh` here says what it is told."""
    job = yaml.safe_load((EXAMPLES / "github.yml").read_text())["jobs"]["comment"]
    gh = tmp_path / "gh"
    gh.write_text(
        '#!/bin/sh\necho "$@" >>said\n'
        f'case $* in *--paginate*) echo "$MARKER" >>said; echo {last} ;; esac\n'
    )
    gh.chmod(0o755)
    (tmp_path / "gate.md").write_text("<!-- countersign gate prod -->\nwell\n")

    subprocess.run(
        ["sh", "-ec", job["steps"][-1]["run"]],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "GH_REPO": "o/r", "NUMBER": "3"},
        check=True,
    )

    asked, marker, done = (tmp_path / "said").read_text().splitlines()
    assert "startswith(env.MARKER)" in asked
    assert marker == "<!-- countersign gate prod -->"
    assert done == (
        "api --silent --method PATCH repos/o/r/issues/comments/17 -F body=@gate.md"
        if last
        else "pr comment 3 --body-file gate.md"
    )


def _job() -> dict[str, Any]:
    _, jobs = yaml.safe_load_all(COMPONENT.read_text())
    return dict(jobs["countersign-gate"])
