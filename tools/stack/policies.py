"""The trust roots and policies of the demo."""

from collections.abc import Mapping

from tools.stack.people import (
    CI,
    REPOSITORY,
    ROBOT,
    ROBOT_PATHS,
    ROBOT_WORKFLOW,
    WORKFLOW,
)

API = "countersign.dev/v1alpha1"
CLUSTER = "local"
PROTECTED = ("payments", "ledger", "orders")
OPEN = "sandbox"
VALUES = {"clusterName": CLUSTER, "protectedNamespaces": [*PROTECTED]}  # of the chart
_THIRD_PARTY = [{"repository": "registry.k8s.io/*"}]
_HELM: dict[str, object] = {"tools": {"helm": {}}}
_BREAK_GLASS = {"role": "on-call", "maxValidity": "4h", "reviewWithin": "72h"}


def trust_roots(
    trusted_root: Mapping[str, object], keys: Mapping[str, str]
) -> list[dict[str, object]]:
    """Return the TrustRoots ``local`` (keyless) and ``local-keys``.

    Args:
        trusted_root: The throw-away Sigstore's ``trusted_root.json``.
        keys: Public keys in PEM by the name of who holds them.
    """
    return [
        _object("TrustRoot", "local", {"sigstore": dict(trusted_root)}),
        _object(
            "TrustRoot",
            "local-keys",
            {
                "keys": [
                    {"name": name, "type": "pem", "pem": pem}
                    for name, pem in sorted(keys.items())
                ]
            },
        ),
    ]


def policies(issuer: str, baseline: str) -> list[dict[str, object]]:
    """Return the policies of ``payments``, ``ledger`` and ``orders``.

    Args:
        issuer: Of the CI system's identity tokens.
        baseline: First commit of the demo's repository, in hex.
    """
    collectors = [
        {
            "name": "ci",
            "issuer": issuer,
            "san": WORKFLOW,
            "trustRoot": "local",
            "sourceRepositories": [REPOSITORY],
        },
        {"name": "ci-key", "key": CI.id, "trustRoot": "local-keys"},
    ]
    provenance: dict[str, object] = {
        "collectors": collectors,
        "builders": collectors,
        "baselines": [{"repo": REPOSITORY, "commit": baseline}],
    }
    return [
        _policy(
            "payments",
            preset="default",
            provenance={
                **provenance,
                "declarations": {"roles": ["developer"]},
                "robots": [_robot(issuer)],
            },
            images={"thirdParty": _THIRD_PARTY},
            breakGlass=_BREAK_GLASS,
            exceptions=_HELM,
        ),
        _policy(
            "ledger",
            preset="high-blast-radius",
            provenance=provenance,
            images={"thirdParty": _THIRD_PARTY},
            breakGlass=_BREAK_GLASS,
        ),
        _policy(
            "orders",
            preset="manual",
            images={"attestations": "off", "pinning": "off"},
            exceptions=_HELM,
        ),
    ]


def _robot(issuer: str) -> dict[str, object]:
    return {
        "name": "versions",
        "issuer": issuer,
        "san": ROBOT_WORKFLOW,
        "trustRoot": "local",
        "sourceRepositories": [REPOSITORY],
        "authors": [ROBOT],
        "paths": [*ROBOT_PATHS],
    }


def _policy(namespace: str, **spec: object) -> dict[str, object]:
    # what belongs to no namespace is set up by hand here, by whoever tries things on
    protect = {"namespaces": [namespace], "clusterScoped": "none"}
    return _object(
        "ProtectionPolicy",
        namespace,
        {"protect": protect, "roster": "platform", **spec},
    )


def _object(kind: str, name: str, spec: dict[str, object]) -> dict[str, object]:
    return {
        "apiVersion": API,
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
