"""What the server's OpenAPI says about types: which fields are required, which enums."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.apiserver import ApiServer, Tree


@dataclass(frozen=True, slots=True)
class Schemas:
    """Types by their name in the type table, as ``core/v1.Pod``.

    Attributes:
        required: The fields that must be there.
        enums: The values of ``TYPE.FIELD`` where they are enumerated.
    """

    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_schemas(server: ApiServer) -> Schemas:
    """Read ``/openapi/v3`` for all versions that the server serves."""
    required: dict[str, tuple[str, ...]] = {}
    enums: dict[str, tuple[str, ...]] = {}
    for document in server.request("GET", "/openapi/v3")["paths"].values():
        path = document["serverRelativeURL"]
        schemas = server.request("GET", path).get("components", {}).get("schemas", {})
        for long_name, schema in schemas.items():
            name = _short(long_name)
            required[name] = tuple(schema.get("required", ()))
            for key, described in schema.get("properties", {}).items():
                values = _enum(described)
                if values:
                    enums[f"{name}.{key}"] = values
    return Schemas(required, enums)


def _short(name: str) -> str:
    """``io.k8s.api.core.v1.Pod`` is ``core/v1.Pod``."""
    *_, group, version, kind = ("", "", *name.split("."))
    return f"{group}/{version}.{kind}"


def _enum(described: Tree) -> tuple[str, ...]:
    return tuple(v for v in described.get("enum", ()) if v is not None)
