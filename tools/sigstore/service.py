"""The HTTP face: Fulcio, both Rekors, the TSA and the identity provider on one port.

Requests are refused as the real services refuse them: an invalid token or signature is
never certified, logged or stamped.

Source:
    github.com/sigstore/fulcio, fulcio.proto (v2); github.com/sigstore/rekor,
    openapi.yaml (v1); github.com/sigstore/rekor-tiles, rekor_service.proto (v2);
    RFC 3161, section 3.4 (HTTP).
"""

import base64
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import jwt
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from tools.sigstore import submissions
from tools.sigstore.instance import VirtualSigstore
from tools.sigstore.login import Login
from tools.sigstore.oidc import PEOPLE, Workflow
from tools.sigstore.tsa import StampRequest

Json = dict[str, Any]

_MAX_BODY = 4 * 1024 * 1024  # bytes; Rekor v1 takes whole envelopes
_FAULTS = (
    InvalidSignature,
    KeyError,
    TypeError,
    ValueError,
    jwt.InvalidTokenError,
)


def application(sigstore: VirtualSigstore) -> web.Application:
    """Serve `sigstore`."""
    service = _Service(sigstore)
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[_explain])
    app.add_routes(
        [
            web.get("/healthz", service.health),
            web.get("/.well-known/openid-configuration", service.discovery),
            web.get("/keys", service.keys),
            web.get("/auth", service.authorize),
            web.post("/token", service.token),
            web.post("/mint", service.mint),
            web.post("/api/v2/signingCert", service.certify),
            web.post("/api/v1/log/entries", service.log_v1),
            web.post("/api/v2/log/entries", service.log_v2),
            web.post("/api/v1/timestamp", service.stamp),
        ]
    )
    return app


class _Service:
    def __init__(self, sigstore: VirtualSigstore) -> None:
        self._sigstore = sigstore
        self._login = Login()

    async def health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def discovery(self, request: web.Request) -> web.Response:
        base = str(request.url.origin())
        return web.json_response(
            {
                "issuer": PEOPLE,
                "authorization_endpoint": f"{base}/auth",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def keys(self, _: web.Request) -> web.Response:
        return web.json_response(self._sigstore.oidc.jwks())

    async def authorize(self, request: web.Request) -> web.Response:
        if "email" not in request.query:
            page = self._login.page(request.query)
            return web.Response(text=page, content_type="text/html")
        raise web.HTTPFound(self._login.authorize(request.query))

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        token = self._sigstore.token(self._login.redeem(form))
        return web.json_response(
            {"access_token": token, "id_token": token, "token_type": "Bearer"}
        )

    async def mint(self, request: web.Request) -> web.Response:
        """Mint for `{"email": …}` or `{"workflow": {…}}`, and an optional issuer."""
        if not hmac.compare_digest(_bearer(request), self._sigstore.minting_secret):
            raise web.HTTPForbidden(text="show the minting secret as bearer token")
        wish = await request.json()
        who = wish["email"] if "email" in wish else Workflow(**wish["workflow"])
        token = self._sigstore.token(who, issuer=wish.get("issuer"))
        return web.json_response({"token": token})

    async def certify(self, request: web.Request) -> web.Response:
        oidc, token = self._sigstore.oidc, _bearer(request)
        identity, subject = oidc.read(token), oidc.subject(token)
        key = submissions.certified_key(await request.json(), subject)
        leaf = self._sigstore.ca.issue(key, identity, at=_now())
        ca = self._sigstore.ca
        chain = [
            certificate.public_bytes(Encoding.PEM).decode()
            for certificate in (leaf, ca.intermediate, ca.root)
        ]
        return web.json_response(
            {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}
        )

    async def log_v1(self, request: web.Request) -> web.Response:
        entry = self._sigstore.rekor_v1.add(
            submissions.v1_body(await request.json()), at=_now()
        )
        answer = _as_v1(entry)
        (uuid,) = answer  # where clients of Go look for the one entry that it is
        return web.json_response(answer, status=201, headers={"ETag": uuid})

    async def log_v2(self, request: web.Request) -> web.Response:
        body = submissions.v2_body(await request.json())
        return web.json_response(self._sigstore.rekor_v2.add(body), status=201)

    async def stamp(self, request: web.Request) -> web.Response:
        wish = StampRequest.parse(await request.read())
        return web.Response(
            body=self._sigstore.tsa.stamp(wish, at=_now()),
            content_type="application/timestamp-reply",
        )


@web.middleware
async def _explain(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Answer what a client did wrong as the real services do: 400 and a message."""
    try:
        return await handler(request)
    except _FAULTS as error:
        message = f"{type(error).__name__}: {error}"
        return web.json_response({"code": 400, "message": message}, status=400)


def _as_v1(entry: Json) -> Json:
    """Write an entry as Rekor v1's own API does, which differs from bundles."""
    proof = entry["inclusionProof"]
    return {
        _hex(entry["logId"]["keyId"]): {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": _hex(entry["logId"]["keyId"]),
            "logIndex": int(entry["logIndex"]),
            "verification": {
                "inclusionProof": {
                    "checkpoint": proof["checkpoint"]["envelope"],
                    "hashes": [_hex(sibling) for sibling in proof["hashes"]],
                    "logIndex": int(proof["logIndex"]),
                    "rootHash": _hex(proof["rootHash"]),
                    "treeSize": int(proof["treeSize"]),
                },
                "signedEntryTimestamp": entry["inclusionPromise"][
                    "signedEntryTimestamp"
                ],
            },
        }
    }


def _bearer(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()


def _now() -> datetime:
    return datetime.now(UTC)
