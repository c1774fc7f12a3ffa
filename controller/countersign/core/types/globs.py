"""Patterns in policies: literal text, and ``*``."""

import re
from functools import lru_cache


@lru_cache(maxsize=1024)  # patterns of policies: as many as a cluster's policies hold
def glob(pattern: str, stop: str) -> re.Pattern[str]:
    """Compile a pattern whose only wildcard is ``*``, which never crosses `stop`.

    Args:
        pattern: Literal text and ``*``; matched in full with `fullmatch`.
        stop: Characters a ``*`` does not match, may be empty.
    """
    body = f"[^{re.escape(stop)}]*" if stop else ".*"
    first, *middle = (re.escape(part) for part in pattern.split("*"))
    last = body + middle.pop() if middle else ""
    # what is between two wildcards is best found early: no other way need be tried
    found = "".join(f"(?>{body}?{part})" for part in middle if part)
    return re.compile(first + found + last)
