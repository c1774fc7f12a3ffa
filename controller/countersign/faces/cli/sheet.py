"""The sheet a reviewer reads: objects as they land, their provenance, what is amiss."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from countersign.binding.plan import is_plan
from countersign.core.types.artifacts import Digest, Json, Tree
from countersign.core.types.change import NamespaceWindow
from countersign.core.types.evidence import Build, Provenance
from countersign.faces.cli import words
from countersign.faces.cli.text import one_line, visible
from countersign.ports import Attached
from countersign.report.plan import plan_lines
from countersign.usecases.inspect import Inspected
from countersign.usecases.lint_kinds import Lint, LintKind, Severity
from countersign.usecases.prepare import Prepared
from countersign.usecases.sheet import Going, Item, Opening, Sheet
from countersign.wire.plan import read_parts
from countersign.wire.yaml_text import render_yaml

_CONTEXT = 3  # unchanged lines around a change, as diff -u shows
_STYLES = {"+": "green", "-": "red", "@": "cyan"}

_AMISS = {
    LintKind.STALE_EVIDENCE: "carries evidence of another state: it was left behind",
    LintKind.UNREADABLE_BUNDLE: "is no bundle we can read: it was left behind",
    LintKind.NO_PROVENANCE: "has no provenance: nobody can tell who made it",
    LintKind.IMAGE_UNPINNED: "runs an image that is not pinned by digest",
    LintKind.IMAGE_WITHOUT_PROVENANCE: "runs an image without provenance",
    LintKind.NOT_VERIFIED: "the provenance is not verified",
    LintKind.INCOMPLETE: "the provenance did not see everything",
    LintKind.OTHER_CLUSTER: "the provenance does not hold for cluster",
    LintKind.PROVENANCE_EXPIRES: "the provenance ends before this sign-off does",
    LintKind.NO_POLICY: "no policy protects it: it needs no sign-off",
    LintKind.WINDOW_TOO_LONG: "holds longer than the policy allows",
    LintKind.RESTORE_TOO_LONG: "may be restored for longer than the policy allows",
    LintKind.QUESTIONS_DIFFER: "the policy asks another question set",
    LintKind.TRACE_MISSING: "the policy asks for --trace",
    LintKind.MEANING_MISSING: "the policy asks for --meaning",
    LintKind.DENIED_ANYWAY: "the policy denies it, whoever signs",
    LintKind.NO_BREAK_GLASS: "the policy has no break-glass",
    LintKind.STAYS: "stays as it is when this is applied: write it into the manifest, "
    "or sign a range with --elastic",
    LintKind.DEFAULT_DEPENDS: "is left out, and will not follow where an older state is "
    "updated: write it",
    LintKind.SCALED_BY: "is taken back by each apply from an autoscaler of this change: "
    "leave it out",
    LintKind.FIELD_GATED: "is dropped in silence by a server whose feature gate is off: "
    "take it out, or be sure that it is on",
    LintKind.FIELD_UNKNOWN: "is dropped in silence by older servers: take it out if yours "
    "is one of",
    LintKind.API_UNKNOWN: "is of an API version that older servers do not serve",
    LintKind.NAMESPACE_DROPPED: "is dropped in silence: the object is the cluster's, "
    "not the namespace's",
    LintKind.NAMED_TWICE: "is there twice, of which apply keeps one: rename or remove",
    LintKind.TOO_LARGE: "is too large for kubectl apply on the client's side (256 KiB "
    "with its copy): use --server-side; bytes",
    LintKind.IMAGE_MOVES: "runs an image whose tag moves: name a version, better a digest",
    LintKind.GENERATED: "looks made up at each rendering: sign and apply the same "
    "rendered file, or set the value",
}


def show_sheet(console: Console, sheet: Sheet, lints: tuple[Lint, ...]) -> None:
    """Write the whole sheet to `console`."""
    for item in sheet.items:
        _show_item(console, item, past=sheet.past)
    for one in sheet.going:
        _show_going(console, one, past=sheet.past)
    for opening in sheet.openings:
        _show_opening(console, opening)
    for window in sheet.windows:
        _show_window(console, window)
    _show_images(console, sheet)
    for number, (found, claim) in enumerate(sheet.provenance, start=1):
        _show_provenance(console, number, found, claim)
    if not (sheet.provenance or sheet.windows or sheet.openings):
        console.print("provenance: none; how this change was made is unknown\n")
    _show_others(console, sheet)
    if lints:
        console.print(Text("attention", style="bold yellow"))
    for lint in lints:
        style = "red" if lint.severity is Severity.ERROR else "yellow"
        console.print(f"  {lint_line(lint)}", style=style)


def _show_images(console: Console, sheet: Sheet) -> None:
    """Show images of which more is known than their names: what they are made of."""
    lying = dict(sheet.attached)
    for image in sheet.pinned:
        found = lying.get(image, Attached())
        made = [*_made_of({image.digest, *found.platforms}, sheet)]
        if not (made or image in lying or image in sheet.images):
            continue
        head = Text(f"image {image}", style="bold")
        signed = (
            "approved as such" if image in sheet.images else "run by what is signed"
        )
        console.print(head.append(f"  {signed}", style="not bold"))
        if found.platforms:
            console.print(
                f"  an index of {words.counted(len(found.platforms), 'image')}"
            )
        for line in made:
            console.print(f"  {line}")
        console.print()


def _made_of(digests: Collection[Digest], sheet: Sheet) -> Iterator[str]:
    """Say which commits an image is made of, and who says so."""
    for found in sheet.evidence:
        if not {subject.digest for subject in found.subjects} & {*digests}:
            continue
        if isinstance(found.claim, Build):
            where = one_line(found.claim.repository)
            commit = words.short(found.claim.commit)
            yield f"built from {where} {commit}; {_proven(found)}"
        elif isinstance(found.claim, Provenance):
            yield f"made of {words.span(found.claim)}; {_proven(found)}"


def _show_others(console: Console, sheet: Sheet) -> None:
    for found in sheet.evidence:
        if not isinstance(found.claim, Build | Provenance):
            proven = _proven(found)
            console.print(f"also carried: a {words.kind(found.claim)}; {proven}")
    if sheet.aside:
        told = words.counted(sheet.aside, "bundle")
        console.print(f"left aside: {told} about other states", style="dim")


def diff(item: Item) -> Iterator[str]:
    """Yield the lines of a diff from the live object to what would stand there.

    Without a live object, or without a look at the cluster, the whole object is shown.
    """
    landing = item.landing
    after = landing.after if landing else item.prepared.intent.tree
    if landing is None or landing.before is None:
        yield from (f"+{line}" for line in _lines(after))
        return
    compared = difflib.unified_diff(
        _lines(landing.before),
        _lines(after),
        "live",
        "as it would land",
        lineterm="",
        n=_CONTEXT,
    )
    yield from compared


def _show_item(console: Console, item: Item, *, past: bool) -> None:
    """Show what would change; of what was done already the whole, as it was done."""
    if is_plan(item.prepared.manifest) and "salt" not in item.prepared.manifest:
        _show_plan(console, item.prepared)
        return
    lines = list(diff(replace(item, landing=None) if past else item))
    said = _since(item) if past else _summary(item, lines)
    head = Text(one_line(str(item.prepared.ref), 600), style="bold")
    head.append(f"  {said}", style="not bold")
    console.print(head)
    for line in lines:
        console.print(Text(f"  {line}", style=_STYLES.get(line[:1], "")))
    console.print()


def _show_plan(console: Console, one: Prepared) -> None:
    """Show what a plan would do, line by line."""
    console.print(Text(one_line(str(one.ref), 600), style="bold"))
    for line in plan_lines(*read_parts(one.manifest)):
        style = _STYLES.get(line[:1], "")
        console.print(Text(f"  {visible(line)}", style=style))
    console.print()


def _since(item: Item) -> str:
    """Say what became of an object since it was admitted as it is shown."""
    if item.landing is None:
        return "as it was admitted"
    before, after = item.landing.before, item.landing.after
    if before is None:
        return "as it was admitted; it is gone since"
    changed = "it has changed since" if before != after else "it still stands so"
    return f"as it was admitted; {changed}"


def _show_going(console: Console, one: Going, *, past: bool) -> None:
    change = one.change
    head = Text(one_line(str(change.object), 600), style="bold")
    how = change.propagation_policy.lower()
    done = "was deleted" if past else "to be deleted"
    what = f"  {done}{f' ({how})' if how else ''}, uid {one_line(change.uid)}"
    console.print(head.append(what, style="red not bold"))
    if one.live is None and not past:
        console.print("  not looked at in the cluster")
    for line in _lines(one.live) if one.live is not None else ():
        console.print(Text(f"  -{line}", style="red"))
    console.print()


def _show_opening(console: Console, one: Opening) -> None:
    change = one.change
    what = f"  {change.operation} {change.subresource}, uid {change.uid}"
    head = Text(one_line(str(change.object), 600), style="bold")
    console.print(head.append(f"{one_line(what)}\n", style="red not bold"))


def _show_window(console: Console, window: NamespaceWindow) -> None:
    head = Text(f"namespace {one_line(window.namespace)}", style="bold")
    what = "  anything in it, by anybody who may, once two persons on call signed\n"
    console.print(head.append(what, style="red not bold"))


def _summary(item: Item, lines: list[str]) -> str:
    if item.landing is None:
        return "not compared with any cluster"
    if item.landing.before is None:
        return "new"
    if not lines:
        return "no change"
    added = sum(line[0] == "+" for line in lines) - 1  # less the header
    removed = sum(line[0] == "-" for line in lines) - 1
    return f"{words.counted(added, 'line')} added, {removed} removed"


def _show_provenance(
    console: Console, number: int, found: Inspected, claim: Provenance
) -> None:
    console.print(
        Text(f"provenance {number}: ", style="bold").append(words.made_how(claim))
    )
    unseen = "" if claim.complete else "; NOT complete"
    unknown = claim.lines.unknown
    for line in (
        f"of {words.span(claim)}{unseen}",
        f"made by {words.made_by(claim)}",
        f"unknown: {unknown} lines whose making nobody recorded" if unknown else "",
        _proven(found),
    ):
        if line:
            console.print(f"  {line}")
    console.print()


def _proven(found: Inspected) -> str:
    if found.evidence is None:
        return f"NOT verified: {one_line(found.problem)}"
    return f"verified: {words.signer(found.evidence)}"


def _lines(tree: Tree) -> list[str]:
    """Return an object line by line, nothing in it hidden."""
    return visible(render_yaml([tree], ordered=True)).splitlines()[
        1:
    ]  # less the marker ---


def lint_line(lint: Lint) -> str:
    """Say what is in the way, where, and what to do, on one line."""
    where = f"{lint.about}: {lint.path}" if lint.path else f"{lint.about}:"
    detail = f": {lint.detail}" if lint.detail else ""
    said = one_line(f"{_AMISS[lint.kind]}{detail}", 300)
    sure = " (else it will be denied)" if lint.severity is Severity.ERROR else ""
    return f"{one_line(where, 600)} {said}{sure}"


def lint_json(lint: Lint) -> Json:
    """Return the same for machines."""
    return {
        "kind": lint.kind.value,
        "severity": lint.severity.value,
        "about": lint.about,
        "path": lint.path,
        "detail": lint.detail,
    }
