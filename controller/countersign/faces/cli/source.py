"""``sign-off --source``: the range of commits that is signed, and how it is shown."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from countersign.adapters.git import GitRepository
from countersign.core.types.artifacts import Json
from countersign.faces.cli import words
from countersign.faces.cli.session import Session
from countersign.faces.cli.text import one_line, visible
from countersign.provenance.ci import ci_run
from countersign.provenance.derive import JudgedCommit
from countersign.provenance.registry import known_agents
from countersign.usecases.source import Source, look_at_source

MAX_COMMITS = 200  # shown one by one
_STYLES = {"+": "green", "-": "red", "@": "cyan", "d": "bold"}  # d: "diff --git …"


def read_source(
    revisions: str, repository: Path, uri: str, session: Session
) -> Source | None:
    """Look at the range that ``--source`` names; None where it names none.

    Raises:
        Malformed: no repository, no such range, or no address of the repository.
    """
    if not revisions:
        return None
    return look_at_source(
        revisions,
        uri or ci_run(session.environ).repository,
        repository=GitRepository(repository),
        registry=known_agents(),
    )


def show_source(console: Console, seen: Source) -> None:
    """Write the commits, then all that differs between the ends of the range."""
    commits = seen.derivation.commits
    count = words.counted(len(commits), "commit")
    base = words.short(seen.range.base) if seen.range.base else "the root"
    target = words.short(seen.range.target)
    head = Text(f"source {one_line(seen.repository)} {base}..{target}", style="bold")
    console.print(head.append(f"  {count}", style="not bold"))
    for judged in commits[:MAX_COMMITS]:
        show_commit(console, judged)
    if len(commits) > MAX_COMMITS:
        console.print(f"  … and {len(commits) - MAX_COMMITS} more")
    for line in seen.patch.lines:
        console.print(Text(f"  {visible(line)}", style=_STYLES.get(line[:1], "")))
    if seen.patch.left_out:
        left = words.counted(seen.patch.left_out, "line")
        console.print(
            f"  NOT shown: {left} more; see git diff {base}..{target}", style="yellow"
        )
    console.print(
        f"  approved with it: everything in the repository at {target}, so look at what "
        f"lies before {base}, unless that was approved already\n"
    )


def show_commit(console: Console, judged: JudgedCommit) -> None:
    """Write one commit with its author, subject line and marks."""
    commit = judged.commit
    subject = one_line(commit.message.partition("\n")[0], 80)
    who = one_line(judged.author, 60)
    console.print(f"  {words.short(commit.digest)} {who}: {subject}")
    for mark in judged.marks:
        text = f"    mark of assistance: {mark.kind.value}: {one_line(mark.value)}"
        console.print(text, style="red")


def summary(seen: Source) -> dict[str, Json]:
    """Return what a script wants to know."""
    return {
        "repository": seen.repository,
        "subjects": [str(subject.digest) for subject in seen.subjects],
        "commits": len(seen.derivation.commits),
        "commitsWithMarker": seen.derivation.marked,
    }
