"""Who asks, and whether they may: nothing is said before both are known."""

import ssl
from typing import Protocol

from aiohttp import hdrs, web
from cryptography import x509
from cryptography.x509.oid import NameOID

from countersign.adapters.recorder.reviews import Caller
from countersign.core.errors import Unavailable
from countersign.faces.recorder.tls import Doorway
from countersign.ports import Clock

RIGHT = "decisions.countersign.dev"
_ROLES = {"get": "countersign-signer", "list": "countersign-viewer"}
_EVERYBODY = "system:authenticated"


class Reviews(Protocol):
    """Asks the API server."""

    async def authenticate(self, token: str) -> Caller | None:
        """Return whose token it is; None: nobody's. Unavailable."""
        ...

    async def allowed(
        self, caller: Caller, verb: str, namespace: str, name: str = ""
    ) -> bool:
        """Tell whether `caller` may do `verb` to decisions. Unavailable."""
        ...


class Access:
    """Lets people in.

    Args:
        reviews: What the API server says.
        doorway: What people's certificates were checked against.
        clock: The present.
    """

    def __init__(self, reviews: Reviews, doorway: Doorway, clock: Clock) -> None:
        self._reviews = reviews
        self._doorway = doorway
        self._clock = clock

    async def caller(self, http: web.Request) -> Caller:
        """Return who asks: by certificate, else by token, as the API server does it.

        Raises:
            HTTPUnauthorized: neither says so.
            HTTPServiceUnavailable: the API server did not answer.
        """
        if (known := self._certified(http)) is not None:
            return known
        scheme, _, token = http.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "bearer" and token:
            try:
                known = await self._reviews.authenticate(token.strip())
            except Unavailable as error:
                raise _wait(error) from error
        if known is None:
            raise web.HTTPUnauthorized(
                text="expected a bearer token, or a client certificate, that the API "
                "server knows; saw none: use a kubeconfig of this cluster",
                headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="countersign"'},
            )
        return known

    async def may(
        self, caller: Caller, verb: str, namespace: str, name: str = ""
    ) -> bool:
        """Tell whether `caller` may; see `Reviews.allowed`.

        Raises:
            HTTPServiceUnavailable: the API server did not answer.
        """
        try:
            return await self._reviews.allowed(caller, verb, namespace, name)
        except Unavailable as error:
            raise _wait(error) from error

    def _certified(self, http: web.Request) -> Caller | None:
        connection = http.get_extra_info("ssl_object")
        # One made under an authority that was since replaced proves nothing any more
        if (
            not isinstance(connection, ssl.SSLObject)
            or connection.context is not self._doorway.current
        ):
            return None
        shown = connection.getpeercert(binary_form=True)
        return None if shown is None else self._named(shown)

    def _named(self, certificate: bytes) -> Caller | None:
        try:
            leaf = x509.load_der_x509_certificate(certificate)
            names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            units = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        except ValueError:
            return None
        # it was in time when the connection was made
        if not names or leaf.not_valid_after_utc < self._clock.now():
            return None
        groups = tuple(str(unit.value) for unit in units)
        name = str(names[-1].value)
        return Caller(name, groups=(*groups, _EVERYBODY)) if name else None


def forbidden_list(caller: Caller, namespace: str) -> web.HTTPForbidden:
    """Return the answer to who may not list: which right is missing, and what has it."""
    where = f'in namespace "{namespace}"' if namespace else "in all of the cluster"
    bind = "RoleBinding there" if namespace else "ClusterRoleBinding"
    return web.HTTPForbidden(
        text=f'expected the right to list {RIGHT} {where}, which user "{caller.name}" '
        f"has not: ask for a {bind} to the ClusterRole {_ROLES['list']}"
    )


def forbidden_get(caller: Caller) -> web.HTTPForbidden:
    """Return the answer to who may not see a decision, and whether there is one or not.

    It names no namespace: that there is such a decision is itself something to know.
    """
    return web.HTTPForbidden(
        text=f"expected a decision in whose namespace user "
        f'"{caller.name}" has the right to get {RIGHT}, saw none: ask for a RoleBinding '
        f"in the namespace of the object to the ClusterRole {_ROLES['get']}"
    )


def _wait(error: Unavailable) -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(
        text=f"could not find out who may see this: {error}",
        headers={hdrs.RETRY_AFTER: "1"},
    )
