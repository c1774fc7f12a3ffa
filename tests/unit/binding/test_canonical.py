"""The canonical intent: what is taken out, what is refused, what it digests to."""

import hashlib
import json

import pytest

from countersign.binding.canonical import canonical, canonical_json, read_intent
from countersign.binding.masking import SALT_BYTES, mask, salt_of
from countersign.core.errors import Malformed
from tests.support.trees import Tree, deployment, having, tree

SALT = b"s" * SALT_BYTES


def test_is_the_sha256_of_its_canonical_json() -> None:
    """Whoever has sha256sum can check a digest."""
    intent = canonical(tree("ConfigMap", data={"b": "2", "a": "ä"}))
    data = (
        '{"apiVersion":"v1","data":{"a":"ä","b":"2"},"kind":"ConfigMap",'
        '"metadata":{"name":"it","namespace":"here"}}'
    ).encode()

    assert intent.digest.value == hashlib.sha256(data).hexdigest()
    assert canonical_json(intent.tree) == data
    assert read_intent(data) == intent


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/status", {}, id="an empty status"),
        pytest.param("/status", {"conditions": []}, id="a hollow status"),
        pytest.param(
            "/status",
            {"replicas": 0, "conditions": [], "observedGeneration": 0},
            id="a status of nothing but zeros",
        ),
        pytest.param("/metadata/creationTimestamp", None, id="a null time of creation"),
        pytest.param("/metadata/labels", None, id="null labels"),
        pytest.param("/metadata/annotations", {}, id="no annotations at all"),
        pytest.param(
            "/metadata/annotations",
            {
                "countersign.dev/bundles": "x",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
            },
            id="our own annotations and kubectl's copy",
        ),
        pytest.param("/spec/template/metadata/creationTimestamp", None, id="deep null"),
    ],
)
def test_does_not_depend_on(path: str, value: object) -> None:
    """What generators and we ourselves leave behind says nothing."""
    plain = deployment()

    assert canonical(having(plain, path, value)) == canonical(plain)


@pytest.mark.parametrize(
    "changed",
    [
        having(deployment(), "/metadata/labels", {}),
        having(deployment(), "/spec/replicas", 1),
        having(deployment(), "/metadata/annotations", {"a": ""}),
        deployment(command=["sh", None]),
    ],
    ids=["an empty map", "a default", "an empty annotation", "a null in a list"],
)
def test_fills_in_nothing_and_drops_nothing_else(changed: Tree) -> None:
    """A default is the server's business: the digest is of what is written."""
    assert canonical(changed).digest != canonical(deployment()).digest


def test_keeps_nulls_that_the_server_stores_as_values() -> None:
    """In maps of strings null means the empty string."""
    intent = canonical(tree("ConfigMap", data={"a": None}))

    assert intent.tree["data"] == {"a": None}


def test_reads_whole_floats_as_integers() -> None:
    """JSON has one kind of number, and so has its canonical form."""
    plain = having(deployment(), "/spec/replicas", 3)

    assert canonical(having(plain, "/spec/replicas", 3.0)) == canonical(plain)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("/metadata/uid", "x", "/metadata/uid: owned by the server"),
        ("/metadata/resourceVersion", "1", "owned by the server"),
        ("/metadata/managedFields", [], "owned by the server"),
        ("/metadata/generation", 1, "owned by the server"),
        ("/status", {"replicas": 1}, "/status: owned by the server"),
        (
            "/spec/template/spec/containers/0/imagee",
            "x",
            "containers/0/imagee: unknown",
        ),
        ("/sppec", {}, "/sppec: unknown field"),
        ("/spec/replicas", "3", "/spec/replicas: expected a whole number"),
        ("/spec/replicas", True, "/spec/replicas: expected a whole number"),
        ("/spec/replicas", 1.5, "/spec/replicas: expected a whole number"),
        ("/spec/replicas", 2**53, "plain JSON"),
        ("/spec/paused", 0, "/spec/paused: expected true or false"),
        ("/spec/template/spec/containers", {}, "containers: expected a list"),
        ("/spec/template/spec/containers/0/args", [0], "args/0: expected a string"),
        ("/metadata/labels", {"a": 1}, "/metadata/labels/a: expected a string"),
        ("/metadata/labels", [], "/metadata/labels: expected a map"),
        ("/metadata", {"namespace": "here"}, "expected a name"),
        (
            "/metadata/namespace",
            None,
            "expected a namespace, saw none: give --namespace",
        ),
        ("/kind", "Widget", "unsupported kind apps/v1/Widget"),
        ("/kind", "v1/Deployment", "expected apiVersion and kind"),
        ("/apiVersion", "extensions/v1beta1", "unsupported kind"),
        ("/apiVersion", None, "expected apiVersion and kind"),
    ],
)
def test_refuses(path: str, value: object, complaint: str) -> None:
    """What the server would refuse, drop in silence or overwrite; with its place."""
    with pytest.raises(Malformed, match=complaint):
        canonical(having(deployment(), path, value))


def test_refuses_what_is_nested_too_deeply() -> None:
    """No recursion error leaves."""
    bottomless: object = "x"
    for _ in range(5000):
        bottomless = {"a": bottomless}

    with pytest.raises(Malformed):
        canonical(having(deployment(), "/metadata/annotations", bottomless))


