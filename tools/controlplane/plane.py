"""A real Kubernetes control plane on loopback, and what one does with it.

It is etcd, kube-apiserver and kube-controller-manager. There are no nodes: Pods are
created and stay Pending. All its files are under one folder.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.controlplane import commands, servers
from tools.controlplane.binaries import ensure
from tools.controlplane.certificates import Authority, signing_key
from tools.controlplane.commands import Result
from tools.controlplane.processes import GRACE_S, Ledger
from tools.controlplane.programs import (
    APISERVER,
    CONTROLLER_MANAGER,
    ETCD,
    HELM,
    KUBECTL,
)
from tools.controlplane.readiness import Asker, wait
from tools.controlplane.servers import LOOPBACK, Layout, Options, Ports
from tools.controlplane.users import Users, impersonation

ADMIN = "admin"
_START_S = 60.0  # measured: 6 s for all three on 2 cores
_COMMAND_S = 60.0


class ControlPlane:
    """One control plane. `launch.running` and `launch.up` make it and start it.

    Its methods may be called from any thread, one at a time. They block: a coroutine
    that itself answers the API server (a webhook) calls them in a thread.

    Attributes:
        folder: Everything that belongs to it.
        url: Of the API server.
        ca_file: The certificate of the authority that signed the server's certificate
            and the users', PEM.
        service_cidr: The addresses of Services.
        binaries: The programs by name; ``kubectl`` among them.
        ledger: The processes. What a caller starts through it is stopped with the
            control plane's own, before them.
        keep_logs: Whether the servers' logs are kept at the end.
    """

    def __init__(
        self,
        layout: Layout,
        ports: Ports,
        binaries: Mapping[str, Path],
        options: Options,
    ) -> None:
        self.folder = layout.folder
        self.url = f"https://{LOOPBACK}:{ports.apiserver}"
        self.ca_file = layout.certificates / "ca.crt"
        self.service_cidr = options.service_cidr
        self.binaries = dict(binaries)
        self.ledger = Ledger(layout.ledger)
        self.keep_logs = False
        self._layout = layout
        self._ports = ports
        self._options = options
        self._authority = Authority()
        self._users = Users(
            self._authority,
            folder=layout.users,
            server=self.url,
            cluster=options.cluster,
        )
        self._asker = self._write_credentials()

    def start(self) -> None:
        """Start the three servers; return when Pods can be created in ``default``.

        Raises:
            NotReady: One did not come up.
        """
        self.start_etcd()
        self.start_apiserver()
        self._launch(
            CONTROLLER_MANAGER.name,
            servers.controller_manager(
                self.binaries[CONTROLLER_MANAGER.name],
                self._layout,
                self._ports,
                self.user("system:kube-controller-manager"),
            ),
        )
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._wait(
            CONTROLLER_MANAGER.name,
            lambda: (
                self._asker.get(self._ports.controller_manager, "/healthz")
                or self._asker.get(self._ports.apiserver, account)
            ),
        )

    @property
    def admin(self) -> Path:
        """The kubeconfig of ``admin``, of the group ``system:masters``."""
        return self._users.kubeconfig(ADMIN)

    def user(
        self,
        name: str,
        groups: Sequence[str] = (),
        *,
        namespace: str = "default",
        to: Path | None = None,
    ) -> Path:
        """Make a user, known to the API server by a client certificate.

        A user may do nothing but what RBAC grants to the name or to the groups. Made
        again, the user is the same, and the file new.

        Args:
            name: What the API server calls the user; may be that of a service account.
            groups: The user's groups, beside ``system:authenticated``.
            namespace: The one that commands without ``--namespace`` work in.
            to: Where the kubeconfig is written; in the control plane's folder if None.

        Returns:
            The kubeconfig, complete in itself; `kubectl` and `helm` know the name now.
        """
        return self._users.make(name, groups, namespace=namespace, to=to)

    def impersonator(self, name: str = "impersonator") -> Path:
        """Make a user who may act as anybody (``kubectl --as``) and do nothing else.

        Raises:
            CommandFailed: The role could not be granted.
        """
        self.kubectl("apply", "-f", "-", stdin=impersonation(name)).check()
        return self.user(name)

    def create_namespace(
        self, name: str, labels: Mapping[str, str] | None = None
    ) -> None:
        """Make the namespace `name`; return when Pods can be created in it.

        Raises:
            CommandFailed: It exists, or its service account does not come.
        """
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": dict(labels or {})},
        }
        self.kubectl("create", "-f", "-", stdin=namespace).check()
        account = ("serviceaccount/default", "-n", name)
        self.kubectl("wait", "--for=create", "--timeout=30s", *account).check()

    def kubectl(
        self,
        *arguments: str | Path,
        user: str | Path = ADMIN,
        stdin: str | Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = _COMMAND_S,
    ) -> Result:
        """Run kubectl to its end, whatever it says; `Result.check` insists on success.

        Args:
            arguments: What follows ``kubectl``.
            user: The name of one made by `user`, or a kubeconfig.
            stdin: What it reads with ``-f -``: text, or an object.
            environment: Added to that of this process.
            timeout_s: How long it may take.

        Raises:
            CommandFailed: It took longer.
        """
        kubectl = self.binaries[KUBECTL.name]
        return self._run(
            kubectl,
            arguments,
            user=user,
            stdin=stdin,
            environment=environment,
            timeout_s=timeout_s,
        )

    def helm(
        self,
        *arguments: str | Path,
        user: str | Path = ADMIN,
        stdin: str | Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 2 * _COMMAND_S,
    ) -> Result:
        """Run helm as `kubectl` does; the first time it may have to be built.

        Raises:
            CommandFailed: It took longer.
            Unobtainable: There is no helm to be had.
        """
        if HELM.name not in self.binaries:
            self.binaries |= ensure([HELM], minor=self._options.minor)
        helm = self.binaries[HELM.name]
        return self._run(
            helm,
            arguments,
            user=user,
            stdin=stdin,
            environment=environment,
            timeout_s=timeout_s,
        )

    def start_etcd(self) -> None:
        """Start etcd on the data that it left; return when it is healthy.

        Raises:
            NotReady: It is not, or ended.
        """
        self._launch(
            ETCD.name, servers.etcd(self.binaries[ETCD.name], self._layout, self._ports)
        )
        self._wait(ETCD.name, lambda: self._asker.get(self._ports.etcd, "/health"))

    def start_apiserver(self, *, deadline_s: float = _START_S) -> None:
        """Start the API server on the data that etcd has; return when it is ready.

        Raises:
            NotReady: It is not within `deadline_s`, or ended.
        """
        executable = self.binaries[APISERVER.name]
        command = servers.apiserver(
            executable, self._layout, self._ports, self._options
        )
        self._launch(APISERVER.name, command)
        self._wait(
            APISERVER.name,
            lambda: self._asker.get(self._ports.apiserver, "/readyz"),
            deadline_s=deadline_s,
        )

    def stop_apiserver(self, *, grace_s: float = GRACE_S) -> None:
        """Stop the API server alone; its data stays, and so does its address.

        Args:
            grace_s: How long it may take to end by itself; with 0 it is killed.
        """
        self.ledger.stop(APISERVER.name, grace_s=grace_s)

    def restart_apiserver(self, *, deadline_s: float = _START_S) -> None:
        """Stop the API server and start it again.

        Raises:
            NotReady: It does not come up within `deadline_s`.
        """
        self.stop_apiserver()
        self.start_apiserver(deadline_s=deadline_s)

    def _run(
        self,
        executable: Path,
        arguments: Sequence[str | Path],
        *,
        user: str | Path,
        stdin: str | Mapping[str, Any] | None,
        environment: Mapping[str, str] | None,
        timeout_s: float,
    ) -> Result:
        file = self._users.kubeconfig(user) if isinstance(user, str) else user
        home = self._layout.home  # so that nothing is read from the person's own
        own = {"KUBECONFIG": str(file), "HOME": str(home)}
        own |= {
            f"HELM_{one}_HOME": str(home / one) for one in ("CACHE", "CONFIG", "DATA")
        }
        return commands.run(
            executable,
            arguments,
            environment={**own, **(environment or {})},
            stdin=stdin,
            timeout_s=timeout_s,
        )

    def _write_credentials(self) -> Asker:
        """Write what the servers read; return who asks them whether they are ready."""
        folder = self._layout.certificates
        self.ca_file.write_bytes(self._authority.certificate)
        first_service = ipaddress.ip_network(self.service_cidr)[1]
        hosts = (LOOPBACK, "localhost", "kubernetes.default.svc", str(first_service))
        self._authority.server(hosts).write(folder / "apiserver")
        for name in ("etcd", "controller-manager"):
            self._authority.server((LOOPBACK,)).write(folder / name)
        accounts = folder / "service-accounts.key"
        accounts.touch(mode=0o600)
        accounts.write_bytes(signing_key())
        self.user(ADMIN, ["system:masters"])
        internal = self._authority.client("controlplane", ["system:masters"])
        return Asker(self.ca_file, *internal.write(folder / "internal"))

    def _launch(self, name: str, command: Sequence[str]) -> None:
        self.ledger.start(name, command, log=self._layout.log(name))

    def _wait(
        self, name: str, wrong: Callable[[], str], *, deadline_s: float = _START_S
    ) -> None:
        wait(
            wrong,
            alive=lambda: self.ledger.alive(name),
            name=name,
            log=self._layout.log(name),
            deadline_s=deadline_s,
        )
