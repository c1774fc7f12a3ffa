"""Notes of git-ai: which lines of a commit which session wrote.

A note is not signed, whoever may push notes may write any. So it only raises: lines of
a *known human* are lines of whom nobody knows how they wrote them.

Source:
    Git AI Standard v3.0.0, sections 1.2 (log format) and 1.2.3.1 (keys).
"""

import json
import re
from dataclasses import replace

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance
from countersign.provenance.records import (
    MAX_LINE,
    NO_RECORD,
    Attested,
    Record,
    Session,
    address_of,
    text_of,
    union,
)

SCHEMA = "authorship/3."

MAX_NOTE = 4 << 20  # characters; beyond, a note is not read

MAX_JOINED = 1_000  # notes that are read of one commit

_DECODER = json.JSONDecoder()
_DIVIDER = "---"
_HUMAN = "h_"
_ENTRY = re.compile(r"  (\S+) ([0-9][0-9,-]*)\s*")


def read_note(text: str) -> Record:
    """Read a note of ``refs/notes/ai``; whatever it is, nothing is raised.

    Git joins the notes of commits that become one. Their line numbers are those of the
    commits that they were about: of the files they name, any line may be meant.

    Args:
        text: In full; ``""`` where a commit has none.
    """
    if not text:
        return NO_RECORD
    rest, records = text[:MAX_NOTE], list[Record]()
    while rest and len(records) < MAX_JOINED:
        record, rest = _read(rest)
        if record not in records:
            records.append(record)
    whole = union(records)
    readable = whole.readable and not rest and len(text) <= MAX_NOTE
    lines = whole.lines
    if len(records) > 1:
        paths = {line.path for line in lines}
        anywhere = (Attested(path, 1, MAX_LINE, Assistance.MIXED) for path in paths)
        lines |= frozenset(anywhere)  # what is named already is not lowered
    return replace(whole, lines=lines, readable=readable)


def _read(text: str) -> tuple[Record, str]:
    """Read the first note of `text`, and return what follows it."""
    head, divider, tail = _parted(text)
    keys, lines, clean = _attestations(head)
    meta, rest = _metadata(tail)
    described = {one.id: one for one in _sessions(meta)}
    known = {key: described.get(key, Session(key)) for key in keys}
    record = Record(
        sessions=frozenset({*described.values(), *known.values()}),
        lines=frozenset(lines),
        humans=frozenset(_humans(meta)),
        readable=bool(
            clean and divider and str(meta.get("schema_version")).startswith(SCHEMA)
        ),
    )
    return record, rest


def _parted(text: str) -> tuple[list[str], bool, str]:
    """Part the attestations from the metadata at the line of three hyphens."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.rstrip("\r") == _DIVIDER:
            return lines[:number], True, "\n".join(lines[number + 1 :])
    if text.lstrip().startswith("{"):  # metadata alone: no line is attested
        return [], True, text
    return lines, False, ""


def _attestations(lines: list[str]) -> tuple[set[str], set[Attested], bool]:
    """Return sessions, their lines, and whether every line was understood.

    A path without an entry is none: it may be the rest of a note that was torn.
    """
    keys: set[str] = set()
    found: set[Attested] = set()
    clean, path, bare = True, "", False
    for line in lines:
        if not line.strip():
            continue
        if not line[0].isspace():
            clean, bare = clean and not bare, True
            path = line.rstrip("\r")
            if len(path) > 1 and path[0] == path[-1] == '"':
                path = path[1:-1]
        elif matched := _ENTRY.fullmatch(line):
            key, bare = matched[1].partition("::")[0], False
            if key.startswith(_HUMAN):
                continue
            keys.add(key)
            ranges = [_range(part) for part in matched[2].split(",")]
            clean = clean and bool(path) and None not in ranges
            found.update(Attested(path, *each) for each in ranges if each)
        else:
            clean = False
    return keys, found, clean and not bare


def _range(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    if not (first.isdigit() and (last.isdigit() or not dash)):
        return None
    if max(len(first), len(last)) > len(str(MAX_LINE)):
        return None
    start, end = int(first), int(last or first)
    return (start, end) if 0 < start <= end else None


def _metadata(text: str) -> tuple[dict[str, Json], str]:
    """Read a JSON object, and return what follows it."""
    start = text.lstrip()
    try:
        meta, end = _DECODER.raw_decode(start)
    except (ValueError, RecursionError):
        return {}, ""
    return (meta if isinstance(meta, dict) else {}), start[end:].lstrip()


def _sessions(meta: dict[str, Json]) -> set[Session]:
    """Read ``sessions``, and ``prompts``, which older notes have instead."""
    found = set()
    for field in ("sessions", "prompts"):
        records = meta.get(field)
        for key, record in records.items() if isinstance(records, dict) else ():
            entry = record if isinstance(record, dict) else {}
            agent = entry.get("agent_id")
            agent = agent if isinstance(agent, dict) else {}
            found.add(
                Session(
                    id=key,
                    tool=text_of(agent.get("tool")),
                    model=text_of(agent.get("model")),
                    prompter=address_of(entry.get("human_author")),
                )
            )
    return found


def _humans(meta: dict[str, Json]) -> set[str]:
    records = meta.get("humans")
    if not isinstance(records, dict):
        return set()
    named = {
        address_of(record.get("author"))
        for record in records.values()
        if isinstance(record, dict)
    }
    return named - {""}
