"""The webhook configuration leaves no side door and cannot stop the API server."""

import re
from typing import Any

import pytest

from countersign.binding.registration import denied_by_us, webhook_configuration
from countersign.binding.surface import RECOMMENDED, ROWS, Entry, Row
from countersign.core.errors import Misconfigured
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.request import Verb

CLIENT: dict[str, Any] = {"url": "https://127.0.0.1:9443/validate", "caBundle": "Q0E="}


def rendered(*protected: str, **fields: Any) -> dict[Entry, dict[str, Any]]:
    """Return the webhooks of a configuration by their entry."""
    given: dict[str, Any] = {
        "name": "countersign",
        "protected": protected or ("payments",),
        "own_namespace": "countersign",
        "client_config": CLIENT,
        **fields,
    }
    webhooks: Any = webhook_configuration(**given)["webhooks"]
    names = [webhook["name"] for webhook in webhooks]

    assert names == [f"{entry}.countersign.dev" for entry in Entry]
    return dict(zip(Entry, webhooks, strict=True))


def sends(webhook: dict[str, Any], row: Row, verb: Verb) -> bool:
    """Tell whether the rules of a webhook send what a row is about."""
    tail = f"/{row.subresource}" if row.subresource else ""
    wanted = {row.resource + tail, "*" + tail}
    if tail:
        wanted.add("*/*")
    return any(
        {row.group, "*"} & set(rule["apiGroups"])
        and wanted & set(rule["resources"])
        and verb.value in rule["operations"]
        and rule["apiVersions"] == ["*"]
        for rule in webhook["rules"]
    )


def test_every_row_of_the_table_is_sent() -> None:
    """Seen to fail when two rows of one resource were thought to cover each other."""
    webhooks = rendered(cluster_scoped=RECOMMENDED)

    for row in ROWS:
        for verb in row.verbs if row.entry else ():
            assert row.entry
            assert sends(webhooks[row.entry], row, verb), row


def test_only_named_cluster_scoped_kinds_are_sent() -> None:
    """By default none but Namespaces and our own."""
    rules = rendered()[Entry.CLUSTER]["rules"]
    groups = {group for rule in rules for group in rule["apiGroups"]}
    resources = {resource for rule in rules for resource in rule["resources"]}

    assert groups == {"", "countersign.dev"}
    assert "namespaces" in resources
    assert "nodes/proxy" not in resources


def test_any_cluster_scoped_kind_brings_the_way_to_every_kubelet() -> None:
    """A policy that watches cluster-scoped kinds watches nodes/proxy."""
    kind = GroupKind("storage.k8s.io", "StorageClass")
    rules = rendered(cluster_scoped=[kind])[Entry.CLUSTER]["rules"]
    resources = {resource for rule in rules for resource in rule["resources"]}

    assert {"storageclasses", "nodes/proxy"} <= resources
    assert "clusterroles" not in resources


@pytest.mark.parametrize("entry", Entry)
def test_each_entry_fails_closed(entry: Entry) -> None:
    """And never looks at labels that a requester can write."""
    webhook = rendered()[entry]

    assert webhook["failurePolicy"] == "Fail"
    assert webhook["sideEffects"] == "NoneOnDryRun"
    assert webhook["matchPolicy"] == "Equivalent"
    assert webhook["admissionReviewVersions"] == ["v1"]
    assert webhook["timeoutSeconds"] == 10
    assert webhook["clientConfig"] == CLIENT
    assert "objectSelector" not in webhook
    scopes = {rule["scope"] for rule in webhook["rules"]}
    assert scopes == {"Cluster" if entry is Entry.CLUSTER else "Namespaced"}
    assert len(webhook["matchConditions"]) <= 64
    assert webhook["rules"]


def test_exact_names_make_a_selector() -> None:
    """No CEL for the namespaces that are not protected."""
    for webhook in rendered("payments", "ledger").values():
        (expression,) = webhook["namespaceSelector"]["matchExpressions"]

        assert expression == {
            "key": "kubernetes.io/metadata.name",
            "operator": "In",
            "values": ["ledger", "payments"],
        }
        names = [c["name"] for c in webhook["matchConditions"]]
        assert "protected" not in names


def test_a_glob_makes_a_condition() -> None:
    """A namespace made tomorrow is covered, ours and kube-system never are."""
    for webhook in rendered("payments", "led*").values():
        (expression,) = webhook["namespaceSelector"]["matchExpressions"]

        assert expression["operator"] == "NotIn"
        assert set(expression["values"]) == {"countersign", "kube-system"}
        first = webhook["matchConditions"][0]
        pattern = re.search(r"matches\('(.*?)'\)", first["expression"])
        assert pattern
        assert re.search(pattern[1], "payments")
        assert re.search(pattern[1], "ledger-eu")
        assert not re.search(pattern[1], "payments2")
        assert not re.search(pattern[1], "old-ledger")


def test_a_cluster_scoped_request_passes_the_glob() -> None:
    """It names no namespace, and the expression must not fail on that."""
    condition = rendered("led*")[Entry.CLUSTER]["matchConditions"][0]

    assert condition["expression"].startswith("!has(request.namespace) ||")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"protected": ()}, id="nothing to protect"),
        pytest.param({"protected": ("pay ments",)}, id="no name"),
        pytest.param({"protected": ("x') || true || ('",)}, id="an expression"),
        pytest.param({"protected": ("countersign",)}, id="our own namespace"),
        pytest.param({"protected": ("kube-system",)}, id="what a cluster starts with"),
        pytest.param({"cluster_scoped": [GroupKind("", "Node")]}, id="nodes"),
        pytest.param({"cluster_scoped": [GroupKind("x", "Y")]}, id="an unknown kind"),
        pytest.param({"timeout_s": 31}, id="a timeout that the server refuses"),
        pytest.param({"timeout_s": 0}, id="no time at all"),
    ],
)
def test_refuses_what_could_not_be_kept(fields: dict[str, Any]) -> None:
    """A configuration that is wrong must not be installed."""
    with pytest.raises(Misconfigured):
        rendered(**fields)


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ('admission webhook "objects.countersign.dev" denied the request: no', True),
        ('x: admission webhook "cluster.countersign.dev" denied the request', True),
        ('admission webhook "other.countersign.dev" denied the request', False),
        ('admission webhook "objects.countersign.dev.evil" denied the request', False),
        ('failed calling webhook "objects.countersign.dev": denied the request', False),
        ("objects.countersign.dev is forbidden: denied the request", False),
    ],
)
def test_knows_its_own_denials(said: str, *, ours: bool) -> None:
    """As the API server tells them; an error is none, nor is another's word."""
    assert denied_by_us(said) is ours
