"""Images of custom kinds are judged as everybody's, where a policy says they are."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.custom.definition import compile_definition
from countersign.binding.kinds import Kinds
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, GroupKind
from countersign.core.types.policy import ImagePaths, Images, Policy, Scope, ThirdParty
from countersign.core.types.verdict import Door, Reason
from countersign.usecases.prepare import Prepared, prepare, with_declared
from tests.support import a
from tests.support.world import Tree, World, create, ref_of, stored, update
from tests.unit.binding.test_custom import definition, version, widget
from tests.unit.usecases.test_custom import placed, reasons

FREE: Tree = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
KINDS = Kinds(
    compile_definition(
        definition(version(spec={"image": {"type": "string"}, "pod": FREE}))
    )
)
PATHS = ImagePaths(
    kind=GroupKind("shop.example", "Widget"), paths=("/spec/image", "/spec/pod")
)
RUNS = Digest.sha256(b"the image of a widget")
PINNED = f"ghcr.io/acme/widget@{RUNS}"


def policy(**images: Any) -> Policy:
    """Return a policy that says where widgets have their images."""
    return a.policy(images=Images(paths=(PATHS,), **images))


def running(image: Any = PINNED, **spec: Any) -> Tree:
    """Return a widget."""
    return placed(widget(size=1, image=image, **spec))


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        pytest.param(running(), {Reason.IMAGE_UNCOVERED}, id="signed by nobody"),
        pytest.param(
            running("ghcr.io/acme/widget:1"),
            {Reason.IMAGE_UNPINNED, Reason.IMAGE_UNCOVERED},
            id="a tag",
        ),
        pytest.param(
            running("", pod={"initContainers": [{"image": "nginx:1"}]}),
            {Reason.IMAGE_UNPINNED, Reason.IMAGE_UNCOVERED},
            id="a tag in an init container",
        ),
        pytest.param(
            running("", pod={"image": {"repository": "nginx", "tag": "1"}}),
            {Reason.MALFORMED},
            id="parts of a reference",
        ),
        pytest.param(running(""), {Door.SIGNED}, id="no image"),
    ],
)
async def test_its_images_are_asked_for(tree: Tree, why: set[Reason | Door]) -> None:
    """A sign-off for the object alone covers none; without paths none is seen."""
    world = World(policies=(policy(),))
    signed = world.signed(tree)

    found = await reasons(world, create(signed), KINDS)
    assert found & {*Reason, *Door} >= why
    assert (found == {Door.SIGNED}) is (why == {Door.SIGNED})
    world.policies = (a.policy(),)
    assert await reasons(world, create(signed), KINDS) == {Door.SIGNED}


async def test_covered_images_run() -> None:
    """By who signs the object with its image, and by the word on others' images."""
    world = World(policies=(policy(),))
    tree = running()
    signed = world.signed(tree, about=[world.intent(tree)[0], RUNS])

    assert await reasons(world, create(signed), KINDS) == {Door.SIGNED}
    others = (ThirdParty("ghcr.io/acme/*"),)
    world.policies = (policy(third_party=others),)
    assert await reasons(world, create(world.signed(tree)), KINDS) == {Door.SIGNED}


async def test_what_lies_beside_it_about_its_image_alone_is_found() -> None:
    """A builder's word need not name the object."""
    world = World(policies=(policy(),))
    tree = running()
    intent, raw = world.intent(tree)
    of_object = a.provenance(subjects=[intent])
    of_image = a.provenance(subjects=[RUNS], target="built")
    approval = a.sign_off(
        saw=(of_object, of_image),
        subjects=[intent, RUNS],
        changes=(world.state(tree),),
    )
    bundles = [world.prover.bundle(e) for e in (of_object, approval)]
    world.sets.put("object", bundles, (raw,), about=[ref_of(tree)])

    assert Door.SIGNED not in await reasons(world, create(tree), KINDS)
    built = [world.prover.bundle(of_image)]
    world.sets.put("image", built, about=[ref_of(tree)])
    assert await reasons(world, create(tree), KINDS) == {Door.SIGNED}


async def test_what_ran_before_is_not_asked_for_anew() -> None:
    """Whatever it was called; what comes beside it is."""
    world = World(policies=(policy(),))
    more = running(pod={"containers": [{"image": PINNED}]})
    other = running(pod={"containers": [{"image": f"evil.test/a@{RUNS}"}]})
    old = stored(world.signed(running()))

    assert await reasons(world, update(old, world.signed(more)), KINDS) == {Door.SIGNED}
    found = await reasons(world, update(old, world.signed(other)), KINDS)
    assert Reason.IMAGE_UNCOVERED in found


async def test_what_cannot_be_read_can_be_put_right() -> None:
    """It was there before the policy said where images are; all that follows is new."""
    world = World(policies=(policy(),))
    old = stored(world.signed(running("", pod={"image": {"repository": "nginx"}})))
    right = running("")

    assert await reasons(world, update(old, world.signed(right)), KINDS) == {
        Door.SIGNED
    }
    found = await reasons(world, update(old, world.signed(running())), KINDS)
    assert Reason.IMAGE_UNCOVERED in found


def prepared(*trees: Tree) -> tuple[Prepared, ...]:
    """Return objects as they are about to be signed."""
    return prepare(
        trees, namespace=a.NAMESPACE, salt=lambda: bytes(32), beside=(), kinds=KINDS
    )


def test_who_signs_covers_them_where_policies_are_at_hand() -> None:
    """Those of policies that judge the object, and no others."""
    (plain,) = prepared(running())
    elsewhere = replace(policy(), scope=Scope(namespaces=("other",)))

    (known,) = with_declared((plain,), (policy(),))
    assert [one.digest for one in known.pinned] == [RUNS]
    assert with_declared((plain,), (elsewhere,)) == (plain,)
    assert with_declared((plain,), None) == (plain,)


def test_what_would_be_denied_is_not_signed() -> None:
    """And it is said which object it is, and where."""
    objects = prepared(running("", pod=["nginx"]))

    with pytest.raises(Malformed, match=r"Widget/it: /spec/pod: .* saw a list"):
        with_declared(objects, (policy(),))
