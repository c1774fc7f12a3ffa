"""What may be proposed, and what nobody should have to read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Rejected
from countersign.core.takeover import compare, refuse_unlike
from countersign.core.types.published import Entry, Sort
from countersign.core.types.time import ALWAYS, Interval

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENDED = Interval(None, NOON)


def entry(sort: Sort, number: int, window: Interval = ALWAYS) -> Entry:
    """Return an entry."""
    return Entry(sort=sort, id=f"{number:064x}", name=f"{sort} {number}", window=window)


ENTRIES = st.builds(
    entry,
    st.sampled_from(Sort),
    st.integers(0, 3),
    st.sampled_from([ALWAYS, ENDED]),
)
ROOTS = st.lists(ENTRIES).map(tuple)


@given(ROOTS, ROOTS)
def test_applying_the_changes_gives_what_is_published(
    before: tuple[Entry, ...], after: tuple[Entry, ...]
) -> None:
    """Nothing that changes goes unsaid.

    Seen to fail when times were not compared, and when a key that stands twice was
    looked at once: a wider time could hide behind the one that everybody knows.
    """
    changes = compare(before, after)
    gone = {*changes.removed, *(was for was, _ in changes.moved)}
    new = {*changes.added, *(one for _, one in changes.moved)}

    assert (set(before) - gone) | new == set(after)
    assert gone <= set(before)


@given(ROOTS, ROOTS)
def test_what_is_proposed_demands_no_less(
    before: tuple[Entry, ...], after: tuple[Entry, ...]
) -> None:
    """Of each sort that has to sign, promise or log, one is left."""
    try:
        refuse_unlike(before, after)
    except Rejected:
        return
    for sort in (Sort.ISSUER, Sort.CT_LOG, Sort.LOG):
        held = any(one.sort is sort for one in before)
        assert not held or any(one.sort is sort for one in after)


def _root(*numbers: int) -> tuple[Entry, ...]:
    return tuple(entry(sort, n) for n in numbers for sort in Sort)


def test_another_sigstore_with_less_is_refused() -> None:
    """One that is as large may be the same, with all keys new."""
    with pytest.raises(Rejected, match="it is another one"):
        refuse_unlike(_root(1, 2), _root(3))
    refuse_unlike(_root(1, 2), _root(3, 4))
    refuse_unlike(_root(1, 2), _root(2))
    refuse_unlike((), _root(1))


@pytest.mark.parametrize("sort", [Sort.ISSUER, Sort.CT_LOG, Sort.LOG])
def test_the_last_of_a_sort_stays(sort: Sort) -> None:
    """Without it, signatures would have to prove less."""
    left = tuple(one for one in _root(1) if one.sort is not sort)
    with pytest.raises(Rejected, match=f"at least one {sort.value}"):
        refuse_unlike(_root(1), left)


def test_stampers_may_go() -> None:
    """Without any, signatures prove no more: what needs a stamp is denied."""
    refuse_unlike(_root(1), tuple(e for e in _root(1) if e.sort is not Sort.STAMPER))
