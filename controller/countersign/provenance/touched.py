"""Which paths everybody with a part in a range touched: all of them, or none are told.

A policy limits robots by path, so half of the truth would be worse than silence.
"""

from collections.abc import Collection, Iterable

from countersign.core.types.evidence import Contributor, Touched
from countersign.provenance.derive import JudgedCommit

# Paths travel with the objects. Who touches more is a person, whom no policy limits so.
MAX_EACH = 200  # of one contributor
MAX_ALL = 600  # of all together; those who touched least are told first


def touched(
    commits: Collection[JudgedCommit], actors: Iterable[Contributor] = ()
) -> frozenset[Touched]:
    """Return what each contributor touched, of whom that is known in full, in bounds.

    Args:
        commits: Of the whole range.
        actors: Who handled all of it: pushed, opened or asked for it.
    """
    found: dict[str, set[str] | None] = {}
    handlers = {actor.id for actor in actors}
    for judged in commits:
        for who in {part.id for part in judged.contributors} | handlers:
            found[who] = _more(found.get(who, set()), judged.commit.touched)
    told = [Touched(who, frozenset(p)) for who, p in found.items() if p is not None]
    kept: list[Touched] = []
    room = MAX_ALL
    for one in sorted(told, key=lambda one: (len(one.paths), one.id)):
        room -= len(one.paths)
        if room >= 0:
            kept.append(one)
    return frozenset(kept)


def _more(known: set[str] | None, paths: frozenset[str] | None) -> set[str] | None:
    if known is None or paths is None:
        return None
    known |= paths
    return known if len(known) <= MAX_EACH else None
