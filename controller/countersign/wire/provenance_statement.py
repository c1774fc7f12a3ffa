"""The statement of an `ai-provenance`: the claim, and the detail that people ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from countersign.core.types.artifacts import Digest, Json, Subject, Tree
from countersign.core.types.evidence import (
    Assistance,
    Lines,
    Part,
    Provenance,
    Touched,
)
from countersign.wire.declaration import render_range
from countersign.wire.provenance import TYPE
from countersign.wire.shapes import (
    render_digest,
    render_names,
    render_time,
    render_validity,
)
from countersign.wire.statement import render_statement


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitDetail:
    """One commit, as the collector judged it.

    Attributes:
        digest: ``gitCommit``.
        assistance: Of this commit alone.
        author: Address, lower case.
        committer: Address, lower case; ``""`` where it is a forge's own.
        paths: That it touches; may be cut.
        marks: Indices into the marks of the whole.
    """

    digest: Digest
    assistance: Assistance
    author: str
    committer: str
    paths: tuple[str, ...] = ()
    marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDetail:
    """One trace of assistance that the collector found.

    Attributes:
        kind: ``trailer``, ``author``, ``note`` …
        value: As found, cut to a bounded length.
        commit: Where.
        claims: What it says of the commit.
        confidence: 0 to 100.
    """

    kind: str
    value: str
    commit: Digest
    claims: Assistance
    confidence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLines:
    """Lines of one file that the range wrote, by who had a hand in them."""

    ai: int = 0
    mixed: int = 0
    human: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceDetail:
    """What people and auditors want to know beyond the claim; the law reads none of it.

    Attributes:
        commits: Of the range, oldest first; may be cut, never the claim's contributors.
        marks: All that were found.
        files: Path and changed lines by who wrote them; may be cut.
        lines_mixed: How many of the claim's lines of AI are of commits that say no more
            than that it had a hand in them.
        commits_total: All commits of the range; 0: those that are told.
        commits_marked: Those with a mark.
        commits_unknown: Those without.
        uncounted: Paths whose lines nobody counted.
        unseen: Why something was out of sight, and where.
        registry: URI and digest of the data that agents were recognised with.
        collector_version: Of the software that collected.
        target_ref: Branch the range ends on.
        review_link: Where the change was reviewed.
    """

    commits: Sequence[CommitDetail] = ()
    marks: Sequence[MarkDetail] = ()
    files: Sequence[tuple[str, FileLines | Lines]] = ()
    lines_mixed: int = 0
    commits_total: int = 0
    commits_marked: int = 0
    commits_unknown: int = 0
    uncounted: Sequence[str] = ()
    unseen: Sequence[tuple[str, str]] = ()
    registry: tuple[str, Digest] | None = None
    collector_version: str = ""
    target_ref: str = ""
    review_link: str = ""


NO_DETAIL = ProvenanceDetail()


def render_provenance(
    claim: Provenance,
    others: Iterable[Subject],
    detail: ProvenanceDetail = NO_DETAIL,
) -> bytes:
    """Write the statement of a provenance; the range's target is one of its subjects.

    Args:
        claim: What the law will read back.
        others: Further subjects: tree, images, manifests.
        detail: What the law will not read; contributors that no commit of it names are
            listed as actors, so that cutting it loses nobody.

    Raises:
        Malformed: there are too many subjects.
    """
    target = Subject(f"commit:{claim.repository}", claim.range.target)
    return render_statement([*others, target], TYPE, _predicate(claim, detail))


def _predicate(claim: Provenance, detail: ProvenanceDetail) -> Tree:
    predicate: Tree = {
        "collector": {
            "id": claim.collector,
            **_without_empty({"version": detail.collector_version}),
        },
        "vcs": {
            "type": "git",
            "uri": claim.repository,
            "revision": claim.range.target.value,
        },
        "scope": {
            "clusters": render_names(claim.clusters),
            "namespaces": render_names(claim.namespaces),
        },
        "validity": render_validity(claim.validity),
        "actors": _actors(claim, detail),
        "range": _without_empty(
            {
                "targetRef": detail.target_ref,
                **render_range(claim.range),
                "reviewLink": detail.review_link,
            }
        ),
        "assistance": claim.assistance.label,
        "contributors": _contributors(claim),
        "commits": [_commit(commit) for commit in detail.commits],
        "touched": [
            {"id": one.id, "paths": [*sorted(one.paths)]}
            for one in sorted(claim.touched, key=_id)
        ],
        "evidence": [_mark(mark) for mark in detail.marks],
        "files": [_file(path, lines) for path, lines in detail.files],
        "coverage": _coverage(claim, detail),
    }
    if claim.collected_on is not None:
        predicate["collectedOn"] = render_time(claim.collected_on)
    if detail.registry is not None:
        uri, digest = detail.registry
        predicate["registry"] = {"uri": uri, "digest": render_digest(digest)}
    return predicate


def _actors(claim: Provenance, detail: ProvenanceDetail) -> list[Json]:
    """List those whom neither commits nor contributors name."""
    named = {(Part.AUTHOR, commit.author.lower()) for commit in detail.commits}
    named |= {(Part.COMMITTER, commit.committer.lower()) for commit in detail.commits}
    return [
        {"role": part.part.value, "id": part.id}
        for part in sorted(claim.contributors)
        if part.part is not Part.PROMPTER and (part.part, part.id) not in named
    ]


def _contributors(claim: Provenance) -> list[Json]:
    """List tools, agents and those who prompted them."""
    agents = sorted({part.id for part in claim.contributors if part.agent})
    prompters = sorted(p.id for p in claim.contributors if p.part is Part.PROMPTER)
    tools: list[Json] = [{"type": "ai", "tool": _tool(tool)} for tool in claim.tools]
    ids: list[Json] = [{"type": "ai", "id": agent} for agent in agents]
    people: list[Json] = [{"type": "ai", "humanAuthor": who} for who in prompters]
    return tools + ids + people


def _tool(text: str) -> Json:
    name, _, version = text.rpartition(" ")
    return {"name": name, "version": version} if name else {"name": version}


def _commit(commit: CommitDetail) -> Json:
    return {
        "digest": render_digest(commit.digest),
        "assistance": commit.assistance.label,
        "author": commit.author,
        "committer": commit.committer,
        "paths": list(commit.paths),
        "evidence": list(commit.marks),
    }


def _id(touched: Touched) -> tuple[str, list[str]]:
    return touched.id, sorted(touched.paths)


def _mark(mark: MarkDetail) -> Json:
    return {
        "kind": mark.kind,
        "value": mark.value,
        "source": {"digest": render_digest(mark.commit)},
        "claims": mark.claims.label,
        "confidence": mark.confidence,
    }


def _file(path: str, lines: FileLines | Lines) -> Json:
    counts: Tree = {"ai": lines.ai, "human": lines.human, "unknown": lines.unknown}
    if isinstance(lines, FileLines):
        counts["mixed"] = lines.mixed
    return {"path": path, "lines": counts}


def _coverage(claim: Provenance, detail: ProvenanceDetail) -> Json:
    marked = sum(bool(commit.marks) for commit in detail.commits)
    unknown = sum(c.assistance <= Assistance.UNKNOWN for c in detail.commits)
    coverage: Tree = {
        "commitsTotal": detail.commits_total or len(detail.commits),
        "commitsWithMarker": max(marked, detail.commits_marked, int(claim.marked)),
        "commitsUnknown": detail.commits_unknown if detail.commits_total else unknown,
        "linesAi": claim.lines.ai - detail.lines_mixed,
        "linesMixed": detail.lines_mixed,
        "linesHuman": claim.lines.human,
        "linesUnknown": claim.lines.unknown,
        "complete": claim.complete,
    }
    if detail.uncounted:
        coverage["uncounted"] = list(detail.uncounted)
    if detail.unseen:
        coverage["unseen"] = [
            _without_empty({"reason": reason, "where": where})
            for reason, where in detail.unseen
        ]
    return coverage


def _without_empty(fields: dict[str, Json]) -> Tree:
    return {name: value for name, value in fields.items() if value != ""}
