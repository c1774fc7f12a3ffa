"""``countersign attest``: collect the provenance of a git range, and sign it.

Or, with ``--declare-human``, sign an author's own word about one (`declare`).
"""

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
from countersign.core.types.artifacts import Digest, Json, Subject, Tree
from countersign.faces.cli import attested, declare, options, source
from countersign.faces.cli.files import read_file, read_inputs, write_result
from countersign.faces.cli.manifests import read_manifests, write_manifests
from countersign.faces.cli.progress import working
from countersign.faces.cli.session import Command, Exit, Session
from countersign.faces.cli.signing import choose
from countersign.provenance.ci import ci_run
from countersign.provenance.registry import known_agents
from countersign.usecases.attest import Attested, AttestOrder, attest
from countersign.usecases.carry import Placed, bundle_sets, unload
from countersign.usecases.companions import companions
from countersign.usecases.declare import Considered, consider
from countersign.usecases.prepare import Prepared, prepare

_ANNOTATIONS = "annotations"
_BUNDLE_SET = "bundleset"


@click.command("attest", cls=Command)
@click.argument("revisions", metavar="RANGE")
@source.repo
@source.repo_uri
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
    type=click.Choice([_ANNOTATIONS, _BUNDLE_SET]),
    help="Write the objects of -f, to be applied as they are, with the bundle in their "
    "annotations or in BundleSets before them, instead of the bundle alone.",
)
@click.option(
    "--declaration",
    "beside",
    multiple=True,
    help="Bundles to travel with the objects: the authors' declarations, and what the "
    "start of the range rests on (a sign-off of its source, the provenance it names). "
    "Repeatable.",
)
@click.option(
    "--declare-human",
    is_flag=True,
    help="Instead of collecting, sign as an author that no AI had a hand in the range.",
)
@click.option("--yes", is_flag=True, help="Sign a declaration without being asked.")
@options.policies
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
    beside: Sequence[str],
    declare_human: bool,
    yes: bool,
    policies: Path | None,
    signing: options.SigningOptions,
    out: Path | None,
    output: str,
) -> int:
    """Collect the provenance of a git range, and sign it.

    RANGE is BASE..TARGET, or TARGET for all of its history. Give the rendered manifests
    (-f) and images (--image) that were made from the end of the range. No mark of an
    assistance means unknown, never human.

    With --declare-human the signature is an author's own: that the commits of RANGE,
    which are shown first, were made without AI. It counts beside a collector's
    provenance of the same range, where policies take such words.

    \b
    Example:
      countersign attest origin/main..HEAD -f rendered.yaml --cluster prod-eu \\
        --carrier annotations --out release.yaml
    """  # noqa: D301 - click's mark for "do not wrap"
    options.require_out(output, out)
    run = ci_run(session.environ, _event(session.environ))
    repository = GitRepository(repo)
    address = repo_uri or run.repository
    if declare_human:
        _require_nothing_else(filenames, images, beside, carrier)
        declare.require_assent(session, assent=yes)
        considered = consider(
            revisions,
            address,
            repository=repository,
            registry=known_agents(),
            clock=session,
        )
        speaker = declare.Speaker(
            signatory=choose(signing, session),
            policies=policies,
            trusted_root=signing.trusted_root,
            assent=yes,
        )
        return _declare(session, considered, speaker, out, output)
    _require(clusters=clusters, carrier=carrier, filenames=filenames, beside=beside)
    objects, sets = _objects(filenames, namespace, carrier)
    order = AttestOrder(
        revisions=revisions,
        repository=address,
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
    given = [raw for _, raw in read_inputs(beside)] if beside else []
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
        write_manifests(out, _carried(done, objects, sets, given, carrier))
    else:
        write_result(out, done.bundle)
    attested.tell(done, out)
    if output == "json":
        click.echo(json.dumps(attested.summary(done), indent=2))
    return Exit.DONE


def _declare(
    session: Session,
    considered: Considered,
    speaker: declare.Speaker,
    out: Path | None,
    output: str,
) -> int:
    declared = declare.speak(session, considered, speaker)
    write_result(out, declared.bundle)
    if output == "json":
        click.echo(json.dumps(declare.summary(declared), indent=2))
    return Exit.DONE


def _carried(
    done: Attested,
    objects: Sequence[Prepared],
    sets: Sequence[Placed],
    given: Sequence[bytes],
    carrier: str,
) -> list[Tree]:
    """Return the objects with their evidence, in the order to apply them in."""
    travelling = [*companions(given, done), done.bundle]
    if carrier == _ANNOTATIONS:
        return [one.annotated(travelling) for one in objects]
    what = f"provenance-{done.claim.repository.rpartition('/')[2]}"
    before = bundle_sets(objects, travelling, sets, what=what)
    return [*before, *(one.manifest for one in objects)]


def _require(
    *,
    clusters: Sequence[str],
    carrier: str | None,
    filenames: Sequence[str],
    beside: Sequence[str],
) -> None:
    if not clusters:
        raise click.UsageError(
            "expected the cluster it may be used in, saw none: give --cluster NAME"
        )
    if carrier and not filenames:
        raise click.UsageError(
            "expected manifests to carry the bundle, saw none: give -f"
        )
    if beside and not carrier:
        raise click.UsageError(
            "expected a carrier for what --declaration names, saw none: "
            f"give --carrier {_ANNOTATIONS}"
        )


def _require_nothing_else(
    filenames: Sequence[str],
    images: Sequence[str],
    beside: Sequence[str],
    carrier: str | None,
) -> None:
    if filenames or images or beside or carrier:
        raise click.UsageError(
            "expected a range alone with --declare-human: a word about commits is "
            "about no manifest and no image, and travels by --declaration"
        )


def _objects(
    filenames: Sequence[str], namespace: str, carrier: str | None
) -> tuple[tuple[Prepared, ...], tuple[Placed, ...]]:
    """Read the objects of ``-f``, and the BundleSets that are among them."""
    if not filenames:
        return (), ()
    manifests, sets = unload(read_manifests(filenames))
    if sets and carrier == _ANNOTATIONS:
        raise click.UsageError(
            "expected no BundleSet among objects that carry evidence themselves, saw "
            f"{sets[0][1].name}: give --carrier {_BUNDLE_SET}"
        )
    if not carrier and any(is_secret(manifest) for manifest in manifests):
        # the salt would be lost, and with it the only way to find the digest again
        raise click.UsageError(
            "expected a carrier for the salted digests of a Secret, saw none: "
            f"give --carrier {_BUNDLE_SET}"
        )
    prepared = prepare(
        manifests,
        namespace=namespace,
        salt=lambda: secrets.token_bytes(SALT_BYTES),
        beside=[raw for _, one in sets for raw in one.intents],
    )
    return prepared, sets


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
