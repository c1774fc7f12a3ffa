"""Running the command line in process, as a shell would."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from countersign.faces.cli import main
from countersign.faces.cli.session import Session
from tests.support.cli import NOON, Ran, Run
from tests.support.release import Release


@pytest.fixture(name="run")
def _run(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run ``countersign ARGS…`` with nothing of this machine's environment."""
    for name in [name for name in os.environ if name.startswith("COUNTERSIGN_")]:
        monkeypatch.delenv(name)

    def run(
        *args: object,
        environ: Mapping[str, str] | None = None,
        interactive: bool = False,
        at: datetime = NOON,
    ) -> Ran:
        session = Session(
            environ={} if environ is None else environ,
            present=lambda: at,
            interactive=interactive,
        )
        with monkeypatch.context() as process:
            if isinstance(environ, dict):  # click reads the process's own
                for name, value in environ.items():
                    process.setenv(name, value)
            code = main([str(arg) for arg in args], session=session)
        seen = capsysbinary.readouterr()
        return Ran(code, seen.out.decode(), seen.err.decode())

    return run


@pytest.fixture(name="template", scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a release that no test may write to."""
    return Release.make(tmp_path_factory.mktemp("release"))


@pytest.fixture(name="release")
def _release(template: Release, tmp_path: Path) -> Release:
    """Return a release of one's own."""
    return template.copy(tmp_path / "release")


@pytest.fixture(name="attested")
def _attested(release: Release) -> Path:
    """Return its manifests with ci's provenance."""
    return release.path("attested.yaml")


@pytest.fixture(name="answers")
def _answers(release: Release) -> Path:
    """Return a file that answers the default questions."""
    return release.path("answers.yaml")
