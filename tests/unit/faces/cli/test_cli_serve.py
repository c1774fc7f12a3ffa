"""``countersign serve``: its settings, before it listens."""

from pathlib import Path

import pytest

from countersign.config import Settings, paths, variable
from countersign.faces.cli.session import Exit
from tests.support.cli import Run


def test_every_setting_is_an_option(run: Run) -> None:
    """With its variable beside it."""
    ran = run("serve", "--help")
    shown = "".join(ran.out.split())

    assert all(variable(path) in shown for path in paths(Settings))
    assert "--cluster-name" in ran.out


@pytest.mark.parametrize(
    ("args", "environ", "code", "hint"),
    [
        pytest.param([], {}, Exit.USAGE, "COUNTERSIGN_CLUSTER_NAME", id="no name"),
        pytest.param(
            ["--cluster-name", "prod", "--listen-port", "many"],
            {},
            Exit.USAGE,
            "listen.port",
            id="no port",
        ),
        pytest.param(
            ["--listen-port", "1"],
            {"COUNTERSIGN_CLUSTER_NAME": "prod", "COUNTERSIGN_LIMITS_DEADLINE_S": "x"},
            Exit.USAGE,
            "limits.deadline_s",
            id="a variable",
        ),
        pytest.param(
            ["--config", "/nowhere"], {}, Exit.UNDECIDED, "/nowhere", id="no file"
        ),
    ],
)
def test_does_not_start_with_settings_that_are_none(
    args: list[str], environ: dict[str, str], code: Exit, hint: str, run: Run
) -> None:
    """Each mistake is named with the way to set it."""
    ran = run("serve", *args, environ=environ)

    assert ran.code == code
    assert hint in ran.err


def test_a_file_with_a_slip_is_refused(run: Run, tmp_path: Path) -> None:
    """An unknown setting would otherwise be taken for its default."""
    file = tmp_path / "settings.yaml"
    file.write_text("cluster_name: prod\nlisten: {prot: 1}\n")

    ran = run("serve", "--config", file)

    assert ran.code == Exit.USAGE
    assert "listen.prot" in ran.err
