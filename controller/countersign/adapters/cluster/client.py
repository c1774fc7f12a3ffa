"""The API server: what is read of it, and the little that is ever written.

Of the official client this uses what is worth most: kubeconfig, exec plug-ins and
in-cluster credentials with their rotation. Its models are never loaded: requests and
answers are bytes.
"""

import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import (
    ConfigException,
    load_incluster_config,
    load_kube_config,
)
from yaml import YAMLError

from countersign.adapters.cluster.skew import ahead_of
from countersign.adapters.cluster.source import Away, Gone, NotThere
from countersign.core.errors import Misconfigured, Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.wire.resources.kinds import GROUP

_PAGE = 500  # objects of one LIST request, as client-go asks for
_QUIET = 10.0  # seconds a watch may outlive the end it was asked for
_OK, _CREATED, _NOT_FOUND, _GONE, _FAULTY = 200, 201, 404, 410, 500
_TOO_MANY = 429  # ours to wait for, not to give up
_UNKNOWN = 401
_ITS_OWN = ("/api/", f"/apis/{GROUP}/")  # what nobody else can answer for it
_JSON, _APPLY = "application/json", "application/apply-patch+yaml"
_NAMES = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_SCHEME = re.compile("^bearer ", re.IGNORECASE)  # in a Pod the client writes it small
_MAX_LINE = 8 << 20  # bytes of one event; etcd keeps objects of 1.5 MiB
_MAX_SAID = 1024  # characters of a refusal that are passed on
# What the client lets out of a file that is no kubeconfig: it looks into what it read
_NO_KUBECONFIG = (YAMLError, TypeError, AttributeError, LookupError, ValueError)


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to reach the API server, for clients that are not ours; files in PEM.

    Attributes:
        server: URL.
        ca_file, certificate_file, key_file: None: not used.
        token: Bearer token; None: not used.
        verify: Whether the server's certificate is checked.
    """

    server: str
    ca_file: str | None
    certificate_file: str | None
    key_file: str | None
    token: str | None
    verify: bool


class ApiServer:
    """Speaks to one API server as one user. Made by :func:`connect`.

    Attributes:
        date: The server's clock, as the header ``Date`` of its last answer; else ``""``.
        ahead_s: Seconds that our clock was ahead when it last told its own time; None:
            it told none yet. Who serves another group may have another clock.
    """

    def __init__(self, client: ApiClient, request_s: float) -> None:
        self._client = client
        self._request_s = request_s
        self.date = ""
        self.ahead_s: float | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`.

        Raises:
            NotThere: 404.
            Gone: 410.
            Unavailable: no answer in time, or another status than 200.
        """
        timeout = aiohttp.ClientTimeout(total=self._request_s)
        async with self._open(path, query or {}, timeout) as response:
            return await _tree(response, path)

    async def create(self, path: str, tree: Tree, *, dry_run: bool = False) -> Tree:
        """Create an object in the list at `path`; return it as stored.

        Reviews of tokens and of access are created, too: nothing of them is stored.
        Nor is anything by a dry run, which is judged all the same.

        Raises:
            Rejected: the server refuses it, or the user may not; in its own words.
            NotThere: 404.
            Unavailable: no answer in time, or a fault of the server.
        """
        asked = {"dryRun": "All"} if dry_run else {}
        return await self._send("POST", path, tree, _JSON, asked)

    async def apply(
        self, path: str, tree: Tree, *, manager: str, dry_run: bool = False
    ) -> Tree:
        """Apply `tree` server-side to the object, or subresource, at `path`.

        Args:
            path: Of the object or of its subresource.
            tree: The fields that `manager` owns from now on; all others it lets go.
            manager: Of fields; takes them from others.
            dry_run: Whether nothing is stored.

        Raises:
            Rejected, NotThere, Unavailable: as :meth:`create`.
        """
        query = {"fieldManager": manager, "force": "true"}
        if dry_run:
            query["dryRun"] = "All"
        return await self._send("PATCH", path, tree, _APPLY, query)

    async def replace(self, path: str, tree: Tree) -> Tree:
        """Put `tree` in the place of the object at `path`, of the version it names.

        Raises:
            Rejected: somebody else was faster, too.
            NotThere, Unavailable: as :meth:`create`.
        """
        return await self._send("PUT", path, tree, _JSON, {})

    async def delete(self, path: str, uid: str) -> None:
        """Delete the object at `path`, if it is still the one with that uid.

        Raises:
            Rejected, NotThere, Unavailable: as :meth:`create`.
        """
        options: Tree = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
        }
        await self._send("DELETE", path, options, _JSON, {})

    async def _send(
        self, method: str, path: str, tree: Tree, sort: str, query: Mapping[str, str]
    ) -> Tree:
        limits = aiohttp.ClientTimeout(total=self._request_s)
        opened = self._open(path, query, limits, method, (sort, tree))
        async with opened as response:
            return await _tree(response, path)

    async def pages(
        self, path: str, size: int, *, names_only: bool = False
    ) -> AsyncIterator[tuple[list[Tree], str]]:
        """Yield the objects at `path` page by page, each with the version of the list.

        Args:
            path: Of the list.
            size: Most objects of one page.
            names_only: Their metadata is enough.

        Raises:
            NotThere, Gone, Unavailable: as :meth:`get`.
        """
        query = {"limit": str(size)}
        timeout = aiohttp.ClientTimeout(total=self._request_s)
        accept = _NAMES if names_only else _JSON
        while True:
            async with self._open(path, query, timeout, accept=accept) as response:
                page = await _tree(response, path)
            found, about = page.get("items"), page.get("metadata")
            if not isinstance(about, dict):
                raise Unavailable(f"expected a list at {path}")
            # items of built-in kinds do not say what they are, but their list does
            said = {
                "apiVersion": page.get("apiVersion"),
                "kind": str(page.get("kind", "")).removesuffix("List"),
            }
            items = found if isinstance(found, list) else []  # an empty one may be null
            yield (
                [{**said, **item} for item in items if isinstance(item, dict)],
                _version(about, path),
            )
            if not (more := about.get("continue")):
                return
            query["continue"] = str(more)

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Return all objects at `path`, and the version of the list.

        Raises:
            NotThere, Gone, Unavailable: as :meth:`get`.
        """
        items: list[Tree] = []
        version = ""
        async for page, at in self.pages(path, _PAGE):
            items += page
            version = at
        return items, version

    @asynccontextmanager
    async def watch(
        self, path: str, version: str, seconds: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a watch; inside, iterate over its lines until the server ends it.

        Args:
            path: Of the list.
            version: From where on.
            seconds: When the server shall end it; in whole seconds, at least one.

        Raises:
            NotThere, Gone, Unavailable: as :meth:`get`, and where it breaks off.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(max(1, round(seconds))),
        }
        timeout = aiohttp.ClientTimeout(
            total=seconds + _QUIET, sock_connect=self._request_s
        )
        async with (
            self._open(path, query, timeout) as response,
            aclosing(_lines(response.content)) as lines,
        ):
            yield lines

    @asynccontextmanager
    async def _open(
        self,
        path: str,
        query: Mapping[str, str],
        limits: aiohttp.ClientTimeout,
        method: str = "GET",
        sent: tuple[str, Tree] | None = None,
        *,
        accept: str = _JSON,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            sort, tree = sent or (_JSON, None)
            method, url, headers, _, _ = await self._client.param_serialize(
                method,
                path,
                query_params=list(query.items()),
                header_params={"Accept": accept, "Content-Type": sort},
                auth_settings=["BearerToken"],
            )
            answer = await self._client.call_api(
                method, url, headers, tree, _request_timeout=limits
            )
            async with answer.response as response:
                self.date = response.headers.get("Date", "")
                if path.startswith(_ITS_OWN):
                    told_s = ahead_of(self.date)
                    self.ahead_s = self.ahead_s if told_s is None else told_s
                if response.status not in (_OK, _CREATED):
                    if sent and _OK < response.status < _FAULTY:
                        raise await _rejected(response, path)
                    raise _refused(response.status, path)
                try:
                    yield response
                finally:
                    _drop(response)
        except TimeoutError as error:
            raise Away(f"no answer from the API server at {path}") from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise Away(f"the API server broke off at {path}: {error}") from error
        except (aiohttp.ClientError, OSError, ValueError, ConfigException) as error:
            # ValueError: a line that is too long, a URL that is none
            raise Unavailable(f"the API server broke off at {path}: {error}") from error


def _drop(response: aiohttp.ClientResponse) -> None:
    """Give up the connection of an answer that was not read to its end.

    Closed in TLS' polite way it would wait for the server's farewell, which nobody
    waits for: when the session ends, it would outlive it.
    """
    connection = response.connection  # None: at its end, and given back
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


async def _lines(content: aiohttp.StreamReader) -> AsyncGenerator[bytes, None]:
    """Yield lines of up to `_MAX_LINE`; aiohttp's own reader ends at 128 KiB."""
    kept = bytearray()
    async for chunk in content.iter_any():
        kept += chunk
        if b"\n" in chunk:
            *lines, rest = bytes(kept).split(b"\n")
            kept = bytearray(rest)
            for line in lines:
                yield line
        if len(kept) > _MAX_LINE:
            raise ValueError(f"a line of more than {_MAX_LINE} bytes")


