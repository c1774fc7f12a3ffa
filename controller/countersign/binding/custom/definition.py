"""Compiled CustomResourceDefinitions: what is known of a custom kind."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from countersign.binding.custom.schema import (
    Schema,
    as_map,
    compile_schema,
    fingerprint,
)
from countersign.binding.tree import find, token
from countersign.core.types.artifacts import Json, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomKind:
    """One version of a custom kind, as a cluster serves it now.

    Attributes:
        group, version, kind, plural: Its names.
        namespaced: Its objects live in namespaces.
        status: Its status is a subresource: in the object the server ignores it. Where
            it is none, it is an ordinary field.
        replicas: JSON pointer to what ``/scale`` writes; ``""``: there is no such
            subresource.
        schema: What the server fills in and drops.
        prunes: Fields that the schema does not name are dropped; False only for
            definitions from before there were structural schemas.
        storage: The version in which objects are stored.
        whole: What is written in this version is stored whole: it is the storage
            version, or every version that is served keeps and fills in the same.
        converted: A webhook rewrites objects between versions.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    status: bool
    replicas: str
    schema: Schema
    prunes: bool
    storage: str
    whole: bool
    converted: bool

    @property
    def key(self) -> str:
        """Return ``apiVersion/kind``."""
        return f"{self.group}/{self.version}/{self.kind}"


def compile_definition(tree: Tree) -> tuple[CustomKind, ...]:
    """Return each version that a CustomResourceDefinition serves, compiled.

    Args:
        tree: As the server shows it, or as written: without a status it is taken for
            accepted, as it would be on a server without another of its names.

    Returns:
        Nothing for one whose names the server did not accept, and for one that cannot
        be read: its objects are of a kind that nobody knows.

    Source:
        ``getOrCreateServingInfoFor`` in apiextensions-apiserver's
        pkg/apiserver/customresource_handler.go.
    """
    spec = as_map(tree.get("spec"))
    names = as_map(find(tree, "/status/acceptedNames") or spec.get("names"))
    group, kind, plural = spec.get("group"), names.get("kind"), names.get("plural")
    versions = [as_map(version) for version in _list(spec.get("versions"))]
    served = [version for version in versions if version.get("served") is True]
    stored = [version for version in versions if version.get("storage") is True]
    if not (_are_names(group, kind, plural) and len(stored) == 1):
        return ()
    compiled = {str(v.get("name")): _schema(v) for v in (*served, *stored)}
    alike = len({_meaning(v, compiled[str(v.get("name"))]) for v in served}) == 1
    storage = str(stored[0].get("name"))
    known = {str(version.get("name")) for version in versions}
    known |= {str(name) for name in _list(find(tree, "/status/storedVersions"))}
    converted = find(tree, "/spec/conversion/strategy") == "Webhook" and len(known) > 1
    return tuple(
        CustomKind(
            group=str(group),
            version=name,
            kind=str(kind),
            plural=str(plural),
            namespaced=spec.get("scope") == "Namespaced",
            status=_has_status(version),
            replicas=_pointer(find(version, "/subresources/scale/specReplicasPath")),
            schema=compiled[name],
            prunes=spec.get("preserveUnknownFields") is not True,
            storage=storage,
            whole=name == storage or (alike and stored[0] in served),
            converted=converted,
        )
        for version in served
        for name in [str(version.get("name"))]
    )


def _schema(version: Mapping[str, Json]) -> Schema:
    return compile_schema(as_map(find(version, "/schema/openAPIV3Schema")))


def _has_status(version: Mapping[str, Json]) -> bool:
    return isinstance(find(version, "/subresources/status"), dict)


def _meaning(version: Mapping[str, Json], schema: Schema) -> bytes:
    """Return what versions must share for their objects to be the same."""
    said = [fingerprint(schema), _has_status(version)]
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _pointer(path: Json) -> str:
    """Read a path as ``.spec.replicas`` as a JSON pointer."""
    if not isinstance(path, str) or not path.startswith("."):
        return ""
    return "".join(f"/{token(part)}" for part in path[1:].split("."))


def _are_names(*said: Json) -> bool:
    return all(isinstance(name, str) and name for name in said)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
