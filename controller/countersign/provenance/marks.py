"""Marks of assistance: what a commit shows that an assistant had a hand in it.

A mark can only raise: that something is *not* marked, or says "none", proves nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from countersign.core.types.evidence import Assistance

MAX_VALUE = 256  # characters of a mark that are kept; a statement has to stay small


class MarkKind(StrEnum):
    """Where a mark stands, strongest first.

    A NOTE and a TRACE tell lines; all others are about whole commits.
    """

    NOTE = "note"
    TRACE = "trace"
    AUTHOR = "author"
    COMMITTER = "committer"
    CO_AUTHOR = "coAuthor"
    TRAILER = "trailer"
    SESSION = "session"
    TEXT = "text"
    PULL_REQUEST = "pullRequest"
    BRANCH = "branch"

    @property
    def confidence(self) -> int:
        """How sure such a mark is, 0 to 100; for people to weigh, all of them count."""
        return _CONFIDENCE[self]


_CONFIDENCE = {
    MarkKind.NOTE: 98,
    MarkKind.TRACE: 97,
    MarkKind.AUTHOR: 95,
    MarkKind.COMMITTER: 90,
    MarkKind.CO_AUTHOR: 85,
    MarkKind.TRAILER: 75,
    MarkKind.SESSION: 65,
    MarkKind.TEXT: 60,
    MarkKind.PULL_REQUEST: 50,
    MarkKind.BRANCH: 40,
}


@dataclass(frozen=True, slots=True, order=True)
class Tool:
    """An assistant as a mark names it.

    Attributes:
        name: Canonical name where the registry knows it, else as written; ``""`` where
            the mark names none.
        version: As written, or ``""``.
        model: As written, or ``""``.
    """

    name: str
    version: str = ""
    model: str = ""

    def __str__(self) -> str:
        # one word, whatever it is: who reads this splits at the last space
        what = "-".join((self.version or self.model).split())
        return " ".join(part for part in (self.name, what) if part)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One mark.

    Attributes:
        value: The line, address or branch, cut to `MAX_VALUE`.
        claims: MIXED or AI.
        tool: Which assistant.
        session: Identifier or address of its session, or ``""``.
    """

    kind: MarkKind
    value: str
    claims: Assistance
    tool: Tool
    session: str = ""
