"""Decisions to keep: any that hypothesis likes, and one that says what a test needs."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import rfc8785
from hypothesis import strategies as st

from countersign.core.types.artifacts import Digest, Intent, ObjectRef
from countersign.core.types.change import (
    Access,
    Base,
    Change,
    Deletion,
    Elastic,
    NamespaceWindow,
    ObjectChange,
    Operation,
)
from countersign.core.types.decision import (
    Batch,
    Decision,
    Entry,
    Outcome,
    Proposal,
    Recorded,
    Review,
    Sighting,
    Told,
)
from countersign.core.types.evidence import Assistance
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import Requester, Resource, Verb
from countersign.core.types.verdict import Basis, Door, Filled, Reason

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text("abcdefgh-", min_size=1, max_size=8)
digests = st.binary(max_size=4).map(Digest.sha256)
times = st.datetimes(min_value=datetime(2000, 1, 1)).map(  # noqa: DTZ001 - next line
    lambda naive: naive.replace(tzinfo=UTC)
)
ids = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e9, 1e9)
    | text
)
trees = st.dictionaries(
    text,
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)
        ),
        max_leaves=4,
    ),
    max_size=3,
)


@st.composite
def refs(draw: st.DrawFn) -> ObjectRef:
    """Draw an object with a name, or with a prefix of one."""
    group, kind, namespace = draw(text), draw(names), draw(text)
    if draw(st.booleans()):
        return ObjectRef(group, kind, namespace, draw(names))
    return ObjectRef(group, kind, namespace, "", draw(names))


@st.composite
def plain_refs(draw: st.DrawFn) -> ObjectRef:
    """Draw an object whose group a signed change can name."""
    return replace(draw(refs()), group=draw(st.sampled_from(["", "apps", "a-b.c"])))


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    """Draw what could be signed."""
    data = rfc8785.dumps(draw(trees))
    tree, digest = orjson.loads(data), Digest.sha256(data)
    states = st.just(Base.ANY) | st.just(Base.ABSENT) | digests
    changed = ObjectChange(
        object=draw(plain_refs()),
        digest=digest,
        operation=draw(
            st.sampled_from(
                [Operation.CREATE, Operation.UPDATE, Operation.CREATE_OR_UPDATE]
            )
        ),
        base=draw(states),
        elastic=draw(st.sampled_from([(), (Elastic("/spec/replicas", 2, 20),)])),
    )
    others: list[Change] = [
        Deletion(
            object=draw(plain_refs()),
            uid=draw(names),
            propagation_policy=draw(st.sampled_from(["", "Orphan", "Foreground"])),
        ),
        Access(
            object=draw(plain_refs()),
            uid=draw(names),
            subresource=draw(names),
            operation=draw(st.sampled_from([Operation.CONNECT, Operation.CREATE])),
        ),
        NamespaceWindow(namespace=draw(names)),
    ]
    change = draw(st.sampled_from([changed, *others]))
    intent = None
    if change is changed and draw(st.booleans()):
        intent = Intent(digest, tree)
    return Proposal(change=change, intent=intent, version=draw(text))


bases = st.builds(
    Basis,
    policy=text,
    door=st.sampled_from(Door),
    rule=text,
    filled=st.lists(st.builds(Filled, text, text, digests), max_size=2).map(tuple),
    declared_by=st.lists(text, max_size=2).map(tuple),
    emergency=text,
    assistance=st.none() | st.sampled_from(Assistance),
    bundles=st.lists(digests, max_size=2).map(tuple),
)
tolds = st.builds(
    Told,
    policy=text,
    reason=st.sampled_from(Reason),
    enforcement=st.sampled_from(Enforcement),
    message=text,
    facts=scalars | trees,
)
decisions = st.builds(
    Decision,
    id=ids,
    at=times,
    cluster=text,
    verb=st.sampled_from(Verb),
    resource=st.builds(Resource, text, text, text, text),
    object=refs(),
    uid=text,
    requester=st.builds(Requester, text, text, st.frozensets(text, max_size=3)),
    outcome=st.sampled_from(Outcome),
    message=text,
    bases=st.lists(bases, max_size=2).map(tuple),
    findings=st.lists(tolds, max_size=2).map(tuple),
    proposal=st.none() | proposals(),
    bundles=st.lists(st.binary(max_size=20), max_size=2).map(tuple),
    review_due=st.none() | times,
)
sightings = st.builds(Sighting, id=ids, at=times, requester=text)
recorded = st.builds(
    Recorded,
    decision=decisions,
    first=times,
    last=times,
    count=st.integers(1, 10**9),
    requesters=st.lists(text, max_size=3).map(tuple),
    reviewed=st.none()
    | st.builds(Review, at=times, persons=st.lists(text, max_size=2).map(tuple)),
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Draw what a spool answers."""
    numbers = sorted(draw(st.sets(st.integers(1, 2**53 - 1), max_size=2)))
    return Batch(
        spool=draw(st.text("0123456789abcdef", min_size=32, max_size=32)),
        entries=tuple(Entry(n, draw(decisions | sightings)) for n in numbers),
        lost=draw(st.integers(0, 10**6)),
        more=draw(st.booleans()),
    )


def denied(number: int = 0, **fields: Any) -> Decision:
    """Return a small denial, another one for each `number`."""
    given: dict[str, Any] = {
        "id": f"{number:026d}",
        "at": NOON,
        "cluster": "local",
        "verb": Verb.CREATE,
        "resource": Resource("apps", "v1", "deployments"),
        "object": ObjectRef("apps", "Deployment", "payments", f"ledger-{number}"),
        "requester": Requester("lee"),
        "outcome": Outcome.DENIED,
        "message": "payments/Deployment/ledger: without any evidence",
    }
    return Decision(**{**given, **fields})
