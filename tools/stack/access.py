"""Who may do what on the demo's cluster."""

from collections.abc import Sequence

from tools.stack.people import DEVELOPERS, SIGNERS

# the service accounts of the chart, as the API server calls them
SERVE = "system:serviceaccount:countersign:countersign-serve"
OPERATE = "system:serviceaccount:countersign:countersign-operate"
_RBAC = "rbac.authorization.k8s.io"


def bindings(namespaces: Sequence[str]) -> list[dict[str, object]]:
    """Return the bindings of people in `namespaces`.

    Developers may write whatever a namespace's editor may, and roles besides, since a
    usual application chart brings its own; signers may read.
    """
    found = [*map(_looking, (SIGNERS, DEVELOPERS))]
    for namespace in namespaces:
        found += [
            _bound(namespace, DEVELOPERS, "admin"),
            _bound(namespace, DEVELOPERS, "countersign-developer"),
            _bound(namespace, SIGNERS, "view"),
            _bound(namespace, SIGNERS, "countersign-signer"),
        ]
    return found


def _looking(group: str) -> dict[str, object]:
    """Let a group see policies, and all that is recorded."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{group}-looking"},
        "roleRef": {
            "apiGroup": _RBAC,
            "kind": "ClusterRole",
            "name": "countersign-viewer",
        },
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group}],
    }


def _bound(namespace: str, group: str, role: str) -> dict[str, object]:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{group}-{role}", "namespace": namespace},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group}],
    }
