"""Slots are filled by different persons: matched, not counted.

Two slots and two signers are not enough if both signers can fill only the one slot; and
one person with two keys is one person.
"""

from collections.abc import Collection, Sequence


def match(candidates: Sequence[Collection[str]]) -> dict[int, str]:
    """Fill as many slots as possible, each by a person of its own.

    Kuhn's augmenting paths; persons are tried in order, so the result does not depend
    on the order in which evidence arrived.

    Args:
        candidates: For each slot the persons who may fill it.

    Returns:
        Slot index to person; a maximum matching.

    Cost:
        O(slots x candidates), a handful of each.
    """
    taken: dict[str, int] = {}

    def place(slot: int, tried: set[str]) -> bool:
        for person in sorted(candidates[slot]):
            if person in tried:
                continue
            tried.add(person)
            if person not in taken or place(taken[person], tried):
                taken[person] = slot
                return True
        return False

    for slot in range(len(candidates)):
        place(slot, set())
    return {slot: person for person, slot in sorted(taken.items())}


def all_filled(candidates: Sequence[Collection[str]]) -> bool:
    """Tell whether every slot can be filled. No slot at all is not filled."""
    return bool(candidates) and len(match(candidates)) == len(candidates)
