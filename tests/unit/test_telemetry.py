"""Logs as lines that machines and people read."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from countersign import telemetry


@pytest.fixture(name="restored", autouse=True)
def _restored() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def said(*, as_json: bool, level: str = "INFO") -> str:
    """Log an event and an error; return what was written."""
    stream = io.StringIO()
    telemetry.start_logging(as_json=as_json, level=level, stream=stream)
    logger = logging.getLogger("countersign.test")
    logger.info("admission_reviewed", extra={"uid": "1", "findings": ["expired"]})
    logger.error("review_failed", exc_info=RuntimeError("boom"))
    return stream.getvalue()


def test_json_is_one_object_a_line() -> None:
    """Fields stand beside the event, a traceback within its line."""
    first, second = map(json.loads, said(as_json=True).splitlines())

    assert first["event"] == "admission_reviewed"
    assert first["findings"] == ["expired"]
    assert first["time"].endswith("+00:00")
    assert "RuntimeError: boom" in second["traceback"]


def test_text_is_for_a_terminal() -> None:
    """The same, in words."""
    text = said(as_json=False)

    assert text.startswith("info admission_reviewed uid=1 findings=['expired']\n")
    assert "RuntimeError: boom" in text


def test_only_what_is_asked_for_is_said() -> None:
    """Levels hold for all loggers."""
    assert "admission_reviewed" not in said(as_json=True, level="ERROR")


def test_logs_go_to_stdout_unless_told_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A container's log is its stdout."""
    telemetry.start_logging(as_json=True, level="INFO", stream=sys.stdout)
    logging.getLogger("countersign.test").info("ready")

    assert json.loads(capsys.readouterr().out)["event"] == "ready"


def test_the_page_names_the_version() -> None:
    """And every metric that dashboards lean on."""
    page, content_type = telemetry.metrics_page()
    text = page.decode()

    assert content_type.startswith("text/plain")
    assert 'countersign_build_info{version="' in text
    for name in (
        "reviews_total",
        "review_duration_seconds",
        "findings_total",
        "proofs_total",
        "cache_requests_total",
        "policies",
        "watch_age_seconds",
    ):
        assert f"# TYPE countersign_{name} " in text or (
            f"# HELP countersign_{name}" in text
        )
