"""Marks in commit messages.

The whole message is read, not only git's last paragraph: squash merges push trailers
up, quote them or make them list items.

Source:
    Linux kernel, Documentation/process/coding-assistants.rst (``Assisted-by``);
    git-interpret-trailers(1) for folded values.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from countersign.core.types.evidence import Assistance
from countersign.provenance.marks import MAX_VALUE, Mark, MarkKind, Tool
from countersign.provenance.registry import Registry

MAX_FOLDS = 8  # lines that one trailer goes on for
MAX_MESSAGE = 1 << 20  # characters read of one message; real ones stay below 100 kB

# Squash merges and forges put bullets, quotes or headings before a trailer, and people
# and assistants set it in Markdown's emphasis.
_LINE = re.compile(
    r"[\s>*#•_-]*([A-Za-z][A-Za-z0-9-]{1,63})[*_]{0,3}[ \t]*:[*_]{0,3}(.*)", re.DOTALL
)
# What is there and not seen: soft hyphens, joiners, marks of direction and of order.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_ADDRESS = re.compile(r"<\s*([^<>\s]{1,320})\s*>")
NEGATIVE = frozenset(
    {"", "-", "0", "false", "n/a", "na", "never", "no", "nobody", "none", "null"}
)
_AFFIRMATIVE = frozenset({"1", "ai", "true", "yes"})

# Trailers that name persons; an assistant among them had a hand in it. Who reviewed or
# tested had none. Git itself writes ``Author:`` into the message of a squash.
_WRITERS = frozenset({"author", "co-authored-by", "co-developed-by"})
NAMING = _WRITERS | {"authored-by", "signed-off-by"}

CLAIMS = {
    "ai-assisted": Assistance.MIXED,
    "ai-assisted-by": Assistance.MIXED,
    "assisted-by": Assistance.MIXED,
    "generated-by": Assistance.AI,
    "made-with": Assistance.MIXED,
}


def marks_in(message: str, registry: Registry) -> tuple[Mark, ...]:
    """Return every mark in `message`, sorted, each once.

    Args:
        message: Any text. Only its first `MAX_MESSAGE` characters are read; who calls
            must not take the rest as silent.
        registry: The assistants known.
    """
    lines = _lines(message)
    return tuple(
        sorted(
            {
                *_trailer_marks(lines, registry),
                *_text_marks(lines, registry),
            }
        )
    )


def co_authors(message: str) -> tuple[str, ...]:
    """Return the addresses of all who are named as writers too, lower case, sorted."""
    return tuple(
        sorted(
            {
                address.lower()
                for key, value in _trailers(_lines(message))
                if key in _WRITERS
                for address in _ADDRESS.findall(value)
            }
        )
    )


def _lines(message: str) -> list[str]:
    """Return its lines, in letters that look alike only if they are."""
    text = message[:MAX_MESSAGE]
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return text.splitlines()


def _trailers(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield key (lower case) and value of each line that looks like a trailer."""
    for number, line in enumerate(lines):
        if matched := _LINE.match(line):
            key, value = matched[1].lower(), matched[2].strip()
            for folded in lines[number + 1 : number + 1 + MAX_FOLDS]:
                unfinished = not value or (key in NAMING and "<" not in value)
                if not (unfinished and folded[:1] in {" ", "\t"}):
                    break
                value = f"{value} {folded.strip()}".strip()
            yield key, value


def _trailer_marks(lines: list[str], registry: Registry) -> Iterator[Mark]:
    for key, value in _trailers(lines):
        shown = f"{key}: {value}"[:MAX_VALUE]
        if key in NAMING:
            for address in _ADDRESS.findall(value):
                if agent := registry.by_address(address):
                    tool = Tool(agent.name)
                    yield Mark(MarkKind.CO_AUTHOR, shown, Assistance.MIXED, tool)
        elif value.lower() in NEGATIVE:
            continue
        elif claims := CLAIMS.get(key):
            yield Mark(MarkKind.TRAILER, shown, claims, _tool(value, registry))
        elif agent := registry.by_trailer(key):
            tool = Tool(agent.name)
            session = value[:MAX_VALUE]
            yield Mark(MarkKind.SESSION, shown, Assistance.MIXED, tool, session)


def _text_marks(lines: list[str], registry: Registry) -> Iterator[Mark]:
    pattern = _generated_with(registry)
    for line in lines:
        for found in pattern.finditer(line):
            if agent := registry.by_text(found[1]):
                shown = line.strip()[:MAX_VALUE]
                tool = Tool(agent.name)
                yield Mark(MarkKind.TEXT, shown, Assistance.MIXED, tool)


@lru_cache(maxsize=4)
def _generated_with(registry: Registry) -> re.Pattern[str]:
    texts = sorted((t for a in registry.agents for t in a.texts), key=len, reverse=True)
    names = "|".join(re.escape(text) for text in texts)
    return re.compile(
        rf"\b(?:authored|created|generated|written) (?:by|using|with) \[?({names})(?![\w-])",
        re.IGNORECASE,
    )


def _tool(value: str, registry: Registry) -> Tool:
    """Read ``AGENT:MODEL TOOL…``, ``AGENT/VERSION``, ``AGENT (MODEL)`` or free text."""
    for address in _ADDRESS.findall(value):
        if agent := registry.by_address(address):
            return Tool(agent.name)
    text = _ADDRESS.sub("", value)[:MAX_VALUE].strip(" \t*_")
    if text.lower() in _AFFIRMATIVE:
        return Tool("")
    if matched := re.fullmatch(r"([^():/]+)\(([^()]*)\)", text):
        return Tool(_name(matched[1], registry), model=matched[2].strip())
    if "://" not in text and (matched := re.match(r"([^:/]+)([:/])\s*(\S+)", text)):
        name = _name(matched[1], registry)
        if matched[2] == ":":
            return Tool(name, model=matched[3])
        return Tool(name, version=matched[3])
    return Tool(_name(text, registry))


def _name(word: str, registry: Registry) -> str:
    agent = registry.by_word(word)
    return agent.name if agent else word.strip()
