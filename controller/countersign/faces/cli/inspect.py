"""``countersign inspect``: what bundles say, and what of it is proven."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Claim, Declaration, Provenance
from countersign.faces.cli import options, words
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.rulebook import Rulebook, open_rulebook
from countersign.faces.cli.session import Command, Exit, NoInput, Session
from countersign.faces.cli.text import one_line
from countersign.usecases.inspect import Inspected, carried_bundles, inspect
from countersign.wire.manifests import parse_manifests


@click.command("inspect", cls=Command)
@click.argument("names", metavar="FILE...", nargs=-1)
@options.policies
@options.trusted_root
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    names: Sequence[str],
    policies: Path | None,
    trusted_root: Path | None,
    output: str,
) -> int:
    """Tell what bundles say, and what of it is proven.

    FILE is a bundle, or manifests that carry bundles in their annotations. What a
    bundle says is its signer's word: who that is, is proven only under trust roots that
    you give (--policies or --trusted-root), and each line says which of the two it is.
    """
    if not names:
        raise click.UsageError("expected a bundle or manifests, saw none: give FILE")
    raws = [found for name, raw in read_inputs(names) for found in _bundles(name, raw)]
    if not raws:
        raise NoInput(f"expected bundles, saw none in {', '.join(names)}")
    with open_rulebook(policies, trusted_root, session) as rulebook:
        found = asyncio.run(_inspect(raws, rulebook))
    if output == "json":
        click.echo(
            json.dumps([inspected_json(where, one) for where, one in found], indent=2)
        )
    else:
        for where, one in found:
            click.echo("\n".join(inspected_text(where, one)))
    return Exit.DONE


async def _inspect(
    raws: Sequence[tuple[str, bytes]], rulebook: Rulebook
) -> list[tuple[str, Inspected]]:
    return [(where, await inspect(raw, rulebook.prover)) for where, raw in raws]


def _bundles(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield where each bundle is, and the bundle; those of several objects once."""
    if b'"dsseEnvelope"' in raw and raw.lstrip().startswith(b"{"):
        yield name, raw
        return
    seen: dict[bytes, str] = {}
    try:
        for manifest in parse_manifests(raw):
            label, carried = carried_bundles(manifest)
            for bundle in carried:
                seen.setdefault(bundle, f"{name} ({label})")
    except Malformed as error:
        raise Malformed(f"{name}: {error}") from error
    yield from ((where, bundle) for bundle, where in seen.items())


def inspected_text(where: str, found: Inspected) -> Iterator[str]:
    """Yield lines about one bundle that was found at `where`."""
    yield f"{words.kind(found.claim)} {found.bundle}"
    yield f"  in:        {one_line(where)}"
    yield f"  statement: {found.statement}"
    if found.evidence is None:
        yield f"  NOT PROVEN: {one_line(found.problem, 400)}"
    else:
        yield f"  PROVEN: signed by {words.signer(found.evidence)}"
    yield "  says, in its signer's words:"
    yield from (f"    {line}" for line in _said(found.claim))
    yield "  about:"
    for subject in sorted(found.subjects):
        yield f"    {one_line(subject.name)}  {subject.digest}"


def _said(claim: Claim) -> Iterator[str]:
    if isinstance(claim, Provenance):
        yield f"how: {words.made_how(claim)}"
        yield f"range: {words.span(claim)}" + (
            "" if claim.complete else "; NOT complete"
        )
        yield f"made by: {words.made_by(claim)}"
        yield f"clusters: {words.listed(claim.clusters)}"
        yield f"namespaces: {words.listed(claim.namespaces) or 'any'}"
        yield f"until: {words.when(claim.validity.end)}"
        yield f"collected: {words.when(claim.collected_on)} by {one_line(claim.collector)}"
    elif isinstance(claim, Declaration):
        yield "no AI had a hand in it"
        yield f"range: {words.span(claim)}"
        yield f"declared: {words.when(claim.declared_on)}"
    else:
        yield f"result: {claim.result}, meaning {words.listed(claim.meanings)}"
        yield f"reviewer: {one_line(claim.reviewer) or 'unnamed'}"
        yield f"reviewed: {words.when(claim.reviewed_on)}"
        yield f"clusters: {words.listed(claim.clusters)}"
        yield f"until: {words.when(claim.validity.end)}"
        yield from (f"approves: {words.change(change)}" for change in claim.changes)
        yield from (f"has seen: {digest}" for digest in sorted(claim.inputs))
        for answer in claim.answers:
            text = one_line(answer.text, 400)
            yield f"{one_line(answer.id)}: {answer.verdict}: {text}"
        yield from (
            f"trace: {one_line(t.type)} {one_line(t.id)}" for t in claim.traceability
        )


def inspected_json(where: str, found: Inspected) -> dict[str, Json]:
    """Return the same for machines."""
    proven: dict[str, Json] | None = None
    if found.evidence is not None:
        proven = {
            "signer": words.identity(found.evidence.signer),
            "signedAt": words.exactly(found.evidence.signed_at),
            "presence": found.evidence.presence.name.lower(),
        }
    return {
        "file": where,
        "kind": words.kind(found.claim),
        "bundle": str(found.bundle),
        "statement": str(found.statement),
        "proven": proven,
        "problem": found.problem,
        "says": [*_said(found.claim)],
        "subjects": [
            {"name": subject.name, "digest": str(subject.digest)}
            for subject in sorted(found.subjects)
        ],
    }
