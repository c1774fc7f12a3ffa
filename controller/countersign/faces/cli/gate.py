"""``countersign gate``: the verdict of admission, in the formats of CI systems."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

import click

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.verdict import Verdict
from countersign.faces.cli import options
from countersign.faces.cli.files import write_result
from countersign.faces.cli.gated import (
    append,
    on_github,
    run_of,
    way_of,
)
from countersign.faces.cli.inputs import Inputs, inputs
from countersign.faces.cli.session import Command, Exit, NoInput, Session
from countersign.faces.cli.verify import exit_of
from countersign.report.comment import comment
from countersign.report.gate import RUNBOOK, Entry, Gate, plain, title
from countersign.report.github import github_annotations, github_summary
from countersign.report.gitlab import code_quality
from countersign.report.junit import junit
from countersign.report.records import as_json, outcome
from countersign.report.sarif import sarif

WRITERS: Mapping[str, Callable[[Gate], str]] = {
    "sarif": sarif,
    "junit": junit,
    "code_quality": code_quality,
    "comment": comment,
    "summary": github_summary,
}
"""What writes which file, by the name of its option."""

_WORDS = {
    Exit.DENIED: "denied",
    Exit.UNDECIDED: "undecided",
    Exit.WARNED: "warned",
}


class _Ci(NamedTuple):
    """What is told to the CI system itself, besides files."""

    github: bool
    environ: Mapping[str, str]
    json: bool


@click.command("gate", cls=Command)
@inputs
@options.judged_images
@options.ask_registries
@options.registries
@options.policies
@options.cluster
@options.kubeconfig
@click.option("--sarif", type=options.FILE, help="Write SARIF 2.1.0: code scanning.")
@click.option("--junit", type=options.FILE, help="Write JUnit XML: test reports.")
@click.option(
    "--code-quality", type=options.FILE, help="Write GitLab's code quality report."
)
@click.option(
    "--comment",
    type=options.FILE,
    help="Write a comment for the pull or merge request (Markdown): who could sign, "
    "and the command.",
)
@click.option(
    "--summary",
    type=options.FILE,
    help="Write the page of the job (Markdown); GitHub's own gets it anyway.",
)
@click.option(
    "--ci",
    type=click.Choice(["auto", "github", "none"]),
    default="auto",
    help="GitHub Actions get annotations, job summary and outputs; auto: where they "
    "run this.",
)
@click.option(
    "--runbook",
    default=RUNBOOK,
    envvar="COUNTERSIGN_RUNBOOK",
    metavar="URL",
    help="Page of the runbook that reports link to.",
)
@click.option("--strict", is_flag=True, help="Exit with 11 where there are warnings.")
@options.output
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    inputs: Inputs,
    images: Sequence[str],
    ask_registries: bool,
    registry: options.RegistryOptions,
    policies: Path | None,
    cluster: str | None,
    kubeconfig: Path | None,
    context: str | None,
    ci: str,
    runbook: str,
    strict: bool,
    output: str,
    **files: Path | None,
) -> int:
    """Give the verdict of admission in the formats of CI systems.

    Judges as `verify` does: by the policies of a folder without any cluster, so on a
    pull request too; else by a cluster's own. Says who could sign, and the command.
    Several formats may be written at once, and each is the same each time.

    \b
    Example:
      countersign gate -f deploy/ -f evidence.yaml --policies policies/ \\
        --cluster prod-eu --sarif gate.sarif --junit gate.xml --comment gate.md
      countersign gate --plan web=plan.json --saved-plan web=web.tfplan \\
        -n infra-prod -f signed.yaml --policies policies/ --cluster prod-eu
    """  # noqa: D301 - click's mark for "do not wrap"
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.engine import (  # noqa: PLC0415
        Manifests,
        judged_by,
        sources,
    )
    from countersign.faces.cli.manifests import NOWHERE, read_placed  # noqa: PLC0415
    from countersign.faces.cli.plans import require_protected  # noqa: PLC0415

    if not (inputs.given or images):
        raise click.UsageError("expected -f, --plan or --image, saw none")
    if not cluster:
        raise click.UsageError(
            "expected a cluster to judge for, saw none: give --cluster NAME"
        )
    asked = registry if ask_registries or images else None
    found = sources(session, policies, kubeconfig, context, asked)
    placed = read_placed(inputs) if inputs.given else ()
    what = Manifests(tuple(tree for tree, _ in placed), inputs.namespace, tuple(images))
    judged = asyncio.run(judged_by(session, found, cluster, what))
    require_protected((request.ref, one.verdict) for request, one in judged)
    places = chain((place for _, place in placed), repeat(NOWHERE))
    gate = Gate(
        cluster=cluster,
        entries=tuple(
            Entry(ref=request.ref, verdict=one.verdict, place=place)
            for (request, one), place in zip(judged, places, strict=False)
            if not (_is_evidence(request.ref) and one.verdict.outside)
        ),
        version=version("countersign"),
        way=way_of(inputs, session.environ),
        runbook=runbook,
        run=run_of(session.environ),
    )
    if not gate.entries:
        raise NoInput("expected objects to judge, saw only BundleSets about some")
    for name, write in WRITERS.items():
        if (file := files[name]) is not None:
            write_result(file, write(gate).encode())
    code = exit_of((entry.verdict for entry in gate.entries), strict=strict)
    github = ci == "github" or (ci == "auto" and on_github(session.environ))
    _tell(gate, code, _Ci(github, session.environ, output == "json"))
    return code


def _is_evidence(ref: ObjectRef) -> bool:
    """Tell whether it is a BundleSet: about objects, and none that runs."""
    return (ref.group, ref.kind) == ("countersign.dev", "BundleSet")


def _tell(gate: Gate, code: Exit, ci: _Ci) -> None:
    """Print the verdict, and tell GitHub's runner what it wants to know."""
    if ci.github:
        click.echo(github_annotations(gate), nl=False, err=ci.json)
        append(ci.environ.get("GITHUB_STEP_SUMMARY"), github_summary(gate))
        word = _WORDS.get(code) or _overall(entry.verdict for entry in gate.entries)
        append(
            ci.environ.get("GITHUB_OUTPUT"), f"outcome={word}\ntitle={title(gate)}\n"
        )
    if not ci.json:
        click.echo(plain(gate))
        return
    told = [
        {
            "object": str(entry.ref),
            "file": entry.place.file,
            "line": entry.place.line,
            **as_json(entry.verdict),
        }
        for entry in gate.entries
    ]
    # the same JSON, without what a runner takes for a command
    click.echo(json.dumps(told, indent=2).replace("##[", "##\\u005b"))


def _overall(verdicts: Iterable[Verdict]) -> str:
    """Name what all of them come to, where none denies."""
    words = {outcome(verdict) for verdict in verdicts}
    return next(one for one in ("warned", "allowed", "outOfScope") if one in words)
