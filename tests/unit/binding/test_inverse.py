"""What the server allocated is not proposed for signing, what people wrote is."""

import copy
from typing import Any

import pytest

from countersign.binding.allocation.inverse import INVERSES
from countersign.binding.canonical import canonical
from countersign.binding.facts import ClusterFacts
from countersign.binding.normal_form import written_form
from countersign.binding.proposal import propose
from tests.support.trees import Tree, having, pod, ref, served, tree

CHOSEN = {"key": "k", "operator": "Exists"}
QUIET: Tree = {
    "automountServiceAccountToken": False,
    "serviceAccountName": "default",
}


def proposed(seen: Tree) -> Any:
    """Return what is proposed for an object that is made."""
    found = propose(
        seen,
        identity=ref(seen),
        old=None,
        facts=ClusterFacts(),
        carried=(),
        salt=bytes(32),
    )
    return found and found.tree


def job() -> Tree:
    """Return a Job as the server shows it."""
    generated = {
        "controller-uid": "u-1",
        "batch.kubernetes.io/controller-uid": "u-1",
        "job-name": "it",
        "batch.kubernetes.io/job-name": "it",
    }
    template = {"metadata": {"labels": {"app": "it", **generated}}}
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": "u-1"}}
    made = tree("Job", "batch/v1", spec={"template": template, "selector": selector})
    return having(made, "/metadata/uid", "u-1")


def tolerating() -> Tree:
    """Return a Pod with what the server adds, and a toleration of its author's."""
    made = served(pod())
    made["spec"]["tolerations"].insert(0, CHOSEN)
    return made


def claim(*finalizers: str) -> Tree:
    """Return a claim with finalizers."""
    metadata = {"finalizers": [*finalizers]} if finalizers else {}
    return tree("PersistentVolumeClaim", metadata=metadata)


@pytest.mark.parametrize(
    ("seen", "signed"),
    [
        pytest.param(served(pod()), pod(**QUIET), id="pod"),
        pytest.param(tolerating(), pod(**QUIET, tolerations=[CHOSEN]), id="chosen"),
        pytest.param(
            job(),
            tree(
                "Job",
                "batch/v1",
                spec={"template": {"metadata": {"labels": {"app": "it"}}}},
            ),
            id="job",
        ),
        pytest.param(
            claim("x.io/y", "kubernetes.io/pvc-protection"),
            claim("x.io/y"),
            id="the author's finalizer",
        ),
        pytest.param(claim("kubernetes.io/pvc-protection"), claim(), id="finalizer"),
        pytest.param(
            tree("Namespace", metadata={"namespace": ""})
            | {"spec": {"finalizers": ["kubernetes"]}},
            tree("Namespace"),
            id="namespace",
        ),
    ],
)
def test_what_was_allocated_is_taken_out_again(seen: Tree, signed: Tree) -> None:
    """And no more than that."""
    assert written_form(proposed(seen)) == written_form(canonical(signed).tree)


@pytest.mark.parametrize("kind", sorted(INVERSES))
def test_there_may_be_nothing_to_take(kind: str) -> None:
    """However little there is; null is nothing."""
    empty: list[Tree] = [
        {"metadata": {}},
        {"metadata": {}, "spec": None},
        {
            "metadata": {"finalizers": None, "labels": None, "annotations": None},
            "spec": {
                "volumes": None,
                "tolerations": None,
                "ports": None,
                "template": None,
            },
        },
    ]
    for tree_ in empty:
        for inverse in INVERSES[kind]:
            inverse.take(copy.deepcopy(tree_))


@pytest.mark.parametrize(
    ("name", "left"), [("kube-api-access-b2c4d", []), ("mine", ["mine"])]
)
def test_the_volume_of_a_token_goes_with_its_mounts(name: str, left: list[str]) -> None:
    """The last one alone, and only if it may be that."""
    mounts = [{"name": "data"}, {"name": name}]
    made = pod(
        volumes=[{"name": "data"}, {"name": name}],
        containers=[{"name": "main", "volumeMounts": mounts}, {"name": "bare"}],
    )
    for inverse in INVERSES["v1/Pod"]:
        inverse.take(made)

    assert [v["name"] for v in made["spec"]["volumes"]] == ["data", *left]
    main, bare = made["spec"]["containers"]
    assert [m["name"] for m in main["volumeMounts"]] == ["data", *left]
    assert not bare.get("volumeMounts")
