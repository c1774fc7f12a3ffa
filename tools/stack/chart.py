"""What the chart renders: the objects that a cluster would be given."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.controlplane import ControlPlane

CHART = Path(__file__).parents[2] / "charts" / "countersign"
RELEASE = "countersign"
OWN_NAMESPACE = "countersign"

Tree = dict[str, Any]


def render(plane: ControlPlane, values: Mapping[str, object]) -> list[Tree]:
    """Return the objects of the chart, those of its hooks among them; no CRDs.

    Args:
        plane: Whose helm renders. Nothing is asked of its API server.
        values: Over the chart's own.

    Raises:
        CommandFailed: The chart refuses the values.
    """
    done = plane.helm(
        *("template", RELEASE, CHART, "--namespace", OWN_NAMESPACE),
        *("--values", "-"),
        stdin=json.dumps(values),
    )
    return [tree for tree in yaml.safe_load_all(done.check().stdout) if tree]


def only(trees: list[Tree], kind: str, name: str) -> Tree:
    """Return the one object of a kind and a name."""
    (found,) = (
        tree
        for tree in trees
        if (tree["kind"], tree["metadata"]["name"]) == (kind, name)
    )
    return found
