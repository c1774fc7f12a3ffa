"""``countersign blame``: the lines of a file with their assistance."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance
from countersign.faces.cli import options
from countersign.faces.cli.session import Command, Exit, NoInput, Session
from countersign.faces.cli.text import one_line, visible
from countersign.provenance.derive import JudgedCommit
from countersign.usecases.blame import Blame, Line

_NOBODY = "not committed"
_ASSISTED = (Assistance.MIXED, Assistance.AI)


@click.command("blame", cls=Command)
@click.argument("file")
@click.option(
    "-L",
    "--lines",
    "spans",
    multiple=True,
    help="Only these lines: START,END as for git blame. Repeatable.",
)
@click.option(
    "--revision", default="", help="As it was there; else as it is in the work tree."
)
@options.repo
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    file: str,
    spans: tuple[str, ...],
    revision: str,
    repo: Path,
    output: str,
) -> int:
    """Show the lines of a file with the assistants that had a hand in them.

    What a line's commit says of itself counts for all of its lines; notes of git-ai and
    Agent Trace records count for the lines that they name. "unknown" is not "human":
    nobody recorded anything.

    \b
    Example:
      countersign blame src/ledger.go
      countersign blame -L 40,60 -o json src/ledger.go
    """  # noqa: D301 - click's mark for "do not wrap"
    del session
    # libgit2 takes a moment to load, which --help need not pay
    from countersign.adapters.git import GitRepository  # noqa: PLC0415
    from countersign.adapters.git_blame import GitBlame  # noqa: PLC0415
    from countersign.provenance.registry import known_agents  # noqa: PLC0415
    from countersign.usecases.blame import blame  # noqa: PLC0415

    found = blame(
        file,
        revision=revision,
        spans=spans,
        source=GitBlame(repo),
        repository=GitRepository(repo),
        registry=known_agents(),
    )
    if not found.lines:
        raise NoInput(f"expected lines in {file}, saw none")
    if output == "json":
        click.echo(json.dumps(_plain(file, found), indent=2))
        return Exit.DONE
    click.echo_via_pager("\n".join(_rows(found)))
    click.echo(_summary(found), err=True)
    return Exit.DONE


def _rows(found: Blame) -> Iterator[str]:
    """Yield aligned lines: commit, state, assistants, author, day, number, text."""
    heads = [(_head(line, found), line) for line in found.lines]
    widths = [max(len(head[at]) for head, _ in heads) for at in range(5)]
    digits = len(str(max(line.blamed.number for line in found.lines)))
    for head, line in heads:
        cells = "  ".join(
            cell.ljust(width) for cell, width in zip(head, widths, strict=True)
        )
        text = visible(line.blamed.text)
        yield f"{cells}  {line.blamed.number:>{digits}}) {text}".rstrip()


def _head(line: Line, found: Blame) -> tuple[str, str, str, str, str]:
    commit = found.commits.get(line.blamed.commit)
    tools = one_line(", ".join(line.tools), 40) or "-"
    if commit is None:
        return "-" * 8, line.assistance.label, tools, _NOBODY, "-"
    author = one_line(commit.commit.author.name or commit.author, 20)
    day = f"{commit.commit.author.at:%Y-%m-%d}"
    return line.blamed.commit[:8], line.assistance.label, tools, author, day


def _summary(found: Blame) -> str:
    number = sum(found.counted[state] for state in _ASSISTED)
    share = 100 * number // len(found.lines)
    return f"assistants had a hand in {number} of {len(found.lines)} lines, {share} %"


def _plain(file: str, found: Blame) -> dict[str, Json]:
    return {
        "file": file,
        "counted": {
            state.label: found.counted[state] for state in sorted(found.counted)
        },
        "lines": [_plain_line(line) for line in found.lines],
        "commits": {name: _plain_commit(one) for name, one in found.commits.items()},
    }


def _plain_line(line: Line) -> Json:
    return {
        "number": line.blamed.number,
        "commit": line.blamed.commit or None,
        "path": line.blamed.path,
        "line": line.blamed.line,
        "assistance": line.assistance.label,
        "tools": list(line.tools),
        "text": line.blamed.text,
    }


def _plain_commit(judged: JudgedCommit) -> Json:
    return {
        "author": judged.author,
        "authoredOn": f"{judged.commit.author.at:%Y-%m-%dT%H:%M:%SZ}",
        "assistance": judged.assistance.label,
        "evidence": [
            {"kind": str(mark.kind), "value": mark.value, "claims": mark.claims.label}
            for mark in judged.marks
        ],
    }
