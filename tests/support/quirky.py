"""A registry in memory, on loopback over TLS, that can be told to misbehave.

It keeps to the distribution specification until a quirk is put on some of its paths: a
quirk takes the honest answer and makes what it likes of it.
"""

import hashlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

from countersign.core.types.artifacts import Digest
from countersign.wire.oci import INDEX, MANIFEST

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
NAME = "shop/api"
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"

_CONFIG = "application/vnd.oci.image.config.v1+json"
_PATH = re.compile(
    r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs|referrers)/(?P<rest>.+)"
)

Quirk = Callable[[web.Request, web.Response], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    method: str
    host: str
    path: str
    authorization: str


@dataclass
class Quirky:
    """A registry of one repository.

    Attributes:
        host: Host and port.
        elsewhere: The same server under another host.
        authority: Who signed its certificate, PEM.
        lists: Whether it has a referrers API, and says so when something is pushed.
        conditions: Whether it keeps to If-Match and If-None-Match.
        manifests: By digest: what, and its media type.
        tags: What they name.
        blobs: By digest.
        listed: What the API lists besides the referrers that there are.
        quirks: By what is in a path: what becomes of its answers.
        seen: Every request.
    """

    host: str = ""
    elsewhere: str = ""
    authority: Path = Path()
    lists: bool = True
    conditions: bool = False
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    quirks: dict[str, Quirk] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    @property
    def repository(self) -> str:
        """As images name it."""
        return f"{self.host}/{NAME}"

    # what lies there

    def blob(self, data: bytes) -> Digest:
        """Keep a blob."""
        digest = Digest.sha256(data)
        self.blobs[str(digest)] = data
        return digest

    def document(self, tree: Any, *, tag: str = "") -> Digest:
        """Keep a manifest or an index, as JSON or as it is."""
        raw = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
        digest = Digest.sha256(raw)
        kind = INDEX if isinstance(tree, dict) and "manifests" in tree else MANIFEST
        self.manifests[str(digest)] = (raw, kind)
        if tag:
            self.tags[tag] = str(digest)
        return digest

    def image(self, text: str = "an image", *, tag: str = "") -> Digest:
        """Keep an image; another text is another image."""
        return self.document(
            manifest(self.descriptor(text.encode(), _CONFIG), annotations={"is": text}),
            tag=tag,
        )

    def index(self, *digests: Digest, **entry: Any) -> Digest:
        """Keep an index of images."""
        return self.document(
            index(*({**self.entry(digest), **entry} for digest in digests))
        )

    def referrer(
        self, subject: Digest, *blobs: bytes, kind: str = BUNDLE, **others: Any
    ) -> Digest:
        """Keep a manifest that refers to another."""
        layers = [self.descriptor(blob, kind) for blob in blobs]
        return self.document(
            manifest(
                self.descriptor(b"{}", "application/vnd.oci.empty.v1+json"),
                layers,
                artifactType=kind,
                subject=self.entry(subject),
                **others,
            )
        )

    def descriptor(self, data: bytes, kind: str, **others: Any) -> dict[str, Any]:
        """Keep a blob, and describe it."""
        digest = self.blob(data)
        return {
            "mediaType": kind,
            "digest": str(digest),
            "size": len(data),
            **others,
        }

    def entry(self, digest: Digest) -> dict[str, Any]:
        """Describe a manifest."""
        raw, kind = self.manifests.get(str(digest), (b"", MANIFEST))
        return {"mediaType": kind, "digest": str(digest), "size": len(raw)}

    # what it answers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer, as honestly as the quirks let it."""
        self.seen.append(
            Seen(
                request.method,
                request.host,
                request.path_qs,
                request.headers.get("Authorization", ""),
            )
        )
        honest = await self._honest(request)
        for part, quirk in tuple(self.quirks.items()):
            if part in f"{request.host}{request.path}":
                return await quirk(request, honest)
        return honest

    async def _honest(self, request: web.Request) -> web.Response:
        if request.path.endswith("/blobs/uploads/") and request.method == "POST":
            return web.Response(status=202, headers={"Location": f"/upload/{NAME}"})
        if request.path.startswith("/upload/"):
            return self._uploaded(request.query["digest"], await request.read())
        parts = _PATH.fullmatch(request.path)
        if parts is None or parts["name"] != NAME:
            return missing("NAME_UNKNOWN")
        if parts["kind"] == "referrers":
            return self._referrers(parts["rest"])
        if parts["kind"] == "blobs":
            data = self.blobs.get(parts["rest"])
            kind = "application/octet-stream"
            return (
                missing("BLOB_UNKNOWN")
                if data is None
                else found(data, kind, parts["rest"])
            )
        if request.method == "PUT":
            return self._pushed(request, parts["rest"], await request.read())
        digest = self.tags.get(parts["rest"], parts["rest"])
        if digest not in self.manifests:
            return missing("MANIFEST_UNKNOWN")
        raw, kind = self.manifests[digest]
        return found(raw, kind, digest)

    def _uploaded(self, digest: str, data: bytes) -> web.Response:
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            return web.Response(status=400)
        self.blobs[digest] = data
        return web.Response(status=201)

    def _pushed(self, request: web.Request, to: str, raw: bytes) -> web.Response:
        digest = str(Digest.sha256(raw))
        there = self.tags.get(to)
        if self.conditions:
            unmet = request.headers.get("If-Match", f'"{there}"') != f'"{there}"'
            if unmet or (there and "If-None-Match" in request.headers):
                return web.Response(status=412)
        self.manifests[digest] = (raw, request.headers["Content-Type"])
        if not to.startswith("sha256:"):
            self.tags[to] = digest
        subject = json.loads(raw).get("subject")
        headers = {"OCI-Subject": subject["digest"]} if self.lists and subject else {}
        return web.Response(status=201, headers=headers)

    def _referrers(self, subject: str) -> web.Response:
        if not self.lists:
            return missing("NOT_FOUND")
        found_ = [
            {
                **self.entry(Digest.parse(digest)),
                "artifactType": tree.get("artifactType"),
            }
            for digest, (raw, _) in self.manifests.items()
            if (tree := _tree(raw)).get("subject", {}).get("digest") == subject
        ]
        return web.Response(
            body=json.dumps(index(*found_, *self.listed)).encode(), content_type=INDEX
        )


def manifest(
    config: Mapping[str, Any], layers: list[dict[str, Any]] | None = None, **others: Any
) -> dict[str, Any]:
    """Return an image manifest."""
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": layers or [],
        **others,
    }


