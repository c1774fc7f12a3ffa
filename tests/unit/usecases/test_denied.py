"""A recorded denial, taken up: exactly that is signed, or nothing."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.canonical import canonical_json
from countersign.binding.match import state_digest
from countersign.core.errors import Malformed, Rejected
from countersign.core.types.artifacts import Intent, ObjectRef, Tree
from countersign.core.types.change import (
    Access,
    Base,
    Change,
    Deletion,
    Elastic,
    ObjectChange,
    Operation,
)
from countersign.core.types.decision import Outcome, Proposal, Recorded, Told
from countersign.core.types.evidence import Carrier
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import Resource
from countersign.core.types.verdict import Basis, Door, Filled, Reason
from countersign.usecases.deliver import deliver
from countersign.usecases.denied import moved_on, signable, standing, take_up
from countersign.usecases.look import look
from countersign.usecases.prepare import Prepared
from countersign.usecases.sheet import Opening, Removal, Sheet
from countersign.usecases.sign_off import sign_off
from countersign.wire.resources.bundleset import render_bundle_set
from tests.support.decisions import NOON, denied
from tests.support.sets import Sets, read
from tests.support.signing import CLOCK
from tests.unit.usecases.test_deliver import ELSEWHERE, reviewers
from tests.unit.usecases.test_sign_off import (
    DEPLOYMENT,
    IMAGE,
    KEYS,
    REVIEW,
    SECRET,
    FakeCluster,
    prepared,
    provenance,
    with_image,
)

OBJECTS = {one.ref.kind: one for one in prepared(DEPLOYMENT, SECRET)}
LEDGER = OBJECTS["Deployment"]


def recorded(
    one: Prepared = LEDGER, change: Change | None = None, **fields: Any
) -> Recorded:
    """Return a denial of one object."""
    wanted = change or ObjectChange(
        object=one.ref,
        digest=one.intent.digest,
        operation=Operation.UPDATE,
        base=Base.ABSENT,
    )
    intent = one.intent if isinstance(wanted, ObjectChange) else None
    given: dict[str, Any] = {
        "object": one.ref,
        "resource": Resource(one.ref.group, "v1", f"{one.ref.kind.lower()}s"),
        "proposal": Proposal(change=wanted, intent=intent, version=one.version),
    }
    decision = denied(**{**given, **fields})
    return Recorded(
        decision=decision, first=NOON, last=NOON, count=3, requesters=("lee",)
    )


async def shown(
    of: Recorded, store: Sets, *live: Tree, write: bool = True
) -> tuple[Sheet, bool]:
    """Take a decision up and look at it."""
    taken = await take_up(of, store, write=write)
    sheet = await look(taken.order, prover=None, cluster=FakeCluster(*live))
    return sheet, moved_on(of, sheet)


async def test_signed_is_what_was_denied_on_what_is_live() -> None:
    """The recorded intent and operation; the base is the present."""
    live = with_image("ghcr.io/acme/ledger:before")
    bound = Elastic("/spec/replicas", 2, 20)
    wanted = ObjectChange(
        object=LEDGER.ref,
        digest=LEDGER.intent.digest,
        operation=Operation.UPDATE,
        base=state_digest(live),
        elastic=(bound,),
    )

    sheet, changed = await shown(recorded(change=wanted), Sets(), live)
    _, since = await shown(recorded(change=wanted), Sets(), with_image("other:1"))

    assert sheet.changes == (wanted,)
    assert not changed
    assert since


async def test_a_name_that_the_server_makes_stays_open() -> None:
    """The next try gets another one."""
    generated: Tree = {**ELSEWHERE, "metadata": {"generateName": "x-"}}
    (one,) = prepared(generated)
    judged = replace(one.ref, name="x-abcde")

    sheet, changed = await shown(recorded(one, object=judged), Sets())

    assert sheet.items[0].change.object == one.ref
    assert sheet.items[0].change.base is Base.ABSENT
    assert not changed


async def test_evidence_comes_with_the_decision_and_from_the_cluster() -> None:
    """So a second person sees and passes on what the first one signed."""
    bundle = await provenance(LEDGER)
    of = recorded(bundles=(bundle,))
    store = Sets()
    for name in ("dana", "ravi"):
        sheet, _ = await shown(of, store)
        review = replace(REVIEW, reviewer=name)
        signed = await sign_off(sheet, review, signer=KEYS.signer(name), clock=CLOCK)
        delivery = deliver(sheet, signed, Carrier.BUNDLE_SET)
        assert [await store.create(tree) for tree in delivery.sets] == [True]

    sheet, _ = await shown(of, store)
    *_, last = await store.sets("payments")
    every = {b for one in await store.sets("payments") for b in one.bundles}
    assert bundle in last.bundles
    assert {*reviewers(tuple(every))} == {"dana", "ravi"}
    assert len(sheet.provenance) == 1


def attested(one: Prepared, bundle: bytes) -> Tree:
    """Return a set with provenance of an object, and the intent it names."""
    intent = canonical_json(one.intent.tree)
    return render_bundle_set("attested", [bundle], [intent], "payments")


async def test_provenance_of_the_state_in_other_words_is_evidence() -> None:
    """Attested of a manifest that wrote the server's defaults; the gate binds both."""
    spec = DEPLOYMENT["spec"]
    assert isinstance(spec, dict)
    (same,) = prepared({**DEPLOYMENT, "spec": {**spec, "revisionHistoryLimit": 10}})
    (other,) = prepared({**DEPLOYMENT, "spec": {**spec, "replicas": 7}})
    store = Sets()
    bundle = await provenance(same)
    await store.create(attested(same, bundle))
    await store.create(attested(other, await provenance(other)))

    sheet, _ = await shown(recorded(), store, with_image(IMAGE))
    signed = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)
    (made,) = deliver(sheet, signed, Carrier.BUNDLE_SET).sets

    assert [found.raw for found in sheet.evidence] == [bundle]
    assert sheet.aside == 1
    assert read(made).bundles == (bundle, signed.bundle)
    assert set(read(made).intents) == {
        canonical_json(one.intent.tree) for one in (LEDGER, same)
    }


