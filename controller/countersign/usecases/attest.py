"""Attest: collect how a range of commits was made, and sign it as a collector."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Subject
from countersign.core.types.evidence import (
    Assistance,
    CommitRange,
    Contributor,
    Provenance,
)
from countersign.core.types.time import Interval
from countersign.ports import Clock, Repository, Signer
from countersign.provenance.ci import repository_uri
from countersign.provenance.commits import History
from countersign.provenance.derive import Derivation, JudgedCommit, derive
from countersign.provenance.pull_request import (
    NO_REQUEST,
    PullRequest,
    request_actors,
)
from countersign.provenance.registry import Registry
from countersign.provenance.touched import touched
from countersign.usecases.sign import sign
from countersign.wire.provenance_statement import (
    CommitDetail,
    FileLines,
    MarkDetail,
    ProvenanceDetail,
    render_provenance,
)

# What a statement tells people in detail. It travels in annotations: beyond this they
# look into the repository. Nobody who took part and no state is ever cut.
MAX_COMMITS_TOLD = 100
MAX_MARKS_TOLD = 200
MAX_FILES_TOLD = 200
MAX_PATHS_TOLD = 10  # of one commit
MAX_UNSEEN_TOLD = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestOrder:
    """What to attest, and where it may be used.

    Attributes:
        revisions: ``BASE..TARGET`` or ``TARGET``.
        repository: URI under which policies know the repository; ``""``: what
            ``origin`` says.
        collector: What the collector calls itself.
        collector_version: Of the collecting software.
        clusters: Where the statement may be used; never empty.
        namespaces: The same; empty means any.
        valid: For how long from now.
        artifacts: Manifests and images made from the target.
        actors: Whom the CI system names.
        source_branch: Branch that is to be merged, as the CI system says, or ``""``.
        target_ref: Branch or tag, or ``""``.
        review_link: Or ``""``.
        request: The pull request that the range is, where a file tells of one.
    """

    revisions: str
    repository: str
    collector: str
    collector_version: str
    clusters: frozenset[str]
    namespaces: frozenset[str] = frozenset()
    valid: timedelta
    artifacts: tuple[Subject, ...] = ()
    actors: frozenset[Contributor] = frozenset()
    source_branch: str = ""
    target_ref: str = ""
    review_link: str = ""
    request: PullRequest = NO_REQUEST

    def __post_init__(self) -> None:
        if not self.clusters:
            raise Malformed("expected a cluster to use the provenance in, saw none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """A signed provenance.

    Attributes:
        bundle: Sigstore bundle, JSON.
        statement: Digest of the statement: what a sign-off names as its input.
        claim: What the statement claims.
        tree: Of the files at the end of the range.
        derivation: What it was derived from.
    """

    bundle: bytes
    statement: Digest
    claim: Provenance
    tree: Digest
    derivation: Derivation


async def attest(
    order: AttestOrder,
    *,
    repository: Repository,
    registry: Registry,
    signer: Signer,
    clock: Clock,
) -> Attested:
    """Read the range, derive its provenance and sign it.

    Raises:
        Malformed: no such range, nothing in it, no address of the repository, or more
            artifacts than a statement holds.
        Rejected: the signer's identity was refused.
        Unavailable: the signer's services did not answer.
    """
    history = repository.history(order.revisions, order.request.head)
    if order.source_branch:
        branches = (*history.branches, order.source_branch)
        history = replace(history, branches=branches)
    request = replace(order.request, actors=order.request.actors | order.actors)
    derivation = derive(history, registry, request)
    claim = _claim(order, history, derivation, clock.now())
    actors = request_actors(request, registry)
    claim = replace(
        claim,
        contributors=claim.contributors | actors,
        touched=touched(derivation.commits, actors),
    )
    tree = Subject(f"tree:{claim.repository}", history.tree)
    statement = render_provenance(
        claim, [tree, *order.artifacts], _detail(order, derivation, registry)
    )
    return Attested(
        bundle=await sign(statement, signer),
        statement=Digest.sha256(statement),
        claim=claim,
        tree=history.tree,
        derivation=derivation,
    )


def repository_of(given: str, history: History) -> str:
    """Return the address under which policies know the repository.

    Args:
        given: It, or ``""``: what ``origin`` says.
        history: Read from it.

    Raises:
        Malformed: there is neither.
    """
    if found := given or repository_uri(history.remote):
        return found
    raise Malformed(
        "expected the address of the repository, saw neither a CI system nor a remote "
        "named origin: give --repo-uri"
    )


def _claim(
    order: AttestOrder, history: History, derivation: Derivation, now: datetime
) -> Provenance:
    return Provenance(
        repository=repository_of(order.repository, history),
        range=CommitRange(history.base, history.target),
        assistance=derivation.assistance,
        complete=derivation.complete,
        marked=derivation.marked > 0,
        contributors=derivation.contributors,
        tools=tuple(sorted({str(tool) for tool in derivation.tools})),
        lines=derivation.lines,
        clusters=order.clusters,
        namespaces=order.namespaces,
        validity=Interval(now, now + order.valid),
        collected_on=now,
        collector=order.collector,
    )


def _detail(
    order: AttestOrder, derivation: Derivation, registry: Registry
) -> ProvenanceDetail:
    """Tell people what was seen, within bounds; silent commits are cut first."""
    by_weight = sorted(derivation.commits, key=lambda judged: not judged.marks)
    kept = set(by_weight[:MAX_COMMITS_TOLD])
    commits: list[CommitDetail] = []
    marks: list[MarkDetail] = []
    for judged in derivation.commits:
        if judged in kept:
            found = _marks(judged)[: MAX_MARKS_TOLD - len(marks)]
            numbers = range(len(marks), len(marks) + len(found))
            commits.append(_commit(judged, tuple(numbers)))
            marks.extend(found)
    files = sorted(derivation.files().items())
    return ProvenanceDetail(
        commits=commits,
        marks=marks,
        commits_total=len(derivation.commits),
        commits_marked=derivation.marked,
        commits_unknown=sum(
            judged.assistance is Assistance.UNKNOWN for judged in derivation.commits
        ),
        files=[(path, _lines(counted)) for path, counted in files[:MAX_FILES_TOLD]],
        lines_mixed=sum(counted[Assistance.MIXED] for _, counted in files),
        uncounted=derivation.uncounted[:MAX_FILES_TOLD],
        unseen=[(one.gap.value, one.where) for one in derivation.unseen][
            :MAX_UNSEEN_TOLD
        ],
        registry=(registry.uri, registry.digest),
        collector_version=order.collector_version,
        target_ref=order.target_ref,
        review_link=order.review_link,
    )


def _marks(judged: JudgedCommit) -> list[MarkDetail]:
    return [
        MarkDetail(
            kind=mark.kind.value,
            value=mark.value,
            commit=judged.commit.digest,
            claims=mark.claims,
            confidence=mark.kind.confidence,
        )
        for mark in judged.marks
    ]


def _commit(judged: JudgedCommit, marks: tuple[int, ...]) -> CommitDetail:
    """Tell one commit. Where a forge committed, the author stands as committer too."""
    paths = tuple(file.path for file in judged.commit.files)
    return CommitDetail(
        digest=judged.commit.digest,
        assistance=judged.assistance,
        author=judged.author,
        committer=judged.committer or judged.author,
        paths=paths[:MAX_PATHS_TOLD],
        marks=marks,
    )


def _lines(counted: Counter[Assistance]) -> FileLines:
    return FileLines(
        ai=counted[Assistance.AI],
        mixed=counted[Assistance.MIXED],
        unknown=counted[Assistance.UNKNOWN],
    )
