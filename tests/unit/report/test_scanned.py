"""Reports of what runs: bounded, the worst first, and written once."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Recorded
from countersign.core.types.scan import Fault, Found, Scanned
from countersign.report.scanned import render_report, told_before
from tests.support.owed import broken_glass

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
API = ("openreports.io/v1alpha1", "Report")
MOST = 20
DEBTS = (Fault.OWED, Fault.OVERDUE)


def one(number: int = 0, fault: Fault = Fault.DRIFT, **told: Any) -> Found:
    """Return what is wrong with a Deployment."""
    if fault in DEBTS:
        debt = broken_glass(NOON)
        kept = Recorded(
            decision=debt,
            first=NOON,
            last=NOON,
            count=1,
            requesters=("lee",),
        )
        told = {**told, "debt": kept, "decision": f"D{number}"}
    return Found(
        object=ObjectRef("apps", "Deployment", "shop", f"d{number}"),
        version="v1",
        uid=f"uid-{number}",
        fault=fault,
        policies=("payments",),
        **told,
    )


def report(scanned: Scanned, live: Any = None, hours: float = 0) -> Any:
    """Return the report; None: nothing is to be written."""
    return render_report(
        scanned,
        api=API,
        own_namespace="countersign",
        most=MOST,
        at=NOON + timedelta(hours=hours),
        live=live,
    )


found = st.builds(
    one,
    st.integers(0, 50),
    st.sampled_from(Fault),
    detail=st.text(max_size=2000),
    children=st.integers(0, 9),
)
scans = st.builds(
    Scanned,
    namespace=st.just("shop"),
    found=st.lists(found, max_size=60, unique_by=lambda f: (f.uid, f.fault)).map(tuple),
    passed=st.integers(0, 10_000),
    unseen=st.lists(st.text(max_size=500), max_size=40, unique=True).map(tuple),
)


@given(scans)
def test_what_is_said_already_is_no_write(scanned: Scanned) -> None:
    """Fault seen caught: times of results taken from the clock each time."""
    said = report(scanned)

    assert report(scanned, live=said, hours=9) is None


@given(scans)
def test_is_bounded_and_counts_all(scanned: Scanned) -> None:
    """Far below what etcd keeps, however much is wrong."""
    said = report(scanned)

    assert len(said["results"]) <= 2 * MOST + 1
    assert len(json.dumps(said)) < 2 * MOST * 6000
    summary = said["summary"]
    counted = sum(summary[name] for name in ("fail", "warn", "error"))
    assert counted == len(scanned.found)
    assert (summary["pass"], summary["skip"]) == (scanned.passed, len(scanned.unseen))


def test_only_what_is_new_has_a_new_time() -> None:
    """So that people see since when."""
    first = report(Scanned(namespace="shop", found=(one(1),)))
    both = Scanned(namespace="shop", found=(one(1), one(2)))
    said = report(both, live=first, hours=1)
    times = [r["timestamp"]["seconds"] for r in said["results"]]

    assert times == [NOON.timestamp(), NOON.timestamp() + 3600]
    assert told_before(said) == {("uid-1", Fault.DRIFT), ("uid-2", Fault.DRIFT)}


@pytest.mark.parametrize("fault", Fault)
def test_says_what_to_do(fault: Fault) -> None:
    """Whoever reads it need not know us."""
    said = report(Scanned(namespace="shop", found=(one(7, fault, detail="no answer"),)))
    (result,) = said["results"]

    assert result["rule"] == fault.value
    assert result["resources"][0]["uid"] == "uid-7"
    if fault is Fault.UNKNOWN:
        assert "no answer" in result["message"]
    elif fault in DEBTS:
        close = "countersign sign-off --decision 0123456789ABCDEFGHJKMNPQRS"
        assert result["message"].endswith(close)
        assert "under break-glass INC-7 by omar" in result["message"]
    else:
        sign = "countersign sign-off --live -n shop Deployment/d7"
        assert sign in result["message"]


def test_each_admission_of_an_object_is_owed_by_itself() -> None:
    """Two shells in one Pod are two debts, each with its own time.

    Fault seen caught: results told apart by the uid alone.
    """
    first, second = one(1, Fault.OWED), one(2, Fault.OWED)
    second = replace(second, object=first.object, uid=first.uid)
    said = report(Scanned(namespace="shop", found=(first,)))
    both = Scanned(namespace="shop", found=(first, second))
    later = report(both, live=said, hours=1)
    times = [r["timestamp"]["seconds"] for r in later["results"]]

    assert times == [NOON.timestamp(), NOON.timestamp() + 3600]
    assert report(both, live=later, hours=9) is None


def test_a_report_of_others_tells_us_nothing() -> None:
    """Anybody may write results that we would not."""
    junk = {"results": [{"rule": "x", "resources": [{"uid": "1"}]}, 3, {"rule": []}]}

    assert told_before(junk) == frozenset()  # type: ignore[arg-type]  # that is the point
    assert told_before(None) == frozenset()
