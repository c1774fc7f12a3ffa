"""What our accounts may do: what they need, and nothing by which they would gain more."""

from pathlib import Path
from typing import Any

import pytest
import yaml

Rule = dict[str, Any]

ROLES: dict[str, list[Rule]] = {
    tree["metadata"]["name"]: tree.get("rules") or []
    for tree in yaml.safe_load_all(
        (Path(__file__).parents[3] / "manifests" / "roles.yaml").read_text()
    )
    if tree
}
_READS = {"get", "list", "watch"}
_WRITES = {
    (group, f"{plural}/status", "patch")
    for group, plural in (
        ("countersign.dev", "protectionpolicies"),
        ("countersign.dev", "rosters"),
        ("countersign.dev", "trustroots"),
        ("countersign.dev", "revocations"),
        ("countersign.dev", "bundlesets"),
    )
} | {
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
    ("events.k8s.io", "events", "create"),
}
OURS = ("countersign-serve", "countersign-operate", "countersign-scan")


def rights(name: str) -> set[tuple[str, str, str]]:
    """Return group, resource and verb of all that a role allows."""
    return {
        (group, resource, verb)
        for rule in ROLES[name]
        for group in rule.get("apiGroups", [""])
        for resource in rule.get("resources", [])
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("name", sorted(ROLES))
def test_nobody_gains_more_by_a_role_of_ours(name: str) -> None:
    """No wildcard, no Secret, none of the verbs that give rights away."""
    for group, resource, verb in rights(name):
        assert "*" not in group + resource + verb
        assert resource.partition("/")[0] != "secrets"
        assert resource not in {"serviceaccounts/token", "pods/exec", "nodes/proxy"}
        assert verb not in {"bind", "escalate", "impersonate", "approve", "sign"}


@pytest.mark.parametrize("name", OURS)
def test_our_processes_write_nothing_that_is_judged(name: str) -> None:
    """Status, questions and Events; the webhook not even these."""
    written = {right for right in rights(name) if right[2] not in _READS}

    assert written == (_WRITES if name == "countersign-operate" else set())


def test_only_editors_write_rules() -> None:
    """And where there is a root roster, what they write is judged by it."""
    rules = {"protectionpolicies", "rosters", "trustroots", "revocations"}
    writers = {
        name
        for name in ROLES
        for _, resource, verb in rights(name)
        if resource in rules and verb not in _READS
    }

    assert writers == {"countersign-editor"}
