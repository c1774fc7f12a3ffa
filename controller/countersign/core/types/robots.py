"""Trusted automation: whose it is, as whom it commits, and what of a repository it may touch."""

from dataclasses import dataclass

from countersign.core.errors import Malformed
from countersign.core.types.attestors import Attestor
from countersign.core.types.globs import glob
from countersign.core.types.people import (
    Alias,
    AliasKind,
    CertIdentity,
    Identity,
    KeyIdentity,
    Person,
    Roster,
)

ANYWHERE = "**"  # as a whole part of a pattern: any number of folders
_NOWHERE = frozenset({"", ".", ".."})  # parts that no honest path has


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """Automation whose own word makes its commits human, within `paths`.

    Attributes:
        by: The identity that signs for it, and for which repositories it may.
        authors: Its addresses in git, lower case; not empty.
        paths: Patterns of all that it may touch; not empty. A ``*`` crosses no ``/``, a
            part that is ``**`` stands for any number of folders.

    Raises:
        Malformed: it is nobody's, or not limited by path; or a pattern could not mean
            what it says.
    """

    by: Attestor
    authors: frozenset[str]
    paths: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.authors:
            raise Malformed(f"{self.name}: expected its addresses in git, saw none")
        if not self.paths:
            raise Malformed(f"{self.name}: expected paths that limit it, saw none")
        for pattern in self.paths:
            if problem := _problem(pattern):
                raise Malformed(f"{self.name}: {problem}, saw {pattern!r}")

    @property
    def name(self) -> str:
        """What people call it."""
        return self.by.name

    @property
    def id(self) -> str:
        """Who declared, where persons stand by their id: no person's id has a colon."""
        return f"robot:{self.name}"

    def is_author(self, address: str) -> bool:
        """Tell whether `address` is one of its own."""
        return address.lower() in self.authors

    def may_touch(self, path: str) -> bool:
        """Tell whether `path`, exactly as the repository writes it, is within its paths.

        Neither letter case nor normal forms of Unicode are folded: what differs is
        another file.
        """
        names = path.split("/")
        if not _NOWHERE.isdisjoint(names):
            return False
        return any(_matches(pattern.split("/"), names) for pattern in self.paths)


def clash(robot: Robot, roster: Roster) -> str:
    """Say whom of `roster` a robot would be taken for, or ``""``.

    An address or an identity is a person's or a robot's: a robot approves nothing, and
    no person may be signed for by a machine.
    """
    for address in sorted(robot.authors):
        if person := roster.known_as(Alias(AliasKind.GIT, address)):
            return _taken(robot, person, address)
    for person in roster:
        for identity in sorted(person.identities, key=str):
            if _signs_as(robot.by, identity):
                return _taken(robot, person, str(identity))
    return ""


def _taken(robot: Robot, person: Person, what: str) -> str:
    return f"{robot.name}: expected nobody of the roster, saw {what} of {person.id}"


def _signs_as(by: Attestor, identity: Identity) -> bool:
    if isinstance(identity, KeyIdentity):
        return identity == KeyIdentity(by.trust_root, by.key)
    return (
        CertIdentity(by.trust_root, by.issuer, identity.san) == identity
        and glob(by.san, "/@").fullmatch(identity.san) is not None
    )


def _matches(pattern: list[str], names: list[str]) -> bool:
    """Match part by part; no pattern takes longer than its parts times those of a path."""
    reached = {0}  # how many of the names may be taken already
    for at, part in enumerate(pattern):
        if part == ANYWHERE:
            last = at == len(pattern) - 1  # what is below a folder is not the folder
            first = min(reached, default=len(names) + 1) + last
            reached = set(range(first, len(names) + 1))
        else:
            fits = glob(part, "/").fullmatch
            reached = {n + 1 for n in reached if n < len(names) and fits(names[n])}
    return len(names) in reached


def _problem(pattern: str) -> str:
    parts = pattern.split("/")
    if not _NOWHERE.isdisjoint(parts):
        return "expected a path from the root of the repository, without . and .."
    if "\\" in pattern or not pattern.isprintable():
        return "expected plain characters and /"
    if any(ANYWHERE in part for part in parts if part != ANYWHERE):
        return f"expected {ANYWHERE} as a whole part of the path"
    if not pattern.strip("*/"):
        return "expected a pattern that names something"
    return ""
