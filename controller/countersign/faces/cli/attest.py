"""``countersign attest``: collect the provenance of a git range, and sign it.

Or, with ``--declare-human``, sign an author's own word about one (`declare`).
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from countersign.faces.cli import options, params
from countersign.faces.cli.inputs import Inputs, inputs
from countersign.faces.cli.session import Command, Exit, Session

ANNOTATIONS, BUNDLE_SET, OCI = "annotations", "bundleset", "oci"


@click.command("attest", cls=Command)
@click.argument("revisions", metavar="RANGE")
@options.repo
@options.repo_uri
@click.option(
    "--collector",
    default="",
    envvar="COUNTERSIGN_COLLECTOR",
    help="What the collector calls itself; else the CI's workflow.",
)
@inputs
@options.carry_over
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="REF@DIGEST",
    help="An image that was built from the end of the range. Repeatable.",
)
@click.option(
    "--pull-request",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="JSON about the pull or merge request that the range is: an event of the forge "
    "or an answer of its API. In CI the event is read without asking.",
)
@options.clusters
@click.option(
    "--valid",
    type=params.Duration(),
    default="90d",
    show_default=True,
    help="For how long it may be used.",
)
@click.option(
    "--carrier",
    type=click.Choice([ANNOTATIONS, BUNDLE_SET, OCI]),
    help="Write the objects of -f, to be applied as they are, with the bundle in their "
    "annotations or in BundleSets before them, instead of the bundle alone. With oci "
    "the bundle is put beside the images, in their registries.",
)
@options.sets_only
@options.registries
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
    inputs: Inputs,
    earlier: Sequence[str],
    images: Sequence[str],
    pull_request: Path | None,
    clusters: Sequence[str],
    valid: timedelta,
    carrier: str | None,
    sets_only: bool,
    registry: options.RegistryOptions,
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

    With --carrier oci the bundle is put beside each image, as cosign puts it, and with
    it what the objects that run it are judged by. What runs no image keeps its evidence
    in the file that is written.

    With --carry-over the objects that are as they were keep the provenance they had, if
    it holds for the same clusters still; RANGE is attested for the others.

    With --declare-human the signature is an author's own: that the commits of RANGE,
    which are shown first, were made without AI. It counts beside a collector's
    provenance of the same range, where policies take such words.

    \b
    Example:
      countersign attest origin/main..HEAD -f rendered.yaml --cluster prod-eu \\
        --carrier annotations --out release.yaml
      countersign attest origin/main..HEAD --image ghcr.io/acme/web@sha256:… \\
        --cluster prod-eu --carrier oci
    """  # noqa: D301 - click's mark for "do not wrap"
    # git, pydantic and cryptography, which --help does not need
    from countersign.binding.kinds import BUILT_IN  # noqa: PLC0415
    from countersign.faces.cli import attesting, loading  # noqa: PLC0415
    from countersign.faces.cli.carried_over import read_before  # noqa: PLC0415

    if carrier != OCI or inputs.given:
        options.require_out(output, out)
    given = attesting.Given(
        revisions=revisions,
        repo=repo,
        repo_uri=repo_uri,
        signing=signing,
        out=out,
        output=output,
    )
    sets_only = sets_only or bool(inputs.plans)  # no server takes a plan
    if sets_only:
        carrier = _beside(carrier)
    if declare_human:
        _require_nothing_else(inputs, images, beside, carrier)
        attesting.declare_human(session, given, policies, assent=yes)
        return Exit.DONE
    there = inputs.given or (carrier == OCI and bool(images))
    _require(clusters=clusters, carrier=carrier, there=there, beside=beside)
    if earlier and carrier not in {ANNOTATIONS, BUNDLE_SET}:
        raise click.UsageError(
            "expected objects that carry their evidence with --carry-over, saw none: "
            f"give -f and --carrier {ANNOTATIONS} or {BUNDLE_SET}"
        )
    scope = attesting.Scope(
        collector=collector,
        clusters=frozenset(clusters),
        valid=valid,
        images=tuple(images),
        pull_request=pull_request,
    )
    before = read_before(
        earlier,
        inputs.namespace,
        BUILT_IN,
        session=session,
        clusters=clusters,
        policies=policies,
        trusted_root=signing.trusted_root,
    )
    load = loading.load(inputs, carrier, beside, sets_only=sets_only, before=before)
    if carrier == OCI:
        from countersign.faces.cli.attest_beside import (  # noqa: PLC0415 - as above
            collect_beside,
        )

        collect_beside(session, given, scope, load, registry)
    else:
        attesting.collect(session, given, scope, load)
    return Exit.DONE


def _beside(carrier: str | None) -> str:
    if carrier in {ANNOTATIONS, OCI}:
        raise click.UsageError(
            f"expected the carrier {BUNDLE_SET} with --sets-only and --plan, saw "
            f"{carrier}: sets are written and nothing else"
        )
    return BUNDLE_SET


def _require(
    *,
    clusters: Sequence[str],
    carrier: str | None,
    there: bool,
    beside: Sequence[str],
) -> None:
    if not clusters:
        raise click.UsageError(
            "expected the cluster it may be used in, saw none: give --cluster NAME"
        )
    if carrier and not there:
        raise click.UsageError(
            "expected manifests to carry the bundle, saw none: give -f, or --image with "
            f"--carrier {OCI}"
        )
    if beside and not carrier:
        raise click.UsageError(
            "expected a carrier for what --declaration names, saw none: "
            f"give --carrier {ANNOTATIONS}"
        )


def _require_nothing_else(
    inputs: Inputs,
    images: Sequence[str],
    beside: Sequence[str],
    carrier: str | None,
) -> None:
    if inputs.given or images or beside or carrier:
        raise click.UsageError(
            "expected a range alone with --declare-human: a word about commits is "
            "about no manifest and no image, and travels by --declaration"
        )
