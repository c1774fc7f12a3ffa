"""Attach: what goes beside which image, what stays with the objects, and what is there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from countersign.binding.canonical import canonical_json
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest, Subject, Tree
from countersign.core.types.evidence import Carrier, Provenance, SignOff
from countersign.core.types.policy import Images, Policy, Scope
from countersign.ports import Attached, Pinned, Throttled
from countersign.usecases.attach import (
    Parcel,
    asked_about,
    fetch,
    looked_for,
    parcel,
    put,
)
from countersign.usecases.deliver import Delivery, deliver_beside
from countersign.usecases.inspect import carried_bundles
from countersign.usecases.look import look
from countersign.usecases.prepare import prepare
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.usecases.sign_off import sign_off
from countersign.wire.attestation import Attestation, parse_attestation
from countersign.wire.bundle import parse_bundle
from tests.support import a
from tests.support.commits import commit, history
from tests.support.signing import CLOCK, Keyring
from tests.unit.usecases.test_attest import ORDER, attested
from tests.unit.usecases.test_deliver import GONE
from tests.unit.usecases.test_sign_off import (
    DEPLOYMENT,
    IMAGE,
    KEYS,
    REVIEW,
    SECRET,
    prepared,
    provenance,
)

CONFIG: Tree = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "limits", "namespace": "payments"},
}
LEDGER = Pinned("ghcr.io/acme/ledger", Digest.parse(IMAGE.partition("@")[2]))
OTHER = Pinned("ghcr.io/acme/other", Digest.sha256(b"other"))
LOOKS = a.policy(images=Images(registries=("ghcr.io/acme/*",)))
NARROW = a.policy(images=Images(registries=("ghcr.io/*",)))
FOREIGN = replace(LOOKS, scope=Scope(namespaces=("elsewhere",)))
ARM, AMD = Digest.sha256(b"arm64"), Digest.sha256(b"amd64")


@dataclass
class FakeRegistry:
    """Keeps what is put beside images; some of them it refuses."""

    lying: dict[Pinned, Attached] = field(default_factory=dict)
    intents: dict[Pinned, tuple[bytes, ...]] = field(default_factory=dict)
    refuses: dict[Pinned, Exception] = field(default_factory=dict)
    asked: list[Pinned] = field(default_factory=list)

    async def about(self, image: Pinned) -> Attached:
        """Return what lies there."""
        self.asked.append(image)
        if image in self.refuses:
            raise self.refuses[image]
        return self.lying.get(image, Attached())

    async def blob(self, image: Pinned, digest: Digest, *, limit: int) -> bytes | None:
        """Return an intent."""
        del limit
        kept = self.intents.get(image, ())
        return next((raw for raw in kept if Digest.sha256(raw) == digest), None)

    async def resolve(self, repository: str, tag: str) -> Digest:
        """Return the one image of a repository."""
        del tag
        return next(i.digest for i in self.lying if i.repository == repository)

    async def attach(
        self, image: Pinned, *, bundles: Sequence[bytes], intents: Sequence[bytes]
    ) -> None:
        """Keep them, each once."""
        if image in self.refuses:
            raise self.refuses[image]
        there = self.lying.get(image, Attached())
        kept = tuple(dict.fromkeys([*there.bundles, *bundles]))
        self.lying[image] = replace(there, bundles=kept)
        self.intents[image] = (*self.intents.get(image, ()), *intents)


def read(raw: bytes) -> Attestation:
    """Return what a bundle says."""
    return parse_attestation(parse_bundle(raw).envelope.payload)


async def delivered(order: LookOrder, *places: Pinned) -> Delivery:
    """Look, sign, deliver beside images."""
    sheet = await look(order, prover=None, cluster=None)
    signed = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)
    put = {item.prepared.ref: frozenset(places) for item in sheet.items}
    return deliver_beside(sheet, signed, put)


async def test_the_object_stays_as_it_is_and_its_evidence_lies_beside_the_image() -> (
    None
):
    """Signature and intent: a gate finds all that it would find in annotations."""
    (one,) = prepared(DEPLOYMENT)

    found = await delivered(LookOrder(objects=(one,)), LEDGER)

    (held,) = found.parcels
    assert (found.carrier, found.why, found.sets) == (Carrier.OCI, "", ())
    assert found.objects == (one.manifest,)
    assert held.image == LEDGER
    assert held.intents == (canonical_json(one.intent.tree),)
    (bundle,) = held.bundles
    said = read(bundle)
    assert isinstance(said.claim, SignOff)
    assert {LEDGER.digest, one.intent.digest} <= {s.digest for s in said.subjects}


async def test_what_runs_no_such_image_carries_its_evidence_itself() -> None:
    """And a Secret has its BundleSet, whose intent never goes to a registry."""
    deployment, config = prepared(DEPLOYMENT, CONFIG)

    found = await delivered(LookOrder(objects=(config, deployment)), LEDGER)

    assert found.objects[1] == deployment.manifest
    assert len(carried_bundles(found.objects[0])[1]) == 1
    assert found.why.startswith("payments/ConfigMap/limits: nobody would look")
    assert found.parcels[0].intents == (canonical_json(deployment.intent.tree),)


async def test_a_secret_never_goes_to_a_registry() -> None:
    """Neither it, nor its digests."""
    deployment, secret = prepared(DEPLOYMENT, SECRET)

    found = await delivered(LookOrder(objects=(secret, deployment)), LEDGER)

    assert len(found.sets) == 1
    assert "a BundleSet" in found.why
    assert [i for p in found.parcels for i in p.intents] == [
        canonical_json(deployment.intent.tree)
    ]


async def test_nothing_goes_where_nobody_looks() -> None:
    """An object whose image is not among the places carries its evidence itself."""
    found = await delivered(LookOrder(objects=prepared(DEPLOYMENT)), OTHER)

    assert found.parcels == ()
    assert len(carried_bundles(found.objects[0])[1]) == 1


async def test_a_deletion_has_no_image() -> None:
    """Its evidence goes into a set, as ever."""
    order = LookOrder(objects=prepared(DEPLOYMENT), removals=(GONE,))

    found = await delivered(order, LEDGER)

    assert len(found.sets) == 1
    assert len(found.parcels) == 1


async def test_what_lies_there_is_looked_at_named_and_not_put_there_again() -> None:
    """Provenance that a builder left beside the image is the reviewer's input."""
    (one,) = prepared(DEPLOYMENT)
    made = await provenance(one)
    there = Attached(bundles=(made, b'{"an": "sbom"}'), platforms=frozenset({ARM, AMD}))

    order = LookOrder(objects=(one,), attached=((LEDGER, there),))
    found = await delivered(order, LEDGER)

    (held,) = found.parcels
    (bundle,) = held.bundles
    said = read(bundle)
    assert isinstance(said.claim, SignOff)
    assert said.claim.inputs == {Digest.sha256(parse_bundle(made).envelope.payload)}
    assert {ARM, AMD, LEDGER.digest} <= {s.digest for s in said.subjects}


