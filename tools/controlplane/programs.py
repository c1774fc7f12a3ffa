"""The five programs: what they are called, how they are asked and built."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane.supported import Pins, Version

_PROBE_S = 20  # a version answer takes milliseconds; a machine under load, seconds
_OLDEST_ETCD = Version(3, 5)  # what Kubernetes 1.34 and later ask for


@dataclass(frozen=True, slots=True)
class Program:
    """One executable that the control plane or its users run.

    Attributes:
        name: The name of the file.
        package: What `go build` is given, inside the module.
        asks_version: The arguments that make it print its version.
        pinned: The version that `Pins` name for it.
        fits: Whether a version found on the machine may stand in for the pinned one.
        module: The Go module that builds it; None if this repository has none.
        ldflags: The linker's flags: without them it does not know its own version.
        cold_build_s: Seconds to build on 2 cores with nothing built before, one after
            the other in the order of `ALL`; measured with Go 1.26.
    """

    name: str
    package: str
    asks_version: tuple[str, ...]
    pinned: Callable[[Pins], Version]
    fits: Callable[[Version, Pins], bool]
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


def _of_kubernetes(name: str, *asks_version: str, cold_build_s: int) -> Program:
    return Program(
        name=name,
        package=f"k8s.io/kubernetes/cmd/{name}",
        asks_version=asks_version,
        pinned=lambda pins: pins.kubernetes,
        fits=_same_minor,
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
    module=lambda pins: pins.helm_module,
    ldflags=lambda pins: (
        f"-s -w -X helm.sh/helm/v4/internal/version.version=v{pins.helm}"
    ),
    cold_build_s=120,
)

SERVERS = (ETCD, APISERVER, CONTROLLER_MANAGER)
ALL = (*SERVERS, KUBECTL, HELM)
BY_NAME = {program.name: program for program in ALL}
