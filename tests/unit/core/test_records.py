"""Values of the record that do not construct."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Recorded, Sighting
from countersign.core.types.running import Running
from tests.support.decisions import denied

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_what_was_never_made_is_no_record() -> None:
    """A count below one."""
    once = Recorded(
        decision=denied(), first=NOON, last=NOON, count=1, requesters=("lee",)
    )

    with pytest.raises(Malformed, match="at least 1"):
        replace(once, count=0)


def test_a_sighting_has_a_zone() -> None:
    """Else nobody knows when it was."""
    with pytest.raises(Malformed):
        Sighting(id="1", at=NOON.replace(tzinfo=None), requester="lee")


def test_machinery_needs_nobody() -> None:
    """What the cluster made by itself is not what nobody stands for."""
    ref = ObjectRef("", "ConfigMap", "payments", "x")
    bare = Running(object=ref, policies=("payments",), doubting=("payments",))

    assert bare.nobody
    assert not replace(bare, machinery="root-certificates").nobody
    assert not replace(bare, doubting=()).nobody
