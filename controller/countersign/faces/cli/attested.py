"""What ``countersign attest`` says of what it collected."""

from collections.abc import Iterable
from pathlib import Path

import click

from countersign.core.types.artifacts import Digest, Json
from countersign.faces.cli import words
from countersign.faces.cli.sheet import lint_json, lint_line
from countersign.usecases.attest import Attested
from countersign.usecases.lint_kinds import Lint


def tell(done: Attested, out: Path | None, lints: Iterable[Lint] = ()) -> None:
    """Tell a person what was found, what is amiss, and where the result is."""
    found, claim = done.derivation, done.claim
    click.echo(f"provenance: {words.made_how(claim)}", err=True)
    commits = words.counted(len(found.commits), "commit")
    marked = f"{found.marked} with a mark of assistance"
    click.echo(f"  of {words.span(claim)}: {commits}, {marked}", err=True)
    click.echo(f"  made by {words.made_by(claim)}", err=True)
    if not claim.complete:
        click.echo(
            "  NOT complete: the clone is shallow, or a message too long to read; "
            "fetch the full history (git fetch --unshallow) and attest again",
            err=True,
        )
    for lint in lints:
        click.echo(f"  attention: {lint_line(lint)}", err=True)
    if out:
        click.echo(f"  written to {out}", err=True)


def summary(done: Attested, lints: Iterable[Lint] = ()) -> dict[str, Json]:
    """Return what a script wants to know."""
    found, claim = done.derivation, done.claim
    return {
        "assistance": claim.assistance.label,
        "complete": claim.complete,
        "commits": len(found.commits),
        "commitsWithMarker": found.marked,
        "lines": {
            "ai": claim.lines.ai,
            "human": claim.lines.human,
            "unknown": claim.lines.unknown,
        },
        "tools": list(claim.tools),
        "repository": claim.repository,
        "revision": claim.range.target.value,
        "statement": str(done.statement),
        "bundle": str(Digest.sha256(done.bundle)),
        "attention": [lint_json(each) for each in lints],
    }
