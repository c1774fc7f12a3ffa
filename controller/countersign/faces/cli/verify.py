"""``countersign verify``: the verdict that admission would give, from files alone."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from countersign.core.errors import Malformed
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Reason, Verdict
from countersign.faces.cli import options
from countersign.faces.cli.files import read_file
from countersign.faces.cli.judgement import judge
from countersign.faces.cli.manifests import read_manifests
from countersign.faces.cli.session import Command, Exit, Session
from countersign.report.explain import explain
from countersign.report.records import as_json
from countersign.usecases.verify import as_requests
from countersign.wire.admission import parse_review

# Reasons that say that nobody could look, not that something is missing
_UNDECIDED = frozenset({Reason.NOT_READY, Reason.STALE, Reason.UNAVAILABLE})


@click.command("verify", cls=Command)
@options.files
@options.namespace
@click.option(
    "--review", help="A recorded AdmissionReview (JSON) to judge instead of manifests."
)
@options.policies
@click.option(
    "--cluster",
    envvar="COUNTERSIGN_CLUSTER",
    help="Name of the cluster that the manifests are for.",
)
@click.option("--strict", is_flag=True, help="Exit with 11 where there are warnings.")
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    filenames: Sequence[str],
    namespace: str,
    review: str | None,
    policies: Path | None,
    cluster: str | None,
    strict: bool,
    output: str,
) -> int:
    """Give the verdict that admission would give, from files alone.

    Each manifest is judged as if it were created, by the policies, rosters, trust roots
    and revocations in a folder. No cluster is asked: what only a live object could tell
    (an owner, an older state) counts as not there. A recorded AdmissionReview brings
    its old object along.
    """
    if bool(filenames) == bool(review):
        raise click.UsageError("expected -f or --review, and not both")
    if policies is None or not cluster:
        raise click.UsageError(
            "expected policies to judge by and a cluster to judge for: give --policies "
            "DIR and --cluster NAME"
        )
    requests = (
        (_recorded(review),)
        if review
        else as_requests(read_manifests(filenames), namespace=namespace)
    )
    verdicts = asyncio.run(judge(requests, policies, cluster, session))
    if output == "json":
        told = [
            {"object": str(request.ref), **as_json(verdict)}
            for request, verdict in verdicts
        ]
        click.echo(json.dumps(told, indent=2))
    else:
        for request, verdict in verdicts:
            click.echo(f"{request.ref}: {explain(verdict, cluster)}")
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
        return Exit.DENIED if denying - _UNDECIDED else Exit.UNDECIDED
    warned = any(f.enforcement is Enforcement.WARN for f in findings)
    return Exit.WARNED if strict and warned else Exit.DONE


def _recorded(file: str) -> AdmissionRequest:
    try:
        return parse_review(read_file(file))
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error
