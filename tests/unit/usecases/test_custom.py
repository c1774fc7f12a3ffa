"""Requests about custom resources, by what is known of their kinds at that moment."""

from dataclasses import dataclass

from countersign.binding.custom.definition import compile_definition
from countersign.binding.kinds import Kinds
from countersign.core.errors import Unavailable
from countersign.core.types.doors import Doors
from countersign.core.types.operators import Field, Operator, Writes
from countersign.core.types.request import (
    AdmissionRequest,
    Requester,
    Resource,
    Verb,
)
from countersign.core.types.verdict import Door, Reason
from countersign.faces.webhook.words import answer
from countersign.usecases.record import decision_of
from countersign.usecases.review import Reviewer
from tests.support import a
from tests.support.world import Tree, World, create, request, stored, update
from tests.unit.binding.test_custom import definition, version, widget


@dataclass
class FakeDefinitions:
    """The port Definitions; without kinds there is no fresh word of them."""

    known: Kinds | None

    def kinds(self) -> Kinds:
        """Return what is known."""
        if self.known is None:
            raise Unavailable("no first list of CustomResourceDefinition yet")
        return self.known


SERVED = Kinds(compile_definition(definition()))
PLACE = {"name": "it", "namespace": a.NAMESPACE}
CONFIG: Tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": PLACE}


def placed(tree: Tree) -> Tree:
    """Return an object where the world's policies hold."""
    return {**tree, "metadata": PLACE}


async def reasons(
    world: World, request: AdmissionRequest, known: Kinds | None
) -> set[Reason | Door]:
    """Return why a request is denied, or the doors that let it in."""
    verdict = await engine(world, known).review(request)
    return {basis.door for basis in verdict.bases} or set(a.reasons(verdict))


def engine(world: World, known: Kinds | None) -> Reviewer:
    """Return the engine of a cluster with these kinds."""
    return Reviewer(
        policies=world,
        prover=world.prover,
        sets=world.sets,
        state=world.cluster,
        clock=world,
        cluster=a.CLUSTER,
        settings=world.settings,
        definitions=FakeDefinitions(known),
    )


async def test_what_was_signed_is_admitted() -> None:
    """With the default that the definition has."""
    world = World()
    signed = world.signed(placed(widget()))

    seen = {**signed, "spec": {"size": 1}}

    assert await reasons(world, create(seen), SERVED) == {Door.SIGNED}
    assert await reasons(world, update(seen, seen), SERVED) == {Door.UNCHANGED}


async def test_without_fresh_word_only_custom_resources_are_denied() -> None:
    """All else is judged by the type table."""
    world = World()
    signed = world.signed(placed(widget()))
    config = world.signed(CONFIG)

    assert await reasons(world, create(signed), None) == {Reason.UNAVAILABLE}
    assert await reasons(world, create(config), None) == {Door.SIGNED}


async def test_a_kind_that_nothing_defines_is_not_judged() -> None:
    """Signed or not."""
    world = World()
    signed = world.signed(placed(widget()))

    assert await reasons(world, create(signed), Kinds()) == {Reason.UNSUPPORTED}


async def test_a_version_that_is_not_stored_whole() -> None:
    """Neither what is signed nor what is unchanged is stored as it is seen."""
    world = World()
    more = version("v2", spec={"more": {"type": "string"}})
    apart = Kinds(compile_definition(definition(version(), more)))
    signed = world.signed(placed(widget("v2")))
    seen = {**signed, "spec": {"size": 1}}

    assert await reasons(world, create(seen), apart) == {Reason.CONVERTED}
    assert await reasons(world, update(seen, seen), apart) == {Reason.CONVERTED}


async def test_an_operator_writes_what_is_stored_whole() -> None:
    """Through another version it would erase what it does not see (rule 10)."""
    user = "system:serviceaccount:shop:operator"
    fields = (Field("/spec/size"),)
    writes = Writes(group="shop.example", kind="Widget", fields=fields)
    operator = Operator(user=user, writes=(writes,))
    world = World(policies=(a.policy(doors=Doors(operators=(operator,))),))
    more = version("v2", spec={"more": {"type": "string"}})
    apart = Kinds(compile_definition(definition(version(), more)))
    by = Requester(user, "operator", frozenset())

    def sized(api: str) -> AdmissionRequest:
        one, two = (placed(widget(api, size=size)) for size in (1, 2))
        return update(stored(one), two, by=by)

    assert await reasons(world, sized("v1"), apart) == {Door.DELTA}
    assert Reason.CONVERTED in await reasons(world, sized("v2"), apart)


async def test_what_is_scaled_is_called_by_its_kind() -> None:
    """The server shows a Scale, whatever it is of; people ask about the object."""
    world = World()
    live = stored(world.signed(placed(widget(size=1))))
    world.cluster.store(live)
    shown = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": PLACE}
    resource = Resource("shop.example", "v1", "widgets", "scale")
    asked = request(
        Verb.UPDATE,
        {**shown, "spec": {"replicas": 9}},
        {**shown, "spec": {"replicas": 1}},
        resource=resource,
    )
    judged = await engine(world, SERVED).judge(asked)
    kept = decision_of(judged, asked, cluster=a.CLUSTER, at=a.NOON, salt=bytes(32))

    assert kept is not None
    assert str(kept.object) == f"{a.NAMESPACE}/Widget/it"
    said = answer(asked, judged.verdict, cluster=a.CLUSTER, subject=judged.subject)
    assert said.message.startswith(f"{a.NAMESPACE}/Widget/it: ")
