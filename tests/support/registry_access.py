"""Who may use a registry of the tests: anybody, a user by password, or by token.

CNCF distribution asks for it itself, as configured here; for go-containerregistry's,
which asks nobody, the front does.

Source:
    distribution's docs/content/spec/auth/{token,jwt}.md; RFC 6750, section 3; RFC 7617.
"""

import base64
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

USER, PASSWORD = "robot", "not-a-secret"
_HASHED = "$2a$04$LFKEdckKUEeccmobnPekDeM8fQGDtceiedDWq3.q0kuOtdGdEtgKW"  # bcrypt
_SERVICE = _ISSUER = "registry.test"
_KEY_ID = "the only one"
_ALGORITHM = "ES256"
_FULL = "repository:*:pull,push"


class Auth(StrEnum):
    """How a registry knows its users."""

    NONE = "none"
    BASIC = "basic"
    TOKEN = "token"


class Access:
    """Knows the one user of a registry, and issues tokens to that one.

    Attributes:
        auth: How.
        token_path: Where tokens are had, at the registry's own host.
        token_life_s: How long those hold that are issued from now on, in seconds.
        issued: The number of tokens so far.
    """

    token_path = "/token"

    def __init__(self, auth: Auth, *, enforces: bool) -> None:
        self.auth = auth
        self.token_life_s = 300.0
        self.issued = 0
        self._enforces = enforces
        self._key = ec.generate_private_key(ec.SECP256R1())

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return why `request` is not passed on; None if it is."""
        if not self._enforces or self.auth is Auth.NONE:
            return None
        shown = request.headers.get("Authorization", "")
        if self.auth is Auth.BASIC:
            known = hmac.compare_digest(shown, basic(USER, PASSWORD))
            challenge = f'Basic realm="{_SERVICE}"'
        else:
            known = self._holds(shown.removeprefix("Bearer "))
            realm = f"{request.scheme}://{request.host}{self.token_path}"
            challenge = f'Bearer realm="{realm}",service="{_SERVICE}",scope="{_FULL}"'
        if known:
            return None
        errors = {"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}
        headers = {"WWW-Authenticate": challenge}
        return web.json_response(errors, status=401, headers=headers)

    def token(self, request: web.Request) -> web.Response:
        """Answer who asks for a token: the user gets all that is asked for."""
        shown = request.headers.get("Authorization", "")
        if not hmac.compare_digest(shown, basic(USER, PASSWORD)):
            challenge = {"WWW-Authenticate": f'Basic realm="{_SERVICE}"'}
            return web.json_response({}, status=401, headers=challenge)
        self.issued += 1
        token = self._issue(request.query.getall("scope", []))
        body = {"token": token, "expires_in": int(self.token_life_s)}
        return web.json_response(body)

    def own(self, repository: str) -> dict[str, str]:
        """Return the header by which the front itself may read `repository`."""
        match self.auth:
            case Auth.NONE:
                return {}
            case Auth.BASIC:
                return {"Authorization": basic(USER, PASSWORD)}
            case Auth.TOKEN:
                token = self._issue([f"repository:{repository}:pull"])
                return {"Authorization": f"Bearer {token}"}

    def distribution(self, folder: Path) -> dict[str, Any]:
        """Return the part ``auth`` of distribution's configuration, its files written."""
        match self.auth:
            case Auth.NONE:
                return {}
            case Auth.BASIC:
                file = folder / "htpasswd"
                file.write_text(f"{USER}:{_HASHED}\n")
                return {"auth": {"htpasswd": {"realm": _SERVICE, "path": str(file)}}}
            case Auth.TOKEN:
                file = folder / "jwks.json"
                file.write_text(json.dumps({"keys": [self._public()]}))
                token = {
                    "realm": self.token_path,  # unused: `autoredirect` makes the real one
                    "autoredirect": True,
                    "autoredirectpath": self.token_path,
                    "service": _SERVICE,
                    "issuer": _ISSUER,
                    "jwks": str(file),
                    "signingalgorithms": [_ALGORITHM],
                }
                return {"auth": {"token": token}}

    def _public(self) -> dict[str, Any]:
        key: dict[str, Any] = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {**key, "kid": _KEY_ID, "use": "sig", "alg": _ALGORITHM}

    def _issue(self, scopes: list[str]) -> str:
        now = datetime.now(UTC)
        asked = [scope.split(":") for text in scopes for scope in text.split()]
        claims = {
            "iss": _ISSUER,
            "sub": USER,
            "aud": _SERVICE,
            "iat": now,
            "nbf": now,
            "exp": now + timedelta(seconds=self.token_life_s),
            "jti": secrets.token_hex(8),
            "access": [
                {
                    "type": kind,
                    "name": ":".join(name),
                    "actions": actions.split(","),
                }
                for kind, *name, actions in asked
            ],
        }
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": _KEY_ID})

    def _holds(self, token: str) -> bool:
        try:
            jwt.decode(token, self._key.public_key(), [_ALGORITHM], audience=_SERVICE)
        except jwt.InvalidTokenError:
            return False
        return True


def basic(user: str, password: str) -> str:
    """Return what the header ``Authorization`` says of somebody with a password."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
