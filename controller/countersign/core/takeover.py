"""Takeover: what a published trusted root would change, and whether it may be proposed.

Admins sign the proposal, or do not (rule 25). What is refused here nobody should have to
read: it does not look like the same Sigstore with other keys, but like another one, or
like one that asks for less.
"""

from collections.abc import Collection, Iterable, Mapping

from countersign.core.errors import Rejected
from countersign.core.types.published import Changes, Entry, Sort

_DEMANDED = (Sort.ISSUER, Sort.CT_LOG, Sort.LOG)
"""Sorts of which one has to be left: without logs, nothing has to be logged."""


def compare(before: Collection[Entry], after: Collection[Entry]) -> Changes:
    """Return what differs between two trusted roots.

    A root may name the same key twice, with different times, and each counts. So only
    what is there once on either side is said to have another time.
    """
    gone = _without(before, set(after))
    come = _without(after, set(before))
    was, new = _by_key(gone), _by_key(come)
    pairs = tuple(
        (was[key][0], new[key][0])
        for key in was
        if key in new and len(was[key]) == len(new[key]) == 1
    )
    paired = {one for pair in pairs for one in pair}
    return Changes(
        added=tuple(one for one in come if one not in paired),
        removed=tuple(one for one in gone if one not in paired),
        moved=pairs,
    )


def refuse_unlike(before: Collection[Entry], after: Collection[Entry]) -> None:
    """Refuse what cannot be meant.

    Raises:
        Rejected: nothing is left of a sort whose absence asks for less; or nothing is
            shared, and there is less than before.
    """
    for sort in _DEMANDED:
        if _of(sort, before) and not _of(sort, after):
            raise Rejected(
                f"expected at least one {sort.value}, as now, saw none: signatures "
                "would have to prove less"
            )
    shared = _keys(before) & _keys(after)
    if before and not shared and len(_keys(after)) < len(_keys(before)):
        raise Rejected(
            "expected something of the trusted root that is in force, saw nothing of "
            f"it, and {len(after)} entries in place of {len(before)}: it is another one"
        )


def _without(entries: Iterable[Entry], others: Collection[Entry]) -> list[Entry]:
    return [one for one in dict.fromkeys(entries) if one not in others]


def _by_key(entries: Iterable[Entry]) -> Mapping[tuple[Sort, str], list[Entry]]:
    found: dict[tuple[Sort, str], list[Entry]] = {}
    for one in entries:
        found.setdefault(_key(one), []).append(one)
    return found


def _of(sort: Sort, entries: Collection[Entry]) -> bool:
    return any(one.sort is sort for one in entries)


def _keys(entries: Collection[Entry]) -> set[tuple[Sort, str]]:
    return set(map(_key, entries))


def _key(one: Entry) -> tuple[Sort, str]:
    return one.sort, one.id
