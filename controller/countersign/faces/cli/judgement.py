"""What admission would say, from files alone: the verdict, and a word of it at signing."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from countersign.assemble.offline import offline
from countersign.binding.kinds import is_custom
from countersign.core.types.artifacts import Tree
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Reason, Verdict
from countersign.faces.cli.rulebook import read_policies
from countersign.ports import Clock
from countersign.report.denial import denial
from countersign.usecases.verify import as_requests

# What a file cannot show, since it is no request on a live object.
_ONLY_LIVE = frozenset({Reason.STALE_BASE, Reason.WRONG_OPERATION})


async def judge(
    requests: Sequence[AdmissionRequest], folder: Path, cluster: str, clock: Clock
) -> list[tuple[AdmissionRequest, Verdict]]:
    """Judge `requests` by the policies in `folder`, as the webhook of `cluster` would.

    Raises:
        Malformed: the folder holds nothing of ours, or what is no YAML.
        Unavailable: the folder cannot be read.
    """
    with offline(read_policies(folder), cluster=cluster, clock=clock) as reviewer:
        return [(request, await reviewer.review(request)) for request in requests]


def outlook(
    objects: Sequence[Tree], folder: Path, cluster: str, clock: Clock
) -> tuple[str, ...]:
    """Say what would still be missing if `objects` were applied as they are now.

    So a signature that cannot count is noticed by whoever gave it, and not by the
    developer who applies it. What depends on the live object is left to admission.

    Returns:
        A line for each object that would be denied.

    Raises:
        Malformed, Unavailable: as `judge`.
    """
    # of a custom kind only a cluster knows the definition
    known = (tree for tree in objects if not is_custom(tree))
    requests = as_requests(known, namespace="")
    return tuple(
        denial(verdict, request, cluster).partition("\n")[0]
        for request, verdict in asyncio.run(judge(requests, folder, cluster, clock))
        if not verdict.allowed
        and _ONLY_LIVE.isdisjoint(finding.reason for finding in verdict.findings)
    )


def tell(lines: Iterable[str]) -> None:
    """Tell the person who signed."""
    for line in lines:
        click.echo(f"attention: not enough yet: {line}", err=True)
