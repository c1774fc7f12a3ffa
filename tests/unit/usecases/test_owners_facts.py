"""Owners that are children themselves: seen with what is known of the cluster."""

from typing import Any

from countersign.binding.custom.definition import compile_definition
from countersign.binding.kinds import Kinds
from countersign.core.types.doors import Doors
from countersign.core.types.operators import Children, Derive, Field, Operator
from countersign.core.types.request import Requester
from countersign.core.types.verdict import Door
from tests.support import a
from tests.support.trees import served
from tests.support.world import Tree, World, controller, create, stored
from tests.unit.binding.test_custom import definition
from tests.unit.usecases.test_custom import reasons

SERVED = Kinds(compile_definition(definition()))
OPERATOR = Requester(
    "system:serviceaccount:shop:operator",
    "operator",
    frozenset({"system:serviceaccounts"}),
)
WIDGETS = Children(
    group="shop.example",
    kind="Widget",
    owner_group="",
    owner_version="v1",
    owner_kind="ConfigMap",
    derive=(Derive(source="/data/colour", target="/spec/colour"),),
)
CONFIGS = Children(
    group="",
    kind="ConfigMap",
    owner_group="shop.example",
    owner_version="v1",
    owner_kind="Widget",
    derive=(Derive(source="/spec/colour", target="/data/colour"),),
    free=(Field("/data/free"),),
)


def owned(kind: str, version: str, name: str, owner: Tree, **fields: Any) -> Tree:
    """Return the only child of an owner."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {
        "name": name,
        "namespace": a.NAMESPACE,
        "ownerReferences": [reference],
        **fields.pop("metadata", {}),
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


async def test_an_operators_child_of_a_custom_kind_has_children() -> None:
    """Its schema says what the server filled in."""
    operator = Operator(user=OPERATOR.name, children=(WIDGETS, CONFIGS))
    here = World(policies=(a.policy(doors=Doors(operators=(operator,))),))
    place = {"name": "order", "namespace": a.NAMESPACE}
    config = {"colour": "red"}
    order = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": config}
    live = stored(here.signed(order))
    here.cluster.store(live)
    spec = {"colour": "red", "size": 1}
    widget = stored(owned("Widget", "shop.example/v1", "it", live, spec=spec))

    assert await reasons(here, create(widget, by=OPERATOR), SERVED) == {Door.DERIVED}
    here.cluster.store(widget)
    child = owned("ConfigMap", "v1", "made", widget, data={"colour": "red"})
    assert await reasons(here, create(child, by=OPERATOR), SERVED) == {Door.DERIVED}


async def test_a_pod_that_plugins_wrote_into_has_claims() -> None:
    """What its account gives it no template says."""
    here = World()
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"}}
    spec: Tree = {
        "automountServiceAccountToken": False,
        "containers": [{"name": "x", "image": a.IMAGE.reference}],
        "volumes": [{"name": "tmp", "ephemeral": {"volumeClaimTemplate": claim}}],
    }
    labels = {"app": "x"}
    owner: Tree = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": a.NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    live = stored(here.signed(owner))
    here.cluster.store(live)
    here.cluster.store(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": a.NAMESPACE},
            "imagePullSecrets": [{"name": "registry"}],
        }
    )
    named = {"generateName": "web-", "labels": labels}
    made = {**spec, "imagePullSecrets": [{"name": "registry"}]}
    pod = stored(owned("Pod", "v1", "web-xzbcd", live, metadata=named, spec=made))
    asked = create(served(pod), by=controller("replicaset-controller"))
    assert not await here.why(asked)

    here.cluster.store(asked.object or {})
    claimed = owned(
        "PersistentVolumeClaim",
        "v1",
        "web-xzbcd-tmp",
        pod,
        metadata={"finalizers": ["kubernetes.io/pvc-protection"]},
        **claim,
    )
    by = controller("ephemeral-volume-controller")
    assert not await here.why(create(claimed, by=by))
