"""The sheet of a review: what is shown of each object."""

import io
from collections.abc import Collection
from dataclasses import replace

import pytest
from rich.console import Console

from countersign.core.types.artifacts import Digest, ObjectRef, Tree
from countersign.core.types.change import Access, ObjectChange, Operation
from countersign.faces.cli import words
from countersign.faces.cli.sheet import diff, show_sheet
from countersign.usecases.lint_kinds import Lint, LintKind
from countersign.usecases.look import look
from countersign.usecases.sheet import LookOrder, Opening, Removal, Sheet
from tests.unit.usecases.test_sign_off import (
    DEPLOYMENT,
    SECRET,
    FakeCluster,
    prepared,
    with_image,
)

OTHER = "ghcr.io/acme/ledger@sha256:" + "0" * 64


async def sheet_of(wanted: Tree, *live: Tree) -> Sheet:
    """Look at one object beside what is live."""
    order = LookOrder(objects=prepared(wanted))
    return await look(order, prover=None, cluster=FakeCluster(*live))


def shown(sheet: Sheet, lints: Collection[Lint] = ()) -> str:
    """Return what a person reads."""
    stream = io.StringIO()
    console = Console(file=stream, markup=False, highlight=False, soft_wrap=True)
    show_sheet(console, sheet, tuple(lints))
    return stream.getvalue()


async def test_shows_the_change_and_little_else() -> None:
    """One line goes, one comes; defaults of the server are on both sides."""
    sheet = await sheet_of(DEPLOYMENT, with_image(OTHER))

    lines = list(diff(sheet.items[0]))
    changed = [
        line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}
    ]
    assert len(changed) == 2
    assert OTHER in changed[0]
    assert "payments/Deployment/ledger  1 line added, 1 removed" in shown(sheet)


async def test_says_how_much_was_left_aside() -> None:
    """In one line."""
    sheet = await sheet_of(DEPLOYMENT)

    told = "left aside: 40 bundles about other states"
    assert told in shown(replace(sheet, aside=40))
    assert "left aside" not in shown(sheet)


async def test_says_what_is_new_and_what_stays() -> None:
    """Each in a word."""
    assert "payments/Deployment/ledger  new" in shown(await sheet_of(DEPLOYMENT))
    assert "  no change" in shown(await sheet_of(DEPLOYMENT, DEPLOYMENT))


async def test_a_secret_shows_that_it_changes_and_not_how() -> None:
    """Its values never reach a terminal."""
    other: Tree = {**SECRET, "stringData": {"password": "before"}}
    text = shown(await sheet_of(SECRET, other))

    assert "hmac-sha256:" in text
    assert "correct horse" not in text
    assert "before" not in text


async def test_without_provenance_it_says_so() -> None:
    """Silence is not innocence."""
    text = shown(await sheet_of(DEPLOYMENT))

    assert "provenance: none; how this change was made is unknown" in text


@pytest.mark.parametrize("kind", LintKind)
async def test_every_lint_has_its_words(kind: LintKind) -> None:
    """With what was seen behind them."""
    text = shown(await sheet_of(DEPLOYMENT), [Lint(kind, "it", "details")])

    assert ": details" in text


async def test_what_is_amiss_moves_no_cursor() -> None:
    """It names what a stranger's bundle says of itself."""
    lints = [Lint(LintKind.INCOMPLETE, "\x1b[2J\u202ehttps://git.example@1", "\x1b[m")]
    text = shown(await sheet_of(DEPLOYMENT), lints)

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\u{001b}[2J" in text


def test_an_approved_change_moves_no_cursor() -> None:
    """Whoever signs may write any name into his statement."""
    change = ObjectChange(
        object=ObjectRef("", "ConfigMap", "payments", "\x1b[2J\u202e"),
        digest=Digest.sha256(b""),
        operation=Operation.CREATE,
    )

    assert words.change(change).isprintable()


@pytest.mark.parametrize(
    ("live", "since"),
    [
        pytest.param((DEPLOYMENT,), "it still stands so", id="as it was"),
        pytest.param((with_image(OTHER),), "it has changed since", id="changed"),
        pytest.param((), "it is gone since", id="gone"),
    ],
)
async def test_what_was_admitted_is_shown_whole(
    live: tuple[Tree, ...], since: str
) -> None:
    """A reviewer sees what was done, not what applying it again would change."""
    order = LookOrder(objects=prepared(DEPLOYMENT), past=True)
    text = shown(await look(order, prover=None, cluster=FakeCluster(*live)))

    assert f"as it was admitted; {since}" in text
    assert "+kind: Deployment" in text
    assert OTHER not in text


async def test_accesses_and_removals_of_the_past() -> None:
    """In words that fit; nobody is asked for the provenance of a shell."""
    (one,) = prepared(DEPLOYMENT)
    shell = Access(
        object=one.ref, uid="u-1", subresource="exec", operation=Operation.CONNECT
    )
    opening = LookOrder(openings=(Opening(shell, "v1"),))
    gone = LookOrder(removals=(Removal(ref=one.ref, version="v1", uid="u"),), past=True)

    opened = shown(await look(opening, prover=None, cluster=None))
    removed = shown(await look(gone, prover=None, cluster=FakeCluster()))

    assert "connect exec, uid u-1" in opened
    assert "provenance" not in opened
    assert "was deleted, uid u" in removed
    assert "not looked at" not in removed
