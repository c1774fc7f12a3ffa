"""From a signature to what is applied: what travels where, and is found there."""

import random
from typing import Any

import pytest

from countersign.binding.canonical import canonical_json
from countersign.core.errors import Malformed, OverLimit
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.change import Deletion
from countersign.core.types.evidence import Carrier, SignOff
from countersign.usecases.deliver import OWN_NAMESPACE, Delivery, deliver
from countersign.usecases.inspect import carried_bundles
from countersign.usecases.look import look
from countersign.usecases.prepare import BUDGET, Prepared, prepare, weight
from countersign.usecases.sheet import LookOrder, Removal
from countersign.usecases.sign_off import sign_off
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.resources.bundleset_about import about
from tests.support.sets import key_of, read
from tests.support.signing import CLOCK
from tests.unit.usecases.test_sign_off import (
    DEPLOYMENT,
    KEYS,
    REVIEW,
    SECRET,
    FakeCluster,
    prepared,
    provenance,
)

ROLE: Tree = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "reader"},
    "rules": [],
}
ELSEWHERE: Tree = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "x", "namespace": "ledger"},
}
GONE = Removal(ref=ObjectRef("", "ConfigMap", "payments", "old"), version="v1", uid="u")


async def delivered(
    order: LookOrder, carrier: Carrier | None = None, by: str = "dana"
) -> Delivery:
    """Look, sign, deliver."""
    sheet = await look(order, prover=None, cluster=None)
    signed = await sign_off(sheet, REVIEW, signer=KEYS.signer(by), clock=CLOCK)
    return deliver(sheet, signed, carrier)


def order(*objects: Prepared, **more: Any) -> LookOrder:
    """Return what is to be looked at."""
    return LookOrder(objects=objects, **more)


def reviewers(bundles: tuple[bytes, ...]) -> list[str]:
    """Return whose sign-offs are among bundles, in their order."""
    claims = [
        parse_attestation(parse_bundle(b).envelope.payload).claim for b in bundles
    ]
    return [c.reviewer for c in claims if isinstance(c, SignOff)]


async def test_files_carry_their_evidence_themselves() -> None:
    """That is the default, as far as it goes."""
    found = await delivered(order(*prepared(DEPLOYMENT)))

    assert (found.carrier, found.why, found.sets) == (Carrier.ANNOTATIONS, "", ())
    assert len(carried_bundles(found.objects[0])[1]) == 1


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        pytest.param(order(*prepared(SECRET)), "Secret", id="a Secret"),
        pytest.param(LookOrder(removals=(GONE,)), "deletion", id="a deletion"),
    ],
)
async def test_what_cannot_carry_it_gets_a_set(asked: LookOrder, why: str) -> None:
    """And the person is told why."""
    found = await delivered(asked)

    assert found.carrier is Carrier.BUNDLE_SET
    assert why in found.why
    assert len(found.sets) == 1
    assert b"correct horse" not in b"".join(read(found.sets[0]).intents)


