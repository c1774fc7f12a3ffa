"""Who may do what on the demo's cluster."""

from collections.abc import Sequence

from tools.stack.people import DEVELOPERS, SIGNERS

SERVE = "countersign-serve"
OPERATE = "countersign-operate"
_RBAC = "rbac.authorization.k8s.io"


def bindings(namespaces: Sequence[str]) -> list[dict[str, object]]:
    """Return the bindings of our processes, and of people in `namespaces`.

    Developers may write whatever a namespace's editor may, and roles besides, since a
    usual application chart brings its own; signers may read.
    """
    processes = [_process(SERVE), _process(SERVE, "-owners"), _process(OPERATE)]
    found = [*processes, *map(_looking, (SIGNERS, DEVELOPERS))]
    for namespace in namespaces:
        found += [
            _bound(namespace, DEVELOPERS, "admin"),
            _bound(namespace, DEVELOPERS, "countersign-developer"),
            _bound(namespace, SIGNERS, "view"),
            _bound(namespace, SIGNERS, "countersign-signer"),
        ]
    return found


def _process(name: str, more: str = "") -> dict[str, object]:
    """Bind the user that a process runs as to a role that is called after it."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name + more},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name + more},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": name}],
    }


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
