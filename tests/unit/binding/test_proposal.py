"""What is proposed for signing, without a server: what tools and controllers leave."""

from typing import Any

import pytest

from countersign.binding.besides import Besides
from countersign.binding.canonical import canonical
from countersign.binding.facts import ClusterFacts
from countersign.binding.match import match
from countersign.binding.proposal import propose
from countersign.binding.tree import find
from countersign.core.types.artifacts import Intent
from countersign.core.types.doors import Tools
from tests.support.trees import Tree, deployment, having, ref, tree

SALT = bytes(range(32))
RESTARTED = {"kubectl.kubernetes.io/restartedAt": "2026-11-22T12:00:00Z"}
SERVED = {
    "uid": "u",
    "resourceVersion": "7",
    "generation": 3,
    "creationTimestamp": "2026-11-22T12:00:00Z",
    "managedFields": [{"manager": "x"}],
}


def proposed(seen: Tree, old: Tree | None = None, **how: Any) -> Intent | None:
    """Propose for an object under admission."""
    given: dict[str, Any] = {"carried": (), "salt": SALT, "facts": ClusterFacts()}
    return propose(seen, identity=ref(seen), old=old, **{**given, **how})


def marked(original: Tree, **metadata: Any) -> Tree:
    """Return a copy with more metadata."""
    return {**original, "metadata": {**original["metadata"], **metadata}}


def annotated(original: Tree, **more: str) -> Tree:
    """Return a copy with annotations."""
    keys = {key.replace("__", "/"): value for key, value in more.items()}
    return marked(original, annotations=keys)


def test_nothing_that_the_server_owns() -> None:
    """No status, no bookkeeping, nothing of ours or of kubectl's."""
    plain = having(deployment(), "/metadata/labels", {"a": "b"})
    seen = marked(plain, **SERVED) | {"status": {"replicas": 1}}
    seen["metadata"]["annotations"] = {
        "countersign.dev/bundles": "x",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "kubernetes.io/change-cause": "because",
        "note": "kept",
    }

    found = proposed(seen)

    assert found == canonical(
        marked(plain, annotations={"note": "kept"}), namespace="here"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/template/metadata/annotations", RESTARTED),
        ("/metadata/ownerReferences", [{"kind": "X", "name": "x", "uid": "u"}]),
        ("/metadata/finalizers", ["foregroundDeletion"]),
        (
            "/metadata/annotations",
            {"deployment.kubernetes.io/revision": "4"},
        ),
    ],
)
def test_what_controllers_wrote_before_is_not_signed(path: str, value: Any) -> None:
    """It may stay, and it may go; made by this request, it is part of what is signed."""
    old = having(deployment(), path, value)
    new = having(old, "/spec/replicas", 3)

    after, made = proposed(new, old), proposed(new, deployment())

    assert after is not None
    assert made is not None
    assert str(value) not in str(after.tree)
    assert find(made.tree, path) == value
    assert match(after.tree, new, identity=ref(new), old=old) == ()


def test_an_update_proposes_what_its_manifest_says() -> None:
    """So what is attested of the file later is about the same intent."""
    plain = deployment()

    assert proposed(marked(plain, **SERVED), old=plain) == canonical(
        plain, namespace="here"
    )


def test_what_scaling_set_is_left_open() -> None:
    """An autoscaler moves on before the next try; a number that was written stays."""
    old = having(deployment(), "/spec/replicas", 5)
    new = having(old, "/spec/template/spec/containers/0/image", "app:2")
    by_scale = marked(new, managedFields=[{"subresource": "scale", "manager": "hpa"}])

    written, scaled = proposed(new, old), proposed(by_scale, old)

    assert written is not None
    assert scaled is not None
    assert find(written.tree, "/spec/replicas") == 5
    assert not find(scaled.tree, "/spec/replicas")


@pytest.mark.parametrize("helm", [True, False])
def test_helm_may_mark_what_it_owns_where_policies_let_it(helm: bool) -> None:  # noqa: FBT001 - parametrized
    """Elsewhere its marks are signed like any others."""
    seen = annotated(
        having(
            deployment(), "/metadata/labels", {"app.kubernetes.io/managed-by": "Helm"}
        ),
        **{
            "meta.helm.sh__release-name": "r",
            "meta.helm.sh__release-namespace": "here",
        },
    )

    found = proposed(seen, besides=Besides(tools=Tools(helm=helm)))

    assert found is not None
    assert ("Helm" in str(found.tree)) is not helm
    assert (
        match(
            found.tree,
            seen,
            identity=ref(seen),
            besides=Besides(tools=Tools(helm=helm)),
        )
        == ()
    )


def test_values_of_a_secret_are_masked() -> None:
    """Under the salt of an intent that travels with it, or a given one."""
    seen = tree("Secret", data={"p": "c2VjcmV0"}, type="Opaque")
    carried = canonical(seen, salt=b"o" * 32)

    found, kept = proposed(seen), proposed(seen, carried=(carried,))

    assert found is not None
    assert "c2VjcmV0" not in str(found.tree)
    assert found.tree["salt"] == SALT.hex()
    assert kept == carried


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(tree("Widget", "acme.example/v1", spec={}), id="unknown kind"),
        pytest.param(having(deployment(), "/spec/newField", 1), id="unknown field"),
        pytest.param({**deployment(), "metadata": []}, id="no metadata"),
    ],
)
def test_what_nobody_could_sign_has_no_proposal(seen: Tree) -> None:
    """None, and no error: a denial is told all the same."""
    identity = ref(deployment())

    assert (
        propose(
            seen,
            identity=identity,
            old=None,
            facts=ClusterFacts(),
            carried=(),
            salt=SALT,
        )
        is None
    )


def test_a_proposal_leaves_the_object_alone() -> None:
    """It is still to be judged."""
    seen = having(deployment(), "/metadata/finalizers", ["foregroundDeletion"])
    before = str(seen)

    proposed(seen, old=seen)

    assert str(seen) == before
