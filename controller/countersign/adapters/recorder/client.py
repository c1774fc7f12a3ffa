"""A recorder, as whoever reads it sees it: :class:`~countersign.ports.Recorder`.

The credentials of the kubeconfig are shown to it, so it must first prove who it is:
only over TLS, only by the authority given, and never anywhere else it may point to.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp

from countersign.adapters.cluster.client import Credentials, connect, credentials
from countersign.adapters.cluster.source import NotThere
from countersign.adapters.recorder.portforward import NAMESPACE, SERVICE, forwarded
from countersign.core.errors import Malformed, Misconfigured, Rejected, Unavailable
from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.decision import Recorded
from countersign.core.types.survey import Recording
from countersign.ports import Query, Recorder
from countersign.wire.decision import MAX_KEPT, parse_recorded
from countersign.wire.recording import parse_recording
from countersign.wire.shapes import render_time
from countersign.wire.strict_json import parse_json

_REQUEST_S = 15.0  # seconds for one answer: a person waits
_MAX_ANSWER = 64 << 20  # bytes: the longest list there is room for
_MAX_ONE = 2 * MAX_KEPT  # bytes of one decision: its JSON may be written wider
_CHUNK = 1 << 16  # bytes
_SERVER_NAME = f"{SERVICE}.{NAMESPACE}.svc"
_AUTHORITY = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{SERVICE}"
_SLASHES = 2  # in an address without a path
_OK, _UNAUTHENTICATED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404


@asynccontextmanager
async def open_recorder(
    *,
    url: str | None,
    ca: Path | None,
    kubeconfig: Path | None,
    context: str | None,
) -> AsyncIterator[Recorder]:
    """Reach a recorder as the user of a kubeconfig.

    Args:
        url: Its address, ``https://host:port``; None: a port-forward to its Service.
        ca: Its certificate authority, PEM; None: of the cluster's ConfigMap, or of the
            system where there is a URL.
        kubeconfig: None: as kubectl finds it.
        context: Of the kubeconfig; None: its current one.

    Raises:
        Misconfigured: no usable kubeconfig, URL or authority.
        Unavailable: the port-forward does not come up.
    """
    shown = await credentials(kubeconfig=kubeconfig, context=context)
    if url is not None:
        async with _session(_checked(url), _trust(ca, None, shown)) as session:
            yield RecorderClient(session, shown)
        return
    authority = None if ca else await _published(kubeconfig, context)
    trust = _trust(ca, authority, shown)
    async with (
        forwarded(kubeconfig=kubeconfig, context=context) as port,
        _session(f"https://127.0.0.1:{port}", trust) as session,
    ):
        yield RecorderClient(session, shown, server_name=_SERVER_NAME)


class RecorderClient:
    """Reads from one recorder. Made by :func:`open_recorder`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        shown: Credentials,
        *,
        server_name: str | None = None,
    ) -> None:
        self._session = session
        # a password, which old kubeconfigs hold, is no token
        token = shown.token if shown.token and " " not in shown.token else None
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._server_name = server_name

    async def get(self, decision: str) -> Recorded | None:
        """Return one decision whole, or None; see the port."""
        status, tree = await self._ask(
            f"/v1/decisions/{quote(decision, safe='')}", {}, _MAX_ONE
        )
        return None if status == _NOT_FOUND else _recorded(tree)

    async def find(self, query: Query) -> tuple[Recorded, ...]:
        """Return decisions, the newest first; see the port."""
        _, tree = await self._ask("/v1/decisions", _parameters(query), _MAX_ANSWER)
        listed = tree.get("decisions")
        if not isinstance(listed, list):
            raise Unavailable("expected a list of decisions of the recorder")
        return tuple(_recorded(one) for one in listed)

    async def status(self) -> Recording:
        """Return how recording goes; see :class:`~countersign.ports.Recorder`."""
        _, tree = await self._ask("/v1/status", {}, _MAX_ANSWER)
        try:
            return parse_recording(tree)
        except Malformed as error:
            raise Unavailable(f"expected a recorder's status: {error}") from error

    async def _ask(
        self, path: str, query: Mapping[str, str], limit: int
    ) -> tuple[int, Tree]:
        """Return status, 200 or 404, and what was said.

        Raises:
            Rejected, Unavailable: as the port says.
        """
        try:
            async with self._session.get(
                path,
                params=query,
                headers=self._headers,
                server_hostname=self._server_name,
                allow_redirects=False,  # whoever it points to is not who was proven
            ) as response:
                tree = _read(await _bounded(response.content, limit), limit)
                status = response.status
        except TimeoutError as error:
            raise Unavailable("no answer from the recorder in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _no_way(error) from error
        if status in {_OK, _NOT_FOUND}:
            return status, tree
        said = str(tree.get("error", f"it answered {status}"))
        if status in {_UNAUTHENTICATED, _FORBIDDEN}:
            raise Rejected(f"the recorder refuses: {said}")
        raise Unavailable(f"the recorder could not answer: {said}")


def _checked(url: str) -> str:
    """Return `url`, which nobody can listen to on the way.

    Raises:
        Misconfigured: it is none with ``https`` and a host.
    """
    try:
        told = urlsplit(url)
        sound = told.scheme == "https" and told.hostname and (told.port or True)
    except ValueError:
        sound = False
    if not sound or "@" in url or url.rstrip("/").count("/") != _SLASHES:
        raise Misconfigured(
            f"expected https://host:port of a recorder, saw {url[:80]!r}: credentials "
            "are sent to no other"
        )
    return url


def _trust(
    ca: Path | None, authority: str | None, shown: Credentials
) -> ssl.SSLContext:
    """Return our side of TLS: always verified, whatever the kubeconfig says."""
    try:
        context = ssl.create_default_context(cafile=ca, cadata=authority)
    except (OSError, ValueError) as error:
        where = str(ca) if ca else f"ConfigMap {SERVICE} in namespace {NAMESPACE}"
        raise Misconfigured(
            f"expected the recorder's authority, PEM, in {where}: {error}"
        ) from error
    if shown.certificate_file and shown.key_file:
        try:
            context.load_cert_chain(shown.certificate_file, shown.key_file)
        except OSError as error:
            raise Misconfigured(
                f"no usable client certificate in the kubeconfig: {error}"
            ) from error
    return context


@asynccontextmanager
async def _session(
    base: str, trust: ssl.SSLContext
) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        base,
        connector=aiohttp.TCPConnector(ssl=trust),
        timeout=aiohttp.ClientTimeout(total=_REQUEST_S),
        trust_env=False,
    ) as session:
        yield session