async def test_what_names_a_platform_speaks_of_the_index() -> None:
    """Builders attest what they built, which may be one machine's image."""
    made = await attested_digest(ARM)
    there = Attached(bundles=(made,), platforms=frozenset({ARM, AMD}))
    objects = prepared(DEPLOYMENT)

    async def seen(lying: Attached) -> Sheet:
        order = LookOrder(objects=objects, attached=((LEDGER, lying),))
        return await look(order, prover=None, cluster=None)

    within = await seen(there)
    without = await seen(replace(there, platforms=frozenset()))

    assert len(within.provenance) == 1
    assert LEDGER.digest in within.attested
    assert without.evidence == ()


async def attested_digest(digest: Digest) -> bytes:
    """Return provenance of an image, by ci."""
    order = replace(ORDER, artifacts=(Subject("image", digest),))
    return (await attested(history(commit("x")), order)).bundle


async def test_what_strangers_put_there_is_not_passed_on() -> None:
    """Whoever may push could crowd the sheet, and what an object carries."""
    (one,) = prepared(DEPLOYMENT)
    there = Attached(bundles=(await provenance(one),))
    order = LookOrder(objects=(one,), attached=((LEDGER, there),))

    known = await look(order, prover=KEYS.prover(), cluster=None)
    strange = await look(order, prover=Keyring("ci").prover(), cluster=None)

    assert len(known.provenance) == 1
    assert strange.evidence == ()


