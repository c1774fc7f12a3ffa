"""The ``status`` of our objects: what is written, and whether it is there already.

For people: nothing here is ever read back into a judgement. It is written by server-side
apply, whole each time, so that what is left out goes away; and only where it differs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from countersign.core.types.artifacts import Json, Tree
from countersign.wire.shapes import render_time

MANAGER = "countersign-operate"
"""The field manager of all that we write."""

MAX_NAMED = 16  # problems, objects or persons that a status names; the rest is counted
MAX_MESSAGE = 4096  # characters of a condition's message; the server takes 32768


class About(StrEnum):
    """The conditions."""

    READY = "Ready"
    COVERED = "Covered"
    CURRENT = "Current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that holds, or does not.

    Attributes:
        about: Which.
        holds: Whether it does.
        reason: One word for machines, in CamelCase.
        message: For people: what is wrong and what to do, or what holds.
    """

    about: About
    holds: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is known of one object.

    Attributes:
        conditions: Each once, `About.READY` among them.
        fields: Further ones, by their name outside; those of `FIELDS`.
    """

    conditions: tuple[Condition, ...]
    fields: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))


FIELDS: Mapping[str, Tree] = MappingProxyType(
    {
        "invalidFields": {"type": "array", "items": {"type": "string"}},
        "persons": {"type": "integer", "format": "int64"},
        "ended": {"type": "array", "items": {"type": "string"}},
        "expires": {"type": "string"},
        "entries": {"type": "integer", "format": "int64"},
        "bundles": {"type": "integer", "format": "int64"},
        "objects": {"type": "array", "items": {"type": "string"}},
    }
)
"""What a status may hold beside conditions, with its schema."""


def named(words: Iterable[str]) -> list[Json]:
    """Return the first `MAX_NAMED` of `words`, and how many there are beside them."""
    found = list(words)
    more = len(found) - MAX_NAMED
    shown: list[Json] = [*found[:MAX_NAMED]]
    return shown if more <= 0 else [*shown, f"and {more} more"]


def render_status(status: Status, tree: Tree, at: datetime) -> Tree | None:
    """Return what to apply to ``/status`` of `tree`; None: it says so already.

    A condition's ``lastTransitionTime`` moves when its ``status`` does, and only then.

    Args:
        status: As found.
        tree: The object as the server has it, for its generation and what was said.
        at: Now.
    """
    metadata, said = _mapping(tree.get("metadata")), _mapping(tree.get("status"))
    generation = metadata.get("generation")
    before = _by_type(said.get("conditions"))
    written: Tree = {
        **status.fields,
        "observedGeneration": generation,
        "conditions": [
            _condition(one, before.get(one.about, {}), generation, at)
            for one in status.conditions
        ],
    }
    ours = {one.about.value for one in status.conditions}
    known = {
        name: said[name] for name in (*FIELDS, "observedGeneration") if name in said
    }
    held: list[Json] = [before[name] for name in ours if name in before]
    if {**known, "conditions": _sorted(held)} == {
        **written,
        "conditions": _sorted(written["conditions"]),
    }:
        return None
    return {
        "apiVersion": tree.get("apiVersion"),
        "kind": tree.get("kind"),
        # by uid: what is made anew under the name is not what was looked at
        "metadata": {
            key: metadata[key]
            for key in ("name", "namespace", "uid")
            if metadata.get(key)
        },
        "status": written,
    }


def _condition(
    said: Condition, before: Tree, generation: Json, at: datetime
) -> dict[str, Json]:
    status = "True" if said.holds else "False"
    since = before.get("lastTransitionTime")
    if before.get("status") != status or not isinstance(since, str):
        since = render_time(at.replace(microsecond=0))
    return {
        "type": said.about.value,
        "status": status,
        "reason": said.reason,
        "message": said.message[:MAX_MESSAGE],
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }


def _by_type(conditions: Json) -> dict[str, Tree]:
    trees = conditions if isinstance(conditions, list) else []
    return {str(one.get("type")): one for one in trees if isinstance(one, dict)}


def _sorted(conditions: Json) -> Json:
    return [one for _, one in sorted(_by_type(conditions).items())]


def _mapping(value: Json) -> Tree:
    return value if isinstance(value, dict) else {}
