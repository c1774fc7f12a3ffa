"""Whether the API server really asks us about what a policy protects."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.binding.registration import webhook_configuration
from countersign.binding.surface import RECOMMENDED
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.policy import Scope
from countersign.usecases.coverage import registration, uncovered

OWN = "countersign"
ROLES = GroupKind("rbac.authorization.k8s.io", "ClusterRole")
SERVICE: Tree = {
    "service": {"namespace": OWN, "name": "countersign", "path": "/validate"}
}


FIELDS = (
    "name",
    "rules",
    "matchConditions",
    "namespaceSelector",
    "clientConfig",
    "failurePolicy",
)


def live(*protected: str, recommended: bool = False, client: Tree | None = None) -> Any:
    """Return the configuration as the server hands it out: with its defaults."""
    tree: Any = webhook_configuration(
        name="countersign",
        protected=protected or ("payments",),
        own_namespace=OWN,
        client_config=copy.deepcopy(client or SERVICE),
        cluster_scoped=RECOMMENDED if recommended else (),
    )
    for webhook in tree["webhooks"]:
        webhook["objectSelector"] = {}
    tree["webhooks"].reverse()
    return tree


def missing(
    tree: Tree | None, *names: str, kinds: frozenset[GroupKind] = frozenset()
) -> str:
    """Return what of a policy is not sent, and the command."""
    scope = Scope(namespaces=names or ("payments",), cluster_scoped=kinds)
    told, command = uncovered(scope, registration(tree, OWN), OWN)
    return "; ".join((*told, command)) if told else ""


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        (("payments",), ("payments",)),
        (("payments", "ledger"), ("ledger",)),
        (("team-*",), ("team-a", "team-*", "team-*-prod")),
        (("*",), ("payments", "*", "a*b")),
        (("team-*", "payments"), ("payments", "team-x")),
    ],
)
def test_is_covered_by_what_is_registered(
    sent: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    """By name, or by a glob that takes in all that the policy's does."""
    assert missing(live(*sent), *asked) == ""


def test_a_url_that_ends_at_our_path_will_do() -> None:
    """Outside of a cluster there is no Service; where it leads nobody here can tell."""
    assert missing(live(client={"url": "https://127.0.0.1:1/validate"})) == ""


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        (("payments",), "ledger"),
        (("payments",), "payments*"),
        (("team-*",), "*"),
        (("team-*",), "team*"),
        (("a*b",), "a*"),
    ],
)
def test_is_not_covered_by_less(sent: tuple[str, ...], asked: str) -> None:
    """A namespace made tomorrow counts: a name never covers a glob."""
    said = missing(live(*sent), asked)

    assert f"namespace {asked} is not sent" in said
    names = ",".join(sorted({*sent, asked}))
    assert f"--set 'protectedNamespaces={{{names}}}'" in said
    assert "helm upgrade countersign charts/countersign --namespace countersign" in said


def test_a_command_names_the_release_that_made_it() -> None:
    """Helm writes it there."""
    tree = live()
    tree["metadata"]["annotations"] = {"meta.helm.sh/release-name": "gate"}

    assert "helm upgrade gate " in missing(tree, "ledger")


def test_cluster_scoped_kinds_need_the_wider_registration() -> None:
    """And the command says so; it also keeps it."""
    kinds = frozenset({ROLES})
    said = missing(live(), kinds=kinds)

    assert "ClusterRole.rbac.authorization.k8s.io is not sent" in said
    assert "--set clusterScoped=recommended" in said
    assert missing(live(recommended=True), kinds=kinds) == ""
    assert "--set clusterScoped=recommended" in missing(
        live(recommended=True), "ledger"
    )


def test_what_is_never_sent_is_said_to_be() -> None:
    """Widening the registration would not help."""
    other = frozenset({GroupKind("", "Node")})

    assert "Node is never registered: take it out" in missing(live(), kinds=other)
    for name in (OWN, "kube-system"):
        said = missing(live("*"), name)
        assert f"namespace {name} is never judged: take it out" in said
        assert "protectedNamespaces={*}" in said


def spoilt(tree: Any, at: int, path: str, value: object) -> None:
    """Replace a field of one webhook; None takes it away."""
    *outer, last = path.split(".")
    place = tree["webhooks"][at]
    for step in outer:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value


@pytest.mark.parametrize(
    ("at", "path", "value"),
    [
        pytest.param(0, "name", "x", id="one is not there"),
        pytest.param(1, "failurePolicy", "Ignore", id="silence admits"),
        pytest.param(1, "matchPolicy", "Exact", id="other versions pass"),
        pytest.param(1, "objectSelector", {"matchLabels": {}}, id="objects opt in"),
        pytest.param(1, "namespaceSelector", {}, id="another selector"),
        pytest.param(2, "matchConditions.0.expression", "false", id="never"),
        pytest.param(1, "matchConditions", [{"name": "x"}], id="other conditions"),
        pytest.param(3, "rules.0.operations", ["CREATE"], id="fewer verbs"),
        pytest.param(2, "rules", [], id="no rules"),
        pytest.param(0, "clientConfig.service.namespace", "x", id="somebody else"),
    ],
)
def test_whatever_differs_from_the_table_is_missing(
    at: int, path: str, value: object
) -> None:
    """One request that is not sent is one that nobody judges."""
    for tree in (live(), live("pay*"), live(recommended=True)):
        assert missing(tree) == ""
        spoilt(tree, at, path, value)

        said = missing(tree)

        assert re.search(r"webhook \w+\.countersign\.dev", said)
        assert "is not sent" not in said


def test_no_configuration_covers_nothing() -> None:
    """Nor does an empty one."""
    assert "no ValidatingWebhookConfiguration countersign" in missing(None)
    assert "protectedNamespaces" not in missing(None).partition("helm")[2]
    assert missing({"metadata": {}, "webhooks": []}) != ""
    assert missing({}) != ""


names = st.text("ab*", min_size=1, max_size=5).filter(
    lambda n: n.strip("*") or n == "*"
)


@given(st.lists(names, min_size=1, max_size=3), names, st.text("ab", max_size=8))
def test_every_namespace_of_a_covered_policy_is_matched_by_what_is_sent(
    sent: list[str], asked: str, namespace: str
) -> None:
    """Held against the expressions that the server evaluates, and its selector."""
    tree = live(*sent)
    inside = Scope(namespaces=(asked,)).holds(GroupKind("", "Pod"), namespace)
    if missing(copy.deepcopy(tree), asked) or not inside:
        return

    for webhook in tree["webhooks"]:
        (term,) = webhook["namespaceSelector"]["matchExpressions"]
        assert (namespace in term["values"]) == (term["operator"] == "In")
        for condition in webhook["matchConditions"]:
            if found := re.search(r"matches\('(.*)'\)", condition["expression"]):
                assert re.search(found[1], namespace)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "rules",
                    "matchConditions",
                    "expression",
                    "namespaceSelector",
                    "matchExpressions",
                    "clientConfig",
                    "metadata",
                    "annotations",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["payments", "pay*"]),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(FIELDS), json), max_size=3),
    json,
)
def test_says_something_of_whatever_is_registered(
    sent: str, edits: list[tuple[int, str, Any]], metadata: Any
) -> None:
    """Who may edit it must not silence what is said of it."""
    tree = live(sent)
    tree["metadata"] = metadata
    for at, name, value in edits:
        tree["webhooks"][at][name] = value

    seen = registration(tree, OWN)

    told, command = uncovered(Scope(namespaces=("payments",)), seen, OWN)
    assert bool(told) == bool(command)
