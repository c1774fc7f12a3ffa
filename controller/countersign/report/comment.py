"""The gate as a comment on a pull or merge request: who could sign, and the command.

Names come from outside: of tools, of authors, of files. They stand in code only, where
Markdown mentions nobody, links nowhere and shows no pictures.
"""

import re
from collections.abc import Iterable, Iterator

from countersign.core.types.policy import Enforcement
from countersign.report.denial import who_may_not
from countersign.report.gate import Case, Gate, cases, met_lines, page, title
from countersign.report.phrases import clean

MAX_COMMENT = 60_000  # bytes; GitHub takes 65 536 characters, GitLab a million
_MAX_CASES = 40
_MAX_NAMES = 20
_TICKS = re.compile("`+")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]+")
_PLAIN = re.compile(r"[A-Za-z0-9 ,.-]+")
_MARK = re.compile(r"[^A-Za-z0-9.-]")


def comment(gate: Gate) -> str:
    """Write a comment; its first line finds it again, to be replaced by the next one."""
    return f"{marker(gate.cluster)}\n{body(gate)}"


def marker(cluster: str) -> str:
    """Return the line by which the comment about `cluster` is known."""
    return f"<!-- countersign gate {_MARK.sub('_', cluster)} -->"


def body(gate: Gate, limit: int = MAX_COMMENT) -> str:
    """Write what is denied and what only warns, each with its way out, as Markdown.

    Args:
        gate: Any.
        limit: Bytes; what does not fit is counted.
    """
    found = cases(gate)
    pieces = [f"### {_heading(gate, found)}\n"]
    told = 0
    room = limit - len(pieces[0].encode()) - 400  # for what comes last
    for alike in _alike(found)[:_MAX_CASES]:
        piece = "\n".join(_cases(alike, gate))
        room -= len(piece.encode()) + 1
        if room < 0:
            break
        pieces.append(piece)
        told += len(alike)
    if told < len(found):
        pieces.append(f"… and {len(found) - told} more: see the log of the run.\n")
    if not found and (met := met_lines(gate)):
        pieces.append("\n".join([*_fenced("text", met[:_MAX_CASES]), ""]))
    pieces.append(_foot(gate))
    return "\n".join(pieces)


def _heading(gate: Gate, found: tuple[Case, ...]) -> str:
    denied = any(case.level is Enforcement.DENY for case in found)
    sign = "❌" if denied else "⚠️" if found else "✅"
    said = title(gate)
    return f"{sign} countersign: {said if _PLAIN.fullmatch(said) else _code(said)}"


def _alike(found: Iterable[Case]) -> list[list[Case]]:
    """Put together what lacks the same: one signature is for all of it."""
    groups: dict[tuple[object, ...], list[Case]] = {}
    for case in found:
        says = (case.policy, case.level, case.headline, case.details, case.step)
        groups.setdefault(says, []).append(case)
    return list(groups.values())


def _cases(alike: list[Case], gate: Gate) -> Iterator[str]:
    case = alike[0]
    names = ", ".join(_code(one.entry.name) for one in alike[:_MAX_NAMES])
    more = len(alike) - _MAX_NAMES
    yield f"#### {names}{f' and {more} more' if more > 0 else ''}"
    yield ""
    yield from _fenced("text", (f"{case.headline} ({case.whose})", *case.details))
    yield ""
    if case.asks and case.asks.eligible:
        roles = ", ".join(map(_code, dict.fromkeys(case.asks.open)))
        names = ", ".join(map(_code, case.asks.eligible))
        yield f"- **Who can sign** (as {roles}): {names}"
        if case.asks.ineligible:
            others = map(_code, map(who_may_not, case.asks.ineligible))
            yield f"- **Who cannot:** {', '.join(others)}"
        yield ""
    elif case.asks:
        yield "**Nobody on the roster can sign this now.**\n"
    if case.commands:
        yield "**What to run:**\n"
        yield from _fenced("sh", case.commands)
    else:
        yield f"**What to do:** {_code(case.step)}"
    yield ""
    reason = case.findings[0].reason
    yield f"[What `{reason}` means]({page(gate, reason)})"
    yield ""


def _foot(gate: Gate) -> str:
    run = f" · [run]({gate.run})" if _ADDRESS.fullmatch(gate.run) else ""
    return f"countersign {_code(gate.version)}{run}\n"


def _code(text: str) -> str:
    """Return `text` as code within a line."""
    shown = clean(text, 400).replace("|", "¦")
    ticks = "`" * (1 + max(map(len, _TICKS.findall(shown)), default=0))
    pad = " " if "`" in shown else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}" if shown else ""


def _fenced(language: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield `lines` as a block of code that nothing in them ends."""
    each = list(lines)
    longest = max((len(t) for line in each for t in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}{language}", *each, fence)
