"""Records of Agent Trace: which lines of which revision a conversation wrote.

Where a record stands is the tool's choice; by convention in `PATH`, a line each. It is
about the commit that brings it, and about the revision that it names: tools name the
commit they started from, so about that one's children as well.

Its hashes are made to find moved lines again; they prove nothing and are not read.

Source:
    Agent Trace 0.1.0, sections 6.1 (trace record) and 6.3 (ranges); the reference
    implementation's ``trace-store.ts`` for the path and for what it calls a revision.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance
from countersign.provenance.records import Attested, Session, text_of

PATH = ".agent-trace/traces.jsonl"

MAX_TRACE = 1 << 20  # characters of one line
MAX_TRACES = 100_000  # lines of a range

_CLAIMS = {
    "ai": Assistance.AI,
    "mixed": Assistance.MIXED,
    "human": Assistance.UNKNOWN,
    "unknown": Assistance.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Trace:
    """One record.

    Attributes:
        revision: As written, lower case, or ``""``.
        lines: Those that an assistant had a hand in, of any file.
        sessions: The conversations that wrote them, by path.
    """

    revision: str
    lines: frozenset[Attested]
    sessions: dict[str, frozenset[Session]]


def read_trace(line: str) -> Trace | None:
    """Read one line of a file of traces; None: it was not understood.

    Args:
        line: A JSON object. Unknown fields are ignored.
    """
    if len(line) > MAX_TRACE:
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("files"), list):
        return None
    try:
        return _read(record)
    except (TypeError, ValueError, KeyError):
        return None


def _read(record: dict[str, Json]) -> Trace:
    tool = _object(record.get("tool", {}))
    vcs = _object(record.get("vcs", {}))
    lines: set[Attested] = set()
    sessions: dict[str, frozenset[Session]] = {}
    for file in _list(record["files"]):
        entry = _object(file)
        path = _path(entry["path"])
        for each in _list(entry["conversations"]):
            conversation = _object(each)
            for found, model in _ranges(path, conversation):
                lines.add(found)
                session = Session(
                    id=text_of(conversation.get("url")) or text_of(record.get("id")),
                    tool=text_of(tool.get("name")),
                    model=model,
                )
                sessions[path] = sessions.get(path, frozenset()) | {session}
    return Trace(text_of(vcs.get("revision")).lower(), frozenset(lines), sessions)


def _ranges(path: str, conversation: dict[str, Json]) -> Iterator[tuple[Attested, str]]:
    """Yield what an assistant had a hand in, with the model's name."""
    by_default = conversation.get("contributor")
    for each in _list(conversation["ranges"]):
        entry = _object(each)
        contributor = entry.get("contributor", by_default)
        claims, model = _contributor(contributor)
        if claims is Assistance.UNKNOWN:
            continue
        start, end = entry["start_line"], entry["end_line"]
        if not (isinstance(start, int) and isinstance(end, int) and 0 < start <= end):
            raise ValueError
        yield Attested(path, start, end, claims), model


def _contributor(value: Json) -> tuple[Assistance, str]:
    """Return what a contributor claims; a conversation that names none was one with AI."""
    if value is None:
        return Assistance.MIXED, ""
    entry = _object(value)
    return _CLAIMS[text_of(entry["type"])], text_of(entry.get("model_id"))


def _path(value: Json) -> str:
    path = text_of(value)
    if not path:
        raise ValueError
    return path.removeprefix("./")


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value
