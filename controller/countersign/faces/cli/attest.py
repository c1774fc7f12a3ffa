"""``countersign attest``: collect the provenance of a git range, and sign it."""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import click

from countersign.adapters.git import GitRepository
from countersign.binding.masking import SALT_BYTES, is_secret
from countersign.binding.references import parse_reference
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Json, Subject
from countersign.faces.cli import options, words
from countersign.faces.cli.files import read_file, write_result
from countersign.faces.cli.manifests import read_manifests, write_manifests
from countersign.faces.cli.progress import working
from countersign.faces.cli.session import Command, Exit, Session
from countersign.faces.cli.signing import choose
from countersign.provenance.ci import ci_run
from countersign.provenance.registry import known_agents
from countersign.usecases.attest import Attested, AttestOrder, attest
from countersign.usecases.prepare import Prepared, prepare

_ANNOTATIONS = "annotations"


@click.command("attest", cls=Command)
@click.argument("revisions", metavar="RANGE")
@click.option(
    "--repo",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="The repository's work tree.",
)
@click.option(
    "--repo-uri",
    default="",
    envvar="COUNTERSIGN_REPO_URI",
    help="Address under which policies know it; else the CI's, else that of origin.",
)
@click.option(
    "--collector",
    default="",
    envvar="COUNTERSIGN_COLLECTOR",
    help="What the collector calls itself; else the CI's workflow.",
)
@options.files
@options.namespace
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="REF@DIGEST",
    help="An image that was built from the end of the range. Repeatable.",
)
@options.clusters
@click.option(
    "--valid",
    type=options.Duration(),
    default="90d",
    show_default=True,
    help="For how long it may be used.",
)
@click.option(
    "--carrier",
    type=click.Choice([_ANNOTATIONS]),
    help="Write the objects of -f with the bundle in their annotations, to be applied "
    "as they are, instead of the bundle alone.",
)
@options.signing
@options.out
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    revisions: str,
    repo: Path,
    repo_uri: str,
    collector: str,
    filenames: Sequence[str],
    namespace: str,
    images: Sequence[str],
    clusters: Sequence[str],
    valid: timedelta,
    carrier: str | None,
    signing: options.SigningOptions,
    out: Path | None,
    output: str,
) -> int:
    """Collect the provenance of a git range, and sign it.

    RANGE is BASE..TARGET, or TARGET for all of its history. Give the rendered manifests
    (-f) and images (--image) that were made from the end of the range. No mark of an
    assistance means unknown, never human.

    \b
    Example:
      countersign attest origin/main..HEAD -f rendered.yaml --cluster prod-eu \\
        --carrier annotations --out release.yaml
    """  # noqa: D301 - click's mark for "do not wrap"
    _require(clusters=clusters, carrier=carrier, filenames=filenames)
    options.require_out(output, out)
    run = ci_run(session.environ, _event(session.environ))
    objects = _objects(filenames, namespace, carrier)
    repository = GitRepository(repo)
    order = AttestOrder(
        revisions=revisions,
        repository=repo_uri or run.repository,
        collector=collector or run.collector or "countersign",
        collector_version=version("countersign"),
        clusters=frozenset(clusters),
        namespaces=_namespaces(objects),
        valid=valid,
        artifacts=(*(o.subject for o in objects), *map(_image, images)),
        actors=run.actors,
        source_branch=run.source_branch,
        target_ref=run.target_ref,
        review_link=run.review_link,
    )
    signer = choose(signing, session)().signer
    with working(session, "collecting and signing"):
        done = asyncio.run(
            attest(
                order,
                repository=repository,
                registry=known_agents(),
                signer=signer,
                clock=session,
            )
        )
    if carrier:
        write_manifests(out, [one.annotated([done.bundle]) for one in objects])
    else:
        write_result(out, done.bundle)
    _tell(done, out)
    if output == "json":
        click.echo(json.dumps(_summary(done), indent=2))
    return Exit.DONE


def _require(
    *, clusters: Sequence[str], carrier: str | None, filenames: Sequence[str]
) -> None:
    if not clusters:
        raise click.UsageError(
            "expected the cluster it may be used in, saw none: give --cluster NAME"
        )
    if carrier and not filenames:
        raise click.UsageError(
            "expected manifests to carry the bundle, saw none: give -f"
        )


def _objects(
    filenames: Sequence[str], namespace: str, carrier: str | None
) -> tuple[Prepared, ...]:
    if not filenames:
        return ()
    manifests = read_manifests(filenames)
    if not carrier and any(is_secret(manifest) for manifest in manifests):
        # the salt would be lost, and with it the only way to find the digest again
        raise click.UsageError(
            "expected a carrier for the salted digests of a Secret, saw none: "
            f"give --carrier {_ANNOTATIONS}"
        )
    return prepare(
        manifests, namespace=namespace, salt=lambda: secrets.token_bytes(SALT_BYTES)
    )


def _namespaces(objects: Sequence[Prepared]) -> frozenset[str]:
    """Return where the objects live; empty, so any, if one lives in no namespace."""
    found = frozenset(one.ref.namespace for one in objects)
    return frozenset() if "" in found else found


def _image(reference: str) -> Subject:
    read = parse_reference(reference)
    if read is None or not read.digest:
        raise click.UsageError(
            f"expected an image as REF@sha256:…, saw {reference}: a tag pins nothing"
        )
    return Subject(f"image:{read.repository}", Digest.parse(read.digest))


def _event(environ: Mapping[str, str]) -> Json:
    """Return GitHub's event, which names who opened the pull request."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path or environ.get("GITHUB_ACTIONS") != "true":
        return None
    try:
        event: Json = json.loads(read_file(path))
    except ValueError as error:
        raise Malformed(f"expected JSON in GITHUB_EVENT_PATH: {error}") from error
    return event


def _tell(done: Attested, out: Path | None) -> None:
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
    if out:
        click.echo(f"  written to {out}", err=True)


def _summary(done: Attested) -> dict[str, Json]:
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
    }
