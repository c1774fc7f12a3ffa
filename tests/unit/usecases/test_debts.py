"""Review debts: closed by the law, never by whoever broke the glass, never by age."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.binding.canonical import canonical
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Digest, GroupKind, Intent, ObjectRef, Tree
from countersign.core.types.change import (
    Access,
    Change,
    Deletion,
    NamespaceWindow,
    ObjectChange,
    Operation,
)
from countersign.core.types.decision import (
    Decision,
    Outcome,
    Proposal,
    Recorded,
    Review,
)
from countersign.core.types.evidence import REVIEW_OF, Evidence, Trace
from countersign.core.types.people import Person
from countersign.core.types.policy import (
    ImagePaths,
    Images,
    ImageSubject,
    Policy,
    Revoked,
    RevokedKind,
)
from countersign.core.types.request import Requester, Resource, Verb
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Basis, Door, Filled
from countersign.ports import Detached, PolicySnapshot, Query
from countersign.usecases.debt_review import reviewed
from countersign.usecases.debts import Debtors
from tests.support import a

ID = "0123456789ABCDEFGHJKMNPQRS"
AFTER = a.NOON + 2 * a.HOUR  # when reviews are looked for
SIGNED = a.NOON + a.HOUR  # when they are made
MANIFEST: Tree = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "ledger", "namespace": "payments"},
    "spec": {
        "selector": {"matchLabels": {"app": "ledger"}},
        "template": {
            "metadata": {"labels": {"app": "ledger"}},
            "spec": {
                "containers": [
                    {"name": "app", "image": f"acme/ledger@sha256:{a.RUNS.value}"}
                ]
            },
        },
    },
}
INTENT = canonical(MANIFEST)
CHANGE = a.state(intent=INTENT.digest, operation=Operation.UPDATE, base=a.digest("old"))
SHELL = Access(
    object=a.OBJECT, uid="1234", subresource="exec", operation=Operation.CONNECT
)
WINDOW = NamespaceWindow(namespace="payments")
GONE = Deletion(object=a.OBJECT, uid="1234")
MADE = a.provenance(subjects=[INTENT.digest, a.RUNS], signed_at=a.NOON - 2 * a.HOUR)


def broken(
    change: Change = CHANGE,
    intent: Intent | None = INTENT,
    by: Person = a.OMAR,
    **fields: Any,
) -> Decision:
    """Return an admission that somebody broke the glass for."""
    deletes = isinstance(change, Deletion)
    verb = Verb.DELETE if deletes else Verb.UPDATE
    if isinstance(change, Access):
        verb = Verb.CONNECT
    basis = Basis(
        policy="payments",
        door=Door.SIGNED,
        emergency="INC-7",
        filled=(Filled("on-call", by.id, a.digest("broken")),),
    )
    given: dict[str, Any] = {
        "id": ID,
        "at": a.NOON,
        "cluster": a.CLUSTER,
        "verb": verb,
        "resource": Resource("apps", "v1", "deployments"),
        "object": a.OBJECT,
        "uid": "1234",
        "requester": Requester("lee"),
        "outcome": Outcome.ALLOWED,
        "bases": (basis,),
        "proposal": Proposal(
            change=change,
            intent=intent if isinstance(change, ObjectChange) else None,
            version="v1",
        ),
        "review_due": a.NOON + 72 * a.HOUR,
    }
    return Decision(**{**given, **fields})


def review(who: Person = a.DANA, **fields: Any) -> Evidence:
    """Return an ordinary sign-off, made since, for what was admitted."""
    given: dict[str, Any] = {
        "changes": (CHANGE,),
        "saw": (MADE,),
        "signed_at": SIGNED,
    }
    return a.sign_off(who, **{**given, **fields})


def looked_at(who: Person = a.DANA, change: Change = SHELL, **fields: Any) -> Evidence:
    """Return the review of an access or a window."""
    given: dict[str, Any] = {
        "changes": (change,),
        "subjects": [a.digest("change")],
        "saw": (),
        "traceability": (Trace(REVIEW_OF, ID),),
    }
    return review(who, **{**given, **fields})


def glass() -> Evidence:
    """Return another break-glass sign-off of the same, that still holds."""
    return a.emergency(
        a.INES,
        changes=(CHANGE,),
        signed_at=SIGNED,
        validity=Interval(SIGNED, AFTER + a.HOUR),
    )


def by(
    decision: Decision,
    *evidence: Evidence,
    policy: Policy | None = None,
    revoked: Iterable[Revoked] = (),
) -> tuple[str, ...]:
    """Return who reviewed; nobody if it is not reviewed."""
    found = reviewed(
        decision,
        {"payments": policy or a.policy()},
        evidence,
        revoked=tuple(revoked),
        at=AFTER,
    )
    return found.persons if found else ()


def test_a_later_ordinary_sign_off_closes_a_debt() -> None:
    """By the law itself: with the provenance that it names."""
    assert by(broken(), MADE, review()) == ("dana",)


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param([MADE], id="nobody looked"),
        pytest.param([review()], id="who made it is not known"),
        pytest.param([MADE, glass()], id="more glass"),
        pytest.param([MADE, review(a.LEE)], id="the author, and no senior"),
        pytest.param([MADE, review(changes=(a.state(),))], id="for another state"),
        pytest.param([MADE, review(answers=())], id="questions open"),
        pytest.param([MADE, review(clusters=frozenset({"test"}))], id="elsewhere"),
        pytest.param(
            [MADE, review(signed_at=a.NOON - a.HOUR)], id="signed before it happened"
        ),
        pytest.param(
            [MADE, review(), a.rejection(a.RAVI, changes=(CHANGE,), signed_at=SIGNED)],
            id="somebody says no",
        ),
        pytest.param(
            [MADE, a.declaration(about=MADE), a.declaration(a.DANA, about=MADE)],
            id="declarations review nothing",
        ),
    ],
)
def test_a_debt_stays_open(evidence: list[Evidence]) -> None:
    """Whatever the law would not admit reviews nothing either."""
    assert by(broken(), *evidence) == ()


def test_a_review_follows_the_line_from_image_to_commit() -> None:
    """A build links them, as it does at admission; a worse commit counts, too."""
    made = a.provenance(subjects=[INTENT.digest])
    source = a.provenance(target="app", subjects=[])
    word = review(saw=(made, source), subjects=[INTENT.digest])
    evidence = [made, source, word]
    worse = [a.marked(target="x", subjects=[]), a.build(target="x")]

    assert by(broken(), *evidence, a.build(target="app")) == ("dana",)
    assert by(broken(), *evidence) == ()
    assert by(broken(), *evidence, a.build(target="app"), *worse) == ()


def test_no_registry_is_asked_what_an_index_held() -> None:
    """The review names the digest that ran."""
    each = Images(subject=ImageSubject.ALL_PLATFORMS, registries=("docker.io/*/*",))

    assert by(broken(), MADE, review(), policy=a.policy(images=each)) == ("dana",)


@pytest.mark.parametrize("where", ["/metadata/name", "/spec/selector"])
def test_images_are_reviewed_where_the_policy_says_that_they_are(where: str) -> None:
    """One that nobody covered, and what is no image at all, leave the debt open."""
    paths = ImagePaths(kind=GroupKind("apps", "Deployment"), paths=(where,))
    policy = a.policy(images=Images(paths=(paths,)))

    assert by(broken(), MADE, review(), policy=policy) == ()


def test_nobody_reviews_himself() -> None:
    """Also who holds both roles, with another key."""
    dana = a.person("dana", "senior", "on-call")
    roster = replace(a.policy().roster, persons=(dana, a.RAVI, a.LEE, a.OMAR, a.INES))
    policy = a.policy(roster=roster)
    own = broken(by=dana)

    assert by(own, MADE, review(dana, device="phone"), policy=policy) == ()
    assert by(own, MADE, review(a.RAVI), policy=policy) == ("ravi",)
    assert by(broken(), MADE, review(dana), policy=policy) == ("dana",)


def test_what_was_withdrawn_reviews_nothing() -> None:
    """As at admission."""
    gone = Revoked(RevokedKind.PERSON, "dana")

    assert by(broken(), MADE, review(), revoked=[gone]) == ()


def test_every_policy_that_the_glass_was_broken_for_is_asked() -> None:
    """One that is gone since cannot be: the debt stays."""
    (basis,) = broken().bases
    both = broken(bases=(basis, replace(basis, policy="ledger")))
    two = a.policy(name="ledger", slots=(a.slot("senior"), a.slot("service-owner")))
    known = {"payments": a.policy(), "ledger": two}

    def closed(*evidence: Evidence, policies: dict[str, Policy]) -> bool:
        found = reviewed(both, policies, evidence, revoked=(), at=AFTER)
        return found is not None

    assert not closed(MADE, review(), policies={"payments": a.policy()})
    assert not closed(MADE, review(), policies=known)
    assert closed(MADE, review(), review(a.RAVI), policies=known)


def test_a_deletion_is_reviewed_by_its_uid() -> None:
    """There is nothing else left of it."""
    signed = review(changes=(GONE,), subjects=[a.digest("x")], saw=())
    policy = a.policy(slots=(a.slot("senior", "deployer"),))
    other = replace(GONE, uid="4321")

    assert by(broken(GONE), signed, policy=policy) == ("dana",)
    assert by(broken(other, uid="4321"), signed, policy=policy) == ()


@pytest.mark.parametrize("change", [SHELL, WINDOW], ids=["a shell", "a window"])
def test_what_has_no_state_is_reviewed_by_name(
    change: Access | NamespaceWindow,
) -> None:
    """By people who fill the slots: it has no authors to be independent of."""
    signed, decision = looked_at(change=change), broken(change)

    assert by(decision, signed) == ("dana",)
    assert by(decision, looked_at(a.LEE, change)) == ()
    assert by(decision, looked_at(a.OMAR, change)) == ()
    assert by(decision, looked_at(change=change, traceability=())) == ()
    other = looked_at(change=change, traceability=(Trace(REVIEW_OF, ID[::-1]),))
    assert by(decision, other) == ()
    assert by(decision, looked_at(change=NamespaceWindow(namespace="x"))) == ()
    assert by(decision, looked_at(change=change, answers=())) == ()
    assert by(decision, looked_at(change=change, signed_at=a.NOON - a.HOUR)) == ()


def test_an_access_needs_every_slot() -> None:
    """Two slots, two persons."""
    two = a.policy(slots=(a.slot("senior"), a.slot("service-owner")))

    assert by(broken(SHELL), looked_at(), policy=two) == ()
    both = (looked_at(), looked_at(a.RAVI))
    assert by(broken(SHELL), *both, policy=two) == ("dana", "ravi")


LONG = Interval(a.NOON - a.HOUR, a.NOON + a.DAY)
SHORT = Interval(a.NOON - a.HOUR / 2, a.NOON + a.HOUR / 2)  # as the glass is broken
REQUESTS = (
    a.change(),
    a.update(),
    a.update(intents=frozenset()),
    a.change(operation=Operation.DELETE, old=a.old(), intents=frozenset()),
    *(
        a.change(
            operation=operation,
            subresource=subresource,
            old=a.old(),  # whose uid the access names
            intents=frozenset(),
            images=(),
        )
        for operation in (Operation.CONNECT, Operation.UPDATE, Operation.CREATE)
        for subresource in ("exec", "scale", "")
    ),
)


@given(
    request=st.sampled_from(REQUESTS),
    signed=st.lists(
        st.builds(
            looked_at,
            who=st.sampled_from(a.EVERYONE),
            change=st.sampled_from([SHELL, WINDOW, replace(SHELL, uid="")]),
            signed_at=st.sampled_from([a.NOON - a.HOUR / 2, None]),
            validity=st.sampled_from([LONG, SHORT]),
        ),
        min_size=1,
        max_size=4,
    ),
    slots=st.sampled_from(
        [
            (a.slot("senior"),),
            (a.slot("senior", "deployer"),),
            (a.slot("on-call", "deployer"),),
        ]
    ),
)
def test_the_review_of_an_access_or_a_window_never_admits_anything(
    request: Any, signed: list[Evidence], slots: Any
) -> None:
    """Whoever signs it, however many, whatever is asked for: there is no emergency."""
    verdict = a.decide(*signed, MADE, request=request, slots=slots, name="payments")

    assert not verdict.bases
    assert not verdict.allowed


# The use case


@dataclass
class Ledger:
    """The port Archive, with debts alone.

    Attributes:
        debts: Open ones.
        reviews: By decision.
    """

    debts: list[Decision]
    reviews: dict[str, Review] = field(default_factory=dict)

    async def find(self, query: Query) -> tuple[Recorded, ...]:
        """Return what is owed, without what is large."""
        assert query.debts
        assert query.limit <= 1000
        owed = [
            recorded(
                replace(
                    d,
                    bundles=(),
                    proposal=d.proposal and replace(d.proposal, intent=None),
                )
            )
            for d in self.debts
            if d.id not in self.reviews and (query.until is None or d.at <= query.until)
        ]
        owed.sort(key=lambda one: one.last, reverse=True)
        return tuple(owed[: query.limit])

    async def get(self, decision: str) -> Recorded | None:
        """Return a decision whole."""
        return next((recorded(d) for d in self.debts if d.id == decision), None)

    async def review(self, decision: str, done: Review) -> None:
        """Close a debt."""
        self.reviews[decision] = done


def recorded(decision: Decision) -> Recorded:
    """Return a decision as it was made once."""
    return Recorded(
        decision=decision,
        first=decision.at,
        last=decision.at,
        count=1,
        requesters=("lee",),
    )


@dataclass
class Shelf:
    """The ports BundleSource, Prover, PolicyBook and Clock of a small world.

    Attributes:
        lying: Evidence beside objects, by what its bundle says.
        unread: The policies were not read yet.
    """

    lying: dict[bytes, Evidence] = field(default_factory=dict)
    unread: bool = False

    def put(self, *evidence: Evidence) -> "Shelf":
        """Lay evidence beside the ledger."""
        self.lying |= {str(e.bundle).encode(): e for e in evidence}
        return self

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        """Return one set for each bundle, and one that proves nothing."""
        if ref != a.OBJECT:
            return ()
        return tuple(
            Detached(name=str(at), bundles=(raw,), intents=())
            for at, raw in enumerate((b"junk", *self.lying))
        )

    async def refresh(self, namespace: str) -> bool:
        """Know everything already."""
        del namespace
        return False

    async def prove(self, bundle: bytes) -> Evidence:
        """Prove what lies here, and what Lee carried."""
        if bundle == b"carried":
            return MADE
        if bundle not in self.lying:
            raise Rejected("nobody signed that")
        return self.lying[bundle]

    def snapshot(self) -> PolicySnapshot:
        """Return one policy."""
        if self.unread:
            raise Unavailable("not yet")
        return PolicySnapshot(
            policies=(a.policy(),), invalid=(), revocations=(), protected=()
        )

    def now(self) -> Any:
        """Return when it is looked."""
        return AFTER


def debtors(ledger: Ledger, shelf: Shelf) -> Debtors:
    """Return the use case over a small world."""
    return Debtors(ledger, shelf, shelf, shelf, shelf)


async def test_closes_what_was_reviewed_and_counts_the_rest() -> None:
    """Evidence beside the object counts, and what it carried when it came."""
    done = broken(bundles=(b"carried",))
    late = broken(id="LATE", object=replace(a.OBJECT, name="x"), review_due=SIGNED)
    early = broken(id="EARLY", object=replace(a.OBJECT, name="y"))
    ledger = Ledger([done, late, early])

    owed = await debtors(ledger, Shelf().put(review())).settle()

    assert ledger.reviews == {ID: Review(at=AFTER, persons=("dana",))}
    assert [d.decision.id for d, _ in owed.settled] == [ID]
    assert [d.decision.id for d in owed.overdue] == ["LATE"]
    assert [d.decision.id for d in owed.open] == ["EARLY"]


async def test_many_new_debts_hide_no_older_one() -> None:
    """A thousand shells of one grant, and what should not be seen is still closed.

    Fault seen caught: the newest thousand looked at, and no more.
    """
    junk = [
        broken(SHELL, None, id=f"JUNK{i}", at=a.NOON + a.HOUR / 9000 * (i + 1))
        for i in range(2500)
    ]
    ledger = Ledger([*junk, broken(bundles=(b"carried",))])

    owed = await debtors(ledger, Shelf().put(review())).settle()

    assert [d.decision.id for d, _ in owed.settled] == [ID]
    assert len({d.decision.id for d in owed.open}) == len(junk)


async def test_what_is_closed_is_not_looked_at_again() -> None:
    """It stays closed when the evidence is gone."""
    ledger = Ledger([broken(bundles=(b"carried",))])
    await debtors(ledger, Shelf().put(review())).settle()

    owed = await debtors(ledger, Shelf()).settle()

    assert (owed.open, owed.overdue, owed.settled) == ((), (), ())


async def test_closes_nothing_in_doubt() -> None:
    """Policies that were not read, decisions whose proposal is not known."""
    ledger = Ledger([broken(bundles=(b"carried",), proposal=None)])
    assert (await debtors(ledger, Shelf().put(review())).settle()).open
    garbled = Intent(INTENT.digest, {**INTENT.tree, "spec": {"template": 3}})
    ledger = Ledger([broken(bundles=(b"carried",), intent=garbled)])
    assert (await debtors(ledger, Shelf().put(review())).settle()).open
    with pytest.raises(Unavailable):
        await debtors(ledger, Shelf(unread=True).put(review())).settle()
    assert ledger.reviews == {}


def test_an_intent_that_is_not_known_is_not_reviewed() -> None:
    """What it runs could not be told."""
    assert by(broken(intent=None), MADE, review()) == ()
    assert INTENT.digest != Digest.sha256(b"")
