"""Takeover: what a published trusted root would change, and whether it may be proposed.

Admins sign the proposal, or do not (rule 25). What is refused here nobody should have to
read: it does not look like the same Sigstore with other keys, but like another one, or
like one that asks for less.
"""

from collections.abc import Collection

from countersign.core.errors import Rejected
from countersign.core.types.published import Changes, Entry, Sort

_DEMANDED = (Sort.ISSUER, Sort.CT_LOG, Sort.LOG)
"""Sorts of which one has to be left: without logs, nothing has to be logged."""


def compare(before: Collection[Entry], after: Collection[Entry]) -> Changes:
    """Return what differs between two trusted roots."""
    was = {(one.sort, one.id): one for one in before}
    new = {(one.sort, one.id): one for one in after}
    return Changes(
        added=tuple(one for key, one in new.items() if key not in was),
        removed=tuple(one for key, one in was.items() if key not in new),
        moved=tuple(
            (was[key], one)
            for key, one in new.items()
            if key in was and was[key].window != one.window
        ),
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


def _of(sort: Sort, entries: Collection[Entry]) -> bool:
    return any(one.sort is sort for one in entries)


def _keys(entries: Collection[Entry]) -> set[tuple[Sort, str]]:
    return {(one.sort, one.id) for one in entries}