def index(*entries: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """Return an image index."""
    return {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [*entries],
        **others,
    }


def found(data: bytes, kind: str, digest: str) -> web.Response:
    """Answer with what lies under a digest."""
    headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
    return web.Response(body=data, content_type=kind, headers=headers)


def missing(code: str) -> web.Response:
    """Answer that there is no such thing."""
    return web.json_response({"errors": [{"code": code}]}, status=404)


@asynccontextmanager
async def quirky(folder: Path) -> AsyncIterator[Quirky]:
    """Run one while the block lasts."""
    registry = Quirky(authority=folder / "ca.pem")
    pem, context = _identity()
    registry.authority.write_bytes(pem)
    app = web.Application(client_max_size=16 << 20)
    app.router.add_route("*", "/{path:.*}", registry.answer)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=0, handler_cancellation=True
    )
    await runner.setup()
    try:
        for host in (HERE, ELSEWHERE):
            await web.TCPSite(runner, host, 0, ssl_context=context).start()
        ports = [address[1] for address in runner.addresses]
        registry.host, registry.elsewhere = (
            f"{host}:{port}"
            for host, port in zip((HERE, ELSEWHERE), ports, strict=True)
        )
        yield registry
    finally:
        await runner.cleanup()


@cache
def _identity() -> tuple[bytes, ssl.SSLContext]:
    """Return who signed, and the server's side of TLS; made once, for keys take time."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HERE, ELSEWHERE).configure_cert(context)
    return authority.cert_pem.bytes(), context


def _tree(raw: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(raw)
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}
