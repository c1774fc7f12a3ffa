"""The answers file."""

import pytest

from countersign.core.errors import Malformed
from countersign.core.questions import DEFAULT_QUESTIONS, DEFAULT_URI
from countersign.core.types.evidence import Answer, AnswerVerdict
from countersign.wire.answers import MAX_ANSWERS_FILE, parse_answers, render_answers


def test_reads_answers_and_their_links() -> None:
    """Links stand in the text, where a later reader finds them."""
    found = parse_answers(
        b"questionSet: https://q.example/1\n"
        b"answers:\n"
        b"- {id: one, verdict: addressed, answer: ' seen ',"
        b" evidence: [{uri: 'https://e.example/7'}]}\n"
        b"- {id: two, verdict: notApplicable, answer: no state}\n"
    )

    assert found.question_set == "https://q.example/1"
    assert found.answers == (
        Answer("one", AnswerVerdict.ADDRESSED, "seen [https://e.example/7]"),
        Answer("two", AnswerVerdict.NOT_APPLICABLE, "no state"),
    )


def test_writes_a_file_to_fill_in() -> None:
    """Every question is in it, and it is not yet an answer."""
    text = render_answers(DEFAULT_URI, DEFAULT_QUESTIONS)
    found = parse_answers(text.encode())

    assert found.question_set == DEFAULT_URI
    assert [a.id for a in found.answers] == [q.id for q in DEFAULT_QUESTIONS]
    assert all(a.text == "" for a in found.answers)
    assert all(question.text in text for question in DEFAULT_QUESTIONS)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="no YAML"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"questionSet: x\nanswers: []\n", id="no answer"),
        pytest.param(
            b"questionSet: x\nanswers: [{id: a, verdict: fine}]\n", id="no verdict"
        ),
        pytest.param(
            b"questionSet: x\nanswers: [{id: a, verdict: concern, anwser: y}]\n",
            id="a misspelt field",
        ),
        pytest.param(
            b"questionSet: x\nanswers:\n"
            b"- {id: a, verdict: concern}\n- {id: a, verdict: addressed}\n",
            id="a question answered twice",
        ),
        pytest.param(b"#" * (MAX_ANSWERS_FILE + 1), id="far too much"),
    ],
)
def test_refuses_what_is_no_answers_file(raw: bytes) -> None:
    """The message says which file is meant."""
    with pytest.raises(Malformed, match="answers"):
        parse_answers(raw)
