"""What a scan makes of what it saw: nothing is hidden, and nothing told twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Recorded
from countersign.core.types.running import Running, Since
from countersign.core.types.scan import Fault
from countersign.usecases.rescan import debts, weigh
from countersign.usecases.running import Seen
from tests.support.owed import broken_glass

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEB = ObjectRef("apps", "Deployment", "shop", "web")
POD = ObjectRef("", "Pod", "shop", "web-1")
DOUBTED: dict[str, Any] = {"doubting": ("payments",)}


def live(ref: ObjectRef = WEB, **told: Any) -> Running:
    """Return a live object that a policy protects, and somebody stands for."""
    return Running(object=ref, policies=("payments",), uid=f"of-{ref.name}", **told)


def seen(*running: Running) -> Seen:
    """Return that these were seen."""
    return Seen(running=running, unseen=("Secret: forbidden",))


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        pytest.param({}, None, id="somebody stands for it"),
        pytest.param(DOUBTED, Fault.NEVER_SEEN, id="nothing speaks of it"),
        pytest.param({**DOUBTED, "known": True}, Fault.DRIFT, id="of another state"),
        pytest.param(
            {**DOUBTED, "since": Since(decision="D", at=NOON)},
            Fault.DRIFT,
            id="it was admitted, and its evidence is gone",
        ),
        pytest.param({"withdrawn": ("payments",)}, Fault.REVOKED, id="withdrawn"),
        pytest.param({"lapsed": ("payments",)}, Fault.EXPIRED, id="out of time"),
        pytest.param({**DOUBTED, "problem": "x"}, Fault.UNKNOWN, id="not seen"),
        pytest.param(
            {**DOUBTED, "machinery": "root-certificates"}, None, id="the cluster's own"
        ),
    ],
)
def test_names_what_is_wrong(told: Any, fault: Fault | None) -> None:
    """The worst of it, once."""
    scanned = weigh("shop", seen(live(**told)))

    assert [one.fault for one in scanned.found] == ([fault] if fault else [])
    assert scanned.passed == int(fault is None)
    assert scanned.unseen == ("Secret: forbidden",)


def test_what_nobody_signed_is_told_once_with_what_was_made_of_it() -> None:
    """Not once for each of its Pods."""
    scanned = weigh("shop", seen(live(**DOUBTED), live(POD, owner=WEB, **DOUBTED)))
    (found,) = scanned.found

    assert (found.object, found.children, found.fault) == (WEB, 1, Fault.NEVER_SEEN)


@pytest.mark.parametrize(
    "owner",
    [{}, {"lapsed": ("payments",)}, {"withdrawn": ("payments",)}],
    ids=["right", "out of time", "withdrawn"],
)
def test_a_pod_hides_behind_no_owner_that_people_stand_for(owner: Any) -> None:
    """It names one, and is not what that one makes: somebody put it there.

    Fault seen caught: folded under whatever owner has a finding of its own.
    """
    scanned = weigh("shop", seen(live(**owner), live(POD, owner=WEB, **DOUBTED)))

    assert (POD, Fault.DRIFT) in [(one.object, one.fault) for one in scanned.found]
    assert {one.children for one in scanned.found} == {0}


@pytest.mark.parametrize(
    ("later", "fault"),
    [
        pytest.param(timedelta(hours=72), Fault.OWED, id="there is time"),
        pytest.param(timedelta(hours=73), Fault.OVERDUE, id="late"),
    ],
)
def test_what_break_glass_let_in_is_owed_whether_it_is_there_or_not(
    later: timedelta, fault: Fault
) -> None:
    """A shell leaves nothing behind, and a deletion less."""
    kept = Recorded(
        decision=broken_glass(NOON),
        first=NOON,
        last=NOON,
        count=1,
        requesters=("lee",),
    )
    scanned = weigh("default", seen(), debts([kept], NOON + later))
    (found,) = scanned.found

    assert (found.fault, found.policies) == (fault, ("payments",))
    assert found.debt == kept


def test_what_break_glass_let_in_has_not_passed() -> None:
    """Somebody stands for it; a review does not, yet."""
    kept = Recorded(
        decision=broken_glass(NOON),
        first=NOON,
        last=NOON,
        count=1,
        requesters=("lee",),
    )
    owed = debts([kept], NOON)
    scanned = weigh("default", seen(live(kept.decision.object)), owed)

    assert scanned.passed == 0