async def _published(kubeconfig: Path | None, context: str | None) -> str:
    """Return the authority that the installation publishes, PEM.

    Raises:
        Unavailable: the API server did not say, or says that there is none.
    """
    async with connect(
        kubeconfig=kubeconfig, context=context, request_s=_REQUEST_S
    ) as server:
        try:
            found = await server.get(_AUTHORITY)
        except NotThere as error:
            raise Unavailable(
                f"expected ConfigMap {SERVICE} in namespace {NAMESPACE}, saw none: give "
                "the recorder with --recorder URL"
            ) from error
    data = found.get("data")
    authority = data.get("ca.crt") if isinstance(data, dict) else None
    if not isinstance(authority, str) or not authority:
        raise Unavailable(
            f"expected ca.crt in ConfigMap {SERVICE} of namespace {NAMESPACE}, saw none"
        )
    return authority


def _parameters(query: Query) -> dict[str, str]:
    """Return the query string of a search: what is not asked is not said."""
    since, outcome = query.since, query.outcome
    said = {
        "namespace": query.namespace,
        "kind": query.kind or None,
        "name": query.name or None,
        "outcome": None if outcome is None else outcome.value,
        "person": query.person or None,
        "since": None if since is None else render_time(since),
        "until": None if query.until is None else render_time(query.until),
        "debts": "true" if query.debts else None,
        "limit": str(query.limit),
    }
    return {name: value for name, value in said.items() if value is not None}


def _recorded(tree: Json) -> Recorded:
    try:
        return parse_recorded(tree)
    except Malformed as error:
        raise Unavailable(f"expected a decision of the recorder: {error}") from error


def _read(data: bytes, limit: int) -> Tree:
    try:
        tree = parse_json(data, limit=limit)
    except Malformed as error:
        said = data[:80].decode(errors="replace")
        raise Unavailable(
            f"expected JSON of a recorder, saw {said!r}: is it one?"
        ) from error
    if not isinstance(tree, dict):
        raise Unavailable("expected a JSON object of a recorder")
    return tree


async def _bounded(content: aiohttp.StreamReader, limit: int) -> bytes:
    kept = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        kept += chunk
        if len(kept) > limit:
            raise Unavailable(f"expected an answer of at most {limit} bytes")
    return bytes(kept)


def _no_way(error: Exception) -> Unavailable:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLError):
        return Unavailable(
            f"the recorder is not who it should be, or does not know your certificate: "
            f"{error}; expected one of --recorder-ca"
        )
    return Unavailable(f"no way to the recorder: {error}")
