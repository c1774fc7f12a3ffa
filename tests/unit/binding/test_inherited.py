"""What may stay of the old object when a signed state is applied over it."""

from typing import Any

import pytest

from countersign.binding.besides import Besides
from countersign.binding.canonical import canonical
from countersign.binding.facts import ClusterFacts
from countersign.binding.inherited import RESTARTED_AT
from countersign.binding.match import match
from countersign.binding.tree import ABSENT
from countersign.core.types.operators import Field
from tests.support.trees import Tree, deployment, having, ref, service, tree
from tests.unit.binding.test_custom import kinds, widget

REVISION = "/metadata/annotations/deployment.kubernetes.io~1revision"
OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "it", "uid": "u"}
POLICY = "/spec/template/spec/containers/0/imagePullPolicy"
STAYING = [
    pytest.param("/spec/replicas", 5, 6, id="replicas"),
    pytest.param(REVISION, "3", "4", id="the revision"),
    pytest.param(RESTARTED_AT, "2026-01-01T00:00:00Z", "x", id="a restart"),
    pytest.param(
        "/metadata/ownerReferences", [OWNER], [{**OWNER, "uid": "v"}], id="owner"
    ),
    pytest.param("/metadata/finalizers", ["foregroundDeletion"], ["x"], id="finalizer"),
    pytest.param(POLICY, "Always", "Never", id="a pull policy"),
]


def equal(manifest: Tree, observed: Tree, old: Tree | None) -> bool:
    """Tell whether an object equals an intent, given what was there before."""
    intent = canonical(manifest).tree
    return match(intent, observed, identity=ref(observed), old=old) == ()


@pytest.mark.parametrize(("path", "value", "other"), STAYING)
def test_may_stay_as_it_was(path: str, value: Any, other: Any) -> None:
    """Not on CREATE, not with another value, not where it was not before."""
    plain, kept = deployment(), having(deployment(), path, value)

    assert equal(plain, kept, old=kept)
    assert equal(plain, plain, old=kept)
    assert not equal(plain, kept, old=None)
    assert not equal(plain, kept, old=plain)
    assert not equal(plain, having(plain, path, other), old=kept)


@pytest.mark.parametrize(("path", "value", "other"), STAYING[:-2])
def test_what_the_intent_says_is_not_inherited(
    path: str, value: Any, other: Any
) -> None:
    """A signed value is the only one."""
    signed, kept = having(deployment(), path, other), having(deployment(), path, value)

    assert not equal(signed, kept, old=kept)
    assert equal(signed, signed, old=kept)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/metadata/labels", {"a": "b"}),
        ("/metadata/annotations", {"a": "b"}),
        ("/metadata/finalizers", ["example.com/mine"]),
        ("/spec/template/spec/volumes", [{"name": "x", "emptyDir": {}}]),
        ("/spec/template/spec/hostNetwork", True),
        ("/spec/template/spec/containers/0/env", [{"name": "A"}]),
        ("/spec/template/spec/containers/0/securityContext", {"privileged": True}),
        ("/spec/strategy", {"type": "Recreate"}),
        ("/spec/paused", True),
        (POLICY, "Never"),
    ],
)
def test_nothing_else_stays_unseen(path: str, value: Any) -> None:
    """Leftovers of older approvals, or of nobody's, must be signed to stay."""
    kept = having(deployment(), path, value)

    assert not equal(deployment(), kept, old=kept)


def test_a_finalizer_stays_once() -> None:
    """A second one of the same name was not there before."""
    path, name = "/metadata/finalizers", "foregroundDeletion"
    old = having(deployment(), path, [name])

    assert not equal(deployment(), having(deployment(), path, [name, name]), old=old)


def test_policy_types_do_not_stay() -> None:
    """Egress rules added to a policy for ingress would not be enforced."""
    version, old = "networking.k8s.io/v1", {"policyTypes": ["Ingress"]}
    before = tree("NetworkPolicy", version, spec=old)
    signed = tree("NetworkPolicy", version, spec={"egress": [{}]})
    seen = tree("NetworkPolicy", version, spec={**old, "egress": [{}]})

    assert not equal(signed, seen, old=before)


def test_finalizers_keep_their_order_round_those_that_are_signed() -> None:
    """Controllers append theirs; nothing signed goes missing."""
    mine, theirs = "example.com/a", "service.kubernetes.io/load-balancer-cleanup"
    signed = having(service(type="ExternalName"), "/metadata/finalizers", [mine])
    both = having(signed, "/metadata/finalizers", [mine, theirs])
    only = having(signed, "/metadata/finalizers", [theirs])

    assert equal(signed, both, old=both)
    assert not equal(signed, only, old=both)


def test_pull_policies_are_found_by_the_name_of_the_container() -> None:
    """Another container's policy says nothing about this one."""
    old = having(deployment(name="other"), POLICY, "Always")

    assert not equal(deployment(), having(deployment(), POLICY, "Always"), old=old)


CA, OTHER = "Y2E=", "b3RoZXI="


def hook(name: str) -> Tree:
    """Return a webhook, of a service whose authority nobody names."""
    return {"name": name, "clientConfig": {"service": {"name": "s"}}}


