"""One real control plane for all tests of the session that ask for it.

They share it, so each test works in a namespace of its own. Under ``pytest -n`` they
all go to the same worker (tests/conftest.py).
"""

from collections.abc import Iterator

import pytest

from tools import controlplane
from tools.controlplane import ControlPlane

_FIXTURE = "control_plane"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the control plane, so that nobody has to remember to."""
    for item in items:
        if _FIXTURE in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session", name=_FIXTURE)
def _control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # a first build takes minutes: show it
        controlplane.ensure()
    with controlplane.running() as plane:
        yield plane
        plane.keep_logs = bool(request.session.testsfailed)