BLOB: Tree = {"digest": f"sha256:{'1' * 64}", "mediaType": "some/type", "size": 1}


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"config": BLOB, "layers": [BLOB]}, id="an image"),
        pytest.param({"layers": [BLOB]}, id="half of one"),
        pytest.param({"manifests": [BLOB]}, id="an index"),
        pytest.param({"fsLayers": [{"blobSum": BLOB["digest"]}]}, id="an old image"),
        pytest.param({"Manifests": [None, BLOB]}, id="in other letters"),
        pytest.param({"manife\u017ft\u017f": [BLOB]}, id="in letters that fold"),
        pytest.param({"manifests": [{"Digest": "x"}]}, id="in other letters below"),
        pytest.param({"config": 1, "CONFIG": BLOB}, id="twice"),
    ],
)
def test_refuses_what_a_registry_would_keep_as_an_image(more: Tree) -> None:
    """Who signs for the object, or attests it, would have named that image."""
    about: Tree = {"name": "it", "namespace": "here"}
    one: Tree = {"apiVersion": "acme.io/v1", "kind": "It", "metadata": about}
    tree_of_both = {**one, "schemaVersion": 2, **more}

    with pytest.raises(Malformed, match="no image as well"):
        canonical(tree_of_both)
    with pytest.raises(Malformed, match="no image as well"):
        read_intent(canonical_json(tree_of_both))
    canonical({**one, "spec": more})
    canonical({**one, "config": {"layers": 1}, "manifests": ["a.yaml"], "layers": {}})


def test_says_where_an_object_goes() -> None:
    """The namespace is part of what is signed, and comes from the signer."""
    bare = having(deployment(), "/metadata/namespace", None)

    assert canonical(bare, namespace="here") == canonical(deployment())
    with pytest.raises(Malformed, match="expected there, saw here"):
        canonical(deployment(), namespace="there")


def test_leaves_out_a_namespace_on_what_lives_in_none() -> None:
    """The server drops it in silence, as charts that bring one expect."""
    role = tree("ClusterRole", "rbac.authorization.k8s.io/v1")
    plain = having(role, "/metadata", {"name": "it"})

    for namespace in ("", "here", "there"):
        assert canonical(role, namespace=namespace) == canonical(plain)
    assert canonical(plain).tree["metadata"] == {"name": "it"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"kind":"ConfigMap","apiVersion":"v1"}', id="keys unsorted"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(
            b'{"apiVersion":"v1","kind":"ConfigMap","kind":"Secret",'
            b'"metadata":{"name":"it","namespace":"here"}}',
            id="a key twice",
        ),
        pytest.param(
            b'{"apiVersion":"v1","kind":"ConfigMap",'
            b'"metadata":{"name":"it","namespace":"here"},"x":1}',
            id="an unknown field",
        ),
        pytest.param(
            b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"it"}}',
            id="no namespace",
        ),
        pytest.param(
            b'{"apiVersion":"v1","data":null,"kind":"ConfigMap",'
            b'"metadata":{"name":"it","namespace":"here"}}',
            id="a null field",
        ),
        pytest.param(b"[" * 100_000, id="bottomless"),
    ],
)
def test_reads_only_what_it_would_have_written(data: bytes) -> None:
    """An intent has one form; every other is refused, whatever was signed."""
    with pytest.raises(Malformed):
        read_intent(data)


def test_the_intent_of_a_secret_is_masked() -> None:
    """Neither a value nor its plain hash is anywhere in it."""
    values = {"user": "admin", "password": "hunter2"}
    intent = canonical(tree("Secret", stringData=values), salt=SALT)
    text = json.dumps(intent.tree)

    assert salt_of(intent.tree) == SALT
    assert read_intent(canonical_json(intent.tree)) == intent
    assert "stringData" not in intent.tree
    for value in values.values():
        assert value not in text
        assert hashlib.sha256(value.encode()).hexdigest() not in text


def test_masks_differ_by_salt_key_and_value_only() -> None:
    """The same value under two keys looks different; spelling does not matter."""
    secret = tree("Secret", data={"a": "eA==", "b": "eA=="})
    masked = mask(secret, SALT)["data"]
    other_salt = mask(secret, b"t" * SALT_BYTES)["data"]
    respelled = tree("Secret", data={"a": "eA=\n="}, stringData={"b": "x"})

    assert masked["a"] != masked["b"]
    assert masked["a"] != other_salt["a"]
    assert mask(respelled, SALT)["data"] == masked


@pytest.mark.parametrize(
    ("secret", "salt"),
    [
        pytest.param(tree("Secret", data={"a": "eA=="}), b"", id="no salt"),
        pytest.param(tree("Secret", data={"a": "eA=="}), b"short", id="a short salt"),
        pytest.param(tree("Secret", data={"a": "!"}), SALT, id="no base64"),
        pytest.param(tree("Secret", stringData={"a": 1}), SALT, id="no string"),
        pytest.param(tree("Secret", stringData=["a"]), SALT, id="no map"),
        pytest.param(tree("Secret", data=["a"]), SALT, id="no map of base64"),
        pytest.param(
            tree("Secret", data={"a": "eA=="}, salt="00"), SALT, id="own salt"
        ),
        pytest.param(
            tree("Secret", data={"a": "eA=="}, salt=SALT.hex()), SALT, id="half masked"
        ),
        pytest.param(
            tree("Secret", stringData={"a": "x"}, salt=SALT.hex()), SALT, id="plain too"
        ),
    ],
)
def test_refuses_a_secret_that_would_not_be_masked(secret: Tree, salt: bytes) -> None:
    """Better no intent than one that shows a value."""
    with pytest.raises(Malformed):
        canonical(secret, salt=salt)
