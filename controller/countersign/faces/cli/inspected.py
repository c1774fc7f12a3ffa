"""What bundles say, for people and for machines, and what of it is proven."""

from collections.abc import Iterator, Sequence

import click

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Build, Claim, Declaration, Provenance
from countersign.faces.cli import words
from countersign.faces.cli.rulebook import Rulebook
from countersign.faces.cli.text import one_line
from countersign.usecases.inspect import Inspected, carried_bundles, inspect
from countersign.wire.cosign import is_legacy_file, legacy_file
from countersign.wire.manifests import parse_manifests


async def inspect_each(
    raws: Sequence[tuple[str, bytes]], rulebook: Rulebook
) -> list[tuple[str, Inspected]]:
    """Read bundles, each with where it is, and prove them if anybody can.

    Raises:
        Malformed: one is no bundle of ours.
    """
    return [(where, await inspect(raw, rulebook.prover)) for where, raw in raws]


async def readable(raws: Sequence[bytes], rulebook: Rulebook) -> list[Inspected]:
    """Read what can be read of bundles; say of the others that a newer version may."""
    found = []
    for raw in raws:
        try:
            found.append(await inspect(raw, rulebook.prover))
        except Malformed as error:
            problem = one_line(str(error), 400)
            click.echo(f"a bundle that cannot be read: {problem}", err=True)
    return found


def bundles(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield where each bundle is, and the bundle; those of several objects once.

    Args:
        name: Of the file.
        raw: A bundle, in cosign's older form too, or manifests that carry bundles.

    Raises:
        Malformed: it is neither.
    """
    if b'"dsseEnvelope"' in raw and raw.lstrip().startswith(b"{"):
        yield name, raw
        return
    if is_legacy_file(raw):
        yield name, legacy_file(raw)
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
    elif isinstance(claim, Build):
        yield f"built from: {one_line(claim.repository)} at {claim.commit}"
        yield f"builder: {one_line(claim.builder) or 'unnamed'}"
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
