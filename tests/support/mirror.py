"""A Sigstore's TUF repository, made by python-tuf, and served over TLS on loopback."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from securesystemslib.signer import (  # type: ignore[attr-defined] # as below
    CryptoSigner,
)
from tuf.api.metadata import (  # type: ignore[attr-defined] # it exports them by name
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from tests.support.webhook import write_certificate

TARGET = "trusted_root.json"
_KEY: CryptoSigner = CryptoSigner.generate_ed25519()
_ROOTS: list[CryptoSigner] = [CryptoSigner.generate_ed25519() for _ in range(3)]
JUNK = b"x" * 65536
ENDLESS = 100 * 2**20  # bytes


@dataclass
class Repository:
    """What is published, and how.

    Attributes:
        target: The trusted root.
        files: By path, what is served.
        roots: Who signs roots; two have to.
        key: Who signs all else.
        lasts: How long metadata last.
        moved: Where to a path is redirected.
        endless: Paths that never end.
        silent: Paths that are never answered.
        asked: Paths that were asked for.
        sent: Bytes of paths that never end.
        over: Set when it is served no more.
    """

    target: bytes
    files: dict[str, bytes] = field(default_factory=dict)
    roots: list[CryptoSigner] = field(default_factory=lambda: list(_ROOTS[:2]))
    key: CryptoSigner = _KEY
    lasts: timedelta = timedelta(days=7)
    moved: dict[str, str] = field(default_factory=dict)
    endless: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _root: int = 0
    _others: int = 0

    def __post_init__(self) -> None:
        self.rotate()
        self.publish()

    @property
    def root(self) -> bytes:
        """The newest root."""
        return self.files[f"/{self._root}.root.json"]

    @property
    def first(self) -> bytes:
        """The first root."""
        return self.files["/1.root.json"]

    def rotate(self, *signers: CryptoSigner, lasts: timedelta | None = None) -> None:
        """Publish another root, signed by these and by who signs roots."""
        self._root += 1
        root = Root(
            version=self._root, expires=self._end(lasts), consistent_snapshot=True
        )
        for one in self.roots:
            root.add_key(one.public_key, "root")
        root.roles["root"].threshold = 2
        for role in ("timestamp", "snapshot", "targets"):
            root.add_key(self.key.public_key, role)
        by = [*self.roots, *signers]
        self.files[f"/{self._root}.root.json"] = _signed(root, *by)

    def publish(self, target: bytes | None = None, version: int | None = None) -> None:
        """Publish a trusted root, by new metadata."""
        self.target = self.target if target is None else target
        number = self._others = version or self._others + 1
        info = TargetFile.from_data(TARGET, self.target, ["sha256"])
        end = self._end(None)
        targets = Targets(version=number, expires=end, targets={TARGET: info})
        snapshot = Snapshot(
            version=number, expires=end, meta={"targets.json": MetaFile(number)}
        )
        timestamp = Timestamp(
            version=number, expires=end, snapshot_meta=MetaFile(number)
        )
        self.files |= {
            f"/targets/{info.hashes['sha256']}.{TARGET}": self.target,
            f"/{number}.targets.json": _signed(targets, self.key),
            f"/{number}.snapshot.json": _signed(snapshot, self.key),
            "/timestamp.json": _signed(timestamp, self.key),
        }

    @property
    def target_path(self) -> str:
        """Where the trusted root is."""
        sums = TargetFile.from_data(TARGET, self.target, ["sha256"]).hashes
        return f"/targets/{sums['sha256']}.{TARGET}"

    def _end(self, lasts: timedelta | None) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + (lasts or self.lasts)


def _signed(what: Any, *signers: CryptoSigner) -> bytes:
    metadata = Metadata(what)
    for one in signers:
        metadata.sign(one, append=True)
    raw: bytes = metadata.to_bytes()
    return raw


def another_key() -> CryptoSigner:
    """Return a key that nobody named."""
    made: CryptoSigner = CryptoSigner.generate_ed25519()
    return made


@dataclass(frozen=True)
class Served:
    """Where a repository is.

    Attributes:
        url: Of it.
        ca_file: Who signed its certificate, PEM.
        repository: It.
    """

    url: str
    ca_file: Path
    repository: Repository

    def trust_root(self, trusted_root: Any, name: str = "public-good") -> Any:
        """Return a TrustRoot that begins with the first root."""
        return {
            "apiVersion": "countersign.dev/v1alpha1",
            "kind": "TrustRoot",
            "metadata": {"name": name},
            "spec": {
                "sigstore": trusted_root,
                "tuf": {
                    "mirror": self.url,
                    "root": self.repository.first.decode(),
                },
            },
        }


class _Handler(BaseHTTPRequestHandler):
    repository: Repository

    def do_GET(self) -> None:
        """Answer with a file."""
        told = self.repository
        told.asked.append(self.path)
        if self.path in told.moved:
            self.send_response(302)
            self.send_header("Location", told.moved[self.path])
            self.end_headers()
        elif self.path in told.endless:
            self.send_response(200)
            self.end_headers()
            for _ in range(ENDLESS // len(JUNK)):
                self.wfile.write(JUNK)
                told.sent += len(JUNK)
        elif self.path in told.silent:
            told.over.wait(60)
        elif self.path in told.files:
            self.send_response(200)
            self.send_header("Content-Length", str(len(told.files[self.path])))
            self.end_headers()
            self.wfile.write(told.files[self.path])
        else:
            self.send_error(404)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing of who hangs up on an endless file."""


@contextmanager
def mirrored(trusted_root: Any, folder: Path) -> Iterator[Served]:
    """Serve a repository of a trusted root while the block lasts."""
    repository = Repository(json.dumps(trusted_root).encode())
    authority = trustme.CA()
    certificate, key = write_certificate(authority, folder)
    ca_file = folder / "mirror-ca.crt"
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = type("_Handler", (_Handler,), {"repository": repository})
    server = _Server(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        port = server.server_address[1]
        yield Served(f"https://localhost:{port}", ca_file, repository)
    finally:
        repository.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
