"""What a sidecar injector adds to Pods, as a policy describes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree

PATTERN = "~"
"""A text that begins so is a regular expression, which the whole text must match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """Additions to Pods, each of which may be there, exactly so, or not be there.

    Attributes:
        name: For people.
        init_containers, containers, volumes: Whole items, told apart by ``name``.
        env, volume_mounts: Items that any container of the Pod's author may get.
        labels, annotations: Of the Pod.
        fields: JSON pointers to fields of the Pod that its author left out.

    All their texts are patterns where they begin with `PATTERN`.

    Raises:
        Malformed: an item without a name, a pattern that is none, or an annotation of
            ours.
    """

    name: str
    init_containers: tuple[Tree, ...] = ()
    containers: tuple[Tree, ...] = ()
    volumes: tuple[Tree, ...] = ()
    env: tuple[Tree, ...] = ()
    volume_mounts: tuple[Tree, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        items = (*self.init_containers, *self.containers, *self.volumes, *self.env)
        for item in (*items, *self.volume_mounts):
            name = item.get("name")
            if type(name) is not str or not name or name.startswith(PATTERN):
                raise Malformed(f"{self.name}: expected each item to have a name")
        for key in self.annotations:
            if key.startswith("countersign.dev"):
                raise Malformed(f"{self.name}: {key} is ours, nobody may inject it")
        for path in self.fields:
            if not path.startswith("/spec/"):
                raise Malformed(f"{self.name}: {path}: expected a pointer below /spec")
        parts = (
            *items,
            *self.volume_mounts,
            self.labels,
            self.annotations,
            self.fields,
        )
        for pattern in _patterns([*parts]):
            try:
                re.compile(pattern)
            except (re.error, RecursionError, OverflowError) as error:
                raise Malformed(
                    f"{self.name}: expected a regular expression, saw {pattern[:80]!r}"
                ) from error


def _patterns(value: object) -> list[str]:
    """Return the patterns in a tree, without their mark."""
    if isinstance(value, str):
        return [value.removeprefix(PATTERN)] if value.startswith(PATTERN) else []
    if isinstance(value, Mapping):
        return [found for item in value.values() for found in _patterns(item)]
    if isinstance(value, list | tuple):
        return [found for item in value for found in _patterns(item)]
    return []
