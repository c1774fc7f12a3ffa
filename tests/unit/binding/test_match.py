"""An object under admission against a signed intent, without a server."""

import json
from typing import Any

import pytest

from countersign.binding.besides import Besides
from countersign.binding.canonical import canonical
from countersign.binding.causes import MAX_DIFFERENCES, MAX_SHOWN
from countersign.binding.match import match, state_digest
from countersign.binding.normal_form import normal_form
from countersign.binding.tree import ABSENT
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Difference, ObjectRef
from countersign.core.types.change import Elastic
from countersign.core.types.doors import Tools
from countersign.core.types.operators import Field
from tests.support.trees import Tree, deployment, having, ref, tree

SALT = bytes(32)
MAIN = "/spec/template/spec/containers/0"


def compare(manifest: Tree, observed: Tree, **how: Any) -> tuple[Difference, ...]:
    """Compare an object with the intent of a manifest."""
    intent = canonical(manifest, salt=SALT)
    return match(intent.tree, observed, **{"identity": ref(observed), **how})


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("/spec/replicas", 2, "/spec/replicas"),
        (f"{MAIN}/image", "app:2", f"{MAIN}/image"),
        (f"{MAIN}/env", [{"name": "A", "value": "b"}], f"{MAIN}/env"),
        (f"{MAIN}/securityContext", {"privileged": True}, f"{MAIN}/securityContext"),
        ("/metadata/labels", {"a": "b"}, "/metadata/labels/a"),
        ("/metadata/annotations", {"a": "b"}, "/metadata/annotations/a"),
        ("/metadata/finalizers", ["a"], "/metadata/finalizers"),
        ("/metadata/ownerReferences", [{"uid": "u"}], "/metadata/ownerReferences"),
        (
            "/spec/template/metadata/annotations",
            {"kubectl.kubernetes.io/restartedAt": "now"},
            "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt",
        ),
        ("/spec/template/spec/nodeName", "n", "/spec/template/spec/nodeName"),
        ("/spec/newField", 0, "/spec/newField"),
    ],
)
def test_names_the_one_thing_that_was_added(path: str, value: Any, where: str) -> None:
    """Nothing is free for the taking; there is no list of what to ignore."""
    found = compare(deployment(), having(deployment(), path, value))
    (shown,) = [value] if where == path else value.values()  # an entry of a map

    assert [difference.path for difference in found] == [where]
    assert found[0].expected in {None, "1", '"app:1"'}
    assert json.loads(found[0].seen or "") == shown


def test_names_the_container_that_was_slipped_in() -> None:
    """Not the whole list: the reader has a minute."""
    sidecar = {"name": "miner", "image": "miner:1"}
    observed = deployment()
    observed["spec"]["template"]["spec"]["containers"].insert(0, sidecar)
    found = compare(deployment(), observed)

    assert [difference.path for difference in found] == [MAIN]
    assert found[0].expected is None
    assert '"miner:1"' in (found[0].seen or "")


def test_names_what_is_missing() -> None:
    """An intent is no lower bound, and no upper bound."""
    wanted = deployment(args=["--safe", "--fast"])
    found = compare(wanted, deployment(args=["--fast"]))

    assert found == (Difference(f"{MAIN}/args/0", '"--safe"', None),)


def test_is_bounded_and_sorted() -> None:
    """A denial is a few lines, whatever was sent."""
    data = {f"key-{i:03}": "x" * 1000 for i in range(100)}
    found = compare(tree("ConfigMap"), tree("ConfigMap", data=data))
    many = compare(
        tree("ConfigMap", data=dict.fromkeys(data, "y")), tree("ConfigMap", data=data)
    )

    assert found[0].path == "/data/key-000"
    assert len(found) == len(many) == MAX_DIFFERENCES
    assert list(many) == sorted(many)
    assert all(len(d.seen or "") <= MAX_SHOWN for d in (*found, *many))


def test_writes_json_pointers() -> None:
    """Slashes and tildes in keys are escaped (RFC 6901)."""
    observed = deployment()
    wanted = having(observed, "/metadata/annotations", {"a/b~c": "1"})
    found = compare(wanted, having(wanted, "/metadata/annotations", {"a/b~c": "2"}))

    assert [difference.path for difference in found] == [
        "/metadata/annotations/a~1b~0c"
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/metadata/name", "other"),
        ("/metadata/namespace", "there"),
        ("/apiVersion", "apps/v1"),
        ("/kind", "Secret"),
    ],
)
def test_an_intent_is_for_one_object(path: str, value: str) -> None:
    """Replayed on another name, namespace or kind it equals nothing."""
    config = tree("ConfigMap", data={"a": "eA=="})
    if path == "/apiVersion":
        intent, observed = deployment(), config
    else:
        intent, observed = config, having(config, path, value)

    assert compare(intent, observed) != ()


