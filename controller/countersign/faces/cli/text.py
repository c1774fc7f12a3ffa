"""Text for a terminal: nothing in it can move the cursor, hide or reorder words."""

import re
import unicodedata

# Control characters, and what turns the direction of writing (Trojan Source,
# CVE-2021-42574) or takes no room: a reviewer must see what is there.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_KEPT = frozenset("\n\t")

# as actions/runner looks for it: ``ActionCommand.TryParse`` and ``TryParseV2``
_COMMAND = re.compile(r"##\[|^\s*::", re.MULTILINE)


def visible(text: str) -> str:
    """Return `text` with every character that does not show itself spelt out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in _KEPT or unicodedata.category(char) not in _INVISIBLE
        else f"\\u{{{ord(char):04x}}}"
        for char in text
    )


def for_runner(text: str) -> str:
    """Return `text` visible, and nothing of it a command to a CI system's runner."""
    return _COMMAND.sub(lambda found: " ".join(found[0]), visible(text))


def one_line(text: str, limit: int = 160) -> str:
    """Return `text` visible, on one line, of at most `limit` characters.

    None of it is a command to a CI system's runner, wherever it is printed.
    """
    flat = for_runner(" ".join(visible(text).split()))
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
