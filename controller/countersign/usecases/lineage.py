"""Lineage: what lies beside an image, in the order in which one thing stands on another.

An image stands on the commits that builders say it was made of; a commit on what
collectors saw of its making and on who approved it; the image itself on who approved it.
Nothing is judged here: what is proven, and whom to believe, is said beside each piece.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from countersign.core.errors import Malformed
from countersign.core.rules.collectors import repository
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Build, Declaration, Provenance, SignOff
from countersign.ports import Attached, Pinned, Prover
from countersign.usecases.inspect import Inspected, inspect
from countersign.wire.bundle import parse_bundle
from countersign.wire.statement import parse_statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A commit that an image is said to be made of, and what is said of that commit.

    Attributes:
        repository: As stated by the first that names it.
        commit: Which one.
        links: Builds and provenance that name both the image and the commit; empty never.
        provenance: How the commits up to it were made, the range that ends in it first;
            then the ranges that end where those begin.
        declarations: Authors' words about these ranges.
        sign_offs: Of the commit, or of its tree, as such.
    """

    repository: str
    commit: Digest
    links: tuple[Inspected, ...]
    provenance: tuple[Inspected, ...] = ()
    declarations: tuple[Inspected, ...] = ()
    sign_offs: tuple[Inspected, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Foreign:
    """A bundle that says nothing that countersign knows: an SBOM, the result of a scan.

    Attributes:
        bundle: Its digest.
        predicate: Type of its predicate; ``""``: it cannot be read.
        problem: Why it cannot; ``""`` where it can.
    """

    bundle: Digest
    predicate: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """All that lies beside one image.

    Attributes:
        image: Which one.
        attached: What its registry holds, unread.
        origins: Commits it is said to be made of, sorted.
        sign_offs: That name the image or a platform of it.
        besides: Bundles that name neither the image nor an origin of it.
        foreign: Bundles with other predicates, sorted.
    """

    image: Pinned
    attached: Attached
    origins: tuple[Origin, ...]
    sign_offs: tuple[Inspected, ...]
    besides: tuple[Inspected, ...]
    foreign: tuple[Foreign, ...]

    @property
    def of(self) -> frozenset[Digest]:
        """Digests that name the image: its own, and those of its platforms."""
        return frozenset({self.image.digest, *self.attached.platforms})


async def trace(image: Pinned, attached: Attached, prover: Prover | None) -> Lineage:
    """Read what lies beside an image, and put it in order.

    Args:
        image: Which one.
        attached: What its registry holds.
        prover: None: nobody was told whom to trust, so nothing is proven.
    """
    read: list[Inspected] = []
    foreign: list[Foreign] = []
    for raw in attached.bundles:
        try:
            read.append(await inspect(raw, prover))
        except Malformed as error:
            foreign.append(_foreign(raw, error))
    ours = {image.digest, *attached.platforms}
    origins = tuple(_origin(key, read, ours) for key in _commits(read, ours))
    sign_offs = tuple(
        one for one in read if isinstance(one.claim, SignOff) and _names(one, ours)
    )
    placed = {one.bundle for one in (*sign_offs, *_all(origins))}
    return Lineage(
        image=image,
        attached=attached,
        origins=origins,
        sign_offs=sign_offs,
        besides=tuple(one for one in read if one.bundle not in placed),
        foreign=tuple(sorted(foreign)),
    )


_Commit = tuple[str, Digest]
"""A repository as `repository` compares them, and a commit in it."""


def _link(one: Inspected) -> tuple[str, Digest] | None:
    """Return repository and commit that a statement would link its images to."""
    claim = one.claim
    if isinstance(claim, Build):
        return claim.repository, claim.commit
    if isinstance(claim, Provenance) and claim.range.target in _digests(one):
        return claim.repository, claim.range.target
    return None


def _commits(
    read: Iterable[Inspected], ours: Collection[Digest]
) -> tuple[_Commit, ...]:
    links = [link for one in read if _names(one, ours) and (link := _link(one))]
    return tuple(sorted({(repository(where), commit) for where, commit in links}))


def _origin(
    key: _Commit, read: Collection[Inspected], ours: Collection[Digest]
) -> Origin:
    links = tuple(
        one
        for one in read
        if _names(one, ours)
        and (link := _link(one)) is not None
        and (repository(link[0]), link[1]) == key
    )
    provenance = tuple(_provenance(key, read))
    spans = {one.claim.range for one in provenance if isinstance(one.claim, Provenance)}
    # the tree of the commit is named beside it by whoever saw it
    same = {
        digest
        for one in provenance
        if isinstance(one.claim, Provenance) and one.claim.range.target == key[1]
        for digest in _digests(one)
        if digest.algorithm.value.startswith("git")
    }
    begins = {span.base for span in spans if span.base is not None}
    stated = next(link[0] for one in links if (link := _link(one)) is not None)
    return Origin(
        repository=stated,
        commit=key[1],
        links=links,
        provenance=provenance,
        declarations=tuple(
            one
            for one in read
            if isinstance(one.claim, Declaration) and one.claim.range in spans
        ),
        sign_offs=tuple(
            one
            for one in read
            if isinstance(one.claim, SignOff)
            and not _names(one, ours)
            and _names(one, {key[1], *same, *begins})
        ),
    )


def _provenance(key: _Commit, read: Iterable[Inspected]) -> list[Inspected]:
    """Return the provenance of the ranges that end in a commit, and of those before."""
    where, commit = key
    known = [
        (one, one.claim)
        for one in read
        if isinstance(one.claim, Provenance)
        and repository(one.claim.repository) == where
    ]
    found: dict[Digest, Inspected] = {}
    ends, seen = {commit}, set[Digest]()
    while ends:
        seen |= ends
        here = [(one, claim) for one, claim in known if claim.range.target in ends]
        found.update((one.bundle, one) for one, _ in here)
        ends = {c.range.base for _, c in here if c.range.base is not None} - seen
    return list(found.values())


def _foreign(raw: bytes, error: Malformed) -> Foreign:
    bundle = Digest.sha256(raw)
    try:
        statement = parse_statement(parse_bundle(raw).envelope.payload)
    except Malformed:
        return Foreign(bundle, "", str(error))
    return Foreign(bundle, statement.predicate_type, str(error))


def _all(origins: Iterable[Origin]) -> Iterable[Inspected]:
    for one in origins:
        yield from (*one.links, *one.provenance, *one.declarations, *one.sign_offs)


def _names(one: Inspected, digests: Collection[Digest]) -> bool:
    return not _digests(one).isdisjoint(digests)


def _digests(one: Inspected) -> frozenset[Digest]:
    return frozenset(subject.digest for subject in one.subjects)
