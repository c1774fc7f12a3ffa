"""What an API server offers, as its aggregated discovery says it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from countersign.core.types.request import Resource, Verb

ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
READS = frozenset({"get", "list", "watch"})

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Offer:
    """A resource or subresource in one version, and what can be done with it.

    Attributes:
        resource: Its name, version and subresource.
        kind: Of what is sent; ``""`` where discovery does not say.
        namespaced: Whether its objects live in namespaces.
        verbs: As RBAC spells them.
    """

    resource: Resource
    kind: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def connects(self) -> bool:
        """Tell whether each verb opens a connection: then none of them is a read."""
        return bool(self.resource.subresource) and self.kind.endswith("Options")

    @property
    def operations(self) -> dict[str, Verb]:
        """Return what admission is told of each verb; reads are not admitted."""
        if self.connects:
            return dict.fromkeys(sorted(self.verbs), Verb.CONNECT)
        known = {
            "create": Verb.CREATE,
            "update": Verb.UPDATE,
            "patch": Verb.UPDATE,
            "delete": Verb.DELETE,
            "deletecollection": Verb.DELETE,
        }
        return {verb: known[verb] for verb in sorted(self.verbs - READS)}

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of the collection, or of an object and its subresource."""
        at, place = self.resource, f"/namespaces/{namespace}" if self.namespaced else ""
        root = f"/apis/{at.group}/{at.version}" if at.group else f"/api/{at.version}"
        found = f"{root}{place}/{at.name}" + (f"/{name}" if name else "")
        return f"{found}/{at.subresource}" if at.subresource else found


def offers(*lists: Tree) -> Iterator[Offer]:
    """Yield all that discovery lists, in its order."""
    for one in lists:
        for group in one["items"]:
            for version in group["versions"]:
                for entry in version["resources"]:
                    yield from _offered(
                        group["metadata"].get("name", ""), version["version"], entry
                    )


def _offered(group: str, version: str, entry: Tree) -> Iterator[Offer]:
    name, namespaced = entry["resource"], entry["scope"] == "Namespaced"
    for part in (entry, *entry.get("subresources", ())):
        tail = part.get("subresource", "")
        yield Offer(
            resource=Resource(group, version, name, tail),
            kind=part.get("responseKind", {}).get("kind", ""),
            namespaced=namespaced,
            verbs=frozenset(part["verbs"]),
        )