async def _tree(response: aiohttp.ClientResponse, path: str) -> Tree:
    try:
        tree = orjson.loads(await response.read())
    except orjson.JSONDecodeError as error:
        raise Unavailable(f"expected JSON at {path}: {error}") from error
    if not isinstance(tree, dict):
        raise Unavailable(f"expected a JSON object at {path}")
    return tree


def _version(about: Tree, path: str) -> str:
    version = about.get("resourceVersion")
    if not isinstance(version, str) or not version:
        raise Unavailable(f"expected a list with a version at {path}")
    return version


def _refused(status: int, path: str) -> Unavailable:
    kind: type[Unavailable] = Away if _cannot_now(status) else Unavailable
    kind = {_NOT_FOUND: NotThere, _GONE: Gone}.get(status, kind)
    return kind(f"the API server answered {status} at {path}")


def _cannot_now(status: int) -> bool:
    # 401: of no one path either, and over when the server knows its authorities again
    return status >= _FAULTY or status in (_UNKNOWN, _TOO_MANY)


async def _rejected(
    response: aiohttp.ClientResponse, path: str
) -> Unavailable | Rejected:
    """Tell what became of something sent; a refusal in the server's own words."""
    if response.status in (_NOT_FOUND, _TOO_MANY):
        return _refused(response.status, path)
    said = (await _tree(response, path)).get("message")
    return Rejected(f"the API server refused it: {str(said)[:_MAX_SAID]}")


