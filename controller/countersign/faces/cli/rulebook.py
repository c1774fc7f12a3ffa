"""The rules a command goes by: policies, rosters, and whom to trust."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from countersign.adapters.books import Problem
from countersign.adapters.cluster.rules import LiveRules, read_rules
from countersign.adapters.policy_files import PolicyFiles
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.core.types.policy import Policy
from countersign.core.types.trust import TrustRoot
from countersign.faces.cli.cluster import REQUEST_S, Where
from countersign.faces.cli.files import read_file
from countersign.ports import Clock, Prover, TrustBook


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What is in force.

    Attributes:
        policies: None: nobody gave any.
        prover: Verifies bundles; None: nobody said whom to trust.
    """

    policies: tuple[Policy, ...] | None = None
    prover: Prover | None = None


@dataclass(frozen=True, slots=True)
class _OneRoot:
    """A TrustBook of the ``trusted_root.json`` on the command line."""

    root: TrustRoot

    def roots(self) -> tuple[TrustRoot, ...]:
        return (self.root,)


@contextmanager
def open_rulebook(
    policies: Path | None,
    trusted_root: Path | None,
    clock: Clock,
    where: Where | None = None,
) -> Iterator[Rulebook]:
    """Read the rules and keep a prover ready.

    Must not be called while an event loop runs.

    Args:
        policies: Folder with our resources; its trust roots win over `trusted_root`.
        trusted_root: A ``trusted_root.json``, which says whom to trust and no more.
        clock: The present.
        where: Cluster whose own rules count where there is no folder. Should they not
            be readable, that is said, and `trusted_root` is what there is: the rules
            here are hints to a person, and admit nothing.

    Raises:
        Malformed: what is in there cannot be read.
        Unavailable: the folder or file cannot be read.
    """
    book = _rules(policies, where)
    if book is not None:
        with _prover(book, clock) as prover:
            yield Rulebook(book.snapshot().policies, prover)
    elif trusted_root is not None:
        content = read_file(str(trusted_root))
        root = TrustRoot(
            name=trusted_root.name, digest=Digest.sha256(content), sigstore=content
        )
        with _prover(_OneRoot(root), clock) as prover:
            yield Rulebook(None, prover)
    else:
        yield Rulebook()


def _rules(
    policies: Path | None, where: Where | None
) -> PolicyFiles | LiveRules | None:
    if policies is not None:
        return read_policies(policies)
    if where is None:
        return None
    try:
        book = asyncio.run(_of_cluster(where))
    except Unavailable as error:
        click.echo(f"without the cluster's policies: {error}", err=True)
        return None
    tell_problems(book.books.problems)
    say_source("the cluster's own")
    return book


async def _of_cluster(where: Where) -> LiveRules:
    # the Kubernetes client costs a second, which those who give a folder need not pay
    from countersign.adapters.cluster.client import connect  # noqa: PLC0415

    async with connect(
        kubeconfig=where.kubeconfig, context=where.context, request_s=REQUEST_S
    ) as server:
        return await read_rules(server)


def say_source(source: str) -> None:
    """Tell a person by whose rules a command goes."""
    click.echo(f"policies: {source}", err=True)


def read_policies(folder: Path) -> PolicyFiles:
    """Read a folder of our resources, and tell people what in it is wrong.

    Raises:
        Malformed: there is nothing of ours in it, or a file that is no YAML.
        Unavailable: it cannot be read.
    """
    book = PolicyFiles(folder)
    tell_problems(book.books.problems)
    return book


def tell_problems(problems: Iterable[Problem]) -> None:
    """Tell people which objects of ours cannot be read, and why."""
    for problem in problems:
        for text in problem.problems:
            click.echo(f"invalid {problem.kind}/{problem.name}: {text}", err=True)


@contextmanager
def _prover(book: TrustBook, clock: Clock) -> Iterator[Prover]:
    # sigstore costs half a second, which those who give no trust roots need not pay
    from countersign.adapters.proof.prover import BundleProver  # noqa: PLC0415

    prover = BundleProver(book, clock)
    try:
        yield prover
    finally:
        prover.close()
