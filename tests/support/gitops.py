"""Argo CD's and Flux's own engines over a real git repository, each as its own account.

For Argo CD it is gitops-engine, one sync at a time (``tools/controlplane/gitops``); for
Flux its kustomize-controller, which finds in a GitRepository's status what its
source-controller would have put there: where an archive of the commit is, and its digest.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.support.chart import NAMESPACE
from tests.support.git import GitFolder
from tools.controlplane import ControlPlane
from tools.controlplane.binaries import ensure
from tools.controlplane.commands import run
from tools.controlplane.programs import ARGOCD_SYNC, KUSTOMIZE_CONTROLLER
from tools.stack.ready import until

Tree = dict[str, Any]

ARGOCD = "system:serviceaccount:argocd:argocd-application-controller"
INSTALLATION = "blue"
SYSTEM = "flux-system"
FLUX = f"system:serviceaccount:{SYSTEM}:kustomize-controller"
TOOLS = {"helm": {}, "argocd": {"installationId": INSTALLATION}, "flux": {}}
STAGED = "--custom-apply-stage-kinds=countersign.dev/BundleSet"
_SYNC_S = 120.0
_LOOPBACK = "127.0.0.1"
_KINDS = {
    "kustomize": ("Kustomization",),
    "source": ("GitRepository", "OCIRepository", "Bucket"),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A repository of rendered manifests and their evidence, which an engine reads.

    Attributes:
        git: Its work tree.
    """

    git: GitFolder

    @classmethod
    def init(cls, folder: Path) -> "Rendered":
        """Make an empty one."""
        return cls(GitFolder.init(folder))

    def commit(self, files: Mapping[str, str]) -> str:
        """Have the repository hold these files and no others; return the commit."""
        for file in self.git.path.glob("*.yaml"):
            file.unlink()
        for name, text in files.items():
            self.git.write(name, text)
        self.git.git("add", "--all")
        return self.git.commit("Deploy")


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of a sync.

    Attributes:
        code: 0 where every object is as wanted.
        results: ``operationState.syncResult.resources`` of the Application.
        err: What was printed besides.
    """

    code: int
    results: tuple[Tree, ...]
    err: str

    @property
    def messages(self) -> str:
        """What a person reads in the application's page."""
        return "\n".join(one["message"] for one in self.results) + self.err


@dataclass(frozen=True, slots=True)
class ArgoCd:
    """Argo CD, as far as it applies.

    Attributes:
        kubeconfig: Of the account of its application controller, which may do all.
    """

    kubeconfig: Path

    @classmethod
    def install(cls, plane: ControlPlane) -> "ArgoCd":
        """Give its account the rights that its manifests give it."""
        _trust(plane, ARGOCD)
        return cls(plane.user(ARGOCD))

    def sync(self, rendered: Rendered, app: str, *options: str) -> Synced:
        """Sync an application once."""
        executable = ensure([ARGOCD_SYNC])[ARGOCD_SYNC.name]
        done = run(
            executable,
            [
                *("-app", app, "-namespace", NAMESPACE),
                *("-path", rendered.git.path, "-kubeconfig", self.kubeconfig),
                *("-installation-id", INSTALLATION, *options),
            ],
            environment={},
            timeout_s=_SYNC_S,
        )
        assert done.code in (0, 1), done.stderr
        return Synced(done.code, tuple(json.loads(done.stdout)), done.stderr)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


