"""What servers of some minors drop in silence, or do not fill in yet.

Fields that a minor has no type for are in the type tables. These are the others: the
minor knows them, but the feature that they belong to is off by default.
"""

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from countersign.binding.gated import GATED
from countersign.binding.minors import unknown_to
from countersign.binding.tables import KINDS, TABLES, TYPES, kind_key
from countersign.binding.tree import token
from tests.support.apiserver import ApiServer, Tree
from tools.controlplane import ControlPlane


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature gate that some supported minor has off, and a later one on.

    Attributes:
        gate: Its name in pkg/features/kube_features.go.
        since: The first minor in which it is on by default.
        field: Pattern for the end of the JSON pointers of the fields that it guards.
    """

    gate: str
    since: str
    field: str


FEATURES = (
    Feature("ClusterTrustBundleProjection", "1.37", r"/clusterTrustBundle"),
    Feature("ContainerRestartRules", "1.35", r"/containers/\d+/restartPolicy"),
    Feature("ContainerRestartRules", "1.35", r"/restartPolicyRules"),
    Feature("EnvFiles", "1.35", r"/fileKeyRef"),
    Feature("HPAConfigurableTolerance", "1.35", r"/scale(Up|Down)/tolerance"),
    Feature("HostnameOverride", "1.35", r"/hostnameOverride"),
    Feature("ImageVolume", "1.35", r"/volumes/\d+/image"),
    Feature("PodCertificateRequest", "1.37", r"/podCertificate"),
)
_DEFAULTED = {
    ("StatefulSet", "/spec/updateStrategy/rollingUpdate/maxUnavailable"): "1.37",
}
"""Defaults that only some minors write, by the first that does."""


def minor_of(server: ApiServer | ControlPlane) -> str:
    """Return the minor of a server, as in ``1.37``."""
    if isinstance(server, ApiServer):
        told = server.request("GET", "/version")
    else:
        told = server.kubectl("get", "--raw", "/version").json()
    return f"{told['major']}.{told['minor'].rstrip('+')}"


def served(minor: str, trees: Iterable[Tree]) -> list[Tree]:
    """Return the objects but those of built-in kinds that `minor` does not serve."""
    (table,) = [table for table in TABLES if table.minor == minor]
    return [
        tree
        for tree in trees
        if kind_key(tree) not in KINDS or kind_key(tree) in table.kinds
    ]


def dropped(minor: str, tree: Tree) -> frozenset[str]:
    """Return the JSON pointers of what a server of `minor` drops of an object."""
    lost = [f.field for f in FEATURES if _before(minor, f.since)]
    guarded = re.compile("|".join(f"(?:{field}$)" for field in lost) or "(?!)")
    return frozenset(unknown_to(minor, tree)) | {
        path for path, _, _ in _places(tree, "") if guarded.search(path)
    }


def drops(minor: str, tree: Tree, path: str) -> bool:
    """Tell whether `minor` drops what an object has at a place, below, or just above.

    A volume goes as a whole when its source goes, and what mounts it with it.
    """
    lost = dropped(minor, tree)
    if any(re.search(r"/volumes/\d+/image$", place) for place in lost):
        return re.search(r"/volume(s|Mounts)(/|$)", path) is not None
    return any(
        f"{path}/".startswith(f"{place}/") or path == place.rpartition("/")[0]
        for place in lost
    )


def never_kept(minor: str) -> frozenset[str]:
    """Return the fields that a server of `minor` drops, and another one keeps.

    As ``TYPE.FIELD``: those that it has no type for, and those whose gate is off.
    """
    (table,) = [table for table in TABLES if table.minor == minor]
    off = {
        (name, field)
        for (name, field), (_, since) in GATED.items()
        if since is not None and _before(minor, f"1.{since}")
    }
    every = {(name, field) for name, fields in TYPES.items() for field in fields}
    return frozenset(
        f"{name}.{field}"
        for name, field in every
        if (name, field) in off or field not in table.types.get(name, ())
    )


def kept_by(minor: str, manifest: Tree) -> Tree:
    """Return a copy of a manifest without what a server of `minor` drops."""
    return _without(dropped(minor, manifest), manifest)


def known_to(minor: str, manifest: Tree) -> Tree:
    """Return a copy of a manifest without the fields that `minor` has no type for."""
    return _without(frozenset(unknown_to(minor, manifest)), manifest)


def _without(lost: frozenset[str], manifest: Tree) -> Tree:
    kept = copy.deepcopy(manifest)
    for path, parent, key in list(_places(kept, "")):
        if path in lost:
            parent.pop(key, None)  # already gone where two places share a value
    return kept


def writes_default(minor: str, kind: str, path: str) -> bool:
    """Tell whether a server of `minor` writes the default of a field into objects."""
    return not _before(minor, _DEFAULTED.get((kind, path), minor))


def _places(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    if isinstance(value, dict):
        for key, below in list(value.items()):
            where = f"{path}/{token(key)}"
            yield where, value, key
            yield from _places(below, where)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _places(below, f"{path}/{index}")


def _before(minor: str, other: str) -> bool:
    return int(minor.partition(".")[2]) < int(other.partition(".")[2])
