"""A plain client of a real API server: one connection, JSON in and out."""

import base64
import http.client
import json
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

Tree = dict[str, Any]

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class Refused(Exception):  # noqa: N818 - reads as what happened
    """The API server answered with an error.

    Attributes:
        code: The HTTP status.
        causes: The fields that it complains of, each with reason, message and field.
    """

    def __init__(self, code: int, message: str, causes: Sequence[Tree] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.causes = causes


class ApiServer:
    """Speaks to the API server as the user of a kubeconfig, which is JSON."""

    def __init__(self, kubeconfig: Path) -> None:
        server, context = context_of(kubeconfig)
        address = urlsplit(server)
        assert address.hostname is not None
        self._connection = http.client.HTTPSConnection(
            address.hostname, address.port, context=context, timeout=30
        )
        self._plurals: dict[str, tuple[str, bool]] = {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def request(
        self,
        method: str,
        path: str,
        body: Tree | list[Any] | None = None,
        *,
        content_type: str = JSON,
        **query: str,
    ) -> Tree:
        """Send one request and return the answer.

        Raises:
            Refused: the server answered with 400 or more.
        """
        if query:
            path += "?" + urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": JSON}
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        told = response.read()
        if response.status >= http.HTTPStatus.BAD_REQUEST and not told.startswith(b"{"):
            raise Refused(response.status, told.decode().strip())  # no such group
        answer: Tree = json.loads(told)
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            causes = answer.get("details", {}).get("causes", ())
            raise Refused(response.status, str(answer.get("message")), causes)
        return answer

    def collection(self, tree: Tree) -> str:
        """Return the path of the collection that an object belongs to."""
        version = tree["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        key = f"{version}/{tree['kind']}"
        if key not in self._plurals:
            for resource in self.request("GET", root)["resources"]:
                if "/" not in resource["name"]:
                    found = resource["name"], resource["namespaced"]
                    self._plurals[f"{version}/{resource['kind']}"] = found
        plural, namespaced = self._plurals[key]
        namespace = tree["metadata"].get("namespace", "default")
        return (
            f"{root}/namespaces/{namespace}/{plural}"
            if namespaced
            else f"{root}/{plural}"
        )

    def path(self, tree: Tree) -> str:
        """Return the path of an object."""
        return f"{self.collection(tree)}/{tree['metadata']['name']}"

    def create(self, tree: Tree, **query: str) -> Tree:
        """Create an object; ``dryRun="All"`` stores nothing."""
        return self.request("POST", self.collection(tree), tree, **query)

    def replace(self, tree: Tree, **query: str) -> Tree:
        """Replace an object."""
        return self.request("PUT", self.path(tree), tree, **query)

    def patch(self, tree: Tree, patch: Any, content_type: str, **query: str) -> Tree:
        """Patch the object that `tree` names."""
        return self.request(
            "PATCH", self.path(tree), patch, content_type=content_type, **query
        )

    def apply(self, tree: Tree, **query: str) -> Tree:
        """Apply an object server-side, taking over all fields."""
        query = {"fieldManager": "test", "force": "true", **query}
        return self.patch(tree, tree, APPLY_PATCH, **query)

    def get(self, tree: Tree) -> Tree:
        """Read the object that `tree` names."""
        return self.request("GET", self.path(tree))

    def delete(self, tree: Tree) -> None:
        """Delete an object at once, finalizers or not; one that is not there is fine."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        unheld = {"metadata": {"finalizers": None}}
        try:
            self.request("DELETE", self.path(tree), options)
            self.patch(tree, unheld, MERGE_PATCH)
        except Refused as error:
            if error.code != http.HTTPStatus.NOT_FOUND:
                raise


def context_of(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """Return the server's URL, and how the user of a kubeconfig speaks to it."""
    config = json.loads(kubeconfig.read_text(encoding="utf-8"))
    cluster = config["clusters"][0]["cluster"]
    user = config["users"][0]["user"]
    context = _context(
        cluster["certificate-authority-data"],
        user["client-certificate-data"],
        user["client-key-data"],
    )
    return str(cluster["server"]), context


def _context(authority: str, certificate: str, key: str) -> ssl.SSLContext:
    """Trust the server's authority and show the user's certificate."""
    context = ssl.create_default_context(cadata=base64.b64decode(authority).decode())
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(base64.b64decode(certificate) + b"\n" + base64.b64decode(key))
        pair.flush()
        context.load_cert_chain(pair.name)
    return context