async def test_a_deletion_has_its_own_signatures_only() -> None:
    """Of how the object came to be nothing has to be known."""
    gone = Deletion(object=LEDGER.ref, uid="u")
    store, of = Sets(), recorded(change=gone)
    sheet, _ = await shown(recorded(bundles=(await provenance(LEDGER),)), store)
    signed = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)
    for tree in deliver(sheet, signed, Carrier.BUNDLE_SET).sets:
        await store.create(tree)
    for name in ("dana", "ravi"):
        taken = await take_up(of, store, write=True)
        sheet = await look(taken.order, prover=None, cluster=None)
        review = replace(REVIEW, reviewer=name)
        signed = await sign_off(sheet, review, signer=KEYS.signer(name), clock=CLOCK)
        for tree in deliver(sheet, signed, Carrier.BUNDLE_SET).sets:
            await store.create(tree)

    bundles = read(tree).bundles
    assert reviewers(bundles) == ["dana", "ravi"]
    assert len(bundles) == 2


async def test_sets_about_others_are_no_evidence() -> None:
    """Nobody is shown, or signs for, what lies beside another object."""
    store = Sets()
    (other,) = prepared({**ELSEWHERE, "metadata": {"name": "x"}})
    sheet, _ = await shown(recorded(other), store)
    signed = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)
    for tree in deliver(sheet, signed, Carrier.BUNDLE_SET).sets:
        await store.create(tree)

    sheet, _ = await shown(recorded(), store)

    assert sheet.evidence == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"outcome": Outcome.ALLOWED}, "admitted", id="admitted"),
        pytest.param({"proposal": None}, "could turn", id="nothing to sign"),
        pytest.param(
            {
                "change": Access(
                    object=LEDGER.ref,
                    uid="u",
                    subresource="exec",
                    operation=Operation.CONNECT,
                )
            },
            "--break-glass",
            id="an access",
        ),
        pytest.param(
            {"object": ObjectRef("apps", "Deployment", "payments", "other")},
            "not to be trusted",
            id="about another object",
        ),
    ],
)
def test_what_cannot_be_signed_is_said(fields: dict[str, Any], said: str) -> None:
    """With what to do instead."""
    with pytest.raises(Malformed, match=said):
        signable(recorded(**fields))


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(
            lambda p: replace(
                p, intent=Intent(p.intent.digest, {**p.intent.tree, "spec": {}})
            ),
            id="another tree",
        ),
        pytest.param(
            lambda p: replace(p, intent=OBJECTS["Secret"].intent), id="another intent"
        ),
        pytest.param(
            lambda p: replace(
                p,
                change=replace(p.change, digest=OBJECTS["Secret"].intent.digest),
                intent=OBJECTS["Secret"].intent,
            ),
            id="of another object",
        ),
        pytest.param(lambda p: replace(p, intent=None), id="none"),
    ],
)
async def test_a_record_that_contradicts_itself_is_not_signed(forge: Any) -> None:
    """The recorder is asked, and not believed."""
    of = recorded()
    assert of.decision.proposal is not None
    forged = replace(of.decision, proposal=forge(of.decision.proposal))

    with pytest.raises(Malformed):
        await take_up(replace(of, decision=forged), Sets(), write=True)


@pytest.mark.parametrize("verb", ["list", "create"])
async def test_missing_rights_are_named_before_any_question(verb: str) -> None:
    """With the role that has them."""
    store = Sets(denied={verb})

    with pytest.raises(Rejected, match=f"{verb} bundlesets.*payments.*signer"):
        await take_up(recorded(), store, write=True)


async def test_whoever_only_writes_a_file_need_not_create() -> None:
    """Somebody else may apply it."""
    await take_up(recorded(), Sets(denied={"create"}), write=False)


