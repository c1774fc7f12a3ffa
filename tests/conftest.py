"""How tests are spread over processes: ``pytest -n 2``."""

from typing import Any

import pytest

# xdist is typed and does not say so (no py.typed).
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_NEEDS_THE_CONTROL_PLANE = "tests/integration/"


class _OneWorkerForTheControlPlane(LoadScopeScheduling):  # type: ignore[misc]
    """Gives all that shares the control plane to one worker, the rest test by test.

    Two cores bear one control plane, and some tests stop it for a moment. (A mark
    ``xdist_group`` would say the same, but does nothing in xdist 3.8 with pytest 9.2.)
    """

    def _split_scope(self, nodeid: str) -> str:
        shared = nodeid.startswith(_NEEDS_THE_CONTROL_PLANE)
        return _NEEDS_THE_CONTROL_PLANE if shared else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Choose the scheduler above, whatever ``--dist`` says."""
    return _OneWorkerForTheControlPlane(config, log)
