"""Guards of the namespace that we run in, which the webhook is never asked about.

Otherwise nobody could start what answers. Guarded is what we are, what leads to us, and
what the operator says; evidence, Events and evictions are free.
"""

from itertools import chain

from countersign.binding.accounts import ACCOUNTS, by_controllers
from countersign.binding.admission_policies import (
    NAME,
    PREFIX,
    WRITES,
    Guarded,
    listed,
    policy,
    rule,
    within,
)
from countersign.core.types.artifacts import Tree

_CONTROLLED = {
    "": (
        "bindings",
        "configmaps",
        "endpoints",
        "persistentvolumeclaims",
        "pods",
        "pods/binding",
        "replicationcontrollers",
        "serviceaccounts",
        "serviceaccounts/token",
    ),
    "apps": ("controllerrevisions", "replicasets"),
    "batch": ("jobs",),
    "certificates.k8s.io": ("podcertificaterequests",),
    "discovery.k8s.io": ("endpointslices",),
}
"""Of our namespace: what the cluster's own controllers and nodes write there, too."""

_FIXED = {
    "": (
        "limitranges",
        "podtemplates",
        "resourcequotas",
        "secrets",
        "services",
        "pods/attach",
        "pods/ephemeralcontainers",
        "pods/exec",
        "pods/resize",
        "replicationcontrollers/scale",
    ),
    "apps": (
        "daemonsets",
        "deployments",
        "deployments/scale",
        "replicasets/scale",
        "statefulsets",
        "statefulsets/scale",
    ),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs",),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
    "rbac.authorization.k8s.io": ("rolebindings", "roles"),
}
"""Of our namespace: what nobody writes but who installs."""

_REPORTS = {"openreports.io": ("reports",), "wgpolicyk8s.io": ("policyreports",)}
_TOLD = {"coordination.k8s.io": ("leases",), **_REPORTS}
"""Of our namespace: what the operator says, where it is ours."""

_OWN_LABEL = "app.kubernetes.io/managed-by"

_TIDY = ("generic-garbage-collector", "namespace-controller")


_BY_ISSUERS = (
    "request.userInfo.username in variables.issuers && "
    "request.resource.resource == 'secrets' && (request.operation == 'DELETE' || "
    "object.type in ['Opaque', 'kubernetes.io/tls'])"
)
"""CEL that is true of certificates. A token would make a process one of us."""


def namespace(told: Guarded) -> tuple[Tree, Tree]:
    """Guard the namespace that we run in: what we are, and what leads to us."""
    tidy = listed(tuple(f"{ACCOUNTS}{name}" for name in _TIDY))
    by_drivers = (
        "request.resource.resource == 'persistentvolumeclaims' && "
        f"request.userInfo.username.startsWith('{ACCOUNTS}')"
    )
    # whoever deletes a Pod has another one made of what is guarded here
    restarted = "request.operation == 'DELETE' && request.resource.resource == 'pods'"
    fixed = policy(
        "namespace",
        told,
        rules=[
            *(rule(g, names, (*WRITES, "CONNECT")) for g, names in _FIXED.items()),
            *(rule(g, names, WRITES) for g, names in _TOLD.items()),
            rule("", ("namespaces", "namespaces/finalize"), ("UPDATE", "DELETE")),
        ],
        holds=(
            f"request.userInfo.username in {tidy} || ({_by_operator(told)}) || "
            f"({_BY_ISSUERS})"
        ),
        says=_changed_by(told),
        selector=within(told.namespace),
    )
    controlled = policy(
        "workloads",
        told,
        rules=[rule(g, names, WRITES) for g, names in _CONTROLLED.items()],
        holds=f"{by_controllers()} || ({by_drivers}) || ({restarted})",
        says=_changed_by(told),
        selector=within(told.namespace),
    )
    return fixed, controlled


def metadata(told: Guarded) -> Tree:
    """Guard by what our objects are found, against writes through their status.

    With other labels a Pod is no longer one of ours; an owner that is not there has an
    object collected.
    """
    kept = " && ".join(
        f"has(object.metadata.{name}) == has(oldObject.metadata.{name}) && "
        f"(!has(object.metadata.{name}) || "
        f"object.metadata.{name} == oldObject.metadata.{name})"
        for name in ("labels", "ownerReferences", "finalizers")
    )
    return policy(
        "metadata",
        told,
        rules=[
            {**rule("*", ("*/status",), ("UPDATE",)), "scope": "Namespaced"},
            rule("", ("namespaces/status",), ("UPDATE",)),
        ],
        holds=f"{by_controllers()} || ({kept})",
        says=_changed_by(told),
        selector=within(told.namespace),
    )


def _by_operator(told: Guarded) -> str:
    """Return CEL that is true of what the operator writes, and of what is not its own."""
    user = f"system:serviceaccount:{told.namespace}:countersign-operate"
    reports, told_ones = chain(*_REPORTS.values()), chain(*_TOLD.values())
    own = (
        "request.resource.resource in ['secrets', 'leases'] ? "
        f"{NAME}.startsWith('{PREFIX}') : "
        f"request.resource.resource in {listed(tuple(reports))} && "
        f"({_labelled('object')} || {_labelled('oldObject')})"
    )
    of_others = f"request.resource.resource in {listed(tuple(told_ones))} && !({own})"
    return f"(request.userInfo.username == '{user}' && ({own})) || ({of_others})"


def _labelled(root: str) -> str:
    """Return CEL that is true of a report that says it is of ours."""
    labels = f"{root}.metadata.labels"
    return (
        f"({root} != null && has({labels}) && '{_OWN_LABEL}' in {labels} && "
        f"{labels}['{_OWN_LABEL}'] == 'countersign')"
    )


def _changed_by(told: Guarded) -> str:
    return (
        f"the namespace {told.namespace} is changed by who installs countersign alone"
    )