async def test_much_evidence_goes_beside() -> None:
    """Above the budget, kubectl and controllers would choke on annotations."""
    noise = random.Random(1).randbytes(BUDGET).hex()  # noqa: S311 - hard to compress
    (one,) = prepare(
        [{**ELSEWHERE, "data": {"x": noise}}], namespace="", salt=lambda: b""
    )
    bundle = await provenance(one)

    found = await delivered(order(one, bundles=(bundle,)))
    forced = await delivered(order(one, bundles=(bundle,)), Carrier.ANNOTATIONS)

    assert found.carrier is Carrier.BUNDLE_SET
    assert str(BUDGET // 1024) in found.why
    assert weight(forced.objects[0]) > BUDGET
    assert found.objects == (one.manifest,)
    assert bundle in read(found.sets[0]).bundles


async def test_a_deletion_has_no_annotations() -> None:
    """Whoever asks for that is told what there is."""
    with pytest.raises(Malformed, match="bundleset"):
        await delivered(LookOrder(removals=(GONE,)), Carrier.ANNOTATIONS)


async def test_each_namespace_gets_its_set() -> None:
    """With the intents of its objects; those of no namespace lie with countersign."""
    objects = prepared(DEPLOYMENT, SECRET)
    cluster = prepare([ROLE, ELSEWHERE], namespace="", salt=lambda: b"")

    found = await delivered(order(*objects, *cluster), Carrier.BUNDLE_SET)

    by_place = {key_of(tree)[0]: read(tree) for tree in found.sets}
    assert [*by_place] == sorted([OWN_NAMESPACE, "ledger", "payments"])
    assert by_place["payments"].intents == tuple(
        canonical_json(one.intent.tree) for one in objects
    )
    for place, one in by_place.items():
        refs = about((), one.intents).refs
        assert refs == {
            o.ref
            for o in (*objects, *cluster)
            if (o.ref.namespace or OWN_NAMESPACE) == place
        }
        assert reviewers(one.bundles) == ["dana"]


async def test_a_set_is_called_by_its_object() -> None:
    """So that people find it."""
    found = await delivered(order(*prepared(DEPLOYMENT)), Carrier.BUNDLE_SET)

    assert key_of(found.sets[0])[1].startswith("deployment-ledger-")


async def test_a_second_person_signs_a_file_with_a_set() -> None:
    """The new set has all: both signatures over the same intents, a Secret's too."""
    first = await delivered(order(*prepared(DEPLOYMENT, SECRET)))
    old = read(first.sets[0])

    again = prepare(
        first.objects, namespace="", salt=lambda: b"x" * 32, beside=old.intents
    )
    second = await delivered(order(*again, detached=(("payments", old),)), by="ravi")

    new = read(second.sets[0])
    assert new.intents == old.intents
    assert new.bundles[: len(old.bundles)] == old.bundles
    assert reviewers(new.bundles) == ["dana", "dana"]
    assert new.name != old.name


async def test_a_set_says_nothing_of_others() -> None:
    """Where a file holds but some of its objects, the older set has the rest."""
    deployment, secret = prepared(DEPLOYMENT, SECRET)
    about_it = await provenance(secret)
    first = await delivered(order(deployment, secret, bundles=(about_it,)))
    old = read(first.sets[0])

    second = await delivered(order(deployment, detached=(("payments", old),)))

    assert read(second.sets[0]).intents == old.intents[:1]
    assert about_it not in read(second.sets[0]).bundles
    assert set(reviewers(read(second.sets[0]).bundles)) == {"dana"}


async def test_objects_beside_a_set_keep_what_they_carried() -> None:
    """Taking evidence off an object that has it would be denied."""
    carried = await delivered(order(*prepared(DEPLOYMENT)))

    again = await delivered(order(*prepared(*carried.objects)), Carrier.BUNDLE_SET)

    assert again.objects == carried.objects
    assert len(read(again.sets[0]).bundles) == 2


async def test_more_than_a_set_holds_is_refused() -> None:
    """With what to do."""
    big: Tree = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "big"},
        "data": {"x": "y" * (1 << 20)},
    }

    with pytest.raises(OverLimit, match="fewer"):
        await delivered(order(*prepared(big)), Carrier.BUNDLE_SET)


async def test_much_goes_into_several_sets() -> None:
    """Under one signature, which each of them holds; no object is left out."""
    noise = random.Random(1)  # noqa: S311 - hard to compress
    trees: list[Tree] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"m{number}"},
            "data": {"x": noise.randbytes(100 << 10).hex()},
        }
        for number in range(20)
    ]
    objects = prepared(*trees)

    found = await delivered(order(*objects), Carrier.BUNDLE_SET)

    sets = [read(tree) for tree in found.sets]
    assert len(sets) > 1
    assert len({one.bundles for one in sets}) == 1
    assert [raw for one in sets for raw in one.intents] == [
        canonical_json(one.intent.tree) for one in objects
    ]


async def test_a_deletion_is_signed_for_the_live_object() -> None:
    """By its uid, and shown as it is, without values."""
    live: Tree = {
        **SECRET,
        "metadata": {"name": "key", "namespace": "payments", "uid": "u-1"},
    }
    cluster = FakeCluster()
    ref = ObjectRef("", "Secret", "payments", "key")
    cluster.objects[ref] = {**live, "stringData": {}, "data": {"password": "c2VjcmV0"}}
    removal = Removal(ref=ref, version="v1", propagation="Orphan")

    sheet = await look(LookOrder(removals=(removal,)), prover=None, cluster=cluster)

    assert sheet.changes == (
        Deletion(object=ref, uid="u-1", propagation_policy="Orphan"),
    )
    assert "c2VjcmV0" not in str(sheet.going[0].live)
    assert "password" in str(sheet.going[0].live)


@pytest.mark.parametrize(
    ("removal", "said"),
    [
        pytest.param(GONE, "nothing to delete", id="not there"),
        pytest.param(
            Removal(ref=ObjectRef("", "Secret", "payments", "key"), version="v1"),
            "nothing to delete",
            id="without a uid",
        ),
    ],
)
async def test_nothing_cannot_be_deleted(removal: Removal, said: str) -> None:
    """A deletion that nobody could make is not signed."""
    with pytest.raises(Malformed, match=said):
        await look(
            LookOrder(removals=(removal,)), prover=None, cluster=FakeCluster(SECRET)
        )
    if not removal.uid:
        with pytest.raises(Malformed, match="--kubeconfig"):
            await look(LookOrder(removals=(removal,)), prover=None, cluster=None)
