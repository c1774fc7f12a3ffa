"""Every way to write that an API server offers, as requests that would do it.

Each is a dry run where the server has one; connections are opened for real.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from countersign.core.types.request import Verb
from tests.support.apiserver import (
    APPLY_PATCH,
    JSON,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
)
from tests.support.direct import Answered, Direct
from tests.support.discovery import Offer

NAMESPACE, ANOTHER = "census", "census-too"
SPECIMEN = "specimen"
CUSTOM = frozenset({"census.example", "countersign.dev"})

Tree = dict[str, Any]

_FILE = Path(__file__).parents[1] / "integration" / "census" / "specimens.yaml"
_MARK: Tree = {"metadata": {"annotations": {"census.example/counted": "1"}}}
# What these are called says what they are; a Namespace of a new name is not protected.
_NAMED = ("APIService", "CustomResourceDefinition", "Namespace")
_METHODS = {"create": "POST", "get": "GET", "update": "PUT", "delete": "DELETE"}
_DRY = "dryRun=All"
_QUERIES = {
    "attach": "?stdout=true",
    "exec": "?command=true&stdout=true",
    "portforward": "?ports=80",
}
_BODIES: dict[str, Tree] = {
    "Binding": {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": SPECIMEN},
        "target": {"kind": "Node", "name": SPECIMEN},
    },
    "Eviction": {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": SPECIMEN},
    },
    "TokenRequest": {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": ["census"]},
    },
    "LocalSubjectAccessReview": {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "LocalSubjectAccessReview",
        "metadata": {"namespace": NAMESPACE},
        "spec": {
            "user": "nobody",
            "resourceAttributes": {
                "namespace": NAMESPACE,
                "verb": "get",
                "resource": "pods",
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Try:
    """One request.

    Attributes:
        offer: What it is about.
        way: Verb of RBAC, and how: what a report names it by.
        operation: What admission is told.
        method, path, body, sort: Of HTTP.
    """

    offer: Offer
    way: str
    operation: Verb
    method: str
    path: str
    body: Any = None
    sort: str = JSON

    def __str__(self) -> str:
        """Name it in one line."""
        at = self.offer.resource
        return f"{at} {at.version} {self.way}"

    def send(self, server: Direct) -> Answered:
        """Make it happen."""
        return server.ask(self.method, self.path, self.body, sort=self.sort)


def specimens() -> list[Tree]:
    """Return the objects to try things on."""
    return [tree for tree in yaml.safe_load_all(_FILE.read_text()) if tree]


class Census:
    """Knows how to do everything that is offered."""

    def __init__(self, server: Direct) -> None:
        """Try things at `server`, where the specimens are."""
        self._server = server
        self._specimens = {
            (tree["apiVersion"], tree["kind"]): tree for tree in specimens()
        }

    def tries(self, offer: Offer) -> Iterator[Try]:
        """Yield at least one request for each verb that writes or connects."""
        at = offer.resource
        if offer.connects:
            for verb in sorted(offer.verbs):
                method = _METHODS.get(verb, verb.upper())
                path = offer.path(NAMESPACE, SPECIMEN)
                query = _QUERIES.get(at.subresource, "")
                body: Tree | None = None if method in ("GET", "DELETE") else {}
                yield Try(offer, verb, Verb.CONNECT, method, path + query, body)
            return
        if at.subresource or offer.kind in _BODIES:
            yield from self._of_subresource(offer)
        else:
            yield from self._of_object(offer)

    def _of_subresource(self, offer: Offer) -> Iterator[Try]:
        name = self._name(offer) if offer.resource.subresource else ""
        path = offer.path(NAMESPACE, name)
        if "create" in offer.verbs:
            body = _BODIES.get(offer.kind, {})
            where = f"{path}?{_DRY}"
            yield Try(offer, "create", Verb.CREATE, "POST", where, body)
        if offer.verbs & {"update", "patch"}:
            live = self._server.ask("GET", path).body
            if not offer.verbs & {"get"}:  # of /finalize: what it is of
                live = self._server.ask("GET", path.rpartition("/")[0]).body
            yield from self._changes(offer, path, live, _payload(offer, live))

    def _of_object(self, offer: Offer) -> Iterator[Try]:
        name = self._name(offer)
        live = self._server.ask("GET", offer.path(NAMESPACE, name)).body
        everywhere = offer.path(NAMESPACE)
        if "create" in offer.verbs:
            fresh = self._fresh(offer, live)
            path = offer.path(NAMESPACE, fresh["metadata"]["name"])
            yield Try(
                offer, "create", Verb.CREATE, "POST", f"{everywhere}?{_DRY}", fresh
            )
            if offer.kind not in _NAMED:
                named = copy.deepcopy(fresh)
                prefix = named["metadata"].pop("name") + "-"
                named["metadata"]["generateName"] = prefix
                yield Try(
                    offer,
                    "create, name generated",
                    Verb.CREATE,
                    "POST",
                    f"{everywhere}?{_DRY}",
                    named,
                )
            yield Try(
                offer, "create by update", Verb.CREATE, "PUT", f"{path}?{_DRY}", fresh
            )
            query = f"{_DRY}&fieldManager=census"
            yield Try(
                offer,
                "create by apply",
                Verb.CREATE,
                "PATCH",
                f"{path}?{query}",
                fresh,
                APPLY_PATCH,
            )
        yield from self._changes(offer, offer.path(NAMESPACE, name), live, _MARK)
        if "delete" in offer.verbs:
            path = f"{offer.path(NAMESPACE, name)}?{_DRY}"
            yield Try(offer, "delete", Verb.DELETE, "DELETE", path)
        if "deletecollection" in offer.verbs:
            path = f"{everywhere}?{_DRY}&fieldSelector=metadata.name%3D{name}"
            yield Try(offer, "deletecollection", Verb.DELETE, "DELETE", path)

    @staticmethod
    def _changes(offer: Offer, path: str, live: Tree, payload: Tree) -> Iterator[Try]:
        """Yield each way to change something that is there."""
        if "update" in offer.verbs:
            new = _merged(live, payload)
            yield Try(offer, "update", Verb.UPDATE, "PUT", f"{path}?{_DRY}", new)
        if "patch" not in offer.verbs:
            return
        named = {
            key: live[key] for key in ("apiVersion", "kind") if key in live
        } | _merged(payload, {"metadata": {"name": live["metadata"]["name"]}})
        steps = [
            {"op": "add", "path": f"/{part}/{key}", "value": value}
            for part, fields in payload.items()
            for key, value in fields.items()
        ]
        sorts = [(MERGE_PATCH, payload), (JSON_PATCH, steps), (APPLY_PATCH, named)]
        if offer.resource.group not in CUSTOM:
            sorts.append((STRATEGIC_PATCH, payload))
        for sort, body in sorts:
            mine = "&fieldManager=census&force=true" if sort == APPLY_PATCH else ""
            way = f"patch, {sort.removeprefix('application/').partition('-patch')[0]}"
            where = f"{path}?{_DRY}{mine}"
            yield Try(offer, way, Verb.UPDATE, "PATCH", where, body, sort)

    def _name(self, offer: Offer) -> str:
        """Return what the specimen of a resource is called."""
        at = offer.resource
        if (at.group, at.name) == ("", "namespaces"):
            return NAMESPACE
        whole = offer.path(NAMESPACE).removesuffix(f"/{at.subresource}")
        items = self._server.ask("GET", whole).body.get("items", [])
        names = sorted(item["metadata"]["name"] for item in items)
        ours = [name for name in names if SPECIMEN in name or NAMESPACE in name]
        assert names, f"{at} {at.version}: no specimen of it in {_FILE.name}"
        return str((ours or names)[0])

    def _fresh(self, offer: Offer, live: Tree) -> Tree:
        """Return a valid object that is not there yet."""
        found = self._specimens.get((live["apiVersion"], live["kind"]))
        fresh = copy.deepcopy(found or live)
        fresh.pop("status", None)
        fresh["metadata"] = {"name": "another"}
        if offer.kind == "Namespace":
            fresh["metadata"]["name"] = ANOTHER
        if "involvedObject" in fresh or "regarding" in fresh:
            fresh["metadata"]["namespace"] = NAMESPACE
        if offer.kind == "APIService":
            fresh["spec"]["group"] = "another.example"
            fresh["metadata"]["name"] = "v1.another.example"
        if offer.kind == "CustomResourceDefinition":
            fresh["spec"]["group"] = "another.example"
            fresh["metadata"]["name"] = "widgets.another.example"
        return fresh


def _payload(offer: Offer, live: Tree) -> Tree:
    """Return what to change through a subresource, so that it changes something."""
    match offer.resource.subresource:
        case "scale":
            return {"spec": {"replicas": 2}}
        case "ephemeralcontainers":
            one = {"name": "census", "image": "registry.example/tool"}
            return {"spec": {"ephemeralContainers": [one]}}
        case "resize":
            wanted = {"requests": {"cpu": "200m"}}
            containers = live["spec"]["containers"]
            return {"spec": {"containers": [{**containers[0], "resources": wanted}]}}
        case "finalize":
            return {"spec": {"finalizers": []}}
        case _:
            return _MARK


def _merged(tree: Tree, over: Tree) -> Tree:
    """Return `tree` with what `over` says besides; lists are values."""
    found = copy.deepcopy(tree)
    for key, value in over.items():
        maps = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merged(found[key], value) if maps else copy.deepcopy(value)
    return found
