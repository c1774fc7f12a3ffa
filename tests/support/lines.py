"""Reads logs of JSON lines while someone is still writing them."""

import json
from pathlib import Path
from typing import Any

from countersign.faces.operator.watchdog import PROBE

Tree = dict[str, Any]


def events(log: Path, start: int = 0) -> tuple[list[Tree], int]:
    """Read the whole lines of `log`; a line that is still being written comes later.

    Args:
        log: One JSON object a line. It need not exist yet.
        start: Where to begin, in bytes.

    Returns:
        The objects, and where to begin the next time.
    """
    text = log.read_bytes()[start:] if log.exists() else b""
    whole = text.rfind(b"\n") + 1
    return [json.loads(line) for line in text[:whole].splitlines()], start + whole


def is_probe(event: Tree) -> bool:
    """Tell whether an event is the operator's, who asks for what must be denied."""
    return bool(event.get("objectRef", {}).get("name") == PROBE)