def cluster_wide(kind: str, version: str, **fields: Any) -> Tree:
    """Return an object that lives in no namespace."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "it"}, **fields}


HOOKS = cluster_wide(
    "ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1",
    webhooks=[hook("a.b.c"), hook("d.e.f")],
)
DEFINITION = cluster_wide(
    "CustomResourceDefinition",
    "apiextensions.k8s.io/v1",
    spec={"conversion": {"webhook": {"clientConfig": {"url": "https://x"}}}},
)
AGGREGATED = cluster_wide(
    "ClusterRole",
    "rbac.authorization.k8s.io/v1",
    aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
)
RULES = [{"verbs": ["get"], "resources": ["pods"], "apiGroups": [""]}]
MORE = [{"verbs": ["*"], "resources": ["*"], "apiGroups": ["*"]}]
CLAIM = {"kind": "PersistentVolumeClaim", "name": "c", "uid": "u"}
FOREIGN = [
    pytest.param(
        HOOKS, "/webhooks/1/clientConfig/caBundle", CA, OTHER, id="of a webhook"
    ),
    pytest.param(
        DEFINITION,
        "/spec/conversion/webhook/clientConfig/caBundle",
        CA,
        OTHER,
        id="of a conversion",
    ),
    pytest.param(
        cluster_wide("APIService", "apiregistration.k8s.io/v1", spec={}),
        "/spec/caBundle",
        CA,
        OTHER,
        id="of an API",
    ),
    pytest.param(AGGREGATED, "/rules", RULES, MORE, id="gathered rules"),
    pytest.param(
        cluster_wide("PersistentVolume", "v1", spec={}),
        "/spec/claimRef",
        CLAIM,
        {**CLAIM, "uid": "v"},
        id="the claim of a volume",
    ),
    pytest.param(
        cluster_wide("PersistentVolume", "v1", spec={"claimRef": {"name": "c"}}),
        "/spec/claimRef/uid",
        "u",
        "v",
        id="which claim of that name",
    ),
]


@pytest.mark.parametrize(("plain", "path", "value", "other"), FOREIGN)
def test_what_others_wrote_stays_as_it_was(
    plain: Tree, path: str, value: Any, other: Any
) -> None:
    """Equal to the old, unsaid, and on UPDATE: else it is a change by anybody."""
    kept = having(plain, path, value)

    assert equal(plain, kept, old=kept)
    assert not equal(plain, kept, old=None)
    assert not equal(plain, kept, old=plain)
    assert not equal(plain, having(plain, path, other), old=kept)
    assert not equal(having(plain, path, other), kept, old=kept)


def test_bundles_are_found_by_the_name_of_the_webhook() -> None:
    """Another webhook's authority says nothing about this one."""
    old = having(HOOKS, "/webhooks/0/clientConfig/caBundle", CA)
    moved = having(HOOKS, "/webhooks/1/clientConfig/caBundle", CA)

    assert not equal(HOOKS, moved, old=old)


def test_rules_stay_only_where_they_were_gathered() -> None:
    """A role that was written by hand keeps nothing of it when it becomes another."""
    by_hand = having(having(AGGREGATED, "/rules", MORE), "/aggregationRule", ABSENT)
    now = having(AGGREGATED, "/rules", MORE)

    assert not equal(AGGREGATED, now, old=by_hand)
    assert not equal(
        having(AGGREGATED, "/aggregationRule", ABSENT), by_hand, old=by_hand
    )


def controller(labels: Tree | None, template: Tree) -> Tree:
    """Return a ReplicationController."""
    spec = {"replicas": 1, "selector": template, "template": labelled(template)}
    made = tree("ReplicationController", "v1", spec=spec)
    return made if labels is None else having(made, "/metadata/labels", labels)


def labelled(labels: Tree) -> Tree:
    """Return a template of Pods."""
    spec = {"containers": [{"name": "main", "image": "app:1"}]}
    return {"metadata": {"labels": labels}, "spec": spec}


def test_labels_of_the_template_stay_one_by_one() -> None:
    """A label that somebody else put there does not stay with them."""
    given, signed = {"app": "it"}, controller({"now": "signed"}, {"app": "it"})
    old = controller(given, given)
    both = controller({"now": "signed", **given}, given)
    foreign = {**given, "x": "y"}

    assert equal(signed, both, old=old)
    assert equal(signed, signed, old=old)
    assert not equal(signed, both, old=None)
    assert not equal(signed, both, old=controller({"app": "z"}, given))
    assert equal(
        controller(None, {"app": "z"}), controller(given, {"app": "z"}), old=old
    )
    assert not equal(
        controller(None, given),
        controller(foreign, given),
        old=controller(foreign, given),
    )


def test_an_operators_field_stays_with_the_type_that_it_had() -> None:
    """True is not 1, in a list either."""
    besides = Besides(fields=(Field("/spec/free"),))
    facts = ClusterFacts(kinds=kinds())

    def stays(old: Any, seen: Any) -> bool:
        before, after = widget(free=old), widget(free=seen)
        how: Any = {"identity": ref(after), "old": before, "facts": facts}
        return not match(canonical(widget()).tree, after, besides=besides, **how)

    assert stays([1], [1])
    assert stays({"a": [1]}, {"a": [1]})
    assert not stays([1], [True])
    assert not stays({"a": [1]}, {"a": [True]})


def test_an_operators_field_stays_with_the_item_that_had_it() -> None:
    """Items have names; what one container got is not another's."""
    besides = Besides(fields=(Field("/spec/template/spec/containers/*/resources"),))
    small, large = ({"limits": {"cpu": cpu}} for cpu in ("1", "9"))

    def running(**given: Tree) -> Tree:
        made = deployment()
        items = [
            {"name": name, "image": "app:1", **({"resources": one} if one else {})}
            for name, one in given.items()
        ]
        return having(made, "/spec/template/spec/containers", items)

    def stays(seen: Tree) -> bool:
        old, signed = running(a=small, b=large), canonical(running(b={}, a={})).tree
        return not match(signed, seen, identity=ref(seen), old=old, besides=besides)

    assert stays(running(b=large, a=small))
    assert not stays(running(b=small, a=large))
