"""How tests are spread over processes: ``pytest -n 2``."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# xdist is typed and does not say so (no py.typed).
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# How busy the machine is says nothing about the code: no test goes by the clock.
settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")

_ROOT = Path(__file__).parents[1]
_INTEGRATION = "tests/integration/"
_RELEASE = "tests/e2e/"
_TOLD = "told"
_WHOLE_GATE = ("gate: Gate", "dock: Dock")  # fixtures, as tests ask for them


class _TwoControlPlanes(LoadScopeScheduling):  # type: ignore[misc]
    """Gives what shares a control plane to one worker, the rest test by test.

    Tests of the whole gate share one, all other integration tests another: both wait
    more than they compute, so two cores bear them. Those of a release have their own.
    (A mark ``xdist_group`` would say the same, but does nothing in xdist 3.8 with pytest
    9.2.)
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith(_RELEASE):
            return "release"
        return _group(file) if file.startswith(_INTEGRATION) else nodeid


@cache
def _group(file: str) -> str:
    text = (_ROOT / file).read_text()
    return "gate" if any(asked in text for asked in _WHOLE_GATE) else "control plane"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Choose the scheduler above, whatever ``--dist`` says."""
    return _TwoControlPlanes(config, log)


@pytest.fixture(name="tell")
def _tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Have a line stand at the end of the run, whichever process the test runs in."""
    return lambda line: record_property(_TOLD, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests that passed measured, for people to read."""
    lines = [
        line
        for report in terminalreporter.stats.get("passed", ())
        for name, line in report.user_properties
        if name == _TOLD
    ]
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.line(str(line))
