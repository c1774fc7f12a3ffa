"""What is equal to the API server is equal here, and nothing else."""

import pytest

from countersign.binding.match import same, state_digest
from countersign.binding.normal_form import normal_form, written_form
from countersign.core.errors import Malformed
from tests.support.trees import Tree, deployment, having, pod, service, tree

POD = pod()
SPEC = "/spec/template/spec"
MAIN = f"{SPEC}/containers/0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/spec/replicas", 1, id="a default spelled out"),
        pytest.param("/spec/strategy", {}, id="an empty struct"),
        pytest.param("/spec/strategy", {"type": ""}, id="a zero string"),
        pytest.param("/spec/paused", False, id="a zero bool"),
        pytest.param("/spec/minReadySeconds", 0, id="a zero integer"),
        pytest.param("/spec/minReadySeconds", None, id="null"),
        pytest.param("/metadata/finalizers", [], id="an empty list"),
        pytest.param("/metadata/labels", {}, id="an empty map"),
        pytest.param(f"{SPEC}/securityContext", {}, id="a defaulted empty struct"),
        pytest.param(f"{SPEC}/volumes", None, id="a null list"),
        pytest.param(f"{MAIN}/imagePullPolicy", "IfNotPresent", id="by the tag"),
        pytest.param(f"{MAIN}/resources", {"limits": {}}, id="no limits"),
        pytest.param("/status", {"replicas": 7}, id="the status"),
        pytest.param("/metadata/uid", "x", id="the uid"),
        pytest.param("/metadata/managedFields", [{}], id="managed fields"),
        pytest.param(
            "/metadata/creationTimestamp", "2026-01-01T00:00:00Z", id="a time"
        ),
        pytest.param(
            "/metadata/annotations",
            {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
            id="kubectl's copy",
        ),
        pytest.param(
            "/metadata/annotations", {"countersign.dev/intent": ""}, id="ours"
        ),
    ],
)
def test_absence_has_many_spellings(path: str, value: object) -> None:
    """None of them is a difference, since the server makes none."""
    assert normal_form(having(deployment(), path, value)) == normal_form(deployment())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/spec/replicas", 0, id="a pointer's zero"),
        pytest.param("/spec/revisionHistoryLimit", 0, id="no history"),
        pytest.param(f"{SPEC}/automountServiceAccountToken", False, id="false"),
        pytest.param(f"{SPEC}/hostUsers", False, id="false behind a pointer"),
        pytest.param(f"{SPEC}/nodeSelector", {"k": ""}, id="an empty value in a map"),
        pytest.param("/metadata/labels", {"k": ""}, id="an empty label"),
        pytest.param("/metadata/annotations", {"k": None}, id="a null annotation"),
        pytest.param(
            "/spec/selector/matchExpressions", [{}], id="an empty struct in a list"
        ),
        pytest.param("/spec/strategy", {"type": "Recreate"}, id="no default"),
        pytest.param(f"{SPEC}/affinity", {"podAffinity": {}}, id="an empty affinity"),
        pytest.param(f"{MAIN}/args", [""], id="an empty argument"),
        pytest.param(
            f"{MAIN}/securityContext", {"privileged": False}, id="unprivileged"
        ),
        pytest.param(f"{MAIN}/imagePullPolicy", "Always", id="another policy"),
        pytest.param("/metadata/generateName", "x", id="a name's origin"),
        pytest.param("/unknown", 0, id="a field that nobody knows"),
    ],
)
def test_what_differs_stays_different(path: str, value: object) -> None:
    """By type, never by value: each of these means something."""
    assert normal_form(having(deployment(), path, value)) != normal_form(deployment())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            deployment(resources={"limits": {"cpu": "0.1", "memory": "1Gi"}}),
            deployment(resources={"limits": {"cpu": "100m", "memory": "1024Mi"}}),
            id="quantities",
        ),
        pytest.param(
            deployment(resources={"requests": {"cpu": "0.0001"}}),
            deployment(resources={"requests": {"cpu": "1m"}}),
            id="resources are rounded up to milli",
        ),
        pytest.param(
            deployment(env=[{"name": "A", "value": ""}]),
            deployment(env=[{"name": "A"}]),
            id="an empty variable",
        ),
        pytest.param(
            deployment(image="app"),
            deployment(image="app", imagePullPolicy="Always"),
            id="a tag that is not there",
        ),
        pytest.param(
            deployment(image="App"),
            deployment(image="App", imagePullPolicy="IfNotPresent"),
            id="an image that is none",
        ),
        pytest.param(
            tree("Secret", stringData={"a": "x"}),
            tree("Secret", data={"a": "eA=="}, type="Opaque"),
            id="a Secret's text",
        ),
        pytest.param(
            tree("ConfigMap", data={"a": None}),
            tree("ConfigMap", data={"a": ""}),
            id="null in a map of strings",
        ),
        pytest.param(
            pod(serviceAccount="app"), pod(serviceAccountName="app"), id="an alias"
        ),
        pytest.param(
            service(sessionAffinityConfig={"clientIP": {"timeoutSeconds": 1}}),
            service(),
            id="a configuration that the server removes",
        ),
        pytest.param(
            service(ports=[{"port": 80, "targetPort": 0}]),
            service(ports=[{"port": 80, "targetPort": 80, "protocol": "TCP"}]),
            id="a target port",
        ),
    ],
)
def test_one_thing_two_spellings(one: Tree, other: Tree) -> None:
    """Both are what the server stores."""
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            deployment(livenessProbe={"httpGet": {"port": 80}}),
            deployment(livenessProbe={"httpGet": {"port": "80"}}),
            id="a port and a port's name",
        ),
        pytest.param(
            deployment(env=[{"name": "A"}, {"name": "B"}]),
            deployment(env=[{"name": "B"}, {"name": "A"}]),
            id="an order",
        ),
        pytest.param(
            tree("NetworkPolicy", "networking.k8s.io/v1", spec={"ingress": [{}]}),
            tree("NetworkPolicy", "networking.k8s.io/v1", spec={"ingress": []}),
            id="everybody and nobody",
        ),
        pytest.param(
            tree("PersistentVolumeClaim", spec={"storageClassName": ""}),
            tree("PersistentVolumeClaim", spec={}),
            id="no class and the default class",
        ),
    ],
)
def test_two_things_that_look_alike(one: Tree, other: Tree) -> None:
    """People have opened clusters by taking these for equal."""
    assert normal_form(one) != normal_form(other)


