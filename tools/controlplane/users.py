"""The users of one control plane: certificates, kubeconfigs, and one special right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.controlplane import kubeconfig
from tools.controlplane.certificates import Authority
from tools.controlplane.errors import ControlPlaneError


class Users:
    """Makes users and remembers their kubeconfigs by name."""

    def __init__(
        self, authority: Authority, *, folder: Path, server: str, cluster: str
    ) -> None:
        """Make users of the API server at the URL `server`.

        Args:
            authority: Signs their certificates.
            folder: Where kubeconfigs are written if nobody says otherwise.
            server: The URL in them.
            cluster: The name of the cluster in them.
        """
        self._authority = authority
        self._folder = folder
        self._server = server
        self._cluster = cluster
        self._kubeconfigs: dict[str, Path] = {}

    def make(
        self,
        name: str,
        groups: Sequence[str] = (),
        *,
        namespace: str = "default",
        to: Path | None = None,
    ) -> Path:
        """Write a kubeconfig for `name`; see `plane.ControlPlane.user`."""
        self._kubeconfigs[name] = kubeconfig.write(
            to or self._folder / f"{quote(name, safe='')}.kubeconfig",
            server=self._server,
            authority=self._authority.certificate,
            user=name,
            pair=self._authority.client(name, groups),
            cluster=self._cluster,
            namespace=namespace,
        )
        return self._kubeconfigs[name]

    def kubeconfig(self, name: str) -> Path:
        """Return the kubeconfig of the user `name`.

        Raises:
            ControlPlaneError: There is no such user; the message names those there are.
        """
        if name not in self._kubeconfigs:
            known = ", ".join(sorted(self._kubeconfigs))
            raise ControlPlaneError(f"no user {name!r} here, only {known}")
        return self._kubeconfigs[name]


def impersonation(user: str) -> dict[str, Any]:
    """Return the objects by which `user` may impersonate anybody."""
    name = f"countersign-test:impersonate:{user}"
    group = "rbac.authorization.k8s.io"
    verbs = ["impersonate"]
    rules = [
        {
            "apiGroups": [""],
            "resources": ["users", "groups", "serviceaccounts"],
            "verbs": verbs,
        },
        {
            "apiGroups": ["authentication.k8s.io"],
            "resources": ["uids", "userextras/*"],
            "verbs": verbs,
        },
    ]
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": f"{group}/v1",
                "kind": "ClusterRole",
                "metadata": {"name": name},
                "rules": rules,
            },
            {
                "apiVersion": f"{group}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
            },
        ],
    }
