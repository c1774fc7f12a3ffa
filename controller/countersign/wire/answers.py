"""``answers.yaml``: a reviewer's answers to a question set, written before signing.

``{questionSet: URI, answers: [{id, verdict, answer, evidence: [{uri}]}]}``
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from countersign.core.errors import Malformed
from countersign.core.questions import Question
from countersign.core.types.evidence import Answer, AnswerVerdict

MAX_ANSWERS_FILE = 256 * 1024  # bytes; prose of a person, with room


class _Shape(BaseModel):
    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, validate_by_name=True
    )


class _Link(_Shape):
    uri: str


class _Answer(_Shape):
    id: str = Field(min_length=1)
    verdict: Literal["addressed", "notApplicable", "concern"]
    answer: str = ""
    evidence: list[_Link] = Field(default_factory=list)


class _Answers(_Shape):
    question_set: str
    answers: list[_Answer] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a reviewer answered, and to which question set."""

    question_set: str
    answers: tuple[Answer, ...]


def parse_answers(raw: bytes) -> Answers:
    """Read an answers file.

    Links of evidence become part of the answer's text: the statement has no other
    place for them.

    Raises:
        Malformed: no YAML, an unknown field, or a question answered twice.
    """
    if len(raw) > MAX_ANSWERS_FILE:
        raise Malformed(f"expected answers of at most {MAX_ANSWERS_FILE} bytes")
    try:
        shape = _Answers.model_validate(yaml.safe_load(raw))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Malformed(f"answers: expected YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise Malformed(f"answers: {place}: {first['msg']}") from error
    ids = [answer.id for answer in shape.answers]
    if len(set(ids)) != len(ids):
        raise Malformed("answers: expected each question once, saw one twice")
    return Answers(
        shape.question_set, tuple(_value(answer) for answer in shape.answers)
    )


def render_answers(uri: str, questions: Iterable[Question]) -> str:
    """Write an answers file to fill in; each question stands above its answer."""
    lines = [f"questionSet: {uri}", "answers:"]
    for question in questions:
        lines += [
            f"# {question.text}",
            f"- id: {question.id}",
            "  verdict: addressed  # or notApplicable (say why), or concern",
            '  answer: ""',
        ]
    return "\n".join(lines) + "\n"


def _value(shape: _Answer) -> Answer:
    links = "".join(f" [{link.uri}]" for link in shape.evidence)
    text = f"{shape.answer.strip()}{links}".strip()
    return Answer(shape.id, AnswerVerdict(shape.verdict), text)
