"""What the cluster's own components create passes by its form, and by nobody else."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.births import birth, node_of
from countersign.binding.surface import Rule, rule_for
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb
from tests.support.recording import find, recorded
from tests.support.trees import having
from tests.support.world import DEVELOPER, Tree, World, node, request

REQUESTS = list(recorded(World()))
ACCOUNT = find(REQUESTS, by="service-account-controller", kind="ServiceAccount")
BINDING = find(REQUESTS, by="kube-scheduler", subresource="binding")
TOKEN: Tree = {
    "apiVersion": "authentication.k8s.io/v1",
    "kind": "TokenRequest",
    "metadata": {"name": "default", "namespace": "payments"},
    "spec": {"boundObjectRef": {"kind": "Pod", "name": "it", "uid": "1"}},
}
TOKEN_REQUEST = request(
    Verb.CREATE,
    TOKEN,
    by=node("one"),
    resource=Resource("", "v1", "serviceaccounts", "token"),
)
CERTIFICATE: Tree = {
    "apiVersion": "certificates.k8s.io/v1beta1",
    "kind": "PodCertificateRequest",
    "metadata": {"name": "it", "namespace": "payments"},
    "spec": {"nodeName": "one", "podName": "it", "podUID": "1"},
}
CERTIFICATE_REQUEST = request(
    Verb.CREATE,
    CERTIFICATE,
    by=node("one"),
    resource=Resource("certificates.k8s.io", "v1beta1", "podcertificaterequests"),
)


def born(ask: AdmissionRequest) -> str:
    """Return what lets a request pass."""
    return birth(ask, rule_for(ask))


@pytest.mark.parametrize(
    ("ask", "rule"),
    [
        pytest.param(ACCOUNT, "default-account", id="the default account"),
        pytest.param(BINDING, "scheduled", id="a Pod to a node"),
        pytest.param(TOKEN_REQUEST, "pod-token", id="a token for a Pod"),
        pytest.param(CERTIFICATE_REQUEST, "pod-certificate", id="a certificate"),
    ],
)
def test_components_do_their_work(ask: AdmissionRequest, rule: str) -> None:
    """Recorded, but for the kubelet's."""
    assert born(ask) == rule
    assert not born(replace(ask, requester=DEVELOPER))
    assert not born(replace(ask, object=None))


@pytest.mark.parametrize(
    ("ask", "path", "value"),
    [
        pytest.param(ACCOUNT, "/metadata/name", "robot", id="another account"),
        pytest.param(
            CERTIFICATE_REQUEST, "/spec/nodeName", "two", id="another node's Pod"
        ),
        pytest.param(CERTIFICATE_REQUEST, "/spec/podUID", "", id="of no Pod"),
        pytest.param(
            ACCOUNT,
            "/metadata/annotations",
            {"eks.amazonaws.com/role-arn": "x"},
            id="an account with a role in the cloud",
        ),
        pytest.param(
            ACCOUNT, "/metadata/annotations", {"countersign.dev/ref": "x"}, id="ours"
        ),
        pytest.param(ACCOUNT, "/secrets", [{"name": "x"}], id="with secrets"),
        pytest.param(
            ACCOUNT, "/imagePullSecrets", [{"name": "x"}], id="with pull secrets"
        ),
        pytest.param(
            BINDING, "/metadata/annotations", {"x": "y"}, id="annotations on a Pod"
        ),
        pytest.param(BINDING, "/metadata/labels", {"app": "y"}, id="a Pod's label"),
        pytest.param(BINDING, "/metadata/finalizers", ["x"], id="a finalizer"),
        pytest.param(BINDING, "/metadata/ownerReferences", [{}], id="an owner"),
        pytest.param(BINDING, "/target/kind", "Pod", id="to no node"),
        pytest.param(BINDING, "/target/name", "", id="to nowhere"),
        pytest.param(BINDING, "/spec", {}, id="a spec"),
        pytest.param(TOKEN_REQUEST, "/spec/boundObjectRef", None, id="for nothing"),
        pytest.param(
            TOKEN_REQUEST, "/spec/boundObjectRef/kind", "Secret", id="for a Secret"
        ),
        pytest.param(
            TOKEN_REQUEST, "/spec/boundObjectRef/uid", "", id="for any Pod of a name"
        ),
    ],
)
def test_one_thing_more_is_refused(
    ask: AdmissionRequest, path: str, value: Any
) -> None:
    """A component's name alone opens nothing."""
    assert not born(replace(ask, object=having(ask.object or {}, path, value)))


def test_a_node_may_say_where_it_is() -> None:
    """The PodTopologyLabels plugin copies these from the node."""
    labels = {"topology.kubernetes.io/zone": "a", "topology.kubernetes.io/region": "b"}
    placed = having(BINDING.object or {}, "/metadata/labels", labels)

    assert born(replace(BINDING, object=placed)) == "scheduled"


def test_an_account_is_created_only() -> None:
    """An update to the bare account would take away what people gave it."""
    assert not born(replace(ACCOUNT, verb=Verb.UPDATE, old=ACCOUNT.object))


def test_a_question_is_nobodys_secret() -> None:
    """Nothing of it is stored."""
    review: Tree = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "LocalSubjectAccessReview",
        "metadata": {"name": "", "namespace": "payments"},
    }

    ask = request(Verb.CREATE, review)
    assert rule_for(ask) is Rule.QUESTION
    assert born(ask) == "question"


@pytest.mark.parametrize(
    ("who", "name"),
    [
        pytest.param(node("one"), "one", id="a kubelet"),
        pytest.param(Requester("system:node:one"), "", id="a name without the group"),
        pytest.param(
            Requester("lee", "", frozenset({"system:nodes"})), "", id="the group alone"
        ),
    ],
)
def test_a_kubelet_has_name_and_group(who: Requester, name: str) -> None:
    """As the NodeAuthorizer sees it."""
    assert node_of(who) == name
