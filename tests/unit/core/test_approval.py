"""Bounds of a live object count if signed by all whom the policy asks."""

from typing import Any

import pytest

from countersign.core.rules.approval import stretched
from countersign.core.rules.case import Case
from countersign.core.types.bound import BoundIntent
from countersign.core.types.change import Elastic
from countersign.core.types.evidence import Emergency, Evidence
from countersign.core.types.policy import Revoked, RevokedKind
from countersign.core.types.time import Interval
from tests.support import a

BOUNDS = (Elastic("/spec/replicas", 1, 9),)
BOUND = BoundIntent(a.MANIFEST, BOUNDS)
PAST = Interval(a.NOON - 9 * a.DAY, a.NOON - 8 * a.DAY)


def signed(*args: Any, **fields: Any) -> Evidence:
    """Return a sign-off that allows the bounds."""
    return a.sign_off(*args, **{"changes": (a.state(elastic=BOUNDS),), **fields})


def stretches(
    *evidence: Evidence, revoked: Any = (), seen: Evidence | None = None, **fields: Any
) -> bool:
    """Tell whether the bounds count, on `evidence` and provenance."""
    case = Case.of(
        a.change(),
        a.policy(**fields),
        supporting=[seen or a.provenance(), *evidence],
        adverse=(),
        revoked=revoked,
        at=a.NOON,
    )
    return stretched(case, BOUND)


def test_by_whom_the_policy_asks() -> None:
    """Every slot, and expired as it may be: the object is live."""
    assert stretches(signed())
    assert stretches(signed(validity=PAST, answers=()))
    assert not stretches(signed(), slots=(a.slot("senior"), a.slot("service-owner")))
    assert stretches(
        signed(),
        signed(a.RAVI),
        slots=(a.slot("senior"), a.slot("service-owner")),
    )


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param([], id="nobody"),
        pytest.param([signed(a.LEE)], id="without the role"),
        pytest.param([signed(signer=a.STRANGER)], id="a stranger"),
        pytest.param([a.sign_off()], id="without bounds"),
        pytest.param(
            [signed(changes=(a.state(elastic=(Elastic("/spec/replicas", 1, 99),)),))],
            id="other bounds",
        ),
        pytest.param([signed(subjects=[a.RUNS])], id="of no subject"),
        pytest.param([signed(clusters=frozenset({"staging"}))], id="elsewhere"),
        pytest.param([signed(emergency=Emergency("INC", "!"))], id="in an emergency"),
        pytest.param([signed(saw=[])], id="not knowing who made it"),
    ],
)
def test_by_nobody_less(evidence: list[Evidence]) -> None:
    """Anybody may hang a sign-off on what they write."""
    assert not stretches(*evidence)


def test_not_by_whom_was_withdrawn() -> None:
    """A person, or the collector who says who made it."""
    for entry in (
        Revoked(RevokedKind.PERSON, "dana"),
        Revoked(RevokedKind.COLLECTOR, "ci"),
    ):
        assert not stretches(signed(), revoked=[entry])


def test_not_by_who_made_it() -> None:
    """As the provenance that was seen says."""
    made = a.provenance(a.DANA)

    assert not stretches(signed(saw=[made]), seen=made)


def test_not_by_what_is_known_of_something_else() -> None:
    """Provenance has to be of the live state."""
    other = a.provenance(subjects=[a.RUNS])

    assert not stretches(signed(saw=[other]), seen=other)


def test_of_one_of_several_signed_states() -> None:
    """A sign-off may approve more than what lives."""
    states = (a.state(elastic=BOUNDS), a.state(intent=a.digest("next")))

    assert stretches(signed(changes=states))
