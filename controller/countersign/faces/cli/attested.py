"""What ``countersign attest`` says of what it collected."""

from collections.abc import Iterable
from pathlib import Path

import click

from countersign.core.types.artifacts import Digest, Json
from countersign.faces.cli import words
from countersign.faces.cli.sheet import lint_json, lint_line
from countersign.provenance.commits import Gap
from countersign.usecases.attest import Attested
from countersign.usecases.lint_kinds import Lint

REMEDIES = {
    Gap.SHALLOW: "the clone is shallow; fetch the full history (git fetch --unshallow)",
    Gap.OBJECTS: "the clone lacks objects of the range; fetch them "
    "(git fetch --refetch --no-filter)",
    Gap.NOTES: "nobody fetched notes of assistants, there may be some; let git fetch "
    "them (git config --add remote.origin.fetch '+refs/notes/*:refs/notes/*' && "
    "git fetch)",
    Gap.NOTE: "a note of refs/notes/ai cannot be read; have git-ai write it again",
    Gap.TRACE: "a line of .agent-trace/traces.jsonl cannot be read; correct it",
    Gap.MESSAGE: "a message is too long to read; reword the commit",
    Gap.SUBMODULE: "a submodule changed, whose commits are elsewhere; attest it there, "
    "and begin the range after the change",
    Gap.PULL_REQUEST: "the commits of a squashed pull request are gone; fetch its head",
    Gap.DESCRIPTION: "the request's description was cut; give the forge's whole answer "
    "with --pull-request",
}


def tell(done: Attested, out: Path | None, lints: Iterable[Lint] = ()) -> None:
    """Tell a person what was found, what is amiss, and where the result is."""
    found, claim = done.derivation, done.claim
    click.echo(f"provenance: {words.made_how(claim)}", err=True)
    commits = words.counted(len(found.commits), "commit")
    marked = f"{found.marked} with a mark of assistance"
    click.echo(f"  of {words.span(claim)}: {commits}, {marked}", err=True)
    click.echo(f"  made by {words.made_by(claim)}", err=True)
    if not claim.complete:
        for gap in sorted({one.gap for one in found.unseen}):
            click.echo(f"  NOT complete: {REMEDIES[gap]}, and attest again", err=True)
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
        "unseen": [
            {"reason": one.gap.value, "where": one.where} for one in found.unseen
        ],
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