def test_is_its_own_normal_form() -> None:
    """Nothing is left to normalise, and the original is left alone."""
    original = deployment(resources={"limits": {"cpu": "0.5"}})
    form = normal_form(original)

    assert normal_form(form) == form
    assert original == deployment(resources={"limits": {"cpu": "0.5"}})


def test_a_status_that_is_no_subresource_counts() -> None:
    """Stripping it by name would be a hole."""
    config = tree("ConfigMap")

    assert written_form({**config, "status": {"x": 1}}) != written_form(config)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec", []),
        ("/spec/containers", {}),
        ("/spec/containers/0", "x"),
        ("/spec/containers/0/ports", [{"containerPort": "80"}]),
        ("/spec/nodeSelector", []),
        ("/metadata", "x"),
        ("/spec/overhead", {"cpu": "much"}),
        ("/kind", "Gizmo"),
    ],
)
def test_refuses_what_the_server_could_not_have_decoded(
    path: str, value: object
) -> None:
    """A form of nonsense would compare equal to other nonsense."""
    with pytest.raises(Malformed):
        normal_form(having(POD, path, value))


@pytest.mark.parametrize(
    "path",
    [
        "/metadata/labels/a",
        "/metadata/annotations/a",
        "/metadata/annotations/countersign.dev~1bundles",
        "/metadata/annotations/countersign.dev~1other",
        "/spec/nodeName",
    ],
)
def test_the_same_means_nothing_at_all_changed(path: str) -> None:
    """Our own annotations count: swapping them would swap the evidence."""
    live = having(POD, "/metadata/resourceVersion", "1")
    again = having(POD, "/metadata/resourceVersion", "2")

    assert same(live, again)
    assert not same(live, having(again, path, "x"))


def test_added_finalizers_and_owners_are_changes() -> None:
    """They decide what is deleted, and when."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}

    assert not same(POD, having(POD, "/metadata/finalizers", ["x"]))
    assert not same(POD, having(POD, "/metadata/ownerReferences", [owner]))


def test_a_state_is_what_stands_there() -> None:
    """Not who applied it, nor which evidence came with it."""
    live = having(deployment(), "/metadata/resourceVersion", "7")
    scaled = having(live, "/spec/replicas", 2)
    carrying = having(live, "/metadata/annotations/countersign.dev~1bundles", "x")

    assert state_digest(live) == state_digest(deployment())
    assert state_digest(carrying) == state_digest(live)
    assert state_digest(scaled) != state_digest(live)


def test_the_state_of_a_secret_is_salted() -> None:
    """A plain digest of it would let anyone try values."""
    secret = tree("Secret", data={"a": "eA=="})
    salts = bytes(32), bytes(range(32))

    with pytest.raises(Malformed, match="salt"):
        state_digest(secret)
    assert state_digest(secret, salt=salts[0]) == state_digest(secret, salt=salts[0])
    assert state_digest(secret, salt=salts[0]) != state_digest(secret, salt=salts[1])