@asynccontextmanager
async def connect(
    *, kubeconfig: Path | None, context: str | None, request_s: float
) -> AsyncIterator[ApiServer]:
    """Connect as the Pod's service account, or as a kubeconfig says.

    Args:
        kubeconfig: Absent: the service account where there is one, else ``KUBECONFIG``.
        context: Of the kubeconfig; absent: its current one.
        request_s: Time for one request, in seconds.

    Raises:
        Misconfigured: no usable credentials.
    """
    client = ApiClient(await _settings(kubeconfig, context))
    client.user_agent = "countersign"
    try:
        yield ApiServer(client, request_s)
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # theirs


async def credentials(*, kubeconfig: Path | None, context: str | None) -> Credentials:
    """Return the present credentials of :func:`connect`; tokens among them pass.

    Raises:
        Misconfigured: no usable credentials.
    """
    found = await _settings(kubeconfig, context)
    said = await found.get_api_key_with_prefix("BearerToken")
    return Credentials(
        server=found.host,
        ca_file=found.ssl_ca_cert,
        certificate_file=found.cert_file,
        key_file=found.key_file,
        token=_SCHEME.sub("", said) if said else None,
        verify=found.verify_ssl,
    )


async def _settings(kubeconfig: Path | None, context: str | None) -> Configuration:
    settings = Configuration()
    if kubeconfig is not None and not _is_file(kubeconfig):
        raise Misconfigured(f"expected a kubeconfig, saw no file {kubeconfig}")
    try:
        if kubeconfig is None and context is None and _in_cluster():
            load_incluster_config(settings)  # type: ignore[no-untyped-call]  # theirs
        else:
            await load_kube_config(  # type: ignore[no-untyped-call]  # theirs
                config_file=str(kubeconfig) if kubeconfig else None,
                context=context,
                client_configuration=settings,
                persist_config=False,
            )
    except (ConfigException, OSError) as error:
        raise Misconfigured(f"no way to the API server: {error}") from error
    except _NO_KUBECONFIG as error:
        seen = kubeconfig or "what KUBECONFIG names"
        raise Misconfigured(f"expected a kubeconfig, saw {seen}: {error}") from error
    return settings


def _is_file(path: Path) -> bool:
    return path.is_file()


def _in_cluster() -> bool:
    # set by the kubelet in every Pod; the client looks at the same
    return "KUBERNETES_SERVICE_HOST" in os.environ
