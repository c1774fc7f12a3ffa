"""Comparing objects of a real API server with intents, as the webhook will."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any

from countersign.binding.canonical import canonical
from countersign.binding.facts import ClusterFacts, Fact, facts_needed
from countersign.binding.match import match
from countersign.core.types.artifacts import Difference, ObjectRef
from tests.support.apiserver import ApiServer, Refused, Tree

SALT = bytes(range(32))
_MADE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


class Judge:
    """Looks up what binding asks for and compares.

    Args:
        server: The API server whose objects are compared.
        service_cidr: The range it takes cluster addresses from.
    """

    def __init__(self, server: ApiServer, service_cidr: str) -> None:
        self._server = server
        self._cidr = ip_network(service_cidr)

    def differences(
        self,
        manifest: Tree,
        observed: Tree,
        *,
        old: Tree | None = None,
        dry_run: bool = False,
        live: Mapping[Fact, tuple[Tree, ...]] | None = None,
    ) -> tuple[Difference, ...]:
        """Compare what the server shows with the canonical intent of `manifest`."""
        namespace = observed["metadata"].get("namespace", "")
        intent = canonical(manifest, namespace=namespace, salt=SALT)
        return match(
            intent.tree,
            observed,
            identity=identity(observed),
            old=old,
            facts=ClusterFacts(
                service_cidrs=(self._cidr,),
                live=self.facts(observed) if live is None else live,
            ),
            dry_run=dry_run,
        )

    def facts(self, observed: Tree) -> dict[Fact, tuple[Tree, ...]]:
        """Answer what `facts_needed` asks about an object."""
        namespace = observed["metadata"].get("namespace", "")
        return {f: self._answer(f) for f in facts_needed(observed, namespace)}

    def _answer(self, fact: Fact) -> tuple[Tree, ...]:
        group = f"{fact.ref.group}/" if fact.ref.group else ""
        named: Tree = {
            "apiVersion": group + fact.version,
            "kind": fact.ref.kind,
            "metadata": {"namespace": fact.ref.namespace, "name": fact.ref.name},
        }
        if fact.ref.name:
            return self._found(named)
        listed = self._server.request("GET", self._server.collection(named))
        return tuple(listed["items"])

    def _found(self, named: Tree) -> tuple[Tree, ...]:
        try:
            return (self._server.get(named),)
        except Refused as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return ()


def identity(observed: Tree) -> ObjectRef:
    """Return what a request about `observed` would say that it is about."""
    group = observed["apiVersion"].rpartition("/")[0]
    metadata = observed["metadata"]
    namespace = metadata.get("namespace", "")
    return ObjectRef(group, observed["kind"], namespace, metadata["name"])


def lasting(observed: Tree) -> Any:
    """Return what the server says again when asked again: nothing of binding's in it."""
    metadata = observed["metadata"]
    text = json.dumps(observed)
    text = text.replace(metadata["uid"], "UID")
    text = re.sub(r"kube-api-access-\w{5}", "kube-api-access", text)
    if metadata["name"].startswith(metadata.get("generateName", "!")):
        text = text.replace(metadata["name"], "NAME")
    tree = json.loads(text)
    tree.pop("status", None)
    for field in _MADE:
        tree["metadata"].pop(field, None)
    return tree