@dataclass(frozen=True, slots=True)
class Flux:
    """A kustomize-controller that runs.

    Attributes:
        plane: Where.
        folder: Of archives, which are served.
        url: Of that folder.
        log: What the controller says.
    """

    plane: ControlPlane
    folder: Path
    url: str
    log: Path

    def offer(self, rendered: Rendered, name: str) -> str:
        """Tell the cluster of the last commit, as source-controller does."""
        commit = rendered.git.git("rev-parse", "HEAD")
        archive = self.folder / f"{commit}.tar.gz"
        rendered.git.git("archive", "--format=tar.gz", f"--output={archive}", "HEAD")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        revision = f"main@sha1:{commit}"
        self._put(
            "source",
            "GitRepository",
            name,
            {"interval": "1h", "url": "https://git.acme.example/payments"},
        )
        artifact = {
            "path": archive.name,
            "url": f"{self.url}/{archive.name}",
            "revision": revision,
            "digest": f"sha256:{digest}",
            "lastUpdateTime": "2026-11-23T12:00:00Z",
            "size": archive.stat().st_size,
        }
        self._kubectl(
            *("patch", "gitrepository", name, "--subresource=status", "--type=merge"),
            *("-p", json.dumps({"status": {"artifact": artifact}})),
        )
        return revision

    def follow(
        self, name: str, *, labels: Mapping[str, str] | None = None, **spec: object
    ) -> None:
        """Have the controller keep the namespace as the repository `name` says."""
        told: Tree = {
            "interval": "1h",
            "retryInterval": "1h",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": name},
            "targetNamespace": NAMESPACE,
            **spec,
        }
        self._put("kustomize", "Kustomization", name, told, labels)

    def again(self, name: str, moment: str) -> None:
        """``flux reconcile kustomization NAME``."""
        mark = f"reconcile.fluxcd.io/requestedAt={moment}"
        self._kubectl("annotate", "--overwrite", "kustomization", name, mark)

    def end(self, name: str) -> None:
        """Forget an application, without removing what it applied."""
        patch = json.dumps({"spec": {"prune": False}})
        self._kubectl("patch", "kustomization", name, "--type=merge", "-p", patch)
        self._kubectl("delete", "kustomization", name)

    def ready(self, name: str, revision: str, moment: str = "") -> tuple[str, str]:
        """Wait until the controller tried `revision`; return Ready's status and message.

        With `moment` it is that request which it must have handled.
        """
        found: list[tuple[str, str]] = []

        def otherwise() -> str:
            shown = self._kubectl("get", "kustomization", name, "-o", "json")
            status: Tree = shown.get("status", {})
            for one in status.get("conditions", ()):
                if (
                    one["type"] == "Ready"
                    and one["status"] != "Unknown"
                    and status.get("lastAttemptedRevision") == revision
                    and status.get("lastHandledReconcileAt", "") in (moment, "")
                    and (not moment or "lastHandledReconcileAt" in status)
                ):
                    found[:] = [(one["status"], one["message"])]
                    return ""
            return json.dumps(status)

        until(otherwise, what=f"Flux's word on {name}")
        return found[0]

    def _put(
        self,
        group: str,
        kind: str,
        name: str,
        spec: Tree,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.plane.kubectl(
            *("apply", "--server-side", "-f", "-"),
            stdin={
                "apiVersion": f"{group}.toolkit.fluxcd.io/v1",
                "kind": kind,
                "metadata": {
                    "name": name,
                    "namespace": SYSTEM,
                    "labels": dict(labels or {}),
                },
                "spec": spec,
            },
        ).check()

    def _kubectl(self, *arguments: str) -> Tree:
        done = self.plane.kubectl("-n", SYSTEM, *arguments).check()
        return dict(json.loads(done.stdout)) if "json" in arguments else {}


@contextmanager
def running_flux(plane: ControlPlane, folder: Path, *options: str) -> Iterator[Flux]:
    """Run kustomize-controller while the block lasts."""
    executable = ensure([KUSTOMIZE_CONTROLLER])[KUSTOMIZE_CONTROLLER.name]
    for tree in _definitions():
        plane.kubectl("apply", "--server-side", "-f", "-", stdin=tree).check()
        plane.kubectl(
            "wait", "--for=condition=Established", f"crd/{tree['metadata']['name']}"
        ).check()
    _trust(plane, FLUX)
    archives = folder / "archives"
    archives.mkdir(parents=True)
    log = folder / "kustomize-controller.log"
    handler = partial(_Quiet, directory=str(archives))
    with ThreadingHTTPServer((_LOOPBACK, 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        plane.ledger.start(
            folder.name,
            [
                *(executable, "--metrics-addr=0", "--health-addr=0"),
                *("--watch-all-namespaces=true", "--log-level=info", *options),
            ],
            log=log,
            environment={
                "KUBECONFIG": str(plane.user(FLUX)),
                "RUNTIME_NAMESPACE": SYSTEM,
                "TMPDIR": str(folder),
                "HOME": str(folder),
            },
        )
        try:
            yield Flux(plane, archives, f"http://{_LOOPBACK}:{server.server_port}", log)
        finally:
            plane.ledger.stop(folder.name)
            server.shutdown()
            thread.join()


def _trust(plane: ControlPlane, account: str) -> None:
    """Make a namespace for an engine, and let its account do everything."""
    space = account.split(":")[2]
    if not plane.kubectl("get", "namespace", space).ok:
        plane.create_namespace(space)
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": space},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": account}],
    }
    plane.kubectl("apply", "-f", "-", stdin=binding).check()


def _definitions() -> Iterator[Tree]:
    """Define Flux's kinds, with any fields: what is in them is the controller's."""
    fields = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": fields, "status": fields}}
    for part, kinds in _KINDS.items():
        group = f"{part}.toolkit.fluxcd.io"
        for kind in kinds:
            plural = kind.lower().removesuffix("y")
            plural += "ies" if plural != kind.lower() else "s"
            yield {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.{group}"},
                "spec": {
                    "group": group,
                    "scope": "Namespaced",
                    "names": {
                        "kind": kind,
                        "plural": plural,
                        "listKind": f"{kind}List",
                    },
                    "versions": [
                        {
                            "name": "v1",
                            "served": True,
                            "storage": True,
                            "subresources": {"status": {}},
                            "schema": {"openAPIV3Schema": schema},
                        }
                    ],
                },
            }
