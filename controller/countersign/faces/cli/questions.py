"""Asking a reviewer the questions that no tool can answer."""

import re

import click
from rich.console import Console

from countersign.core.errors import Malformed
from countersign.core.questions import Question
from countersign.core.types.evidence import Answer, AnswerVerdict, Trace
from countersign.core.types.policy import QuestionSet, TraceDemand
from countersign.wire.answers import Answers

_SHORT = {
    "a": AnswerVerdict.ADDRESSED,
    "n": AnswerVerdict.NOT_APPLICABLE,
    "c": AnswerVerdict.CONCERN,
}


def ask(console: Console, questions: tuple[Question, ...]) -> tuple[Answer, ...]:
    """Ask each question on the terminal until it is answered."""
    return tuple(
        _ask(console, question, f"{number}/{len(questions)}")
        for number, question in enumerate(questions, start=1)
    )


def check(answers: Answers, asked: QuestionSet) -> tuple[Answer, ...]:
    """Return the answers of a file, if they answer what is asked.

    Raises:
        Malformed: another question set, a question that is not answered, or one that
            nobody asked.
    """
    if answers.question_set != asked.uri:
        raise Malformed(
            f"answers: expected answers to {asked.uri}, saw {answers.question_set}: "
            "make a file with --write-answers"
        )
    given = {answer.id for answer in answers.answers}
    if missing := [known for known in asked.ids if known not in given]:
        raise Malformed(f"answers: expected an answer to {', '.join(missing)}")
    if strange := sorted(given - set(asked.ids)):
        raise Malformed(f"answers: expected no answer to {', '.join(strange)}")
    if empty := [answer.id for answer in answers.answers if not answer.text]:
        raise Malformed(
            f"answers: expected a text for {', '.join(empty)}, saw none: even what "
            "does not apply needs its reason"
        )
    return answers.answers


def concerns(answers: tuple[Answer, ...]) -> tuple[str, ...]:
    """Return the ids of questions that were answered with a concern."""
    return tuple(a.id for a in answers if a.verdict is AnswerVerdict.CONCERN)


def fits(trace: Trace, demand: TraceDemand) -> bool:
    """Tell whether a link is what a policy asks for."""
    same = trace.type == demand.type
    return same and re.fullmatch(demand.pattern, trace.id) is not None


def ask_link(demand: TraceDemand) -> Trace:
    """Ask for one link on the terminal until it is what the policy wants."""
    while True:
        said = click.prompt(f"\n  {demand.type} it belongs to", err=True)
        trace = Trace(demand.type, said.strip())
        if fits(trace, demand):
            return trace
        click.echo(f"  expected an id like {demand.pattern}", err=True)


def _ask(console: Console, question: Question, number: str) -> Answer:
    console.print(f"\n[{number}] {question.text}", style="bold", markup=False)
    choice = click.prompt(
        "  (a)ddressed, (n)ot applicable, (c)oncern",
        type=click.Choice(list(_SHORT), case_sensitive=False),
        show_choices=False,
        err=True,
    )
    text = ""
    while not text.strip():
        text = click.prompt("  your answer", err=True)
    return Answer(question.id, _SHORT[choice.lower()], text.strip())
