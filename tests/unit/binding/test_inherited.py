"""What may stay of the old object when a signed state is applied over it."""

from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.inherited import RESTARTED_AT
from countersign.binding.match import match
from tests.support.trees import Tree, deployment, having, ref, service, tree

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
