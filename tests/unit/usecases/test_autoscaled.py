"""A signed autoscaler scales what it names, as far as it says; nothing else does."""

from typing import Any

import pytest

from countersign.core.types.change import Elastic
from countersign.core.types.request import Requester
from countersign.core.types.verdict import Door, Expected, Reason
from tests.support import a
from tests.support.trees import having
from tests.support.world import DEVELOPER, Tree, World, controller, stored
from tests.unit.usecases.test_deletion_and_scale import MANIFEST, running, scale

HPA: Tree = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "ledger", "namespace": a.NAMESPACE},
    "spec": {
        "minReplicas": 2,
        "maxReplicas": 7,
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": MANIFEST["metadata"]["name"],
        },
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 80},
                },
            }
        ],
    },
}
TARGET = "/spec/scaleTargetRef"
ITSELF = controller("horizontal-pod-autoscaler")


async def why(
    replicas: int,
    hpa: Tree | None = HPA,
    by: Requester = ITSELF,
    elastic: tuple[Elastic, ...] = (),
    **signed: Any,
) -> set[Reason]:
    """Return why a number is refused, with a signed autoscaler in the cluster."""
    world = World()
    live = running(world, elastic=elastic)
    if hpa is not None:
        world.cluster.store(stored(world.signed(hpa, **signed)))
    return await world.why(scale(live, replicas, by=by))


@pytest.mark.parametrize(
    ("replicas", "passes"),
    [(1, False), (2, True), (7, True), (8, False), (0, False)],
)
async def test_between_its_ends(replicas: int, *, passes: bool) -> None:
    """Both included."""
    assert (not await why(replicas)) is passes


async def test_what_it_stands_on_is_told() -> None:
    """The sign-offs of the autoscaler, not those of what is scaled."""
    world = World()
    live = running(world)
    world.cluster.store(stored(world.signed(HPA)))
    verdict = await world.judge(scale(live, 5, by=ITSELF))

    (basis,) = verdict.bases
    assert (basis.door, basis.rule) == (Door.DELTA, "signed-autoscaler")
    assert basis.bundles
    refused = await world.judge(scale(live, 9, by=ITSELF))
    facts = a.finding(refused, Reason.SUBRESOURCE).facts
    assert facts == Expected("2..7", "scale to 9")


async def test_its_least_is_one_where_it_says_none() -> None:
    """As the server takes it."""
    spec = {k: v for k, v in HPA["spec"].items() if k != "minReplicas"}
    open_ended = {**HPA, "spec": spec}

    assert not await why(1, open_ended)
    assert await why(0, open_ended) == {Reason.SUBRESOURCE}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(f"{TARGET}/name", "another", id="another object"),
        pytest.param(f"{TARGET}/kind", "StatefulSet", id="another kind"),
        pytest.param(f"{TARGET}/apiVersion", "other/v1", id="another group"),
    ],
)
async def test_only_what_it_names(path: str, value: str) -> None:
    """By group, kind and name."""
    assert await why(5, having(HPA, path, value)) == {Reason.SUBRESOURCE}


async def test_an_older_version_of_the_target_is_the_same_kind() -> None:
    """The server scales it all the same."""
    assert not await why(5, having(HPA, f"{TARGET}/apiVersion", "apps/v1beta2"))


async def test_nobody_signed_it() -> None:
    """Or it was changed since, or by who may not."""
    assert await why(5, None) == {Reason.SUBRESOURCE}
    assert await why(5, signer=a.STRANGER) == {Reason.SUBRESOURCE}
    world = World()
    live = running(world)
    grown = having(stored(world.signed(HPA)), "/spec/maxReplicas", 70)
    world.cluster.store(grown)
    assert await world.why(scale(live, 50, by=ITSELF)) == {Reason.SUBRESOURCE}


async def test_people_are_no_autoscaler() -> None:
    """Who may scale by hand is asked for by name."""
    assert await why(5, by=DEVELOPER) == {Reason.SUBRESOURCE}


async def test_a_signed_range_is_enough() -> None:
    """With an autoscaler that nobody signed, too."""
    range_ = (Elastic("/spec/replicas", 1, 4),)

    assert not await why(4, elastic=range_, signer=a.STRANGER)
    assert not await why(7, elastic=range_)
    assert await why(8, elastic=range_) == {Reason.SUBRESOURCE}
