"""A cluster that somebody else runs, used as one of our own control planes is.

Nothing of it is started or stopped here. Its administrator must be allowed to approve
certificates of the signer ``kubernetes.io/kube-apiserver-client``, by which people
become users with names and groups: kubeadm, kind, GKE and AKS have it, EKS does not.
"""

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools.controlplane import ControlPlane, Ledger, commands, ensure
from tools.controlplane.certificates import Authority, Pair
from tools.controlplane.guard import Guard
from tools.controlplane.plane import ADMIN
from tools.controlplane.programs import HELM, KUBECTL
from tools.controlplane.servers import Layout, Options
from tools.controlplane.users import Users
from tools.stack.ready import until

_SIGNER = "kubernetes.io/kube-apiserver-client"
_DAY_S = 24 * 60 * 60
_PREFIX = "countersign-e2e-"


class Signer(Authority):
    """The cluster's own authority, asked by CertificateSigningRequests."""

    def __init__(self, plane: "Elsewhere", certificate: bytes) -> None:
        self._plane = plane
        self._pem = certificate

    @property
    def certificate(self) -> bytes:
        """What the API server's certificate is signed by, PEM."""
        return self._pem

    def client(self, user: str, groups: Sequence[str]) -> Pair:
        """Return a certificate for a day, which the administrator approved."""
        key = ec.generate_private_key(ec.SECP256R1())
        named = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, g) for g in groups]
        named.append(x509.NameAttribute(NameOID.COMMON_NAME, user))
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name(named))
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return Pair(
            self._signed(f"{_PREFIX}{user}", request.public_bytes(pem)),
            key.private_bytes(
                pem,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def _signed(self, name: str, request: bytes) -> bytes:
        kubectl, sort = self._plane.kubectl, "certificatesigningrequest"
        spec = {
            "request": base64.b64encode(request).decode(),
            "signerName": _SIGNER,
            "expirationSeconds": _DAY_S,
            "usages": ["client auth"],
        }
        tree = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": spec,
        }
        kubectl("delete", sort, name, "--ignore-not-found").check()
        kubectl("create", "-f", "-", stdin=tree).check()
        kubectl("certificate", "approve", name).check()
        found: list[str] = []

        def missing() -> str:
            path = "jsonpath={.status.certificate}"
            found[:] = kubectl("get", sort, name, "-o", path).check().stdout.split()
            return "" if found else f"{_SIGNER} signed nothing"

        until(missing, what=f"the certificate of {name}")
        return base64.b64decode(found[0])


class Elsewhere(ControlPlane):
    """Its methods that start or stop servers have nothing to work on."""

    def __init__(
        self, kubeconfig: Path, layout: Layout, binaries: Mapping[str, Path]
    ) -> None:
        self.folder = layout.folder
        self.binaries = dict(binaries)
        self.ledger = Ledger(layout.ledger)
        self.keep_logs = False
        self._layout = layout
        self._options = Options()
        told = _flat(self.binaries[KUBECTL.name], kubeconfig)
        cluster = json.loads(told)["clusters"][0]
        self.url = cluster["cluster"]["server"]
        authority = base64.b64decode(cluster["cluster"]["certificate-authority-data"])
        self.ca_file = layout.certificates / "ca.crt"
        self.ca_file.write_bytes(authority)
        self._admin = layout.users / f"{ADMIN}.kubeconfig"
        self._admin.touch(mode=0o600)
        self._admin.write_text(told)
        self._users = _Known(
            Signer(self, authority),
            folder=layout.users,
            server=self.url,
            cluster=cluster["name"],
        )
        self._users.know(ADMIN, self._admin)


class _Known(Users):
    def know(self, name: str, kubeconfig: Path) -> None:
        """Take a user that is there already."""
        self._kubeconfigs[name] = kubeconfig


def _flat(kubectl: Path, kubeconfig: Path) -> str:
    """Return the current context alone, files of it inside; JSON."""
    shown = ("config", "view", "--raw", "--flatten", "--minify", "-o", "json")
    done = commands.run(
        kubectl, shown, environment={"KUBECONFIG": str(kubeconfig)}, timeout_s=10
    )
    return done.check().stdout


@contextmanager
def elsewhere(kubeconfig: Path) -> Iterator[Elsewhere]:
    """Use the cluster of a kubeconfig; what runs here for it ends with the block."""
    binaries = ensure([KUBECTL, HELM])
    layout = Layout(Path(tempfile.mkdtemp(prefix=_PREFIX)))
    layout.make()
    guard = Guard(layout.folder, layout.ledger)
    try:
        yield Elsewhere(kubeconfig, layout, binaries)
    finally:
        Ledger(layout.ledger).stop_all(grace_s=0)
        guard.dismiss()
        shutil.rmtree(layout.folder, ignore_errors=True)
