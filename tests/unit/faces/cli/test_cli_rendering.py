"""``--render``: real programs, run as people give them."""

import shlex
import sys
from pathlib import Path

import pytest

from countersign.faces.cli.session import Exit
from tests.support.cli import Ran, Run
from tests.support.release import Release

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: payments}\n"


def program(folder: Path, body: str) -> str:
    """Return a command that runs `body`, which prints a ConfigMap's data."""
    file = folder / "render.py"
    file.write_text(f"import os, random, sys, time\nprint({MAP!r})\n{body}\n")
    return shlex.join([sys.executable, str(file)])


def verify(run: Run, release: Release, command: str, *more: object) -> Ran:
    """Judge what `command` renders."""
    rules = ("--policies", release.path("policies"), "--cluster", "prod")
    return run("verify", "--render", command, *rules, *more)


def test_reads_what_a_command_renders(
    run: Run, release: Release, tmp_path: Path
) -> None:
    """As if it had come through a pipe."""
    ran = verify(run, release, program(tmp_path, "print('data: {a: b}')"))

    assert ran.code == Exit.DENIED
    assert ran.out.startswith("payments/ConfigMap/m: denied")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        pytest.param("random.random()", "/data/a: ", id="random"),
        pytest.param("int(time.time())", "/data/a: ", id="the second"),
        pytest.param("time.strftime('%d.%H')", "/data/a: ", id="the hour of day"),
        pytest.param("os.getpid()", "/data/a: ", id="the process"),
        pytest.param("list({'a', 'b', 'c', 'd', 'e'})", "/data/a", id="a map's order"),
    ],
)
def test_refuses_what_differs(
    run: Run, release: Release, tmp_path: Path, value: str, path: str
) -> None:
    """With object, path and both values, and what to do."""
    body = f"print('data: {{a: \"' + str({value}).replace('\"', '') + '\"}}')"

    ran = verify(run, release, program(tmp_path, body))

    assert ran.code == Exit.UNDECIDED
    assert f"ConfigMap/m: {path}" in ran.err
    assert ", then " in ran.err
    assert "existingSecret" in ran.err
    assert ran.out == ""


def test_gives_nothing_away(run: Run, release: Release, tmp_path: Path) -> None:
    """A post-renderer of a chart must not find what signs."""
    body = "print('data: {a: \"' + ' '.join(sorted(os.environ)) + '\"}')"
    names = {
        "COUNTERSIGN_PASSWORD": "x",
        "COUNTERSIGN_KEY": "x",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
        "SIGSTORE_ID_TOKEN": "x",
        "KEPT": "x",
    }
    command = program(
        tmp_path,
        f"{body}\nopen({str(tmp_path / 'seen')!r}, 'w').write(' '.join(os.environ))",
    )

    run(
        *("verify", "--render", command, "--cluster", "prod"),
        *("--policies", release.path("policies")),
        environ=names,
    )

    seen = (tmp_path / "seen").read_text().split()
    assert "KEPT" in seen
    assert not [n for n in seen if n.startswith(("COUNTERSIGN", "ACTIONS", "SIGSTORE"))]


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        pytest.param(
            "no-such-program-here x",
            Exit.UNDECIDED,
            "could not run no-such-program-here: No such file or directory",
            id="no",
        ),
        pytest.param("'", Exit.USAGE, "No closing quotation", id="a quote"),
        pytest.param(
            f"{sys.executable} -c 'import sys; sys.exit(\"chart not found\")'",
            Exit.UNDECIDED,
            "chart not found",
            id="its own words",
        ),
        pytest.param(
            f"{sys.executable} -c 'print(1)' | tee /nowhere",
            Exit.UNDECIDED,
            "expected an object",
            id="no shell",
        ),
        pytest.param(
            f"{sys.executable} -c ''", Exit.NO_INPUT, "expected objects", id="nothing"
        ),
    ],
)
def test_says_what_is_wrong(
    run: Run, release: Release, command: str, code: Exit, said: str
) -> None:
    """Zero objects must not pass for zero problems."""
    ran = verify(run, release, command)

    assert ran.code == code, ran.err
    assert said in ran.err


def test_reads_the_namespace_that_helm_is_told(
    run: Run, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would have to be said twice; what is said for all of it wins."""
    helm = tmp_path / "helm"
    bare = MAP.replace(", namespace: payments", "")
    helm.write_text(f"#!/bin/sh\ncat <<'EOF'\n{bare}EOF\n")
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    for flag in ("-n payments", "--namespace=payments"):
        ran = verify(run, release, f"helm template web ./chart {flag}")
        assert ran.out.startswith("payments/ConfigMap/m: "), ran.err
    other = verify(run, release, "helm template x -n payments", "-n", "ledger")
    assert other.out.startswith("ledger/ConfigMap/m: ")