@pytest.mark.parametrize(
    "identity",
    [
        ObjectRef("apps", "Deployment", "there", "it"),
        ObjectRef("apps", "Deployment", "here", "other"),
        ObjectRef("apps", "StatefulSet", "here", "it"),
        ObjectRef("extensions", "Deployment", "here", "it"),
        ObjectRef("apps", "Deployment", "", "it"),
    ],
)
def test_the_request_must_be_about_the_object(identity: ObjectRef) -> None:
    """The namespace is the request's, never the object's word for it."""
    with pytest.raises(Malformed, match="the object of the request"):
        compare(deployment(), deployment(), identity=identity)


def test_an_object_without_namespace_is_where_the_request_is() -> None:
    """The server need not repeat it in the object."""
    observed = having(deployment(), "/metadata/namespace", ABSENT)
    intent = canonical(deployment()).tree

    assert match(intent, observed, identity=ref(deployment())) == ()


def test_a_namespace_lives_in_none_though_its_request_names_it() -> None:
    """For Namespace objects the request's namespace is their own name."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "it"}}
    finalized = {**namespace, "spec": {"finalizers": ["kubernetes"]}}

    for said in ("", "it"):
        identity = ObjectRef("", "Namespace", said, "it")
        assert compare(namespace, finalized, identity=identity) == ()


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("job-b2c4d", True),
        ("job-b2c4", False),
        ("job-b2c4dd", False),
        ("job-aeiou", False),
        ("job-", False),
        ("job-b2c4\n", False),
        ("other-b2c4d", False),
    ],
)
def test_generated_names_are_generated_from_the_intent(
    *, name: str, accepted: bool
) -> None:
    """Prefix, then five characters of the server's alphabet."""
    manifest = {
        **tree("ConfigMap"),
        "metadata": {"generateName": "job-", "namespace": "here"},
    }
    observed = tree("ConfigMap", metadata={"generateName": "job-", "name": name})

    assert (compare(manifest, observed) == ()) is accepted


@pytest.mark.parametrize(
    ("replicas", "accepted"),
    [
        (2, True),
        (3, True),
        (5, True),
        (1, False),
        (6, False),
        (0, False),
        (True, False),
        ("3", False),
    ],
)
def test_elastic_values_move_within_signed_bounds(
    *, replicas: Any, accepted: bool
) -> None:
    """Integers only, both bounds included, and nothing beside them."""
    bounds = (Elastic("/spec/replicas", 2, 5),)
    signed = having(deployment(), "/spec/replicas", 3)
    observed = having(deployment(), "/spec/replicas", replicas)
    if type(replicas) is not int:
        with pytest.raises(Malformed):
            compare(signed, observed, elastic=bounds)
        return

    assert (compare(signed, observed, elastic=bounds) == ()) is accepted


def test_elasticity_replaces_nothing_but_integers() -> None:
    """A signed range is no licence to turn a name into a number, or to add structs."""
    port = {"httpGet": {"port": "named"}}
    observed = deployment(livenessProbe={"httpGet": {"port": 80}})
    at_port = (Elastic(f"{MAIN}/livenessProbe/httpGet/port", 1, 100),)
    with_probe = deployment(livenessProbe={"httpGet": {"port": 80}})

    assert compare(deployment(livenessProbe=port), observed, elastic=at_port) != ()
    assert compare(deployment(), with_probe, elastic=at_port) != ()


HELM_MAY = Besides(tools=Tools(helm=True))
HELM = {
    "meta.helm.sh/release-name": "web",
    "meta.helm.sh/release-namespace": "here",
}


def test_helm_marks_what_it_owns_where_it_may() -> None:
    """Exact keys; only with the policy's leave; only where the intent is silent."""
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    marked = having(deployment(), "/metadata/annotations", HELM)
    marked = having(marked, "/metadata/labels", labels)
    other = having(marked, "/metadata/labels/app.kubernetes.io~1managed-by", "Tiller")
    shell = having(marked, "/metadata/annotations/meta.helm.sh~1release-name", "$(x)")
    said = having(
        deployment(), "/metadata/labels", {"app.kubernetes.io/managed-by": "me"}
    )

    assert compare(deployment(), marked, besides=HELM_MAY) == ()
    assert compare(deployment(), marked) != ()
    assert compare(deployment(), other, besides=HELM_MAY) != ()
    assert compare(deployment(), shell, besides=HELM_MAY) != ()
    assert compare(said, marked, besides=HELM_MAY) != ()


