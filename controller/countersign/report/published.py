"""What a mirror of trust publishes, in words."""

from collections.abc import Iterator

from countersign.core.types.artifacts import Json
from countersign.core.types.published import Changes, Entry, Looked, Outcome, Sort
from countersign.report.phrases import clean, when

_SORTS = {
    Sort.ISSUER: "certificate authority",
    Sort.CT_LOG: "log of certificates",
    Sort.LOG: "log of signatures",
    Sort.STAMPER: "time-stamping authority",
}
_DESCRIBED = "the same authorities and logs, described otherwise"
_SHOWN_ID = 16  # hex digits: for people to compare, not to trust
_MAX_DETAIL = 600  # characters of what a mirror made python-tuf say


def looked_text(looked: Looked, name: str) -> str:
    """Say what came of a look at a mirror, and what to do; ``""``: nothing to say.

    Args:
        looked: The look.
        name: Of the TrustRoot.
    """
    mirror, detail = clean(looked.url), clean(looked.detail, _MAX_DETAIL)
    force = "what is in force stays in force"
    match looked.outcome:
        case Outcome.SAME:
            return ""
        case Outcome.DIFFERS:
            return (
                f"{mirror} publishes other trust than is in force "
                f"({_counted(looked.changes)}); to take it over, run: {take_over(name)}"
            )
        case Outcome.UNREACHABLE:
            return f"{mirror} could not be looked at: {detail}; {force}"
        case Outcome.EXPIRED:
            return (
                f"{mirror} is out of date, or held back on the way: {detail}; {force}"
            )
        case Outcome.REJECTED:
            return f"what {mirror} publishes is not believed: {detail}; {force}"


def take_over(name: str) -> str:
    """Return the command that proposes what is published."""
    safe = clean(name)
    return f"countersign trust refresh {safe} --out {safe}.yaml"


def changes_text(changes: Changes) -> Iterator[str]:
    """Yield a line for each change; one, where only descriptions differ."""
    if changes == Changes():
        yield f"= {_DESCRIBED}"
    for one in changes.added:
        yield f"+ {_entry(one)}, {_window(one)}"
    for was, one in changes.moved:
        yield f"~ {_entry(one)}, {_window(one)}; now {_window(was)}"
    for one in changes.removed:
        yield f"- {_entry(one)}: what it stands for proves nothing any more"


def changes_json(changes: Changes) -> dict[str, Json]:
    """Return the changes for machines. Fields are added later, never renamed."""
    return {
        "added": [_plain(one) for one in changes.added],
        "changed": [
            {**_plain(one), "before": _plain(was)} for was, one in changes.moved
        ],
        "removed": [_plain(one) for one in changes.removed],
    }


def _counted(changes: Changes) -> str:
    told = (
        (len(changes.added), "added"),
        (len(changes.moved), "with other times"),
        (len(changes.removed), "removed"),
    )
    said = ", ".join(f"{count} {what}" for count, what in told if count)
    return said or _DESCRIBED


def _entry(one: Entry) -> str:
    return f"{_SORTS[one.sort]} {clean(one.name, 200)} ({one.id[:_SHOWN_ID]})"


def _window(one: Entry) -> str:
    start, end = one.window.start, one.window.end
    since = f"from {when(start)}" if start else "from ever"
    return f"{since} until {when(end)}" if end else f"{since} on"


def _plain(one: Entry) -> dict[str, Json]:
    start, end = one.window.start, one.window.end
    return {
        "sort": one.sort.value,
        "id": one.id,
        "name": one.name,
        "from": start.isoformat() if start else None,
        "until": end.isoformat() if end else None,
    }
