"""The rules a command goes by: policies, rosters, and whom to trust."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from countersign.adapters.policy_files import PolicyFiles
from countersign.core.types.artifacts import Digest
from countersign.core.types.policy import Policy
from countersign.core.types.trust import TrustRoot
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
    policies: Path | None, trusted_root: Path | None, clock: Clock
) -> Iterator[Rulebook]:
    """Read the rules and keep a prover ready.

    Args:
        policies: Folder with our resources; its trust roots win over `trusted_root`.
        trusted_root: A ``trusted_root.json``, which says whom to trust and no more.
        clock: The present.

    Raises:
        Malformed: what is in there cannot be read.
        Unavailable: the folder or file cannot be read.
    """
    if policies is not None:
        book = read_policies(policies)
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


def read_policies(folder: Path) -> PolicyFiles:
    """Read a folder of our resources, and tell people what in it is wrong.

    Raises:
        Malformed: there is nothing of ours in it, or a file that is no YAML.
        Unavailable: it cannot be read.
    """
    # what the book logs is said below, to a person
    logging.getLogger("countersign").addHandler(logging.NullHandler())
    book = PolicyFiles(folder)
    for problem in book.books.problems:
        for text in problem.problems:
            click.echo(f"invalid {problem.kind}/{problem.name}: {text}", err=True)
    return book


@contextmanager
def _prover(book: TrustBook, clock: Clock) -> Iterator[Prover]:
    # sigstore costs half a second, which those who give no trust roots need not pay
    from countersign.adapters.proof.prover import BundleProver  # noqa: PLC0415

    prover = BundleProver(book, clock)
    try:
        yield prover
    finally:
        prover.close()
