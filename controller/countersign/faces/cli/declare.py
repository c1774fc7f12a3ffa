"""``countersign attest --declare-human``: an author's own word, shown before it is signed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from countersign.core.types.artifacts import Digest, Json
from countersign.faces.cli import words
from countersign.faces.cli.progress import working
from countersign.faces.cli.rulebook import Rulebook, open_rulebook
from countersign.faces.cli.session import Session
from countersign.faces.cli.signing import Signatory
from countersign.faces.cli.source import show_commit
from countersign.usecases.declare import (
    Considered,
    Declared,
    Standing,
    declare,
    require_clean,
    worth,
)

MAX_SHOWN = 200  # commits; who speaks for more has to be told how many more


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks, and by which rules.

    Attributes:
        signatory: Who signs, once there is something to sign.
        policies: Folder with policies and rosters, or None.
        trusted_root: Of a private Sigstore, or None.
        assent: Whether the person agreed already, by ``--yes``.
    """

    signatory: Callable[[], Signatory]
    policies: Path | None
    trusted_root: Path | None
    assent: bool


def speak(session: Session, considered: Considered, speaker: Speaker) -> Declared:
    """Show what the word speaks for, ask, sign, and check what it is worth.

    Raises:
        Malformed: a mark in the range, or commits out of sight.
        Rejected: the signer is nobody whom the rosters know, or had no part in it.
        click.Abort: the person does not agree.
    """
    show(_console(), considered)
    require_clean(considered)
    if not speaker.assent:
        click.confirm("\nSign that no AI had a hand in this?", abort=True, err=True)
    who = speaker.signatory()
    with open_rulebook(speaker.policies, speaker.trusted_root, session) as rulebook:
        return asyncio.run(_signed(session, considered, who, rulebook))


def require_assent(session: Session, *, assent: bool) -> None:
    """Refuse to sign a person's word without a person.

    Raises:
        click.UsageError: there is no terminal, and no ``--yes``.
    """
    if not (assent or session.interactive):
        raise click.UsageError(
            "expected a terminal to confirm the declaration on, saw none: give --yes"
        )


def show(console: Console, considered: Considered) -> None:
    """Write each commit with its author, subject line and marks."""
    found = considered.derivation.commits
    console.print(
        Text(f"no AI in {words.span(considered.claim)}: ", style="bold").append(
            words.counted(len(found), "commit")
        )
    )
    for judged in found[:MAX_SHOWN]:
        show_commit(console, judged)
    if len(found) > MAX_SHOWN:
        console.print(f"  … and {words.counted(len(found) - MAX_SHOWN, 'commit')} more")
    console.print(f"  by {words.listed(considered.authors)}")


def summary(declared: Declared) -> dict[str, Json]:
    """Return what a script wants to know."""
    claim = declared.claim
    base = claim.range.base
    return {
        "repository": claim.repository,
        "range": {
            "fromID": base.value if base else None,
            "targetID": claim.range.target.value,
        },
        "declaredOn": words.exactly(claim.declared_on),
        "statement": str(declared.statement),
        "bundle": str(Digest.sha256(declared.bundle)),
    }


async def _signed(
    session: Session, considered: Considered, who: Signatory, rulebook: Rulebook
) -> Declared:
    with working(session, "signing"):
        declared = await declare(considered, signer=who.signer)
    if rulebook.prover is None or rulebook.policies is None:
        click.echo(
            "not checked whether you are one of them: give --policies DIR", err=True
        )
        return declared
    found = await worth(
        considered, declared, prover=rulebook.prover, policies=rulebook.policies
    )
    _tell(found)
    return declared


def _tell(found: Standing) -> None:
    click.echo(f"declared by {found.name}, for {words.listed(found.own)}", err=True)
    if found.others:
        click.echo(
            f"  not enough alone: {words.listed(found.others)} had a part in it, too, "
            "and must declare the same range",
            err=True,
        )
    if found.outside:
        click.echo(
            f"  not enough where it touched {words.listed(found.outside)}: that is "
            f"outside the paths of {found.name} (provenance.robots), and takes a sign-off",
            err=True,
        )
    elif not found.counted_by:
        click.echo(
            f"  no policy here counts a declaration by {found.name}: none takes one of "
            "the roles that the roster gives (provenance.declarations.roles)",
            err=True,
        )


def _console() -> Console:
    return Console(
        stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True
    )
