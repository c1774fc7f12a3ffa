"""From a verdict to what the API server is told."""

from collections.abc import Collection
from dataclasses import replace

from countersign.binding.surface import rule_for, subject_of
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Decision
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Verdict
from countersign.report.denial import denial, warnings
from countersign.report.own_kinds import refused
from countersign.report.records import annotations
from countersign.wire.admission import Answer


def answer(
    request: AdmissionRequest,
    verdict: Verdict,
    *,
    cluster: str,
    subject: ObjectRef | None = None,
    decision: Decision | None = None,
    on_call: Collection[str] = (),
) -> Answer:
    """Return the answer to `request`.

    Args:
        request: What was asked.
        verdict: The judgement.
        cluster: Our name, for the commands in a denial.
        subject: What it is about, where the judgement knows better than the request.
        decision: As it is recorded; None where nothing records it.
        on_call: Who could let it in by break-glass.
    """
    # of an exec the server shows its options: people ask about the Pod
    asked = replace(request, ref=subject or subject_of(request))
    return Answer(
        uid=request.uid,
        allowed=verdict.allowed,
        message=""
        if verdict.allowed
        else denial(verdict, asked, cluster, decision, on_call=on_call),
        warnings=warnings(verdict, asked, cluster, decision),
        annotations={
            "rule": rule_for(request),
            **annotations(verdict, "" if decision is None else decision.id),
        },
    )


def refusal(request: AdmissionRequest, problems: tuple[str, ...]) -> Answer:
    """Return the answer to an object of ours that cannot be read."""
    return Answer(
        uid=request.uid,
        allowed=False,
        message=refused(request.ref, problems),
        annotations={"rule": rule_for(request), "verdict": "denied"},
    )
