"""How the change was reviewed: questions answered, links given."""

import re

from countersign.core.rules.case import Case, Said
from countersign.core.types.evidence import Answer, AnswerVerdict, SignOff, Trace
from countersign.core.types.policy import TraceDemand
from countersign.core.types.verdict import Expected, Finding, Names, Reason

# Characters of an id that patterns are tried on: a policy's pattern may be a slow one.
MAX_TRACE_ID = 256


def review_fault(case: Case, sign_off: Said[SignOff]) -> Finding | None:
    """Say why the review does not count, or None.

    1. no answer is a concern: a concern never approves, whatever was asked
    2. the questions are the policy's, by digest
    3. each of them is answered, in words
    4. each type of link is there, in its form
    """
    claim, demands = sign_off.claim, case.policy.demands
    answers = claim.answers
    concerns = {a.id for a in answers if a.verdict is AnswerVerdict.CONCERN}
    if concerns:
        return case.finding(Reason.CONCERN, _names(concerns))
    if asked := demands.questions:
        if claim.question_set is None or claim.question_set[1] != asked.digest:
            seen = str(claim.question_set[1]) if claim.question_set else ""
            facts = Expected(f"{asked.uri} {asked.digest}", seen)
            return case.finding(Reason.QUESTIONS_OPEN, facts)
        if unanswered := {i for i in asked.ids if not _answered(i, answers)}:
            return case.finding(Reason.QUESTIONS_OPEN, _names(unanswered))
    missing = {
        d.type for d in demands.traceability if not _given(d, claim.traceability)
    }
    if missing:
        return case.finding(Reason.TRACEABILITY_MISSING, _names(missing))
    return None


def _answered(question: str, answers: tuple[Answer, ...]) -> bool:
    """Tell whether `question` has answers, each with words: also why it does not apply."""
    given = [answer for answer in answers if answer.id == question]
    return bool(given) and all(answer.text.strip() for answer in given)


def _given(demand: TraceDemand, links: tuple[Trace, ...]) -> bool:
    return any(
        link.type == demand.type
        and len(link.id) <= MAX_TRACE_ID
        and re.fullmatch(demand.pattern, link.id)
        for link in links
    )


def _names(names: set[str]) -> Names:
    return Names(tuple(sorted(names)))
