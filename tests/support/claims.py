"""Claims as anybody could make them: strategies for hypothesis."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from countersign.core.types.artifacts import Algorithm, Digest, ObjectRef, Subject
from countersign.core.types.change import (
    Access,
    Base,
    Deletion,
    Elastic,
    NamespaceWindow,
    ObjectChange,
    Operation,
)
from countersign.core.types.evidence import (
    Answer,
    AnswerVerdict,
    Assistance,
    CommitRange,
    Contributor,
    Declaration,
    Emergency,
    Lines,
    Part,
    Provenance,
    Result,
    SignOff,
    Touched,
    Trace,
)
from countersign.core.types.time import Interval

_HEX = "0123456789abcdef"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
words = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)
addresses = st.from_regex(r"[a-z0-9.+]{1,10}@[a-z]{1,8}\.example", fullmatch=True)
moments = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
sha256 = st.builds(
    Digest, st.just(Algorithm.SHA256), st.text(_HEX, min_size=64, max_size=64)
)
commits = st.builds(
    Digest, st.just(Algorithm.GIT_COMMIT), st.text(_HEX, min_size=40, max_size=40)
)
trees = st.builds(
    Digest, st.just(Algorithm.GIT_TREE), st.text(_HEX, min_size=64, max_size=64)
)
subjects = st.builds(Subject, texts, sha256 | commits | trees)
ranges = st.builds(CommitRange, st.none() | commits, commits)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Spans of time, open or not."""
    first, last = sorted(draw(st.tuples(moments, moments)))
    return draw(
        st.sampled_from(
            [
                Interval(),
                Interval(first),
                Interval(None, last),
                Interval(first, last),
            ]
        )
    )


@st.composite
def provenances(draw: st.DrawFn) -> Provenance:
    """What a collector can say: somebody wrote it, and assistance leaves a mark."""
    agents = draw(st.frozensets(addresses, max_size=2))
    people = st.builds(
        lambda part, who: Contributor(part, who, agent=who in agents),
        st.sampled_from(Part),
        addresses | (st.sampled_from(sorted(agents)) if agents else st.nothing()),
    )
    others = draw(st.frozensets(people, max_size=4))
    author = draw(addresses)
    contributors = others | {
        Contributor(Part.AUTHOR, author, agent=author in agents),
    }
    tools = draw(
        st.frozensets(st.from_regex(r"[a-z-]{1,9}( [0-9.-]{1,9})?", fullmatch=True))
    )
    assistance = draw(
        st.sampled_from([Assistance.UNKNOWN, Assistance.MIXED, Assistance.AI])
    )
    hinted = (
        assistance > Assistance.UNKNOWN
        or tools
        or any(c.agent or c.part is Part.PROMPTER for c in contributors)
    )
    return Provenance(
        repository=draw(names),
        range=draw(ranges),
        assistance=assistance,
        complete=draw(st.booleans()),
        marked=bool(hinted) or draw(st.booleans()),
        contributors=contributors,
        touched=draw(
            st.frozensets(
                st.builds(Touched, addresses, st.frozensets(names, max_size=3)),
                max_size=2,
            )
        ),
        tools=tuple(sorted(tools)),
        lines=draw(st.builds(Lines, *[st.integers(0, 10**6)] * 3)),
        clusters=draw(st.frozensets(names, min_size=1, max_size=3)),
        namespaces=draw(st.frozensets(names, max_size=3)),
        validity=draw(intervals()),
        collected_on=draw(st.none() | moments),
        collector=draw(texts),
    )


declarations = st.builds(
    Declaration, repository=names, range=ranges, declared_on=moments
)


@st.composite
def refs(draw: st.DrawFn) -> ObjectRef:
    """Objects, namespaced or not, named or to be named."""
    named = draw(st.booleans())
    return ObjectRef(
        group=draw(st.just("") | words),
        kind=draw(names),
        namespace=draw(st.just("") | words),
        name=draw(words) if named else "",
        generate_name="" if named else draw(words),
    )


@st.composite
def elastics(draw: st.DrawFn) -> Elastic:
    """Bounds that scaling may use."""
    low, high = sorted(draw(st.tuples(*[st.integers(0, 10**6)] * 2)))
    return Elastic("/" + draw(texts), low, high)


changes = (
    st.builds(
        ObjectChange,
        object=refs(),
        digest=sha256,
        operation=st.sampled_from(
            [Operation.CREATE, Operation.UPDATE, Operation.CREATE_OR_UPDATE]
        ),
        base=sha256 | st.sampled_from(Base),
        elastic=st.lists(elastics(), max_size=2).map(tuple),
    )
    | st.builds(
        Deletion,
        object=refs(),
        uid=names,
        propagation_policy=st.sampled_from(["", "Orphan", "Background"]),
    )
    | st.builds(
        Access,
        object=refs(),
        uid=names,
        subresource=names,
        operation=st.sampled_from(
            [Operation.CONNECT, Operation.CREATE, Operation.UPDATE]
        ),
    )
    | st.builds(NamespaceWindow, namespace=words)
)

answers = st.lists(
    st.builds(Answer, names, st.sampled_from(AnswerVerdict), texts),
    max_size=3,
    unique_by=lambda answer: answer.id,
).map(tuple)

sign_offs = st.builds(
    SignOff,
    result=st.sampled_from(Result),
    meanings=st.frozensets(names, max_size=3),
    reviewer=texts,
    started_on=st.none() | moments,
    reviewed_on=moments,
    clusters=st.frozensets(names, max_size=3),
    changes=st.lists(changes, max_size=3).map(tuple),
    inputs=st.frozensets(sha256, max_size=3),
    question_set=st.none() | st.tuples(texts, sha256),
    answers=answers,
    traceability=st.lists(st.builds(Trace, names, names, texts), max_size=2).map(tuple),
    validity=intervals(),
    restore_until=st.none() | moments,
    emergency=st.none() | st.builds(Emergency, names, names, st.none() | moments),
    link=texts,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

SIGN_OFF = SignOff(
    result=Result.APPROVED,
    meanings=frozenset({"review", "approval"}),
    reviewer="Dana Lee",
    started_on=NOON,
    reviewed_on=NOON,
    clusters=frozenset({"prod"}),
    changes=(
        ObjectChange(
            object=ObjectRef("apps", "Deployment", "payments", "ledger"),
            digest=Digest(Algorithm.SHA256, "e4" * 32),
            operation=Operation.CREATE_OR_UPDATE,
        ),
    ),
    answers=(Answer("q1", AnswerVerdict.ADDRESSED, "yes"),),
    validity=Interval(NOON, NOON),
)
