"""The command lines of the three servers, as files and ports determine them."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of one control plane is, under one folder.

    Attributes:
        folder: The root, which exists and which only its owner may read.
    """

    folder: Path

    @property
    def data(self) -> Path:
        """What etcd keeps."""
        return self.folder / "etcd"

    @property
    def certificates(self) -> Path:
        """Certificates and keys of the servers."""
        return self.folder / "certificates"

    @property
    def users(self) -> Path:
        """Kubeconfig files."""
        return self.folder / "users"

    @property
    def logs(self) -> Path:
        """What the servers printed, a file each."""
        return self.folder / "logs"

    @property
    def home(self) -> Path:
        """What kubectl and helm take for the user's home."""
        return self.folder / "home"

    @property
    def ledger(self) -> Path:
        """The processes that run."""
        return self.folder / "processes.json"

    def log(self, name: str) -> Path:
        """Return the log of the server `name`."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Create the folders."""
        for folder in (self.data, self.certificates, self.users, self.logs, self.home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class Ports:
    """A TCP port on loopback for each listener."""

    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int

    @classmethod
    def free(cls) -> "Ports":
        """Return ports that were free a moment ago.

        None of the servers can be told to choose for itself and say which it chose. So
        another process may take one in between; who starts them tries again then.
        """
        sockets = [socket.socket() for _ in range(4)]
        try:
            for one in sockets:
                one.bind((LOOPBACK, 0))
            return cls(*(one.getsockname()[1] for one in sockets))
        finally:
            for one in sockets:
                one.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may be different about a control plane.

    Attributes:
        minor: Of Kubernetes, as in ``1.37``; the default one if None.
        cluster: The name of the cluster in kubeconfigs.
        service_cidr: The addresses of Services. Nothing ever listens there.
        admission_config: The file for ``--admission-control-config-file``, if any.
        apiserver_flags: Flags of kube-apiserver without the leading dashes, to values;
            they win over our own.
    """

    minor: str | None = None
    cluster: str = "local"
    service_cidr: str = "10.96.0.0/16"
    admission_config: Path | None = None
    apiserver_flags: Mapping[str, str] = field(default_factory=dict)


def etcd(executable: Path, layout: Layout, ports: Ports) -> list[str]:
    """Return the command line of etcd.

    It does not wait for the disk: the data is thrown away with the folder. It talks
    only to holders of our certificates: whoever writes to it goes round admission, and
    the API server must not mistake another etcd for its own.
    """
    keys = layout.certificates
    client = f"https://{LOOPBACK}:{ports.etcd}"
    peer = f"https://{LOOPBACK}:{ports.etcd_peer}"
    flags = {
        "name": "controlplane",
        "data-dir": str(layout.data),
        "unsafe-no-fsync": "true",
        "log-level": "warn",
        "enable-grpc-gateway": "false",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"controlplane={peer}",
    }
    for prefix in ("", "peer-"):
        flags[f"{prefix}cert-file"] = str(keys / "etcd.crt")
        flags[f"{prefix}key-file"] = str(keys / "etcd.key")
        flags[f"{prefix}trusted-ca-file"] = str(keys / "ca.crt")
        flags[f"{prefix}client-cert-auth"] = "true"
    return [str(executable), *_written(flags)]


def apiserver(
    executable: Path, layout: Layout, ports: Ports, options: Options
) -> list[str]:
    """Return the command line of kube-apiserver.

    Its endpoint reconciler is off, for it refuses to advertise a loopback address.
    Told to send Retry-After while it shuts down, it ends 2 s after SIGTERM; else the
    controllers' watches hold it up for a minute.
    """
    keys = layout.certificates
    flags = {
        "bind-address": LOOPBACK,
        "secure-port": str(ports.apiserver),
        "endpoint-reconciler-type": "none",
        "etcd-servers": f"https://{LOOPBACK}:{ports.etcd}",
        "etcd-cafile": str(keys / "ca.crt"),
        "etcd-certfile": str(keys / "internal.crt"),
        "etcd-keyfile": str(keys / "internal.key"),
        "cert-dir": str(keys),
        "tls-cert-file": str(keys / "apiserver.crt"),
        "tls-private-key-file": str(keys / "apiserver.key"),
        "client-ca-file": str(keys / "ca.crt"),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(keys / "service-accounts.key"),
        "service-account-signing-key-file": str(keys / "service-accounts.key"),
        "service-cluster-ip-range": options.service_cidr,
        "authorization-mode": "RBAC",
        "allow-privileged": "true",
        "shutdown-send-retry-after": "true",
        "profiling": "false",
    }
    if options.admission_config is not None:
        flags["admission-control-config-file"] = str(options.admission_config)
    return [str(executable), *_written({**flags, **options.apiserver_flags})]


def controller_manager(
    executable: Path, layout: Layout, ports: Ports, kubeconfig: Path
) -> list[str]:
    """Return the command line of kube-controller-manager.

    Each controller uses its own service account, as on real clusters: so its writes
    arrive as ``deployment-controller``, ``replicaset-controller`` and so on. Its own
    limit of requests, 20 a second, would make it start in 6 s instead of half a one.
    """
    keys = layout.certificates
    flags = {
        "bind-address": LOOPBACK,
        "secure-port": str(ports.controller_manager),
        "cert-dir": str(keys),
        "tls-cert-file": str(keys / "controller-manager.crt"),
        "tls-private-key-file": str(keys / "controller-manager.key"),
        "kubeconfig": str(kubeconfig),
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "kube-api-qps": "500",
        "kube-api-burst": "500",
        "service-account-private-key-file": str(keys / "service-accounts.key"),
        "root-ca-file": str(keys / "ca.crt"),
        "profiling": "false",
    }
    return [str(executable), *_written(flags)]


def _written(flags: Mapping[str, str]) -> Sequence[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
