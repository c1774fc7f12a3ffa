"""ValidatingAdmissionPolicies and their bindings, written the one way that we need them."""

from dataclasses import dataclass

from countersign.core.types.artifacts import Json, Tree

PREFIX = "countersign-"
API = "admissionregistration.k8s.io"
WRITES = ("CREATE", "UPDATE", "DELETE")

NAME = "(request.operation == 'DELETE' ? oldObject : object).metadata.name"
"""In a deletion of a whole collection the request itself names nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """What is guarded, and from whom not.

    Attributes:
        exempt: CEL that is true of who may change all of this.
        namespace: Where countersign runs.
        suffix: Of every name: ``""``, or what files of the API server have to end in.
        issuers: CEL of a list: users who write certificates into Secrets beside us.
        registration: Names of the webhook configurations to guard; empty: there are
            none in the API.
    """

    exempt: str
    namespace: str
    suffix: str = ""
    issuers: str = "[]"
    registration: tuple[str, ...] = ("countersign",)


def exempt(users: tuple[str, ...], groups: tuple[str, ...]) -> str:
    """Return CEL that is true of these users, and of members of these groups."""
    return (
        f"request.userInfo.username in {listed(users)} || "
        f"request.userInfo.groups.exists(g, g in {listed(groups)})"
    )


def within(namespace: str) -> Tree:
    """Return a selector of this one namespace: the label is the server's."""
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def policy(
    name: str,
    told: Guarded,
    *,
    rules: list[Tree],
    holds: str,
    says: str,
    only: str = "",
    selector: Json = None,
) -> Tree:
    """Return a policy that denies what is neither exempt nor `holds`.

    Args:
        name: After the prefix that all of ours have.
        told: What is guarded, and from whom not.
        rules: Which requests.
        holds: CEL that is true of what may be.
        says: Why it is denied; for people.
        only: CEL that is true of what is asked about; ``""``: of all.
        selector: Of namespaces; None: of all.
    """
    conditions: list[Json] = [{"name": "ours", "expression": only}] if only else []
    where: Tree = {"namespaceSelector": selector} if selector else {}
    listed: list[Json] = [*rules]
    return {
        "apiVersion": f"{API}/v1",
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
            "variables": [
                {"name": "exempt", "expression": told.exempt},
                {"name": "issuers", "expression": told.issuers},
            ],
            "validations": [
                {
                    "expression": f"variables.exempt || ({holds})",
                    "message": f"countersign: {says}",
                    "reason": "Forbidden",
                }
            ],
        },
    }


def bound(policy: Tree) -> tuple[Tree, Tree]:
    """Return a policy and its binding: without one it is never asked."""
    metadata = policy["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - made above
    binding: Tree = {
        "apiVersion": f"{API}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": metadata["name"]},
        "spec": {"policyName": metadata["name"], "validationActions": ["Deny"]},
    }
    return policy, binding


def rule(group: str, resources: tuple[str, ...], operations: tuple[str, ...]) -> Tree:
    """Return the rule for all versions of some resources."""
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": [*operations],
        "resources": [*resources],
        "scope": "*",
    }


def listed(names: tuple[str, ...]) -> str:
    """Write a list of CEL; names of users may hold quotes and backslashes."""
    quoted = ("'" + n.replace("\\", "\\\\").replace("'", "\\'") + "'" for n in names)
    return f"[{', '.join(quoted)}]"
