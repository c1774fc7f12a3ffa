"""Who made a change: everybody with a part in its range (rule 1).

Git's author field is anybody's to write, so it only ever adds authors; and independence
of the author is independence of all of them.
"""

from dataclasses import dataclass

from countersign.core.rules.case import Case
from countersign.core.types.evidence import Contributor, Part, Provenance
from countersign.core.types.globs import glob
from countersign.core.types.people import Alias, AliasKind, Person
from countersign.core.types.policy import Slot

_PARTS = {
    "author": frozenset(Part),
    "committer": frozenset({Part.COMMITTER}),
    "prompter": frozenset({Part.PROMPTER, Part.REQUESTER}),
}

# Whoever stands beside an agent in one of these parts answers for what it wrote.
_ANSWERS_FOR_AGENTS = {Part.PROMPTER, Part.REQUESTER, Part.OPENER, Part.COMMITTER}


@dataclass(frozen=True, slots=True)
class Makers:
    """Who had certain parts in a range.

    Attributes:
        parts: Person's id and part, each that there is.
        unresolved: Addresses that are nobody's.
    """

    parts: frozenset[tuple[str, Part]] = frozenset()
    unresolved: frozenset[str] = frozenset()

    def __or__(self, other: "Makers") -> "Makers":
        return Makers(self.parts | other.parts, self.unresolved | other.unresolved)

    def part_of(self, person: str) -> Part | None:
        """Return a part that `person` had, the first in order, or None."""
        return min((part for who, part in self.parts if who == person), default=None)


def parts_of(slot: Slot) -> frozenset[Part]:
    """Return the parts in a change that exclude from `slot`."""
    return frozenset(
        part for name in slot.independent_of for part in _PARTS.get(name, ())
    )


def makers(case: Case, claim: Provenance, parts: frozenset[Part]) -> Makers:
    """Resolve who had one of `parts` in the range of `claim`.

    An agent resolves through a human who asked it, opened its change or committed it;
    without one nobody is known to have made that part. A robot is known, but answers
    for nobody else.
    """
    humans = [c for c in claim.contributors if not c.agent]
    answered = any(
        c.part in _ANSWERS_FOR_AGENTS and not _is_robot(case, c) for c in humans
    )
    agents = frozenset(c.id for c in claim.contributors if c.agent and not answered)
    behind = [(c, person_behind(case, c)) for c in humans if c.part in parts]
    return Makers(
        frozenset((person.id, c.part) for c, person in behind if person),
        agents.union(c.id for c, p in behind if not (p or _is_known(case, c))),
    )


def person_behind(case: Case, contributor: Contributor) -> Person | None:
    """Return the roster person who goes by the contributor's address in git."""
    alias = Alias(AliasKind.GIT, contributor.id.lower())
    return case.policy.roster.known_as(alias)


def _is_known(case: Case, contributor: Contributor) -> bool:
    """Tell whether the address needs no roster entry; a ``*`` never crosses an ``@``."""
    address = contributor.id.lower()
    return _is_robot(case, contributor) or any(
        glob(pattern.lower(), "@").fullmatch(address)
        for pattern in case.policy.known_authors
    )


def _is_robot(case: Case, contributor: Contributor) -> bool:
    return any(robot.is_author(contributor.id) for robot in case.policy.robots)
