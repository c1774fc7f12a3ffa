"""The ValidatingWebhookConfiguration, rendered from the table in `surface`.

It is static and belongs to the chart: nothing at run time writes it. What it leaves
out is named there; the rest fails closed.
"""

import re
from collections.abc import Collection, Iterator

from countersign.binding.surface import ANY, ROWS, Entry, Row, Rule
from countersign.core.errors import Misconfigured
from countersign.core.types.artifacts import GroupKind, Json, Tree
from countersign.core.types.request import Verb

NAMESPACE_LABEL = "kubernetes.io/metadata.name"  # set by the server, immutable
NEVER_JUDGED = "kube-system"  # holds what a cluster needs to start
MAX_TIMEOUT_S = 30  # of the API server
_PATTERN = re.compile(r"[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?")
_DOMAIN = "countersign.dev"
_DENIED = re.compile(
    rf'admission webhook "(?:{"|".join(Entry)})\.{re.escape(_DOMAIN)}" denied the request'
)


def webhook_configuration(
    *,
    name: str,
    protected: Collection[str],
    own_namespace: str,
    client_config: Tree,
    cluster_scoped: Collection[GroupKind] = (),
    timeout_s: int = 10,
) -> Tree:
    """Render the webhook configuration.

    Args:
        name: Of the configuration object.
        protected: Namespaces, by exact name or by globs with ``*``; not empty.
        own_namespace: Where countersign runs: never judged, so that it can start.
        client_config: ``url``, or ``service``, and ``caBundle``; of every entry.
        cluster_scoped: Kinds that policies judge besides Namespaces: some of
            `surface.RECOMMENDED`. Any one of them registers ``nodes/proxy``, too.
        timeout_s: Seconds the API server waits, 1 to 30.

    Raises:
        Misconfigured: nothing to protect, a name that is none, our own namespace or
            kube-system among the protected, a kind that is never registered, or a
            timeout that the server refuses.
    """
    _check(protected, own_namespace, timeout_s)
    kinds = _kinds(cluster_scoped)
    where = _Where(sorted(protected), own_namespace)
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": f"{entry}.{_DOMAIN}",
                "admissionReviewVersions": ["v1"],
                "clientConfig": client_config,
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "sideEffects": "NoneOnDryRun",
                "timeoutSeconds": timeout_s,
                "namespaceSelector": where.selector,
                "rules": list(_rules(entry, kinds)),
                "matchConditions": [
                    {"name": title, "expression": expression}
                    for title, expression in (
                        *where.conditions(entry),
                        *_CONDITIONS[entry].items(),
                    )
                ],
            }
            for entry in Entry
        ],
    }


def denied_by_us(said: str) -> bool:
    """Tell whether the API server says that one of these webhooks denied something.

    Any other error is none of its denials: nobody answered, RBAC, another webhook.
    Source: `ToStatusErr` in k8s.io/apiserver, pkg/admission/plugin/webhook/errors.

    Args:
        said: The message of its Status, whatever stands around it.
    """
    return _DENIED.search(said) is not None


def _check(protected: Collection[str], own_namespace: str, timeout_s: int) -> None:
    if not protected:
        raise Misconfigured("expected a namespace to protect, saw none")
    for pattern in protected:
        if not _PATTERN.fullmatch(pattern):
            raise Misconfigured(f"expected a namespace or a glob, saw {pattern[:80]!r}")
        if pattern in (own_namespace, NEVER_JUDGED):
            raise Misconfigured(
                f"{pattern} cannot be protected: without it nothing could answer"
            )
    if not 1 <= timeout_s <= MAX_TIMEOUT_S:
        raise Misconfigured(f"expected 1 to {MAX_TIMEOUT_S} seconds, saw {timeout_s}")


def _kinds(cluster_scoped: Collection[GroupKind]) -> frozenset[GroupKind]:
    """Return the optional kinds to register; ``nodes/proxy`` goes with any of them."""
    known = {GroupKind(r.group, r.kind) for r in ROWS if r.kind and not r.subresource}
    for kind in cluster_scoped:
        if kind not in known:
            raise Misconfigured(f"{kind.kind}: never registered, so never judged")
    proxy = {GroupKind("", "Node")} if cluster_scoped else set()
    return frozenset(proxy.union(cluster_scoped))


class _Where:
    """Which namespaces are sent.

    Exact names make a selector, evaluated without CEL. A glob needs a condition on
    the request, so that a namespace made tomorrow is covered at once.
    """

    def __init__(self, protected: list[str], own_namespace: str) -> None:
        globs = any(ANY in pattern for pattern in protected)
        excluded: list[Json] = [own_namespace, NEVER_JUDGED]
        names: list[Json] = [*protected]
        self.selector: Tree = {
            "matchExpressions": [
                {
                    "key": NAMESPACE_LABEL,
                    "operator": "NotIn" if globs else "In",
                    "values": excluded if globs else names,
                }
            ]
        }
        self._pattern = "|".join(p.replace(ANY, ".*") for p in protected)
        self._globs = globs

    def conditions(self, entry: Entry) -> Iterator[tuple[str, str]]:
        """Yield name and expression; nothing where the selector says it all."""
        if not self._globs:
            return
        named = f"request.namespace.matches('^({self._pattern})$')"
        if entry is Entry.CLUSTER:  # a Namespace's request names itself
            yield "protected", f"!has(request.namespace) || {named}"
        else:
            yield "protected", f"has(request.namespace) && {named}"


