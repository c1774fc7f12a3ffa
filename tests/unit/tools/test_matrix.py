"""Running on every minor: what is said of each."""

import pytest

from tools.matrix import main


def test_a_minor_that_fails_keeps_no_other_from_being_tried(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each has its line, and the whole has failed."""
    code = main(["--minors", "1.12 1.13"])

    *_, first, second = capsys.readouterr().out.splitlines()
    assert code == 1
    assert "1.12" in first
    assert "not among the supported minors" in first
    assert "1.13" in second
