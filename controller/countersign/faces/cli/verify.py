"""``countersign verify``: the verdict that admission would give."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from countersign.core.errors import Malformed
from countersign.core.types.policy import Enforcement, Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Verdict
from countersign.faces.cli import options
from countersign.faces.cli.files import read_file
from countersign.faces.cli.inputs import Inputs, inputs
from countersign.faces.cli.session import Command, Exit, Session
from countersign.faces.cli.text import one_line
from countersign.report.explain import explain
from countersign.report.gate import UNDECIDED
from countersign.report.records import as_json


@click.command("verify", cls=Command)
@inputs
@click.option(
    "--review", help="A recorded AdmissionReview (JSON) to judge instead of manifests."
)
@options.judged_images
@options.ask_registries
@options.registries
@options.policies
@options.cluster
@options.kubeconfig
@click.option("--strict", is_flag=True, help="Exit with 11 where there are warnings.")
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    inputs: Inputs,
    review: str | None,
    images: Sequence[str],
    ask_registries: bool,
    registry: options.RegistryOptions,
    policies: Path | None,
    cluster: str | None,
    kubeconfig: Path | None,
    context: str | None,
    strict: bool,
    output: str,
) -> int:
    """Give the verdict that admission would give.

    By the policies of a folder (--policies) no cluster is asked: each manifest is
    judged as if it were created. Without a folder, or where a cluster is named, its own
    policies and live objects count: what is there is updated, as kubectl apply would.
    A recorded AdmissionReview brings its old object along.

    No registry is asked, unless --registries or --image says so; then those that the
    policies name are.

    \b
    Example:
      countersign verify -f release.yaml --cluster prod-eu
      countersign verify -f release.yaml --policies policies/ --cluster prod-eu
      countersign verify --image ghcr.io/acme/web@sha256:… --cluster prod-eu
    """  # noqa: D301 - click's mark for "do not wrap"
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.engine import (  # noqa: PLC0415
        Manifests,
        judged_by,
        sources,
    )
    from countersign.faces.cli.manifests import read_manifests  # noqa: PLC0415
    from countersign.faces.cli.plans import require_protected  # noqa: PLC0415

    if bool(inputs.given or images) == bool(review):
        raise click.UsageError("expected -f, --image or --review, and not both")
    asked = registry if ask_registries or images else None
    found = sources(session, policies, kubeconfig, context, asked)
    if not cluster:
        raise click.UsageError(
            "expected a cluster to judge for, saw none: give --cluster NAME"
        )
    read = (
        (_recorded(review),)
        if review
        else Manifests(
            read_manifests(inputs) if inputs.given else (),
            inputs.namespace,
            tuple(images),
        )
    )
    judgements = asyncio.run(judged_by(session, found, cluster, read))
    verdicts = [(request, judged.verdict) for request, judged in judgements]
    require_protected((request.ref, verdict) for request, verdict in verdicts)
    if asked is None and any(
        _might_lie_beside(judged.policies, judged.verdict) for _, judged in judgements
    ):
        click.echo(
            "no registry was asked for evidence beside images: --registries does",
            err=True,
        )
    if output == "json":
        told = [
            {"object": str(request.ref), **as_json(verdict)}
            for request, verdict in verdicts
        ]
        click.echo(json.dumps(told, indent=2))
    else:
        for request, verdict in verdicts:
            said = explain(verdict, cluster)
            click.echo(f"{one_line(str(request.ref), 600)}: {said}")
    return exit_of((verdict for _, verdict in verdicts), strict=strict)


def exit_of(verdicts: Iterable[Verdict], *, strict: bool) -> Exit:
    """Return the code for all verdicts: one denial is a denial.

    Args:
        verdicts: At least one.
        strict: Warnings have a code of their own.
    """
    findings = [finding for verdict in verdicts for finding in verdict.findings]
    denying = {f.reason for f in findings if f.enforcement is Enforcement.DENY}
    if denying:
        return Exit.DENIED if denying - UNDECIDED else Exit.UNDECIDED
    warned = any(f.enforcement is Enforcement.WARN for f in findings)
    return Exit.WARNED if strict and warned else Exit.DONE


def _might_lie_beside(policies: Iterable[Policy], verdict: Verdict) -> bool:
    """Tell whether admission would ask a registry before it denies this."""
    return not verdict.allowed and any(p.images.registries for p in policies)


def _recorded(file: str) -> AdmissionRequest:
    from countersign.wire.admission import parse_review  # noqa: PLC0415 - as above

    try:
        return parse_review(read_file(file))
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error
