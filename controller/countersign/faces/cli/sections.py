"""Under which heading the help of a command shows an option.

Commands of many options show them by what they are about; within a heading they stand in
the order in which the command names them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import click

FEW: Final = 12  # options that a person finds without headings
REST: Final = "Options"

SECTIONS: Final[Mapping[str, frozenset[str]]] = {
    "What it is about": frozenset(
        {
            *("--filename", "--recursive", "--kustomize", "--render", "--plan"),
            *(
                "--saved-plan",
                "--namespace",
                "--image",
                "--review",
                "--decision",
                "--live",
            ),
            *("--source", "--repo", "--repo-uri", "--pull-request", "--collector"),
            *("--carry-over", "--previous", "--provenance", "--declaration"),
            *("--all-namespaces", "--kind", "--name", "--outcome", "--person"),
            *("--since", "--debts", "--limit", "--recorded", "--decisions"),
        }
    ),
    "What is said": frozenset(
        {
            *("--cluster", "--valid", "--restore-until", "--operation", "--base"),
            *("--propagation", "--elastic", "--answers", "--write-answers"),
            *("--meaning", "--trace", "--link", "--reject"),
            *("--declare-human", "--yes"),
        }
    ),
    "In an emergency": frozenset({"--break-glass", "--incident", "--justification"}),
    "Who signs": frozenset(
        {"--key", "--identity-token", "--trusted-root", "--signing-config"}
    ),
    "Whom it asks": frozenset(
        {
            *("--policies", "--kubeconfig", "--context", "--no-diff"),
            *("--recorder", "--recorder-ca"),
            *("--registries", "--registry-ca", "--plain-http"),
        }
    ),
    "What it writes": frozenset(
        {
            *("--carrier", "--sets-only", "--out", "--output", "--strict"),
            *("--sarif", "--junit", "--code-quality", "--comment", "--summary"),
            *("--ci", "--runbook", "--whole"),
        }
    ),
}


def by_section(
    options: Iterable[click.Option],
) -> Iterator[tuple[str, list[click.Option]]]:
    """Yield headings with their options; what has no heading comes last."""
    found: dict[str, list[click.Option]] = {name: [] for name in (*SECTIONS, REST)}
    for option in options:
        found[_heading(option)].append(option)
    return ((name, some) for name, some in found.items() if some)


def _heading(option: click.Option) -> str:
    for name, known in SECTIONS.items():
        if not known.isdisjoint(option.opts):
            return name
    return REST
