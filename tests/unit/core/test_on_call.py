"""Whom a denial names for an emergency: who could let it in, and nobody else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from countersign.core.rules.on_call import on_call
from countersign.core.types.policy import BreakGlass, Revoked, RevokedKind
from countersign.core.types.verdict import Reason, Verdict
from tests.support import a


def named(verdict: Verdict | None = None, *policies: Any, **told: Any) -> Any:
    """Return who is named for a change that nobody signed."""
    given: dict[str, Any] = {"revoked": (), "at": a.NOON, **told}
    judged = policies or (a.policy(),)
    return on_call(verdict or a.decide(nothing=True), judged, a.NAMESPACE, **given)


def test_names_all_who_are_on_call() -> None:
    """Sorted, so that the same denial reads the same."""
    assert named() == ("ines", "omar")


@pytest.mark.parametrize(
    ("told", "left"),
    [
        pytest.param(
            {"revoked": [Revoked(RevokedKind.PERSON, "omar")]}, ("ines",), id="revoked"
        ),
        pytest.param(
            {"revoked": [Revoked(RevokedKind.PERSON, "omar", a.NOON + a.HOUR)]},
            ("ines", "omar"),
            id="revoked later",
        ),
    ],
)
def test_names_nobody_whose_signature_would_not_count(told: Any, left: Any) -> None:
    """Asked in the night, they could not help."""
    assert named(**told) == left


def test_each_must_be_on_call_by_every_policy_that_denies() -> None:
    """One signature is to do; a policy without break-glass is opened by nobody."""
    second = replace(a.policy(), name="second")
    shut = replace(second, break_glass=None)
    other = BreakGlass(
        role="sre", max_validity=timedelta(hours=4), review_within=timedelta(hours=72)
    )
    verdict = a.decide(nothing=True, policies=[a.policy(), second])

    assert named(verdict, a.policy(), second) == ("ines", "omar")
    assert named(verdict, a.policy(), shut) == ()
    assert named(verdict, a.policy(), replace(second, break_glass=other)) == ()


def test_names_nobody_where_nothing_is_denied() -> None:
    """Or where it is the gate that fails."""
    assert named(a.decide(a.emergency())) == ()


def test_names_nobody_where_no_signature_helps() -> None:
    """What somebody rejected, break-glass does not let in."""
    rejected = a.decide(adverse=[a.rejection()])

    assert Reason.REJECTED in a.reasons(rejected)
    assert named(rejected) == ()
