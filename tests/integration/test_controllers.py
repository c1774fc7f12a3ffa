"""A census of the control plane's own writes, on the server that runs (rule 13).

The generated table is of one minor; the server says what holds in its own. A controller
or a right that is new there fails here, until somebody decides what judges it.
"""

import json
from collections.abc import Iterator

import pytest

from tests.support.chart import Tree
from tools import rights
from tools.controlplane import ControlPlane
from tools.rights import COMPONENTS, CONTROLLER, READS, Right, judges

NAMESPACES = ("kube-public", "kube-system")


def _rights(role: Tree, place: str = "") -> Iterator[Right]:
    """Multiply out what a role lets one write."""
    name = role["metadata"]["name"] + (f"@{place}" if place else "")
    for rule in role.get("rules") or []:
        for verb in set(rule["verbs"]) - READS:
            for group in rule.get("apiGroups", []):
                for resource in rule.get("resources", []):
                    yield Right(name, verb, group, resource)


@pytest.fixture(name="served", scope="module")
def _served(control_plane: ControlPlane) -> frozenset[Right]:
    """Return what the server itself has put there."""

    def listed(*words: str) -> list[Tree]:
        found = control_plane.kubectl("get", *words, "-o", "json").check()
        items: list[Tree] = json.loads(found.stdout)["items"]
        return items

    found = {
        right
        for role in listed("clusterroles")
        for right in _rights(role)
        if right.role.startswith(CONTROLLER) or right.role in COMPONENTS
    }
    for place in NAMESPACES:
        mine = ("roles", "-n", place)
        found |= {
            right
            for role in listed(*mine, "-l", "kubernetes.io/bootstrapping=rbac-defaults")
            for right in _rights(role, place)
        }
    return frozenset(found)


@pytest.fixture(name="scoped", scope="module")
def _scoped(control_plane: ControlPlane) -> frozenset[tuple[str, str]]:
    """Return (group, plural) of what lives in no namespace."""
    words = ("api-resources", "--namespaced=false", "-o", "name")
    names = control_plane.kubectl(*words).check().stdout.split()
    pairs = (name.partition(".") for name in names)
    return frozenset((group, plural) for plural, _, group in pairs)


def test_every_write_of_the_control_plane_is_judged(
    served: frozenset[Right], scoped: frozenset[tuple[str, str]]
) -> None:
    """By a row of ours, or refused with a written reason."""
    assert len(served) > 400
    assert [right for right in sorted(served) if not judges(right, scoped)] == []


def test_the_table_is_the_servers(
    served: frozenset[Right], control_plane: ControlPlane
) -> None:
    """What `make gen` wrote is what a server of that minor does."""
    version = control_plane.kubectl("version", "-o", "json").check().stdout
    minor = json.loads(version)["serverVersion"]["minor"].rstrip("+")
    if f"1.{minor}" != rights.FILE.stem.removeprefix("rights-"):
        pytest.skip("the table is of another minor")

    assert served == frozenset(rights.read())
