"""Signing in with a browser: whoever types an e-mail address is that person.

Enough of OAuth for a client to be tested: the authorization code flow with PKCE.

Source:
    RFC 6749, section 4.1 (authorization code); RFC 7636 (PKCE, S256);
    RFC 8252, section 7.3 (loopback redirection).
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from tools.sigstore.encoding import sha256

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PASSED_ON = ("redirect_uri", "state", "code_challenge", "code_challenge_method")


@dataclass(frozen=True, slots=True)
class _Grant:
    email: str
    redirect_uri: str
    challenge: str


class Login:
    """Asks who somebody is, and hands out codes that can be redeemed once."""

    def __init__(self) -> None:
        self._grants: dict[str, _Grant] = {}

    def page(self, query: Mapping[str, str]) -> str:
        """Render the form that asks for an e-mail address.

        Raises:
            ValueError: `query` is not a request this flow answers.
        """
        _check(query)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""))}">'
            for name in _PASSED_ON
        )
        return (
            "<!doctype html><title>virtual sigstore</title><h1>Who are you?</h1>"
            f'<form>{hidden}<input name="email" type="email" autofocus required>'
            "<button>Sign in</button></form>"
        )

    def authorize(self, query: Mapping[str, str]) -> str:
        """Return where to send the browser once `query` holds an ``email``.

        Raises:
            ValueError: `query` is not a request this flow answers.
        """
        _check(query)
        code = secrets.token_urlsafe()
        self._grants[code] = _Grant(
            query["email"], query["redirect_uri"], query["code_challenge"]
        )
        answer = urlencode({"code": code, "state": query.get("state", "")})
        return f"{query['redirect_uri']}?{answer}"

    def redeem(self, form: Mapping[str, str]) -> str:
        """Return the e-mail address behind a code.

        Raises:
            ValueError: The code is unknown or used, or the verifier is not its own.
        """
        grant = self._grants.pop(form.get("code", ""), None)
        if grant is None or form.get("redirect_uri") != grant.redirect_uri:
            raise ValueError("unknown code")
        digest = sha256(form.get("code_verifier", "").encode())
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not hmac.compare_digest(challenge, grant.challenge):
            raise ValueError("the code verifier does not match")
        return grant.email


def _check(query: Mapping[str, str]) -> None:
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        raise ValueError("code_challenge_method must be S256")
    if urlsplit(query.get("redirect_uri", "")).hostname not in _LOOPBACK:
        raise ValueError("redirect_uri must be on loopback")
