"""Images that are made here and pushed with the real crane."""

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.registry import Registry
from tools.controlplane.binaries import ensure
from tools.controlplane.commands import Result, run
from tools.controlplane.programs import COSIGN, CRANE, Program

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_TIMEOUT_S = 120  # cosign starts slowly on a busy machine
BOTH = ("linux/amd64", "linux/arm64")


@dataclass(frozen=True, slots=True)
class Pushed:
    """An image in a registry.

    Attributes:
        repository: With its host, without digest.
        digest: Of its index or manifest, ``sha256:…``.
        platforms: The digests of the manifests in it, if it is an index.
    """

    repository: str
    digest: str
    platforms: tuple[str, ...] = ()

    @property
    def pinned(self) -> str:
        """The reference that pins it."""
        return f"{self.repository}@{self.digest}"

    def platform(self, number: int) -> "Pushed":
        """Return one of its manifests as an image of its own."""
        return Pushed(self.repository, self.platforms[number])


def push(
    registry: Registry,
    repository: str,
    *,
    tag: str = "latest",
    platforms: Sequence[str] = (),
    content: str = "",
) -> Pushed:
    """Make an image and push it.

    Args:
        registry: To it.
        repository: Without host.
        tag: That it gets, too.
        platforms: Of the manifests of an index, as in ``linux/arm64``; one plain
            manifest if there are none.
        content: Of its one file; by default the name, so that the digest differs.
    """
    name = f"{registry.host}/{repository}"
    with tempfile.TemporaryDirectory() as place:
        layout = _Layout(Path(place))
        made = [
            layout.image(content or f"{repository}:{tag}", one)
            for one in platforms or ("linux/amd64",)
        ]
        top = layout.index(made) if platforms else made[0]
        layout.close(top)
        crane(registry, "push", place, f"{name}:{tag}").check()
    children = tuple(one["digest"] for one in made) if platforms else ()
    return Pushed(name, top["digest"], children)


def crane(registry: Registry, *arguments: str | Path, **environment: str) -> Result:
    """Run the real crane as the registry's user; `environment` says otherwise."""
    return _run(CRANE, {**registry.environment, **environment}, arguments)


def cosign(
    registry: Registry | None, *arguments: str | Path, **environment: str
) -> Result:
    """Run the real cosign as the registry's user; its keys have no password."""
    told = {"COSIGN_PASSWORD": "", "COSIGN_YES": "true"}
    told |= registry.environment if registry else {}
    return _run(COSIGN, {**told, **environment}, arguments)


def _run(
    program: Program, environment: Mapping[str, str], arguments: Sequence[str | Path]
) -> Result:
    executable = ensure([program])[program.name]
    return run(executable, arguments, environment=environment, timeout_s=_TIMEOUT_S)


class _Layout:
    """A folder as the OCI image layout describes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def image(self, content: str, platform: str) -> dict[str, Any]:
        """Write an image with one file in one layer; return its descriptor."""
        system, _, processor = platform.partition("/")
        tar = _tar(content)
        layer = self._blob(_LAYER, gzip.compress(tar, mtime=0))
        config = {
            "architecture": processor,
            "os": system,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(_CONFIG, json.dumps(config).encode()),
            "layers": [layer],
        }
        described = self._blob(MANIFEST, json.dumps(manifest).encode())
        return {**described, "platform": {"os": system, "architecture": processor}}

    def index(self, manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Write an index; return its descriptor."""
        return self._blob(INDEX, json.dumps(_index(manifests)).encode())

    def close(self, top: Mapping[str, Any]) -> None:
        """Say what the layout is about."""
        (self._folder / "index.json").write_text(json.dumps(_index([top])))

    def _blob(self, kind: str, content: bytes) -> dict[str, Any]:
        digest = _digest(content)
        name = digest.removeprefix("sha256:")
        (self._folder / "blobs" / "sha256" / name).write_bytes(content)
        return {"mediaType": kind, "digest": digest, "size": len(content)}


def _index(manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*manifests]}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _tar(content: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("content")
        member.size = len(content.encode())
        tar.addfile(member, io.BytesIO(content.encode()))
    return buffer.getvalue()
