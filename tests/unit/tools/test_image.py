"""The image runs what the tests run, as nobody, and with nothing to do more."""

from pathlib import Path

from tools.stack.chart import CHART
from tools.stack.pod import ENTRYPOINT
from tools.wheelhouse import PYTHON

_ROOT = Path(__file__).parents[3]
_STAGES = (_ROOT / "Dockerfile").read_text().split("\nFROM ")


def test_starts_what_the_tests_start() -> None:
    """The command that a Pod does not name comes from here."""
    _, *module = ENTRYPOINT

    assert f'ENTRYPOINT ["python3", "{module[0]}", "{module[1]}"]' in _STAGES[-1]


def test_nothing_runs_while_the_last_stage_is_made() -> None:
    """Its base has no shell to run anything with."""
    assert "\nRUN " not in _STAGES[-1]
    assert _STAGES[-1].startswith("${BASE}\n")


def test_runs_as_the_user_that_the_chart_names() -> None:
    """Files of volumes are the group's."""
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()

    assert "\nUSER 65532:65532\n" in _STAGES[-1]
    assert "runAsUser: 65532" in helpers


def test_only_what_is_checked_by_its_hash_is_installed() -> None:
    """And nothing is fetched while it is made."""
    installs = _STAGES[1].split("pip install")[1:]

    assert all("--no-index" in one for one in installs)
    assert all("--require-hashes" in one or "countersign-" in one for one in installs)


def test_wheels_are_of_the_python_that_runs_them() -> None:
    """Compiled ones fit one minor."""
    assert f"python:{PYTHON}-slim" in _STAGES[0]
