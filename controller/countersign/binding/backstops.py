"""ValidatingAdmissionPolicies that guard what the webhook is never asked about.

Rules 18, 20 and 22: our own definitions, the group that serves them, the registration,
the namespace that we run in, and the accounts whose names our tables trust. They are
evaluated inside the API server, so they stop nothing when the webhook is away.

Written once, for the chart and for files that the API server loads by itself. As
objects of the API they guard neither themselves nor their bindings: the server never asks
policies about policies, unless they come from such files.
"""

from dataclasses import dataclass
from itertools import chain

from countersign.binding import births, deletions, writes
from countersign.binding.derivations.table import DERIVATIONS
from countersign.core.types.artifacts import Json, Tree

GROUP = "countersign.dev"
PREFIX = "countersign-"
_ACCOUNTS = "system:serviceaccount:kube-system:"
_API = "admissionregistration.k8s.io"
_WRITES = ("CREATE", "UPDATE", "DELETE")

_CONTROLLED = {
    "": (
        "configmaps",
        "endpoints",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "serviceaccounts",
    ),
    "apps": ("controllerrevisions", "replicasets"),
    "batch": ("jobs",),
    "discovery.k8s.io": ("endpointslices",),
}
"""Of our namespace: what the cluster's own controllers write there, too."""

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

_NAME = "(request.operation == 'DELETE' ? oldObject : object).metadata.name"
"""In a deletion of a whole collection the request itself names nothing."""

_TIDY = ("generic-garbage-collector", "namespace-controller")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """What is guarded, and from whom not.

    Attributes:
        exempt: CEL that is true of who may change all of this.
        namespace: Where countersign runs.
        suffix: Of every name: ``""``, or what files of the API server have to end in.
        registration: Names of the webhook configurations to guard; empty: there are
            none in the API.
    """

    exempt: str
    namespace: str
    suffix: str = ""
    registration: tuple[str, ...] = ("countersign",)


def exempt(users: tuple[str, ...], groups: tuple[str, ...]) -> str:
    """Return CEL that is true of these users, and of members of these groups."""
    return (
        f"request.userInfo.username in {_listed(users)} || "
        f"request.userInfo.groups.exists(g, g in {_listed(groups)})"
    )


def accounts() -> tuple[str, ...]:
    """Return the accounts in kube-system that our tables trust by name, sorted."""
    actors = chain(
        *(row.actors for row in writes.ROWS),
        *(row.actors for row in deletions.ROWS),
        *(actors for _, actors in births.MAKERS),
        *(way.actors for way in DERIVATIONS.values()),
        deletions.NAMESPACE_CONTROLLER,
    )
    found = {a.removeprefix(_ACCOUNTS) for a in actors if a.startswith(_ACCOUNTS)}
    return tuple(sorted(found))


def backstops(told: Guarded) -> tuple[Tree, ...]:
    """Return all policies, each followed by its binding."""
    made = [_definitions(told), *_namespace(told), keys(told.suffix)]
    if told.registration or told.suffix:
        made.insert(1, _registration(told))
    return tuple(chain.from_iterable(_bound(policy) for policy in made))


def _definitions(told: Guarded) -> Tree:
    """Guard our definitions, and the group that they are served in.

    Deleting a definition deletes every object of it, and nobody is asked about those.
    An APIService of our group would have another server tell us what the policies are.
    """
    return _policy(
        "definitions",
        told,
        rules=[
            _rule(
                "apiextensions.k8s.io",
                ("customresourcedefinitions", "customresourcedefinitions/status"),
                ("UPDATE", "DELETE"),
            ),
            _rule("apiregistration.k8s.io", ("apiservices",), _WRITES),
        ],
        only=f"{_NAME}.endsWith('.{GROUP}')",
        holds=(
            "request.userInfo.username == 'system:apiserver' && "
            "(request.resource.resource != 'apiservices' || request.operation == "
            "'DELETE' || !has(object.spec.service))"
        ),
        says="definitions of countersign.dev are changed by who installs them alone",
    )


def _registration(told: Guarded) -> Tree:
    """Guard what registers the webhook, and where that can be seen these policies."""
    names = _listed(told.registration)
    only = f"{_NAME} in {names} || {_NAME}.startsWith('{PREFIX}')"
    resources: tuple[str, ...] = ("validatingwebhookconfigurations",)
    if told.suffix:
        resources += (
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        )
    return _policy(
        "registration",
        told,
        rules=[_rule(_API, resources, ("UPDATE", "DELETE"))],
        only=only,
        holds="false",
        says="the registration of countersign is changed by who installs it alone",
    )


