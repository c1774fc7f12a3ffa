"""A machine with nothing on it, for each test."""

from pathlib import Path

import pytest

from tests.support.machine import Machine


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)
