"""The type table against a server that has every API and every feature turned on."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from countersign.binding.minors import MINORS
from countersign.binding.tables import TABLES
from tests.support.apiserver import ApiServer, Tree
from tools import controlplane
from tools.controlplane import Options

# What Kubernetes' own discovery files are made with (hack/update-openapi-spec.sh).
_ALL = {"runtime-config": "api/all=true", "feature-gates": "AllAlpha=true,AllBeta=true"}

# Kinds of requests to subresources, which are no objects: they have no metadata.
_NO_OBJECTS = frozenset(
    {
        "v1/NodeProxyOptions",
        "v1/PodAttachOptions",
        "v1/PodExecOptions",
        "v1/PodPortForwardOptions",
        "v1/PodProxyOptions",
        "v1/ServiceProxyOptions",
    }
)


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[ApiServer]:
    with (
        controlplane.running(Options(apiserver_flags=_ALL)) as plane,
        closing(ApiServer(plane.admin)) as server,
    ):
        yield server


def discovered(server: ApiServer) -> dict[str, Tree]:
    """Return by ``apiVersion/kind`` the resource that a server lists for it."""
    roots = {"v1": "/api/v1"} | {
        version["groupVersion"]: f"/apis/{version['groupVersion']}"
        for group in server.request("GET", "/apis")["groups"]
        for version in group["versions"]
    }
    found: dict[str, Tree] = {}
    for version, root in roots.items():
        resources = server.request("GET", root)["resources"]
        names = {one["name"] for one in resources}
        for one in resources:
            of = "/".join(filter(None, (one.get("group"), one.get("version"))))
            key = f"{of or version}/{one['kind']}"
            has_status = f"{one['name']}/status" in names
            if "/" not in one["name"] or key not in found:
                found[key] = {**one, "status": has_status}
    return found


def test_the_table_says_what_discovery_says(server: ApiServer) -> None:
    """Every kind that is served, and none that is not; where it lives; its status."""
    minor = ".".join(
        server.request("GET", "/version")[part].rstrip("+")
        for part in ("major", "minor")
    )
    (table,) = [one for one in TABLES if one.minor == minor]
    served = discovered(server)

    assert minor in MINORS
    assert table.kinds.keys() == served.keys() - _NO_OBJECTS
    for key, described in table.kinds.items():
        one = served[key]
        below = "/" in one["name"]
        assert described["namespaced"] == one["namespaced"], key
        assert described["status"] == (one["status"] and not below), key
        assert described["resource"] == ("" if below else one["name"]), key
        assert described["listed"] == ("list" in one["verbs"] and not below), key
