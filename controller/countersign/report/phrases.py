"""Small pieces of text: bounded, free of control characters, the same each time.

Most of what is printed was written by somebody else: an annotation, a certificate, a
manifest. None of it may move a terminal's cursor or push the rest out of sight.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from countersign.core.types.artifacts import Digest, ObjectRef, Subject
from countersign.core.types.evidence import Assistance, Lines

MAKING = {
    Assistance.HUMAN: "a human-made change",
    Assistance.UNKNOWN: "a change not proven human-made",
    Assistance.MIXED: "an AI-assisted change",
    Assistance.AI: "an AI-made change",
}

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,254}")  # fit for a shell, too
_ID = re.compile(r"sha\d+:[0-9a-f]+")

MAX_PHRASE = 120  # characters of one quoted thing
MAX_LISTED = 5  # things of a list that are named


def clean(text: str, limit: int = MAX_PHRASE) -> str:
    """Return `text` on one line, printable, at most `limit` characters."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    shown = " ".join(plain.split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def written(file: str) -> str:
    r"""Return the name of a file for UTF-8: bytes that are none, as ``\xff``."""
    return file.encode(errors="surrogateescape").decode(errors="backslashreplace")


def listed(names: Iterable[str], nothing: str = "nobody") -> str:
    """Join names; beyond `MAX_LISTED` only their number is said."""
    each = [clean(name, 80) for name in names]
    more = len(each) - MAX_LISTED
    shown = ", ".join(each[:MAX_LISTED])
    return f"{shown} and {more} more" if more > 0 else shown or nothing


def pinned(reference: str) -> str:
    """Say how an image has to be written: with its tag, if it has one, and a digest.

    ``NAME`` stands for what is no reference, and for the ID of an image on a node.
    """
    name = reference.partition("@")[0]
    plain = _REFERENCE.fullmatch(name) and not _ID.fullmatch(name)
    return f"{name if plain else 'NAME'}@sha256:DIGEST"


def when(instant: datetime | None) -> str:
    """Write an instant to the minute, in UTC: ``2026-11-22T19:00Z``."""
    return "any time" if instant is None else f"{instant:%Y-%m-%dT%H:%MZ}"


def thing(about: ObjectRef | Subject) -> str:
    """Name what a finding is about."""
    if isinstance(about, ObjectRef):
        return clean(str(about))
    return f"image {clean(about.name)}@{short(about.digest)}"


def short(digest: Digest) -> str:
    """Write a digest as people compare it: the algorithm and twelve characters."""
    return f"{digest.algorithm}:{digest.value[:12]}"


def making(assistance: Assistance) -> str:
    """Say what kind of change it is, as the subject of a sentence."""
    return MAKING[assistance]


def counted(lines: Lines) -> str:
    """Say how many lines AI wrote, or ``""`` where nobody counted."""
    return f"{lines.ai} of {lines.total} lines" if lines.total else ""
