"""Where an identity token comes from, when none is given.

Importing this costs half a second: sigstore comes with it.
"""

from sigstore.errors import NetworkError
from sigstore.oidc import IdentityError, Issuer, IssuerError, detect_credential

from countersign.adapters.sign.config import SigstoreConfig
from countersign.core.errors import Rejected, Unavailable


def ambient_token() -> str | None:
    """Return the token that the CI system offers this job, or None outside of one.

    Raises:
        Rejected: the CI system is known, but gives this job no token.
    """
    try:
        return detect_credential()
    except IdentityError as error:
        raise Rejected(f"expected an identity token of the CI: {error}") from error


def browser_token(config: SigstoreConfig) -> str:
    """Have a person log in with a browser, and return the token.

    Blocks until they have. Prints the address where no browser can be opened.

    Raises:
        Misconfigured: the signing config names no identity provider.
        Unavailable: it does not answer.
        Rejected: the login failed.
    """
    try:
        return str(Issuer(config.issuer()).identity_token())
    except (NetworkError, IssuerError) as error:
        raise Unavailable(f"the identity provider did not answer: {error}") from error
    except IdentityError as error:
        raise Rejected(f"the login failed: {error}") from error
