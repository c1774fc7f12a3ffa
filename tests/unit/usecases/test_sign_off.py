"""Sign off: look at a change, sign what was looked at, carry it to the cluster."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from countersign.binding.match import state_digest
from countersign.core.errors import Malformed, Unavailable
from countersign.core.questions import DEFAULT
from countersign.core.types.artifacts import Digest, Json, ObjectRef, Tree
from countersign.core.types.change import Base, Elastic, Operation, Stretch
from countersign.core.types.evidence import (
    Answer,
    AnswerVerdict,
    Carrier,
    Result,
    SignOff,
    Trace,
)
from countersign.core.types.time import Interval
from countersign.provenance.registry import known_agents
from countersign.usecases.attest import AttestOrder, attest
from countersign.usecases.deliver import deliver
from countersign.usecases.inspect import carried_bundles
from countersign.usecases.look import look
from countersign.usecases.prepare import Prepared, prepare
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.usecases.sign_off import Review, SignedOff, sign_off
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from tests.support.commits import commit, history
from tests.support.signing import CLOCK, NOON, Keyring
from tests.unit.usecases.test_attest import FakeRepository

METADATA: Tree = {"name": "ledger", "namespace": "payments"}
IMAGE = "ghcr.io/acme/ledger@sha256:" + "5f3c" * 16
DEPLOYMENT: Tree = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": METADATA,
    "spec": {
        "selector": {"matchLabels": {"app": "ledger"}},
        "template": {
            "metadata": {"labels": {"app": "ledger"}},
            "spec": {"containers": [{"name": "ledger", "image": IMAGE}]},
        },
    },
}
SECRET: Tree = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key"},
    "stringData": {"password": "correct horse"},
}
REVIEW = Review(
    result=Result.APPROVED,
    meanings=frozenset({"review", "approval"}),
    reviewer="dana",
    started_on=NOON - timedelta(minutes=7),
    clusters=frozenset({"prod"}),
    question_set=(DEFAULT.uri, DEFAULT.digest),
    answers=tuple(Answer(i, AnswerVerdict.ADDRESSED, "seen") for i in DEFAULT.ids),
    traceability=(Trace("TICKET", "PAY-1"),),
    valid=timedelta(days=30),
    link="https://git.example/pull/1",
)
BUNDLE = b'{"any":"bundle"}'
KEYS = Keyring("dana", "ravi", "ci")


def prepared(*manifests: Tree, salt: bytes = b"s" * 32) -> tuple[Prepared, ...]:
    """Prepare manifests, those without a namespace for ``payments``."""
    return prepare(manifests, namespace="payments", salt=lambda: salt)


def with_image(reference: str) -> Tree:
    """Return the Deployment with another image."""
    changed = deepcopy(DEPLOYMENT)
    spec: Json = changed["spec"]["template"]["spec"]  # type: ignore[index, call-overload]
    spec["containers"][0]["image"] = reference  # type: ignore[index, call-overload]
    return changed


def release(sheet: Sheet, signed: SignedOff) -> tuple[Tree, ...]:
    """Return the objects with everything in their annotations."""
    return deliver(sheet, signed, Carrier.ANNOTATIONS).objects


async def provenance(*objects: Prepared) -> bytes:
    """Return a provenance bundle of `objects` by ``ci``."""
    done = await attest(
        AttestOrder(
            revisions="base..main",
            repository="https://git.example/acme/payments",
            collector="ci",
            collector_version="0",
            clusters=frozenset({"prod"}),
            valid=timedelta(days=90),
            artifacts=tuple(one.subject for one in objects),
        ),
        repository=FakeRepository(history(commit("x\n\nAI-Assisted: amazon-q"))),
        registry=known_agents(),
        signer=KEYS.signer("ci"),
        clock=CLOCK,
    )
    return done.bundle


class FakeCluster:
    """Live objects by what they are."""

    def __init__(self, *objects: Tree, down: bool = False) -> None:
        self.objects = {one.ref: one.manifest for one in prepared(*objects)}
        self.down = down

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return the live object."""
        assert version
        assert live, "a reviewer is shown the present, not a cache"
        if self.down:
            raise Unavailable("no answer")
        return self.objects.get(ref)

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return nothing: nobody asks."""
        raise AssertionError((version, kind))


class TestPrepare:
    """From manifests to what is signed about them."""

    def test_reads_what_an_object_is(self) -> None:
        """Its reference, its version, the images it would run."""
        (one,) = prepared(DEPLOYMENT)

        assert one.ref == ObjectRef("apps", "Deployment", "payments", "ledger")
        assert one.version == "v1"
        assert [image.reference for image in one.images] == [IMAGE]
        assert one.subject.name == "manifest:apps/Deployment/payments/ledger"
        assert one.subject.digest == one.intent.digest

    def test_fills_the_namespace_in(self) -> None:
        """What is signed says where it goes, and so does what is applied."""
        (one,) = prepared(SECRET)

        metadata = one.manifest["metadata"]
        assert isinstance(metadata, dict)
        assert metadata["namespace"] == "payments"

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param({"apiVersion": "v1"}, id="no kind"),
            pytest.param({**DEPLOYMENT, "metadata": []}, id="no metadata"),
            pytest.param(
                {**DEPLOYMENT, "spec": {"replicsa": 1}}, id="a misspelt field"
            ),
            pytest.param({**DEPLOYMENT, "kind": "Unheard"}, id="a kind nobody knows"),
            pytest.param(
                {**DEPLOYMENT, "metadata": {**METADATA, "annotations": 3}},
                id="annotations that are none",
            ),
            pytest.param(
                {
                    **DEPLOYMENT,
                    "metadata": {
                        **METADATA,
                        "annotations": {"countersign.dev/bundles": "junk"},
                    },
                },
                id="junk for evidence",
            ),
        ],
    )
    def test_says_which_manifest_cannot_be_signed(self, broken: Tree) -> None:
        """Rather than sign what the server would not store."""
        with pytest.raises(Malformed, match=r"^\w+/"):
            prepared(broken)

    def test_takes_each_object_once(self) -> None:
        """Two states of one object cannot both land."""
        with pytest.raises(Malformed, match="twice"):
            prepared(DEPLOYMENT, with_image("x@sha256:" + "0" * 64))

    def test_keeps_an_intent_that_still_fits(self) -> None:
        """So the salt of a Secret stays, and with it the digest that others signed."""
        (first,) = prepared(SECRET, salt=b"1" * 32)
        carried = first.annotated([BUNDLE])

        (second,) = prepared(carried, salt=b"2" * 32)

        assert second.intent == first.intent
        assert second.bundles == (BUNDLE,)
        assert not second.stale

    def test_leaves_evidence_of_another_state_behind(self) -> None:
        """And says so."""
        (first,) = prepared(SECRET, salt=b"1" * 32)
        changed = first.annotated([BUNDLE])
        changed["stringData"] = {"password": "new"}

        (second,) = prepared(changed, salt=b"2" * 32)

        assert second.stale
        assert second.bundles == ()
        assert second.intent != first.intent

    def test_what_is_written_is_what_was_signed(self) -> None:
        """Preparing the result again gives the same intent; plain values stay."""
        (one,) = prepared(SECRET)
        (again,) = prepared(one.annotated([BUNDLE, BUNDLE]))

        assert again.intent == one.intent
        assert again.bundles == (BUNDLE,)
        assert again.manifest == one.manifest


class TestLook:
    """Everything a reviewer sees, before anything is signed."""

    async def test_shows_what_is_carried_and_what_is_proven(self) -> None:
        """Evidence in the objects and beside them, each once."""
        (one,) = prepared(DEPLOYMENT)
        bundle = await provenance(one)
        objects = prepared(one.annotated([bundle]))

        sheet = await look(
            LookOrder(objects=objects, bundles=(bundle + b"\n", b"junk")),
            prover=KEYS.prover(),
            cluster=None,
        )

        ((found, claim),) = sheet.provenance
        assert found.evidence is not None
        assert claim.tools == ("amazon-q",)
        assert [digest for digest, _ in sheet.unreadable] == [Digest.sha256(b"junk")]

    async def test_what_is_not_proven_is_not_trusted(self) -> None:
        """Without trust roots, and with those of others."""
        (one,) = prepared(DEPLOYMENT)
        order = LookOrder(objects=(one,), bundles=(await provenance(one),))

        nobody = await look(order, prover=None, cluster=None)
        others = await look(order, prover=Keyring("ci").prover(), cluster=None)

        assert nobody.evidence[0].evidence is None
        assert "no trust roots" in nobody.evidence[0].problem
        assert others.evidence[0].evidence is None
        assert others.evidence[0].problem

    async def test_base_is_the_live_state_where_it_is_seen(self) -> None:
        """Absent, live, or any where nobody looked."""
        live = with_image("ghcr.io/acme/ledger:before")
        objects = prepared(DEPLOYMENT, SECRET)

        seen = await look(
            LookOrder(objects=objects), prover=None, cluster=FakeCluster(live)
        )
        unseen = await look(LookOrder(objects=objects), prover=None, cluster=None)

        assert [item.change.base for item in seen.items] == [
            state_digest(live),
            Base.ABSENT,
        ]
        assert {item.change.base for item in unseen.items} == {Base.ANY}
        assert all(item.landing is None for item in unseen.items)

    async def test_given_operation_base_and_bounds_are_signed(self) -> None:
        """Each where it belongs."""
        bounds = Elastic("/spec/replicas", 2, 20)
        order = LookOrder(
            objects=prepared(DEPLOYMENT, SECRET),
            operation=Operation.UPDATE,
            base=Base.ANY,
            stretches=(Stretch("Deployment", "ledger", bounds),),
        )

        sheet = await look(order, prover=None, cluster=FakeCluster())

        assert [item.change.elastic for item in sheet.items] == [(bounds,), ()]
        assert {item.change.operation for item in sheet.items} == {Operation.UPDATE}
        assert {item.change.base for item in sheet.items} == {Base.ANY}

    async def test_bounds_for_nobody_are_a_slip(self) -> None:
        """A misspelt name would otherwise be found in production."""
        stretch = Stretch("Deployment", "legder", Elastic("/spec/replicas", 1, 2))
        order = LookOrder(objects=prepared(DEPLOYMENT), stretches=(stretch,))

        with pytest.raises(Malformed, match="--elastic"):
            await look(order, prover=None, cluster=None)

    async def test_shows_nothing_rather_than_half(self) -> None:
        """Nobody signs what could not be compared."""
        order = LookOrder(objects=prepared(DEPLOYMENT))

        with pytest.raises(Unavailable):
            await look(order, prover=None, cluster=FakeCluster(down=True))

    async def test_nothing_cannot_be_signed(self) -> None:
        """Zero objects is a failure."""
        with pytest.raises(Malformed, match="at least one object"):
            await look(LookOrder(objects=()), prover=None, cluster=None)


class TestSignOff:
    """What is signed, and where it goes."""

    async def test_signs_exactly_what_was_looked_at(self) -> None:
        """Through the parser of the law."""
        objects = prepared(DEPLOYMENT, SECRET)
        bundle = await provenance(*objects)
        sheet = await look(
            LookOrder(objects=objects, bundles=(bundle,)), prover=None, cluster=None
        )

        signed = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)

        payload = parse_bundle(signed.bundle).envelope.payload
        read = parse_attestation(payload)
        assert read.claim == signed.claim
        assert isinstance(read.claim, SignOff)
        assert read.claim.changes == tuple(item.change for item in sheet.items)
        assert read.claim.inputs == {sheet.provenance[0][0].statement}
        assert read.claim.validity == Interval(NOON, NOON + timedelta(days=30))
        assert read.claim.reviewed_on == NOON
        assert read.claim.started_on == REVIEW.started_on
        assert {subject.digest for subject in read.subjects} == {
            *(one.intent.digest for one in objects),
            Digest.parse("sha256:" + "5f3c" * 16),
        }
        assert signed.statement == Digest.sha256(payload)
        assert b"correct horse" not in payload

    async def test_a_second_person_signs_the_first_ones_result(self) -> None:
        """Both signatures stay, about the same intents."""
        objects = prepared(DEPLOYMENT, SECRET)
        for name in ("dana", "ravi"):
            sheet = await look(LookOrder(objects=objects), prover=None, cluster=None)
            signed = await sign_off(
                sheet, REVIEW, signer=KEYS.signer(name), clock=CLOCK
            )
            objects = prepared(*release(sheet, signed), salt=b"x" * 32)

        assert {one.intent.digest for one in objects} == {
            one.intent.digest for one in prepared(DEPLOYMENT, SECRET)
        }
        assert [len(one.bundles) for one in objects] == [2, 2]

    async def test_each_object_gets_the_evidence_about_it(self) -> None:
        """Not that of its neighbours; a declaration about commits goes everywhere."""
        deployment, secret = prepared(DEPLOYMENT, SECRET)
        about_one = await provenance(deployment)
        about_commits = await provenance()
        sheet = await look(
            LookOrder(objects=(deployment, secret), bundles=(about_one, about_commits)),
            prover=None,
            cluster=None,
        )
        signed = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)

        first, second = (carried_bundles(tree)[1] for tree in release(sheet, signed))

        assert first == (about_one, about_commits, signed.bundle)
        assert second == (about_commits, signed.bundle)

    def test_without_a_cluster_it_does_not_construct(self) -> None:
        """It would hold nowhere."""
        with pytest.raises(Malformed, match="--cluster"):
            replace(REVIEW, clusters=frozenset())
