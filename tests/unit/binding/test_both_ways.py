"""One table, both directions: what controllers may write may stay (rule 14).

Every edit of every row is tried on an object that people sign. So a new row fails here
until its edit may stay in the next signed apply, or somebody writes down why not.
"""

from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.edits import Edit
from countersign.binding.match import match
from countersign.binding.surface import ANY
from countersign.binding.tree import ABSENT, find
from countersign.binding.writes import ROWS, Row
from tests.support.trees import Tree, deployment, having, pod, service, tree
from tests.support.world import SALT, ref_of

SECRET = tree("Secret", type="kubernetes.io/service-account-token")
SECRET["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "robot"}
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "it"},
    "spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/data"},
    },
}
OBJECTS: dict[str, Tree] = {
    "deployments.apps": deployment(),
    "persistentvolumeclaims": tree(
        "PersistentVolumeClaim",
        spec={
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    ),
    "persistentvolumes": VOLUME,
    "pods": pod(),
    "resourceclaims.resource.k8s.io": tree("ResourceClaim", "resource.k8s.io/v1"),
    "secrets": SECRET,
    "services": service(),
    ANY: tree("ConfigMap"),
}
FINALIZERS = (
    "batch.kubernetes.io/job-tracking",
    "foregroundDeletion",
    "kubernetes.io/pvc-protection",
    "orphan",
    "resource.kubernetes.io/delete-protection",
    "service.kubernetes.io/load-balancer-cleanup",
)
VALUES: tuple[Any, ...] = (
    "1",
    "1,2",
    "2026-11-22",
    "a-name",
    "v1",
    "PersistentVolumeClaim",
    "yes",
    "YWJj",
    "11111111-2222-3333-4444-555555555555",
    *([name] for name in FINALIZERS),
)
NEVER_SIGNED = {
    "controllerrevisions.apps": "records follow from their owner",
    "namespaces/finalize": "what goes is signed no more",
    "replicasets.apps": "they follow from a Deployment",
}
ONLY_GOES = {
    "/metadata/ownerReferences": "an owner that goes leaves what was signed",
}
OF_CHILDREN = {
    ("pods", "/metadata/labels/controller-revision-hash"): "a Pod of a DaemonSet",
}
CASES = [
    pytest.param(row, edit, id=f"{row.rule} {row.resource} {edit.path}")
    for row in ROWS
    for edit in row.edits
    if row.resource not in NEVER_SIGNED
    and edit.path not in ONLY_GOES
    and (row.resource, edit.path) not in OF_CHILDREN
]


def written(edit: Edit) -> list[Any]:
    """Return values that an edit writes, or takes away again."""
    return [
        value
        for value in VALUES
        if edit.allows((edit.path, ABSENT, value))
        or (isinstance(value, list) and edit.allows((edit.path, value, ABSENT)))
    ]


@pytest.mark.parametrize(("row", "edit"), CASES)
def test_what_is_let_in_may_stay(row: Row, edit: Edit) -> None:
    """Seen to fail without the date since when a token is invalid."""
    base = OBJECTS[row.resource.partition("/")[0]]
    intent = canonical(base, salt=SALT).tree
    values = written(edit)

    def differs(live: Tree, old: Tree) -> bool:
        """Tell whether it does there; what a server allocates is missing, too."""
        found = match(intent, live, identity=ref_of(base), old=old)
        paths = [difference.path for difference in found]
        return any(p.startswith(edit.path) or edit.path.startswith(p) for p in paths)

    assert values
    for value in values:
        live = having(base, edit.path, value)
        assert not differs(live, old=live)
        assert differs(live, old=base)


def test_excuses_are_of_rows() -> None:
    """None is left over."""
    assert NEVER_SIGNED.keys() <= {row.resource for row in ROWS}
    assert ONLY_GOES.keys() <= {edit.path for row in ROWS for edit in row.edits}
    places = {(row.resource, edit.path) for row in ROWS for edit in row.edits}
    assert OF_CHILDREN.keys() <= places
    assert find(SECRET, "/type") is not ABSENT
