"""The public conformance suite's cases, rebuilt: each ends as its name says."""

import sys
from datetime import UTC, datetime

import pytest

from countersign.core.errors import Malformed, Rejected
from tests.conformance.cases import CASES, Case
from tests.support.forging import Lab, raw
from tests.support.proving import prover

LAB = Lab()
GOAL = 70  # as many as the suite had when countersign was designed


async def _passes(case: Case) -> bool:
    """Tell whether the prover says of `case` what its name says."""
    made = case.make(LAB)
    proving = prover(*made.roots, at=datetime.now(UTC))
    try:
        await proving.prove(raw(made.bundle))
    except (Malformed, Rejected):
        return case.refused
    finally:
        proving.close()
    return not case.refused


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_case_ends_as_its_name_says(case: Case) -> None:
    """Proven, or refused where the name says so."""
    assert await _passes(case)


async def test_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    """The number that the documentation names."""
    passed = sum([await _passes(case) for case in CASES])
    with capsys.disabled():
        sys.stdout.write(f"\nconformance cases: {passed} of {len(CASES)}\n")

    assert len({case.name for case in CASES}) == len(CASES) >= GOAL
    assert passed == len(CASES)
