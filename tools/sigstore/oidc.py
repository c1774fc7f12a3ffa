"""The identity provider: signs tokens that say who somebody is.

One key speaks for every issuer, so that a demonstration can have a company's accounts and
a forge's workflows without two more services. Whoever holds the folder can be anybody.

Source:
    OpenID Connect Core 1.0 (ID token); RFC 7517 (JWKS);
    github.com/sigstore/fulcio, docs/oidc.md (claims of workflows; ours are URIs already).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tools.sigstore.ca import Claim, Identity
from tools.sigstore.encoding import sha256, spki
from tools.sigstore.vault import Vault

PEOPLE = "https://accounts.sigstore.test"
WORKFLOWS = "https://workflows.sigstore.test"

_AUDIENCE = "sigstore"
_ALGORITHM = "ES256"
_LIFETIME = timedelta(hours=12)  # a demonstration may be left running for a day's work


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A run of a CI workflow.

    Attributes:
        file: URI of the workflow's own file and its ref, which is the SAN:
            ``https://FORGE/OWNER/REPO/.github/workflows/FILE@REF``.
        repository: URI of the repository on whose source it runs.
        revision: The commit.
        ref: Of the commit.
        trigger: Why it runs.
        runner: Where.
    """

    file: str
    repository: str
    revision: str
    ref: str = "refs/heads/main"
    trigger: str = "push"
    runner: str = "github-hosted"

    def claims(self) -> dict[str, str]:
        """Write them under the names that GitHub's tokens use."""
        return {
            "sub": f"repo:{self.repository}:ref:{self.ref}",
            "job_workflow_ref": self.file,
            "repository": self.repository,
            "sha": self.revision,
            "ref": self.ref,
            "event_name": self.trigger,
            "runner_environment": self.runner,
        }


class TokenIssuer:
    """Mints tokens, and reads those it minted.

    Args:
        vault: Keeps the key.
    """

    def __init__(self, vault: Vault) -> None:
        self._key = vault.ecdsa("oidc", ec.SECP256R1())
        self._key_id = sha256(spki(self._key.public_key())).hex()[:16]

    def mint(
        self,
        who: str | Workflow,
        *,
        at: datetime,
        issuer: str | None = None,
        lifetime: timedelta = _LIFETIME,
    ) -> str:
        """Sign a token.

        Args:
            who: A person's e-mail address, or a workflow.
            at: When it begins to hold; aware.
            issuer: Who vouches; None for the default of its kind.
            lifetime: How long it holds.
        """
        claims: dict[str, Any] = {
            "aud": _AUDIENCE,
            "iat": int(at.timestamp()),
            "nbf": int(at.timestamp()),
            "exp": int((at + lifetime).timestamp()),
        }
        if isinstance(who, Workflow):
            claims |= {"iss": issuer or WORKFLOWS, **who.claims()}
        else:
            claims |= {
                "iss": issuer or PEOPLE,
                "sub": who,
                "email": who,
                "email_verified": True,
            }
        return jwt.encode(
            claims, self._key, algorithm=_ALGORITHM, headers={"kid": self._key_id}
        )

    def read(self, token: str) -> Identity:
        """Verify a token and say whom a certificate for its bearer names.

        Raises:
            jwt.InvalidTokenError: It is not ours, has expired, is not yet valid, is
                meant for somebody else, or names neither an e-mail nor a workflow.
        """
        claims = self._claims(token)
        if "job_workflow_ref" in claims:
            return _workflow_identity(claims)
        if claims.get("email_verified") is True:
            return Identity(san=claims["email"], issuer=claims["iss"])
        raise jwt.InvalidTokenError("names neither a verified e-mail nor a workflow")

    def subject(self, token: str) -> str:
        """Verify a token and return what its bearer signs to prove to hold a key.

        Raises:
            jwt.InvalidTokenError: As of `read`.

        Source:
            github.com/sigstore/fulcio, fulcio.proto, ``PublicKeyRequest``.
        """
        claims = self._claims(token)
        return str(claims.get("email") or claims["sub"])

    def _claims(self, token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            self._key.public_key(),
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": ["aud", "exp", "iat", "iss", "sub"]},
        )
        return claims

    def jwks(self) -> dict[str, Any]:
        """Publish the key."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {
            "keys": [{**public, "kid": self._key_id, "alg": _ALGORITHM, "use": "sig"}]
        }


def _workflow_identity(claims: Mapping[str, str]) -> Identity:
    """Map a forge's claims to a certificate's, as Fulcio's configuration does."""
    return Identity(
        san=claims["job_workflow_ref"],
        issuer=claims["iss"],
        claims={
            Claim.BUILD_SIGNER: claims["job_workflow_ref"],
            Claim.RUNNER_ENVIRONMENT: claims["runner_environment"],
            Claim.SOURCE_REPOSITORY: claims["repository"],
            Claim.SOURCE_REVISION: claims["sha"],
            Claim.SOURCE_REF: claims["ref"],
            Claim.BUILD_TRIGGER: claims["event_name"],
        },
    )
