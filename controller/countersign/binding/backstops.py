"""ValidatingAdmissionPolicies that guard what the webhook is never asked about.

Rules 18, 20 and 22: our own definitions, the group that serves them, the registration,
the namespace that we run in, and the accounts whose names our tables trust. They are
evaluated inside the API server, so they stop nothing when the webhook is away.

Written once, for the chart and for files that the API server loads by itself. As
objects of the API they guard neither themselves nor their bindings: the server never asks
policies about policies, unless they come from such files.
"""

from itertools import chain

from countersign.binding.accounts import accounts
from countersign.binding.admission_policies import (
    API,
    NAME,
    PREFIX,
    WRITES,
    Guarded,
    bound,
    exempt,
    listed,
    policy,
    rule,
    within,
)
from countersign.binding.own_namespace import metadata, namespace
from countersign.core.types.artifacts import Tree

__all__ = ["Guarded", "accounts", "backstops", "exempt", "keys"]

GROUP = "countersign.dev"

_CLIENT = "kubernetes.io/kube-apiserver-client"
"""Signs certificates of anybody: of a controller, or of who installs."""


def backstops(told: Guarded) -> tuple[Tree, ...]:
    """Return all policies, each followed by its binding."""
    made = [
        _definitions(told),
        *namespace(told),
        metadata(told),
        _certificates(told),
        keys(told.suffix),
    ]
    if told.registration or told.suffix:
        made.insert(1, _registration(told))
    return tuple(chain.from_iterable(map(bound, made)))


def _definitions(told: Guarded) -> Tree:
    """Guard our definitions, and the group that they are served in.

    Deleting a definition deletes every object of it, and nobody is asked about those.
    An APIService of our group would have another server tell us what the policies are.
    """
    return policy(
        "definitions",
        told,
        rules=[
            rule(
                "apiextensions.k8s.io",
                ("customresourcedefinitions", "customresourcedefinitions/status"),
                ("UPDATE", "DELETE"),
            ),
            rule("apiregistration.k8s.io", ("apiservices",), WRITES),
        ],
        only=f"{NAME}.endsWith('.{GROUP}')",
        holds=(
            "request.userInfo.username == 'system:apiserver' && "
            "(request.resource.resource != 'apiservices' || request.operation == "
            "'DELETE' || !has(object.spec.service))"
        ),
        says="definitions of countersign.dev are changed by who installs them alone",
    )


def _registration(told: Guarded) -> Tree:
    """Guard what registers the webhook, and where that can be seen these policies."""
    names = listed(told.registration)
    only = f"{NAME} in {names} || {NAME}.startsWith('{PREFIX}')"
    resources: tuple[str, ...] = ("validatingwebhookconfigurations",)
    if told.suffix:
        resources += (
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        )
    return policy(
        "registration",
        told,
        rules=[rule(API, resources, ("UPDATE", "DELETE"))],
        only=only,
        holds="false",
        says="the registration of countersign is changed by who installs it alone",
    )


def _certificates(told: Guarded) -> Tree:
    """Guard who gets a certificate by which the API server knows a user.

    Its request is not readable here, and may name a controller, or who installs.
    """
    return policy(
        "certificates",
        told,
        rules=[
            rule(
                "certificates.k8s.io",
                ("certificatesigningrequests/approval",),
                ("UPDATE",),
            )
        ],
        only=f"object.spec.signerName == '{_CLIENT}'",
        holds="false",
        says="certificates of users are approved by who installs it alone",
    )


def keys(suffix: str = "") -> Tree:
    """Guard the accounts whose names are trusted: no token for them, no Pod as them.

    Only the controller manager makes their tokens. Nobody runs a Pod as one of them, so
    nobody is let to, whoever controls it.
    """
    names = listed(accounts())
    told = Guarded(exempt="false", namespace="kube-system", suffix=suffix)
    account = "kubernetes.io/service-account.name"
    annotated = (
        "has(object.metadata.annotations) && "
        f"'{account}' in object.metadata.annotations && "
        f"object.metadata.annotations['{account}'] in {names}"
    )
    return policy(
        "keys",
        told,
        rules=[
            rule("", ("serviceaccounts/token",), ("CREATE",)),
            rule("", ("pods",), ("CREATE",)),
            rule("", ("secrets",), ("CREATE", "UPDATE")),
            rule("certificates.k8s.io", ("podcertificaterequests",), ("CREATE",)),
        ],
        holds=(
            "request.userInfo.username == 'system:kube-controller-manager' || "
            f"(request.resource.resource == 'serviceaccounts' ? !(request.name in {names})"
            " : request.resource.resource != 'secrets' ? !(has(object.spec."
            f"serviceAccountName) && object.spec.serviceAccountName in {names})"
            f" : !({annotated}))"
        ),
        says="nobody may act as a controller that countersign knows by its name",
        selector=within("kube-system"),
    )
