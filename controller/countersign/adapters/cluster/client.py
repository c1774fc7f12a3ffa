"""The API server, as far as reading goes.

Of the official client this uses what is worth most: kubeconfig, exec plug-ins and
in-cluster credentials with their rotation. Its models are never loaded: requests and
answers are bytes.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
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

from countersign.adapters.cluster.source import Gone, NotThere
from countersign.core.errors import Misconfigured, Unavailable
from countersign.core.types.artifacts import Tree

_PAGE = 500  # objects of one LIST request, as client-go asks for
_QUIET = 10.0  # seconds a watch may outlive the end it was asked for
_OK, _NOT_FOUND, _GONE = 200, 404, 410
# What the client lets out of a file that is no kubeconfig: it looks into what it read
_NO_KUBECONFIG = (YAMLError, TypeError, AttributeError, LookupError, ValueError)


class ApiServer:
    """Reads from one API server as one user. Made by :func:`connect`."""

    def __init__(self, client: ApiClient, request_s: float) -> None:
        self._client = client
        self._request_s = request_s

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`.

        Raises:
            NotThere: 404.
            Gone: 410.
            Unavailable: no answer in time, or another status than 200.
        """
        timeout = aiohttp.ClientTimeout(total=self._request_s)
        async with self._open(path, query or {}, timeout) as response:
            try:
                tree = orjson.loads(await response.read())
            except orjson.JSONDecodeError as error:
                raise Unavailable(f"expected JSON at {path}: {error}") from error
        if not isinstance(tree, dict):
            raise Unavailable(f"expected a JSON object at {path}")
        return tree

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Return all objects at `path`, and the version of the list.

        Raises:
            NotThere, Gone, Unavailable: as :meth:`get`.
        """
        items: list[Tree] = []
        query = {"limit": str(_PAGE)}
        while True:
            page = await self.get(path, query)
            found, about = page.get("items"), page.get("metadata")
            if not isinstance(about, dict):
                raise Unavailable(f"expected a list at {path}")
            # items of built-in kinds do not say what they are, but their list does
            said = {
                "apiVersion": page.get("apiVersion"),
                "kind": str(page.get("kind", "")).removesuffix("List"),
            }
            if isinstance(found, list):  # an empty list may be null
                items += [{**said, **item} for item in found if isinstance(item, dict)]
            if not (more := about.get("continue")):
                return items, _version(about, path)
            query["continue"] = str(more)

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
        async with self._open(path, query, timeout) as response:
            yield aiter(response.content)

    @asynccontextmanager
    async def _open(
        self, path: str, query: Mapping[str, str], limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            method, url, headers, _, _ = await self._client.param_serialize(
                "GET",
                path,
                query_params=list(query.items()),
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
            )
            answer = await self._client.call_api(
                method, url, headers, _request_timeout=limits
            )
            async with answer.response as response:
                if response.status != _OK:
                    raise _refused(response.status, path)
                yield response
        except TimeoutError as error:
            raise Unavailable(f"no answer from the API server at {path}") from error
        except (aiohttp.ClientError, OSError, ValueError, ConfigException) as error:
            # ValueError: a line longer than the client's buffer, a URL that is none
            raise Unavailable(f"the API server broke off at {path}: {error}") from error


def _version(about: Tree, path: str) -> str:
    version = about.get("resourceVersion")
    if not isinstance(version, str) or not version:
        raise Unavailable(f"expected a list with a version at {path}")
    return version


def _refused(status: int, path: str) -> Unavailable:
    kind = {_NOT_FOUND: NotThere, _GONE: Gone}.get(status, Unavailable)
    return kind(f"the API server answered {status} at {path}")


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
    client = ApiClient(settings)
    client.user_agent = "countersign"
    try:
        yield ApiServer(client, request_s)
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # theirs


def _is_file(path: Path) -> bool:
    return path.is_file()


def _in_cluster() -> bool:
    # set by the kubelet in every Pod; the client looks at the same
    return "KUBERNETES_SERVICE_HOST" in os.environ
