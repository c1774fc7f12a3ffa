"""What the gate is told by where it runs."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.faces.cli.gated import run_of, way_of
from countersign.faces.cli.inputs import Inputs
from countersign.faces.cli.manifests import in_repository, read_placed
from countersign.report.gate import Place
from countersign.wire.manifests import parse_manifests, parse_placed

TWO = b"""\
# a licence
---
# Source: chart/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---

---
kind: List
apiVersion: v1
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
"""


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        pytest.param(TWO, [4, 10, 10], id="documents, comments and a list"),
        pytest.param(TWO.replace(b"\n", b"\r\n"), [4, 10, 10], id="lines of Windows"),
        pytest.param(b'\n{"a": 1}\n\n{"b":\n 2} {"c": 3}', [2, 4, 5], id="JSON"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_an_object_is_where_its_document_begins(raw: bytes, lines: list[int]) -> None:
    """By lines, from 1."""
    assert [line for line, _ in parse_placed(raw)] == lines
    assert parse_manifests(raw) == tuple(tree for _, tree in parse_placed(raw))


def test_a_file_is_named_as_the_repository_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever one stands in it; a checkout in a checkout is its own."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "a/b/.git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")

    assert in_repository(Path("x.yaml")) == "a/x.yaml"
    assert in_repository(tmp_path / "y.yaml") == "y.yaml"
    assert in_repository(Path("b/z.yaml")) == "z.yaml"


def test_outside_of_any_it_is_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With slashes."""
    monkeypatch.chdir(tmp_path)

    assert in_repository(Path("deploy/x.yaml")) == "deploy/x.yaml"


def test_an_error_names_the_file(tmp_path: Path) -> None:
    """And its line."""
    file = tmp_path / "x.yaml"
    file.write_text("a: 1\na: 2\n")

    with pytest.raises(Malformed, match=r"x\.yaml: line 2"):
        read_placed(Inputs(filenames=(str(file),)))


def test_places_follow_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order given."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.yaml", "a.yaml"):
        Path(name).write_bytes(TWO)

    assert [
        place for _, place in read_placed(Inputs(filenames=("b.yaml", "a.yaml")))
    ] == [Place(name, line) for name in ("b.yaml", "a.yaml") for line in (4, 10, 10)]


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3), st.text())
def test_a_shell_reads_what_was_given(names: list[str], namespace: str) -> None:
    """Or a placeholder, never something else."""
    way = way_of(Inputs(filenames=tuple(names), namespace=namespace), {})
    expected = [word for name in names for word in ("-f", name)]
    expected += ["--namespace", namespace] if namespace else []

    assert way.file == "FILE" or shlex.split(f"-f {way.file}") == expected


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["deploy/", "e.yaml"], "deploy/ -f e.yaml"),
        (["it's; rm *"], "'it'\"'\"'s; rm *'"),
        (["-"], "FILE"),
        (["two\nlines"], "FILE"),
        (["x    then: rm -rf /"], "FILE"),
        ([], "FILE"),
    ],
)
def test_files_are_fit_for_a_command(names: list[str], said: str) -> None:
    """On one line."""
    assert way_of(Inputs(filenames=tuple(names)), {}).file == said


@pytest.mark.parametrize(
    ("environ", "commits"),
    [
        ({}, "RANGE"),
        ({"GITHUB_BASE_REF": ""}, "RANGE"),
        ({"GITHUB_BASE_REF": "main"}, "origin/main..HEAD"),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "x"}, "origin/x..HEAD"),
        ({"GITHUB_BASE_REF": "$(rm)"}, "'origin/$(rm)..HEAD'"),
        ({"GITHUB_BASE_REF": "a\nb"}, "RANGE"),
    ],
)
def test_commits_are_those_of_the_request(
    environ: dict[str, str], commits: str
) -> None:
    """A branch may have any name."""
    assert way_of(Inputs(), environ).commits == commits


def test_a_run_has_an_address() -> None:
    """Of GitHub in parts, of GitLab as it is; else none."""
    github = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
    }

    assert run_of(github) == "https://github.com/a/b/actions/runs/7"
    assert run_of({"CI_JOB_URL": "https://x/-/jobs/1"}) == "https://x/-/jobs/1"
    assert run_of({"GITHUB_REPOSITORY": "a/b"}) == ""
