"""The programs: what they are called, how they are asked and built.

Five make and drive a control plane. Others only tests need: `IMAGES` put images into
registries and sign them, `GITOPS` apply what is in a git repository, `TOFU` plans
infrastructure, `ACTIONLINT` reads workflows, and `HELM3` installs our chart once more.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane.supported import Gitops, Images, Pins, Version

_PROBE_S = 20  # a version answer takes milliseconds; a machine under load, seconds
_OLDEST_ETCD = Version(3, 5)  # what Kubernetes 1.34 and later ask for


@dataclass(frozen=True, slots=True)
class Program:
    """One executable that the tests, the demo or the control plane run.

    Attributes:
        name: The name of the file.
        package: What `go build` is given, inside the module.
        asks_version: The arguments that make it print its version.
        pinned: The version that `Pins` name for it.
        fits: Whether a version found on the machine may stand in for the pinned one.
        folder: Of the cache: programs of one folder are of one release.
        module: The Go module that builds it; None if this repository has none.
        ldflags: The linker's flags: without them it does not know its own version.
        cold_build_s: Seconds to build on 2 cores with nothing built before, one after
            the other in the order of `ALL` and `IMAGES`; measured with Go 1.26.
    """

    name: str
    package: str
    asks_version: tuple[str, ...]
    pinned: Callable[[Pins], Version]
    fits: Callable[[Version, Pins], bool]
    folder: Callable[[Pins], str]
    module: Callable[[Pins], Path | None]
    ldflags: Callable[[Pins], str]
    cold_build_s: int


def version_of(program: Program, executable: Path) -> Version | None:
    """Ask `executable` for its version; None if it gives no sensible answer."""
    try:
        done = subprocess.run(
            [executable, *program.asks_version],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_PROBE_S,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return Version.first_in(done.stdout) if done.returncode == 0 else None


def _kubernetes_ldflags(pins: Pins) -> str:
    package, version = "k8s.io/component-base/version", pins.kubernetes
    named = {
        "gitVersion": f"v{version}",
        "gitMajor": version.major,
        "gitMinor": version.minor,
        "gitTreeState": "clean",
    }
    return " ".join(["-s -w", *(f"-X {package}.{k}={v}" for k, v in named.items())])


def _same_minor(version: Version, pins: Pins) -> bool:
    wanted = pins.kubernetes
    return (version.major, version.minor) == (wanted.major, wanted.minor)


def _folder_of_kubernetes(pins: Pins) -> str:
    return str(pins.kubernetes)


def _of_kubernetes(name: str, *asks_version: str, cold_build_s: int) -> Program:
    return Program(
        name=name,
        package=f"k8s.io/kubernetes/cmd/{name}",
        asks_version=asks_version,
        pinned=lambda pins: pins.kubernetes,
        fits=_same_minor,
        folder=_folder_of_kubernetes,
        module=lambda pins: pins.kubernetes_module,
        ldflags=_kubernetes_ldflags,
        cold_build_s=cold_build_s,
    )


ETCD = Program(
    name="etcd",
    package="./etcd",
    asks_version=("--version",),
    pinned=lambda pins: pins.etcd,
    fits=lambda version, pins: (
        version >= _OLDEST_ETCD and version.major == pins.etcd.major
    ),
    folder=_folder_of_kubernetes,
    module=lambda pins: pins.etcd_module,
    ldflags=lambda _: "-s -w",
    cold_build_s=34,
)
APISERVER = _of_kubernetes("kube-apiserver", "--version", cold_build_s=300)
CONTROLLER_MANAGER = _of_kubernetes(
    "kube-controller-manager", "--version", cold_build_s=110
)
KUBECTL = _of_kubernetes("kubectl", "version", "--client", cold_build_s=25)
HELM = Program(
    name="helm",
    package="helm.sh/helm/v4/cmd/helm",
    asks_version=("version", "--short"),
    pinned=lambda pins: pins.helm,
    fits=lambda version, pins: version.major == pins.helm.major,
    folder=lambda pins: f"helm-{pins.helm}",
    module=lambda pins: pins.helm_module,
    ldflags=lambda pins: (
        f"-s -w -X helm.sh/helm/v4/internal/version.version=v{pins.helm}"
    ),
    cold_build_s=120,
)
HELM3 = Program(
    name="helm3",
    package="helm.sh/helm/v3/cmd/helm",
    asks_version=("version", "--short"),
    pinned=lambda pins: pins.helm3,
    fits=lambda version, pins: version.major == pins.helm3.major,
    folder=lambda pins: f"helm-{pins.helm3}",
    module=lambda pins: pins.helm3_module,  # with the libraries of HELM: built once
    ldflags=lambda pins: (
        f"-s -w -X helm.sh/helm/v3/internal/version.version=v{pins.helm3}"
    ),
    cold_build_s=20,
)

SERVERS = (ETCD, APISERVER, CONTROLLER_MANAGER)
ALL = (*SERVERS, KUBECTL, HELM)


def _of_images(
    name: str,
    package: str,
    *asks_version: str,
    pinned: Callable[[Images], Version],
    ldflags: Callable[[Version], str] = lambda _: "-s -w",
    cold_build_s: int,
) -> Program:
    def version(pins: Pins) -> Version:
        return pinned(pins.images)

    return Program(
        name=name,
        package=package,
        asks_version=asks_version,
        pinned=version,
        fits=lambda found, pins: (
            found >= version(pins) and found.major == version(pins).major
        ),
        folder=lambda pins: f"{name}-{version(pins)}",
        module=lambda pins: pins.images.module,
        ldflags=lambda pins: ldflags(version(pins)),
        cold_build_s=cold_build_s,
    )


CRANE = _of_images(
    "crane",
    "github.com/google/go-containerregistry/cmd/crane",
    "version",
    pinned=lambda images: images.crane,
    ldflags=lambda version: (
        f"-s -w -X github.com/google/go-containerregistry/cmd/crane/cmd.Version=v{version}"
    ),
    cold_build_s=10,
)
CRANE_REGISTRY = _of_images(
    "crane-registry",
    "./crane-registry",
    "-version",  # which it does not know: a stranger of that name never stands in
    pinned=lambda images: images.crane,
    cold_build_s=2,
)
REGISTRY = _of_images(
    "registry",
    "github.com/distribution/distribution/v3/cmd/registry",
    "--version",
    pinned=lambda images: images.registry,
    cold_build_s=64,
)
COSIGN = _of_images(
    "cosign",
    "github.com/sigstore/cosign/v3/cmd/cosign",
    "version",
    "--json",
    pinned=lambda images: images.cosign,
    ldflags=lambda version: (
        f"-s -w -X sigs.k8s.io/release-utils/version.gitVersion=v{version}"
    ),
    cold_build_s=125,
)

IMAGES = (CRANE, CRANE_REGISTRY, REGISTRY, COSIGN)


def _of_gitops(
    name: str, package: str, pinned: Callable[[Gitops], Version], cold_build_s: int
) -> Program:
    def version(pins: Pins) -> Version:
        return pinned(pins.gitops)

    return Program(
        name=name,
        package=package,
        asks_version=("-version",),  # which it does not know: as for CRANE_REGISTRY
        pinned=version,
        fits=lambda found, pins: found == version(pins),
        folder=lambda pins: f"{name}-{version(pins)}",
        module=lambda pins: pins.gitops.module,
        ldflags=lambda _: "-s -w",
        cold_build_s=cold_build_s,
    )


ARGOCD_SYNC = _of_gitops("argocd-sync", "./argocd-sync", lambda one: one.engine, 107)
KUSTOMIZE_CONTROLLER = _of_gitops(
    "kustomize-controller",
    "github.com/fluxcd/kustomize-controller",
    lambda one: one.flux,
    117,
)

GITOPS = (ARGOCD_SYNC, KUSTOMIZE_CONTROLLER)

TOFU = Program(
    name="tofu",
    package="github.com/opentofu/opentofu/cmd/tofu",
    asks_version=("version", "-json"),
    pinned=lambda pins: pins.tofu.version,
    fits=lambda found, pins: (
        found >= pins.tofu.version and found.major == pins.tofu.version.major
    ),
    folder=lambda pins: f"tofu-{pins.tofu.version}",
    module=lambda pins: pins.tofu.module,
    ldflags=lambda _: "-s -w -X github.com/opentofu/opentofu/version.dev=no",
    cold_build_s=250,
)

ACTIONLINT = Program(
    name="actionlint",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    asks_version=("-version",),
    pinned=lambda pins: pins.actionlint.version,
    # each release finds more, and so something else: only the pinned one says the same
    fits=lambda found, pins: found == pins.actionlint.version,
    folder=lambda pins: f"actionlint-{pins.actionlint.version}",
    module=lambda pins: pins.actionlint.module,
    ldflags=lambda pins: (
        f"-s -w -X github.com/rhysd/actionlint.version={pins.actionlint.version}"
    ),
    cold_build_s=12,
)

BY_NAME = {
    program.name: program
    for program in (*ALL, HELM3, *IMAGES, *GITOPS, TOFU, ACTIONLINT)
}