async def test_what_may_not_be_seen_is_approved_on_its_recorded_state() -> None:
    """Few may read Secrets; their values are not needed to sign."""
    taken = await take_up(recorded(OBJECTS["Secret"]), Sets(denied={"get"}), write=True)
    sheet = await look(taken.order, prover=None, cluster=None)

    assert not taken.visible
    assert [item.change.base for item in sheet.items] == [Base.ABSENT]


async def test_a_denied_deletion_is_signed_as_such() -> None:
    """For the object that was to go, and not for another of its name."""
    (one,) = prepared(DEPLOYMENT)
    gone = Deletion(object=one.ref, uid="u-1", propagation_policy="Orphan")
    of = recorded(change=gone)
    live = {**one.manifest, "metadata": {**DEPLOYMENT["metadata"], "uid": "u-1"}}  # type: ignore[dict-item]
    other = {**one.manifest, "metadata": {**DEPLOYMENT["metadata"], "uid": "u-2"}}  # type: ignore[dict-item]
    cluster = FakeCluster()
    taken = await take_up(of, Sets(), write=True)

    cluster.objects = {one.ref: live}
    sheet = await look(taken.order, prover=None, cluster=cluster)
    cluster.objects = {one.ref: other}

    assert taken.order.removals == (
        Removal(ref=one.ref, version="v1", uid="u-1", propagation="Orphan"),
    )
    assert sheet.changes == (gone,)
    with pytest.raises(Malformed, match="another one"):
        await look(taken.order, prover=None, cluster=cluster)


def test_who_cannot_count_is_told() -> None:
    """As the denial says: the author, whoever has no role; a stranger to it nothing."""
    facts: Tree = {
        "eligible": ["dana", "ravi"],
        "ineligible": [{"person": "lee", "reason": "not_independent", "seen": ""}],
    }
    told = Told(
        policy="p",
        reason=Reason.SLOT_OPEN,
        enforcement=Enforcement.DENY,
        message="m",
        facts=facts,
    )
    found = standing(denied(findings=(told,)))

    assert found.of("dana") is None
    assert found.of("ravi@acme.example") is None
    assert found.of("lee") == "not_independent"
    assert found.of("omar") == "not_eligible"
    assert standing(denied()).of("omar") is None


SHELL = Access(
    object=LEDGER.ref, uid="u-1", subresource="exec", operation=Operation.CONNECT
)
GLASS = Basis(
    policy="payments",
    door=Door.SIGNED,
    emergency="INC-7",
    filled=(Filled("on-call", "omar", LEDGER.intent.digest),),
)


def owed(change: Change | None = None) -> Recorded:
    """Return a break-glass admission."""
    return recorded(change=change, outcome=Outcome.ALLOWED, bases=(GLASS,))


async def test_an_access_is_signed_in_an_emergency_and_as_its_review() -> None:
    """As what was recorded; there is nothing to look at but that."""
    store = Sets()
    denial = await take_up(recorded(change=SHELL), store, write=True, emergency=True)
    debt = await take_up(owed(SHELL), store, write=True)

    for taken in (denial, debt):
        sheet = await look(taken.order, prover=None, cluster=FakeCluster())
        assert taken.order.openings == (Opening(SHELL, "v1"),)
        assert sheet.changes == (SHELL,)
        signed = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)
        delivery = deliver(sheet, signed, None)
        assert delivery.carrier is Carrier.BUNDLE_SET
        assert delivery.why == "there is no object to carry it"
        with pytest.raises(Malformed, match="bundleset"):
            deliver(sheet, signed, Carrier.ANNOTATIONS)


async def test_what_was_admitted_is_reviewed_as_it_was() -> None:
    """On the state of that time, whatever is live now; and no news is made of that."""
    was = owed()
    assert was.decision.proposal is not None
    taken = await take_up(was, Sets(), write=True)

    sheet = await look(
        taken.order, prover=None, cluster=FakeCluster(with_image("other:1"))
    )

    assert sheet.past
    assert sheet.changes == (was.decision.proposal.change,)
    assert not moved_on(was, sheet)


async def test_what_was_deleted_need_not_be_there_to_be_reviewed() -> None:
    """Nor does another of its name matter."""
    gone = Deletion(object=LEDGER.ref, uid="u-1")
    taken = await take_up(owed(gone), Sets(), write=True)

    for live in ((), (DEPLOYMENT,)):
        sheet = await look(taken.order, prover=None, cluster=FakeCluster(*live))
        assert sheet.changes == (gone,)
        assert sheet.going[0].live is None


async def test_the_glass_is_broken_once() -> None:
    """What was let in is reviewed, and not let in again."""
    with pytest.raises(Malformed, match="admitted by break-glass already"):
        await take_up(owed(), Sets(), write=True, emergency=True)


def test_a_deed_that_is_not_recorded_cannot_be_reviewed() -> None:
    """That is said, and not taken for a denial."""
    unknown = recorded(proposal=None, outcome=Outcome.ALLOWED, bases=(GLASS,))

    with pytest.raises(Malformed, match="cannot be reviewed"):
        signable(unknown)
