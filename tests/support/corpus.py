"""The manifests that the real server is shown: at least one of every kind."""

import copy
from collections.abc import Mapping
from pathlib import Path

from countersign.binding.tables import KINDS
from countersign.wire.manifests import parse_manifests
from tests.support.apiserver import Tree

_FOLDER = Path(__file__).parents[1] / "integration" / "normal_form"


def corpus() -> tuple[Tree, ...]:
    """Return minimal and full manifests as people write them, of the usual kinds."""
    return _read("*.yaml")


def seeds() -> tuple[Tree, ...]:
    """Return a manifest or two of each of all other kinds."""
    return _read("seeds/*.yaml")


def by_kind(namespace: str) -> Mapping[str, list[Tree]]:
    """Return all of them, placed in a namespace, by ``apiVersion/kind``.

    Args:
        namespace: Where those of namespaced kinds go that say nothing else.
    """
    found: dict[str, list[Tree]] = {}
    for manifest in copy.deepcopy(corpus() + seeds()):
        key = f"{manifest['apiVersion']}/{manifest['kind']}"
        if KINDS[key].namespaced:
            manifest["metadata"].setdefault("namespace", namespace)
        manifest["metadata"].setdefault("name", "made")
        found.setdefault(key, []).append(manifest)
    return found


def _read(pattern: str) -> tuple[Tree, ...]:
    return tuple(
        manifest
        for file in sorted(_FOLDER.glob(pattern))
        for manifest in parse_manifests(file.read_bytes())
    )
