"""Manifest sets with the breadth and the odd spelling of well-known charts.

Each file of ``sets/`` is what a chart renders: structure and habits are those of its
model, the words are ours. Groups of custom resources end in ``charts.example``.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from countersign.wire.manifests import parse_manifests

Tree = dict[str, Any]

_SETS = Path(__file__).parent / "sets"
_DEFINITION = "CustomResourceDefinition"


@dataclass(frozen=True, slots=True)
class ChartSet:
    """One set.

    Attributes:
        name: Of its file.
        text: As written.
    """

    name: str
    text: str

    @property
    def trees(self) -> list[Tree]:
        """Its objects as they are read, lists expanded; to be changed freely."""
        return [json.loads(json.dumps(tree)) for tree in _read(self.text)]

    @property
    def definitions(self) -> list[Tree]:
        """Its CustomResourceDefinitions: they are applied before all else."""
        return [tree for tree in self.trees if tree["kind"] == _DEFINITION]

    @property
    def others(self) -> list[Tree]:
        """Everything else."""
        return [tree for tree in self.trees if tree["kind"] != _DEFINITION]


@cache
def _read(text: str) -> tuple[Any, ...]:
    return tuple(parse_manifests(text.encode()))


def chart_sets() -> list[ChartSet]:
    """Return all sets, by name."""
    files = sorted(_SETS.glob("*.yaml"))
    return [ChartSet(file.stem, file.read_text()) for file in files]