def _namespace(told: Guarded) -> tuple[Tree, Tree]:
    """Guard the namespace that we run in: what we are, and what leads to us."""
    ours = f"system:serviceaccount:{told.namespace}:countersign-operate"
    tidy = _listed(tuple(f"{_ACCOUNTS}{name}" for name in _TIDY))
    by_controllers = (
        f"request.userInfo.username.startsWith('{_ACCOUNTS}') || "
        "request.userInfo.username in ['system:kube-controller-manager', "
        "'system:kube-scheduler', 'system:apiserver'] || "
        "request.userInfo.groups.exists(g, g == 'system:nodes') || "
        # whoever deletes a Pod has another one made of what is guarded here
        "(request.operation == 'DELETE' && request.resource.resource == 'pods')"
    )
    by_us = (
        f"request.userInfo.username == '{ours}' && request.resource.resource == "
        f"'secrets' && {_NAME}.startsWith('{PREFIX}')"
    )
    says = (
        f"the namespace {told.namespace} is changed by who installs countersign alone"
    )
    selector: Json = {"matchLabels": {"kubernetes.io/metadata.name": told.namespace}}
    operations = (*_WRITES, "CONNECT")
    fixed = _policy(
        "namespace",
        told,
        rules=[
            *(_rule(g, names, operations) for g, names in _FIXED.items()),
            _rule("", ("namespaces",), ("UPDATE", "DELETE")),
        ],
        holds=f"request.userInfo.username in {tidy} || ({by_us})",
        says=says,
        selector=selector,
    )
    controlled = _policy(
        "workloads",
        told,
        rules=[_rule(g, names, _WRITES) for g, names in _CONTROLLED.items()],
        holds=by_controllers,
        says=says,
        selector=selector,
    )
    return fixed, controlled


def keys(suffix: str = "") -> Tree:
    """Guard the accounts whose names are trusted: no token for them, no Pod as them.

    Only the controller manager makes their tokens. Nobody runs a Pod as one of them, so
    nobody is let to, whoever controls it.
    """
    names = _listed(accounts())
    told = Guarded(exempt="false", namespace="kube-system", suffix=suffix)
    account = "kubernetes.io/service-account.name"
    annotated = (
        "has(object.metadata.annotations) && "
        f"'{account}' in object.metadata.annotations && "
        f"object.metadata.annotations['{account}'] in {names}"
    )
    return _policy(
        "keys",
        told,
        rules=[
            _rule("", ("serviceaccounts/token",), ("CREATE",)),
            _rule("", ("pods",), ("CREATE",)),
            _rule("", ("secrets",), ("CREATE", "UPDATE")),
        ],
        holds=(
            "request.userInfo.username == 'system:kube-controller-manager' || "
            f"(request.resource.resource == 'serviceaccounts' ? !(request.name in {names})"
            " : request.resource.resource == 'pods' ? !(has(object.spec."
            f"serviceAccountName) && object.spec.serviceAccountName in {names})"
            f" : !({annotated}))"
        ),
        says="nobody may act as a controller that countersign knows by its name",
        selector={"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    )


def _policy(
    name: str,
    told: Guarded,
    *,
    rules: list[Tree],
    holds: str,
    says: str,
    only: str = "",
    selector: Json = None,
) -> Tree:
    conditions: list[Json] = [{"name": "ours", "expression": only}] if only else []
    where: Tree = {"namespaceSelector": selector} if selector else {}
    listed: list[Json] = [*rules]
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"{PREFIX}{name}{told.suffix}"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "matchPolicy": "Equivalent",
                "resourceRules": listed,
                **where,
            },
            "matchConditions": conditions,
            "variables": [{"name": "exempt", "expression": told.exempt}],
            "validations": [
                {
                    "expression": f"variables.exempt || ({holds})",
                    "message": f"countersign: {says}",
                    "reason": "Forbidden",
                }
            ],
        },
    }


def _bound(policy: Tree) -> tuple[Tree, Tree]:
    metadata = policy["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - made above
    binding: Tree = {
        "apiVersion": f"{_API}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": metadata["name"]},
        "spec": {"policyName": metadata["name"], "validationActions": ["Deny"]},
    }
    return policy, binding


def _rule(group: str, resources: tuple[str, ...], operations: tuple[str, ...]) -> Tree:
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": [*operations],
        "resources": [*resources],
        "scope": "*",
    }


def _listed(names: tuple[str, ...]) -> str:
    """Write a list of CEL; names of users may hold quotes and backslashes."""
    quoted = ("'" + n.replace("\\", "\\\\").replace("'", "\\'") + "'" for n in names)
    return f"[{', '.join(quoted)}]"
