"""A human commit on its way to an admission without a sign-off, and the ways to fake one.

Real repositories, the commands as they stand. ``payments`` takes the word of developers,
and knows one commit to start from.
"""

from pathlib import Path

import pytest

from tests.support import chart
from tests.support.author import Work
from tests.support.gate import Gate


@pytest.fixture(name="work")
def _work(gate: Gate, tmp_path: Path) -> Work:
    return Work.begin(gate, tmp_path / "work")


def test_from_a_commit_to_an_admission(gate: Gate, work: Work, name: str) -> None:
    """The author's word, CI's word, and a start that was approved: nobody else's."""
    work.commit(name)
    manifest = chart.deployment(name)

    alone = gate.apply(work.attest(manifest))
    admitted = gate.apply(work.human(manifest))

    assert alone.reasons == ("slot_open",)
    assert admitted.bases == ("payments: signed declared=lee",), admitted.out
    assert gate.pod(name)