def test_helm_marks_do_not_stand_in_for_defaulted_labels() -> None:
    """A Job with marks of its own does not get its template's labels."""
    spec = {"template": {"metadata": {"labels": {"app": "it"}}}}
    job = tree("Job", "batch/v1", spec={**spec, "manualSelector": True})
    marks = {"app.kubernetes.io/managed-by": "Helm"}
    marked = having(
        having(job, "/metadata/labels", marks), "/metadata/annotations", HELM
    )

    assert compare(job, marked, besides=HELM_MAY) == ()


def test_a_change_cause_is_free_text_of_bounded_length() -> None:
    """Nobody acts on it; nobody stores a novel in it."""
    key = "/metadata/annotations/kubernetes.io~1change-cause"

    assert compare(deployment(), having(deployment(), key, "because")) == ()
    assert compare(deployment(), having(deployment(), key, "x" * 2000)) != ()


def test_secrets_show_where_and_never_what() -> None:
    """Both sides masked, also where all values are new."""
    secret = tree("Secret", stringData={"password": "hunter2"})
    forged = tree("Secret", data={"password": "aHVudGVyMw=="}, type="Opaque")
    found = (
        *compare(secret, forged),
        *compare(tree("Secret"), forged),
        *compare(secret, tree("Secret", type="Opaque")),
    )

    assert [d.path for d in found] == ["/data/password"] * 3
    assert {d.expected for d in found} == {'"*****"', None}
    assert {d.seen for d in found} == {'"*****"', None}


def test_an_intent_of_a_secret_is_masked_or_refused() -> None:
    """One that shows values was never made by us."""
    secret = tree("Secret", data={"a": "eA=="})

    with pytest.raises(Malformed, match="masked"):
        match(secret, secret, identity=ref(secret))


def test_a_masked_secret_is_no_secret() -> None:
    """Storing the masks themselves as values does not equal the values."""
    intent = canonical(tree("Secret", stringData={"a": "x"}), salt=SALT).tree
    stored = having(tree("Secret", type="Opaque"), "/data", {"a": "eA=="})
    forged = {**stored, "stringData": {"a": intent["data"]["a"]}}  # type: ignore[index, call-overload]

    assert match(intent, stored, identity=ref(stored)) == ()
    assert match(intent, forged, identity=ref(stored)) != ()


@pytest.mark.parametrize("kind", ["Widget", "PodExecOptions"])
def test_what_is_not_known_is_not_judged(kind: str) -> None:
    """A kind without a table is refused by name."""
    thing = tree(kind)

    with pytest.raises(Malformed, match=f"unsupported kind v1/{kind}"):
        match(deployment_intent(), thing, identity=ref(thing))


def deployment_intent() -> Tree:
    """Return a valid intent."""
    return dict(canonical(deployment()).tree)


def test_does_not_change_what_it_compares() -> None:
    """The same trees are judged against several intents."""
    intent, observed = deployment_intent(), deployment()
    before = json.dumps([intent, observed])
    match(intent, observed, identity=ref(observed), old=observed)

    assert json.dumps([intent, observed]) == before
    assert normal_form(observed) != observed


def test_what_operators_wrote_stays_where_the_policy_names_it() -> None:
    """As it was, on UPDATE, and nowhere else; what the intent says wins."""
    may = Besides(fields=(Field("/data/ca.crt"),))
    said, injected = tree("ConfigMap"), tree("ConfigMap", data={"ca.crt": "x"})
    beside = tree("ConfigMap", data={"other": "x"})
    spoken = tree("ConfigMap", data={"ca.crt": "y"})

    assert compare(said, injected, old=injected, besides=may) == ()
    assert compare(said, injected, old=injected) != ()
    assert compare(said, injected, old=said, besides=may) != ()
    assert compare(said, injected, besides=may) != ()
    assert compare(said, beside, old=beside, besides=may) != ()
    assert compare(spoken, injected, old=injected, besides=may) != ()


def test_only_secrets_are_masked() -> None:
    """Another kind under a Secret's intent differs; its state needs no salt."""
    config = tree("ConfigMap", data={"a": "no base64"})

    assert compare(tree("Secret"), config) != ()
    assert state_digest(config, salt=SALT) == state_digest(config)