async def test_evidence_that_is_given_travels_along() -> None:
    """What ``--provenance`` hands over would be found nowhere else."""
    (one,) = prepared(DEPLOYMENT)
    made = await provenance(one)

    found = await delivered(LookOrder(objects=(one,), bundles=(made,)), LEDGER)

    kinds = [type(read(raw).claim) for raw in found.parcels[0].bundles]
    assert kinds == [Provenance, SignOff]


async def test_an_image_is_approved_as_such() -> None:
    """Nothing else is: a signature of it covers no object that runs it."""
    order = LookOrder(images=(LEDGER,), attached=((LEDGER, Attached()),))

    found = await delivered(order, LEDGER)

    said = read(found.parcels[0].bundles[0])
    assert isinstance(said.claim, SignOff)
    assert said.claim.changes == ()
    assert {s.digest for s in said.subjects} == {LEDGER.digest}
    assert (found.objects, found.parcels[0].intents) == ((), ())


@pytest.mark.parametrize(
    ("policies", "places", "asked"),
    [
        pytest.param(None, {LEDGER}, None, id="nobody knows"),
        pytest.param([a.policy()], set(), (), id="none looks"),
        pytest.param([LOOKS], {LEDGER}, (LEDGER,), id="it looks"),
        pytest.param([LOOKS, a.policy()], set(), (LEDGER,), id="one of two looks"),
        pytest.param([FOREIGN], {LEDGER}, (LEDGER,), id="it judges others"),
        pytest.param([FOREIGN, a.policy()], set(), (LEDGER,), id="another one judges"),
        pytest.param([NARROW], set(), (), id="a star crosses no slash"),
    ],
)
def test_evidence_lies_where_all_look_who_judge(
    policies: list[Policy] | None, places: set[Pinned], asked: tuple[Pinned, ...] | None
) -> None:
    """Else it would not be found by one of them, and the object denied."""
    (one,) = prepared(DEPLOYMENT)

    assert looked_for(one, policies) == places
    if policies is not None:
        assert asked_about([one], policies) == asked


async def test_puts_and_fetches() -> None:
    """Each image is asked once, in the order given."""
    registry = FakeRegistry()
    await put([Parcel(image=LEDGER, bundles=(b"a", b"b"), intents=(b"i",))], registry)

    found = await fetch([LEDGER, OTHER, LEDGER], registry)

    assert [(image, one.bundles) for image, one in found] == [
        (LEDGER, (b"a", b"b")),
        (OTHER, ()),
    ]
    assert registry.asked == [LEDGER, OTHER]


class Slow(FakeRegistry):
    """Counts how many ask at a time."""

    now = most = 0

    async def about(self, image: Pinned) -> Attached:
        """Let everybody else go first."""
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return await super().about(image)


async def test_a_large_release_does_not_ask_about_all_at_once() -> None:
    """Or the time of the last ones would be over before they are begun."""
    registry = Slow()
    many = [Pinned("ghcr.io/acme/x", Digest.sha256(bytes([n]))) for n in range(99)]

    found = await fetch(many, registry)

    assert [image for image, _ in found] == many
    assert 1 < registry.most < 20


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        pytest.param(Unavailable("down"), Unavailable, id="down"),
        pytest.param(Throttled("busy", retry_after=3.0), Unavailable, id="throttled"),
        pytest.param(Malformed("no bundle"), Malformed, id="no bundle"),
    ],
)
async def test_says_what_lies_there_already(
    error: Exception, raised: type[Exception]
) -> None:
    """Seen to fail when the rest was passed over in silence."""
    registry = FakeRegistry(refuses={OTHER: error})
    both = [Parcel(image=image, bundles=(b"a",)) for image in (LEDGER, OTHER)]

    with pytest.raises(raised, match=f"(?s){OTHER}.*{error}.*{LEDGER}.*already"):
        await put(both, registry)


def test_a_parcel_holds_the_intents_of_what_runs_the_image() -> None:
    """Each once, and no other's."""
    objects = prepare(
        [DEPLOYMENT, CONFIG], namespace="payments", salt=lambda: b"s" * 32
    )

    held = parcel(LEDGER, [b"a", b"a"], objects)

    assert held.bundles == (b"a",)
    assert held.intents == (canonical_json(objects[0].intent.tree),)
