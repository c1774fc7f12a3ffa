"""The parameters of a search, from the text of a query string."""

import re
from urllib.parse import parse_qsl

from countersign.core.errors import Malformed
from countersign.core.types.decision import Outcome
from countersign.ports import MAX_FOUND, Query
from countersign.wire.times import parse_instant

_MAX_VALUE = 253  # characters: no name of Kubernetes is longer
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_LIMIT = re.compile(r"[1-9][0-9]{0,3}")
_KNOWN = frozenset(
    {
        "namespace",
        "kind",
        "name",
        "outcome",
        "person",
        "since",
        "until",
        "debts",
        "limit",
    }
)


def parse_query(text: str) -> Query:
    """Read what is asked for.

    Args:
        text: The query string, as it was sent.

    Raises:
        Malformed: a parameter is unknown, given twice or has no sense.
    """
    given = _parameters(text)
    since, until = given.get("since", ""), given.get("until", "")
    return Query(
        namespace=given.get("namespace"),
        kind=given.get("kind", ""),
        name=given.get("name", ""),
        outcome=_outcome(given.get("outcome", "")),
        person=given.get("person", ""),
        since=parse_instant(since) if since else None,
        until=parse_instant(until) if until else None,
        debts=_flag(given.get("debts", "false")),
        limit=_limit(given.get("limit", "100")),
    )


def parse_id(text: str) -> str:
    """Read the id of a decision.

    Raises:
        Malformed: none can have it.
    """
    if not _ID.fullmatch(text):
        raise Malformed(
            "expected the id of a decision, 26 digits and letters, as a denial names it"
        )
    return text


def _parameters(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name not in _KNOWN:
            raise Malformed(f"expected {', '.join(sorted(_KNOWN))}, saw {name[:80]!r}")
        if name in given:  # whoever may see the one may not see the other
            raise Malformed(f"expected {name} once, saw it twice")
        if len(value) > _MAX_VALUE or "\0" in value:
            raise Malformed(f"expected at most {_MAX_VALUE} characters in {name}")
        given[name] = value
    return given


def _outcome(text: str) -> Outcome | None:
    try:
        return Outcome(text) if text else None
    except ValueError as error:
        known = ", ".join(outcome.value for outcome in Outcome)
        raise Malformed(f"expected an outcome of {known}, saw {text[:80]!r}") from error


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise Malformed(f"expected debts to be true or false, saw {text[:80]!r}")
    return text == "true"


def _limit(text: str) -> int:
    if not _LIMIT.fullmatch(text) or int(text) > MAX_FOUND:
        raise Malformed(f"expected a limit of 1 to {MAX_FOUND}, saw {text[:80]!r}")
    return int(text)
