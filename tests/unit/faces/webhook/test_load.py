"""What is in flight is bounded in number and in bytes."""

from contextlib import ExitStack

import pytest

from countersign.faces.webhook.load import Lane, Load


def test_judges_then_sheds_then_refuses() -> None:
    """Each lane is as wide as the other, and what leaves makes room."""
    load = Load(in_flight=2, body_bytes=1000)
    with ExitStack() as held:
        lanes = [held.enter_context(load.take(1)) for _ in range(6)]

    assert lanes == [Lane.JUDGE] * 2 + [Lane.SHED] * 2 + [Lane.REFUSE] * 2
    with load.take(1) as lane:
        assert lane is Lane.JUDGE


def test_refuses_bodies_above_the_budget_unread() -> None:
    """Memory ends before the places do."""
    load = Load(in_flight=10, body_bytes=100)
    with load.take(60) as first, load.take(60) as second, load.take(40) as third:
        assert (first, second, third) == (Lane.JUDGE, Lane.REFUSE, Lane.JUDGE)
    with load.take(100) as lane:
        assert lane is Lane.JUDGE


def test_a_fault_gives_the_place_back() -> None:
    """Seen to catch: places that leak until nothing is judged."""
    load = Load(in_flight=1, body_bytes=10)
    for _ in range(3):
        with pytest.raises(RuntimeError), load.take(10):
            raise RuntimeError
    with load.take(10) as lane:
        assert lane is Lane.JUDGE
