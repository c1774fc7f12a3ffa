"""Many objects applied at once, and what became of each, as the audit log tells it."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.gate import Gate
from tests.support.lines import events
from tools.stack.people import LEE

_OURS = "countersign.dev/"


@dataclass(frozen=True, slots=True)
class One:
    """What became of one object.

    Attributes:
        reasons: Why it was denied, sorted; empty if it was admitted.
        basis: What it was admitted on; ``""`` if it was denied.
        said: The server's answer to who applied it; ``""`` if it was admitted.
    """

    reasons: tuple[str, ...]
    basis: str
    said: str


def apply_each(gate: Gate, texts: Iterable[str], *flags: str) -> dict[str, One]:
    """``kubectl apply``, once, what all `texts` hold; return each object's fate by name.

    Nothing stands in for a verdict: an object that the webhook did not judge is missing.
    """
    start = gate.audit.stat().st_size
    gate.apply("---\n".join(texts), *flags)
    found: dict[str, One] = {}
    for event in events(gate.audit, start)[0]:
        said = {
            key.rpartition(_OURS)[2]: value
            for key, value in event.get("annotations", {}).items()
            if _OURS in key
        }
        if event["user"]["username"] != LEE.id or "verdict" not in said:
            continue
        names = (
            name.partition(" ")[0] for name in said.get("findings", "").split(", ")
        )
        found[event["objectRef"]["name"]] = One(
            reasons=tuple(sorted({name for name in names if name})),
            basis=said.get("basis", ""),
            said=event.get("responseStatus", {}).get("message", ""),
        )
    return found
