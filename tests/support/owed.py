"""A break-glass admission, and what a reviewer signs of it."""

from datetime import datetime, timedelta

from countersign.binding.canonical import canonical
from countersign.core.questions import DEFAULT, DEFAULT_QUESTIONS
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.change import Base, ObjectChange, Operation
from countersign.core.types.decision import Decision, Outcome, Proposal
from countersign.core.types.evidence import Answer, AnswerVerdict, Result, SignOff
from countersign.core.types.request import Requester, Resource, Verb
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Basis, Door, Filled
from countersign.wire.signoff import render_sign_off
from tests.support.chart import config_map


def broken_glass(at: datetime) -> Decision:
    """Return that somebody on call put a ConfigMap there."""
    intent = canonical(
        {**config_map("emergency"), "metadata": {"name": "emergency"}},
        namespace="default",
    )
    ref = ObjectRef("", "ConfigMap", "default", "emergency")
    change = ObjectChange(
        object=ref,
        digest=intent.digest,
        operation=Operation.CREATE_OR_UPDATE,
        base=Base.ABSENT,
    )
    basis = Basis(
        policy="payments",
        door=Door.SIGNED,
        emergency="INC-7",
        filled=(Filled("on-call", "omar", intent.digest),),
    )
    return Decision(
        id="0123456789ABCDEFGHJKMNPQRS",
        at=at,
        cluster="test",
        verb=Verb.CREATE,
        resource=Resource("", "v1", "configmaps"),
        object=ref,
        requester=Requester("lee"),
        outcome=Outcome.ALLOWED,
        bases=(basis,),
        proposal=Proposal(change=change, intent=intent, version="v1"),
        review_due=at + timedelta(hours=72),
    )


def review_of(decision: Decision, at: datetime) -> bytes:
    """Return Dana's statement about what was admitted."""
    assert decision.proposal is not None
    answers = tuple(
        Answer(q.id, AnswerVerdict.ADDRESSED, "looked at it") for q in DEFAULT_QUESTIONS
    )
    claim = SignOff(
        result=Result.APPROVED,
        meanings=frozenset({"review", "approval"}),
        reviewer="Dana",
        started_on=None,
        reviewed_on=at,
        clusters=frozenset({decision.cluster}),
        changes=(decision.proposal.change,),
        question_set=(DEFAULT.uri, DEFAULT.digest),
        answers=answers,
        validity=Interval(at, at + timedelta(days=1)),
    )
    return render_sign_off(claim)
