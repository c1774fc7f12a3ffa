"""What recording tools write beside commits: sessions, and the lines they wrote.

None of it is signed. A record raises what it speaks of, and names who prompted; it never
lowers anything, and a line that it calls a person's is a line nobody proved to be.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance

MAX_LINE = 1 << 31  # no file has more lines

_ADDRESS = re.compile(r"<\s*([^<>\s]{1,320})\s*>")


@dataclass(frozen=True, slots=True, order=True)
class Attested:
    """Lines that an assistant wrote: one-based, both ends included.

    Attributes:
        path: In the commit that the record is about.
        claims: MIXED or AI.
    """

    path: str
    start: int
    end: int
    claims: Assistance = Assistance.AI


@dataclass(frozen=True, slots=True, order=True)
class Session:
    """A session with an assistant; ``""`` for what its record leaves out.

    Attributes:
        id: Key or address of it.
        tool: As written.
        model: The same.
        prompter: Address or name of who directed it, lower case.
    """

    id: str
    tool: str = ""
    model: str = ""
    prompter: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What was recorded of one commit.

    Attributes:
        sessions: Of assistants.
        lines: Those of assistants.
        humans: Addresses of those who typed some of it: authors, by their own hand.
        readable: All of it was understood. What was is here in any case.
    """

    sessions: frozenset[Session] = frozenset()
    lines: frozenset[Attested] = frozenset()
    humans: frozenset[str] = frozenset()
    readable: bool = True


NO_RECORD = Record()


def union(records: Iterable[Record]) -> Record:
    """Return what all of them say together."""
    each = tuple(records)
    if len(each) == 1:
        return each[0]
    return Record(
        sessions=frozenset(s for one in each for s in one.sessions),
        lines=frozenset(line for one in each for line in one.lines),
        humans=frozenset(who for one in each for who in one.humans),
        readable=all(one.readable for one in each),
    )


def text_of(value: Json) -> str:
    """Return a string as it is, and ``""`` for what is none."""
    return value.strip() if isinstance(value, str) else ""


def address_of(value: Json) -> str:
    """Return the address in ``NAME <ADDRESS>``, or all of it, in lower case."""
    text = text_of(value)
    found = _ADDRESS.search(text)
    return (found[1] if found else text).lower()