def _rules(entry: Entry, kinds: Collection[GroupKind]) -> Iterator[Tree]:
    """Yield the rules of one entry, what a wildcard covers left out."""
    rows = [
        row
        for row in ROWS
        if row.entry is entry
        and (not row.kind or GroupKind(row.group, row.kind) in kinds)
    ]
    sent: dict[tuple[str, str], set[Verb]] = {}
    for row in rows:
        if not any(_covers(wide, row) for wide in rows):
            tail = f"/{row.subresource}" if row.subresource else ""
            sent.setdefault((row.group, row.resource + tail), set()).update(row.verbs)
    together: dict[tuple[str, frozenset[Verb]], list[Json]] = {}
    for (group, resource), verbs in sent.items():
        together.setdefault((group, frozenset(verbs)), []).append(resource)
    for (group, operations), resources in together.items():
        yield {
            "apiGroups": [group],
            "apiVersions": [ANY],
            "operations": [verb.value for verb in Verb if verb in operations],
            "resources": resources,
            "scope": "Cluster" if entry is Entry.CLUSTER else "Namespaced",
        }


def _covers(wide: Row, row: Row) -> bool:
    """Tell whether the wildcards of `wide` send what `row` sends, and more."""
    wider = (wide.group, wide.resource, wide.subresource)
    place = (row.group, row.resource, row.subresource)
    return (
        wider != place
        and bool(wide.subresource) == bool(row.subresource)
        and all(w in (ANY, p) for w, p in zip(wider, place, strict=True))
    )


def _noise() -> dict[str, str]:
    """Return one condition for each exempt resource, by group and resource."""
    return {
        f"no-{row.resource}.{row.group or 'core'}": (
            f"!(request.resource.group == '{row.group}' "
            f"&& request.resource.resource == '{row.resource}')"
        )
        for row in ROWS
        if row.rule is Rule.EXEMPT
    }


# What the API server writes for itself while it starts. It exits if it cannot.
_BOOTSTRAP = """!(request.userInfo.username == 'system:apiserver' && (
  (request.resource.group == 'rbac.authorization.k8s.io'
    && request.resource.resource in ['clusterroles', 'clusterrolebindings']
    && request.operation != 'DELETE'
    && (request.name.startsWith('system:')
      || request.name in ['cluster-admin', 'admin', 'edit', 'view']))
  || (request.resource.group == 'scheduling.k8s.io'
    && request.resource.resource == 'priorityclasses'
    && request.name.startsWith('system-'))
  || (request.resource.group == 'apiregistration.k8s.io'
    && request.resource.resource == 'apiservices'
    && (request.operation == 'DELETE' || !has(object.spec.service)))))"""

_SUBRESOURCE = """has(request.subResource) && request.subResource != ''
  && !(request.subResource == 'status' && request.operation == 'UPDATE')"""


def _changed(root: str, field: str) -> str:
    """Write the CEL that is true where ``root.field`` is not what it was."""
    new, old = f"object.{root}", f"oldObject.{root}"
    return (
        f"has({new}.{field}) != has({old}.{field}) "
        f"|| (has({new}.{field}) && {new}.{field} != {old}.{field})"
    )


_METADATA = " || ".join(
    _changed("metadata", field)
    for field in ("labels", "annotations", "finalizers", "ownerReferences")
)
# Where traffic goes: written by nobody but declared identities.
_LOAD_BALANCER = (
    "(request.resource.resource in ['services', 'ingresses'] "
    "&& (has(object.status) != has(oldObject.status) "
    f"|| (has(object.status) && ({_changed('status', 'loadBalancer')}))))"
)

# A status that is written in another version than its object: converted as a whole, it
# may lose what that version does not have. Who wrote in which version the server knows.
_OTHER_VERSION = """(request.resource.group.contains('.')
  && !(has(object.metadata.managedFields)
    && object.metadata.managedFields.exists(m, !has(m.subresource))
    && object.metadata.managedFields.all(m,
      has(m.subresource) || m.apiVersion == object.apiVersion)))"""

_CONDITIONS: dict[Entry, dict[str, str]] = {
    Entry.OBJECTS: _noise(),
    Entry.CLUSTER: {"not-bootstrap": _BOOTSTRAP},
    Entry.SUBRESOURCES: {"subresource": _SUBRESOURCE},
    Entry.STATUS: {
        "metadata-changed": f"{_METADATA} || {_LOAD_BALANCER} || {_OTHER_VERSION}"
    },
}
