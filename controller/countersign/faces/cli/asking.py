"""Which questions are asked of a reviewer, and where the answers come from."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path

import click

from countersign.binding.surface import place_of
from countersign.core.errors import Malformed
from countersign.core.questions import DEFAULT, Question, texts
from countersign.core.types.artifacts import GroupKind, ObjectRef
from countersign.core.types.evidence import Answer, Trace
from countersign.core.types.policy import Policy, QuestionSet, TraceDemand
from countersign.faces.cli import questions
from countersign.faces.cli.files import read_file, write_result
from countersign.faces.cli.questions import fits
from countersign.faces.cli.rulebook import Rulebook
from countersign.faces.cli.session import Exit
from countersign.wire.answers import parse_answers, render_answers


def asked_for(refs: Sequence[ObjectRef], rulebook: Rulebook) -> QuestionSet | None:
    """Return the questions that the policies of the objects ask.

    Without policies the default ones; None where policies ask none.
    """
    sets = [policy.demands.questions for policy in _judging(refs, rulebook)]
    return next((found for found in sets if found), None) if sets else DEFAULT


def longest(
    usual: timedelta, refs: Sequence[ObjectRef], rulebook: Rulebook
) -> timedelta:
    """Return for how long a sign-off holds where nobody says: what all policies allow.

    The printed command says no time, and has to be enough.
    """
    allowed = [policy.demands.max_validity for policy in _judging(refs, rulebook)]
    return min([usual, *allowed])


def links_missing(
    refs: Sequence[ObjectRef], rulebook: Rulebook, given: Collection[Trace]
) -> tuple[TraceDemand, ...]:
    """Return the links that policies ask for and nobody gave, each once."""
    wanted = {
        demand
        for policy in _judging(refs, rulebook)
        for demand in policy.demands.traceability
    }
    return tuple(
        demand
        for demand in sorted(wanted, key=lambda each: (each.type, each.pattern))
        if not any(fits(trace, demand) for trace in given)
    )


def _judging(refs: Sequence[ObjectRef], rulebook: Rulebook) -> tuple[Policy, ...]:
    """Return the policies of some objects; of none, all that there are."""
    kinds = [(GroupKind(ref.group, ref.kind), place_of(ref)) for ref in refs]
    return tuple(
        policy
        for policy in rulebook.policies or ()
        if not kinds or any(policy.scope.holds(*kind) for kind in kinds)
    )


def to_ask(asked: QuestionSet | None) -> tuple[Question, ...]:
    """Return the questions to ask; none where policies ask none.

    Raises:
        Malformed: they ask what this version of countersign does not know.
    """
    found = texts(asked.digest) if asked else ()
    if asked and not found:
        raise Malformed(f"expected a question set that is known here, saw {asked.uri}")
    return found


def read_answers(file: str | None, asked: QuestionSet | None) -> tuple[Answer, ...]:
    """Read the answers that a file gives to what is asked.

    Raises:
        Malformed: it does not answer that.
        Unavailable: it cannot be read.
    """
    if file is None or asked is None:
        return ()
    return questions.check(parse_answers(read_file(file)), asked)


def write_form(out: Path, asked: QuestionSet) -> int:
    """Write an empty answers file.

    Raises:
        Unavailable: it cannot be written.
    """
    text = render_answers(asked.uri, texts(asked.digest))
    write_result(out, text.encode())
    click.echo(f"written to {out}: fill it in, then give it with --answers", err=True)
    return Exit.DONE
