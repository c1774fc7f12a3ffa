"""A cluster with what attackers want, and the many as whom they come."""

import base64
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.support.direct import Answered, Direct
from tests.support.reports import OPEN_REPORTS
from tests.support.widest import Attack
from tools.controlplane import ControlPlane
from tools.stack.chart import OWN_NAMESPACE as OWN

Tree = dict[str, Any]

CRDS = Path(__file__).parents[2] / "manifests" / "crds"
INSTALLER = "ina"
"""Who may do what nobody else may. Like all others here, RBAC lets her do anything."""

_MASTERS = "system:masters"
_ACCOUNTS = ("deployment-controller", "other")
_TEMPLATE: Tree = {
    "metadata": {"labels": {"app": "serve"}},
    "spec": {"containers": [{"name": "it", "image": "it"}]},
}


class Crowd:
    """Sends requests as whoever they are to come from."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._plane, self._folder, self._open = plane, folder, ExitStack()
        self._known: dict[tuple[str, str], Direct] = {}

    def ask(self, attack: Attack, *, by: str = "") -> Answered:
        """Send a dry run of it, as its user or as somebody else."""
        who = by or attack.user, attack.group
        if who not in self._known:
            to = self._folder / f"{len(self._known)}.kubeconfig"
            config = self._plane.user(who[0], (_MASTERS, who[1]), to=to)
            direct = self._open.enter_context(closing(Direct(config, self._folder)))
            self._known[who] = direct
        path = f"{attack.path}?dryRun=All"
        return self._known[who].ask(attack.method, path, attack.body, sort=attack.sort)

    def close(self) -> None:
        """Close all connections."""
        self._open.close()


def furnish(plane: ControlPlane) -> None:
    """Put in what the attacks are about, as who installs."""
    installer = plane.user(INSTALLER, (_MASTERS,))
    plane.kubectl("apply", "-f", CRDS).check()
    plane.kubectl("apply", "-f", "-", stdin=OPEN_REPORTS).check()
    plane.kubectl("wait", "--for=condition=Established", "-f", CRDS).check()
    reports = "crd/reports.openreports.io"
    plane.kubectl("wait", "--for=condition=Established", reports).check()
    plane.create_namespace(OWN)
    for name in _ACCOUNTS:
        plane.kubectl("create", "serviceaccount", name, "-n", "kube-system")
    listed = {"apiVersion": "v1", "kind": "List", "items": _objects()}
    plane.kubectl("apply", "-f", "-", stdin=listed, user=installer).check()


def _objects() -> list[Tree]:
    return [
        _of("v1", "Service", "countersign", spec={"ports": [{"port": 443}]}),
        _of("v1", "Secret", "countersign-tls"),
        _of("v1", "ServiceAccount", "countersign-operate"),
        _of(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "countersign",
        ),
        _of("coordination.k8s.io/v1", "Lease", "countersign-operate"),
        _of(
            "apps/v1",
            "Deployment",
            "serve",
            spec={
                "replicas": 0,
                "selector": {"matchLabels": {"app": "serve"}},
                "template": _TEMPLATE,
            },
        ),
        _labelled(_of("v1", "Pod", "serve", spec=_TEMPLATE["spec"])),
        _of(
            "v1",
            "PersistentVolumeClaim",
            "audit",
            spec={
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        ),
        _labelled(_of("openreports.io/v1alpha1", "Report", "ledger")),
        _request("evil", "system:serviceaccount:kube-system:deployment-controller"),
        _request("node", "system:node:one", signer="kube-apiserver-client-kubelet"),
    ]


def _of(version: str, kind: str, name: str, **more: Any) -> Tree:
    about = {"name": name, "namespace": OWN}
    return {"apiVersion": version, "kind": kind, "metadata": about, **more}


def _labelled(tree: Tree) -> Tree:
    labels = {"app": "serve", "app.kubernetes.io/managed-by": "countersign"}
    return {**tree, "metadata": {**tree["metadata"], "labels": labels}}


def _request(name: str, user: str, signer: str = "kube-apiserver-client") -> Tree:
    parts = [
        x509.NameAttribute(NameOID.COMMON_NAME, user),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
    ]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {
            "request": base64.b64encode(signed.public_bytes(Encoding.PEM)).decode(),
            "signerName": f"kubernetes.io/{signer}",
            "usages": ["client auth"],
        },
    }
