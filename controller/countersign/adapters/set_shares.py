"""Who gets room where there is not enough for all BundleSets.

Whoever may create sets can make as many as he likes; he cannot make them older than what
others made before, nor newer than what others make after. So the rules go by the time at
which the server took a set, and never by the order in which we heard of it: all replicas
keep the same, also after a restart.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Rank(NamedTuple):
    """A set's place among those of its namespace: the oldest first.

    Attributes:
        made: When the server took it, RFC 3339 in UTC; ``""``: it is not there yet,
            which is newer than all.
        name: Of the set; among those of the same second it decides.
        size: In bytes.
    """

    made: str
    name: str
    size: int

    @property
    def age(self) -> tuple[bool, str, str]:
        """Sort key."""
        return not self.made, self.made, self.name


def share(demands: Iterable[int], *, most: int, total: int) -> int:
    """Return how many bytes each namespace may have at most.

    What small ones do not use is the others'. So none that asks for no more than the
    same part of `total` as all others loses anything to them.

    Args:
        demands: Bytes of all sets of each namespace.
        most: Of one namespace, in bytes.
        total: Of all namespaces, in bytes.
    """
    asked = sorted(min(demand, most) for demand in demands)
    left = total
    for n, demand in enumerate(asked):
        equal = left // (len(asked) - n)
        if demand > equal:
            return equal
        left -= demand
    return most


def chosen(ranks: Collection[Rank], room: int) -> frozenset[str]:
    """Return the names of those of one namespace that are kept within `room` bytes.

    Three quarters go to the oldest: what runs rests on them, and nothing younger takes
    their place. A quarter goes to the newest, so that a sign-off which comes now finds
    room whatever lies there. What is left over goes to the oldest again. What is too
    large for what is left is passed over, so that it holds up nobody.
    """
    oldest = sorted(ranks, key=lambda rank: rank.age)
    kept: set[str] = set()
    reserve = room // 4
    room -= _fill(kept, oldest, room - reserve)
    room -= _fill(kept, reversed(oldest), reserve)
    _fill(kept, oldest, room)
    return frozenset(kept)


def _fill(kept: set[str], ranks: Iterable[Rank], room: int) -> int:
    """Add to `kept` what fits, in the order of `ranks`; return its bytes."""
    used = 0
    for rank in ranks:
        if rank.name not in kept and used + rank.size <= room:
            kept.add(rank.name)
            used += rank.size
    return used
