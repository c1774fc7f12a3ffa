"""Declare: an author's own signed word that a range of commits was made without AI.

Three steps, with a person between them: `consider` shows what the word would speak for,
`standing` says what it would be worth, `declare` signs it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from countersign.core.errors import Malformed, Rejected
from countersign.core.rules.robots import robots_of
from countersign.core.types.artifacts import Digest, Subject
from countersign.core.types.evidence import CommitRange, Declaration, Evidence
from countersign.core.types.people import Alias, AliasKind
from countersign.core.types.policy import Policy
from countersign.core.types.robots import Robot
from countersign.ports import Clock, Prover, Repository, Signer
from countersign.provenance.derive import Derivation, derive
from countersign.provenance.registry import Registry
from countersign.provenance.touched import touched
from countersign.usecases.attest import repository_of
from countersign.usecases.sign import sign
from countersign.wire.declaration import render_declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """What an author is about to speak for.

    Attributes:
        claim: What would be signed.
        tree: Subject beside the commit.
        derivation: The commits, with the marks that are in them.
    """

    claim: Declaration
    tree: Subject
    derivation: Derivation

    @property
    def authors(self) -> tuple[str, ...]:
        """Addresses of all with a part in the range: each has to declare. Sorted."""
        return tuple(sorted({one.id for one in self.derivation.contributors}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What policies make of who declares.

    Attributes:
        name: Whose identity it is: a person's id, or a robot's; ``""``: nobody's.
        own: Addresses in the range that are this one's.
        others: Those that are not, and so have to declare too.
        counted_by: Policies that take this word, by name.
        outside: Paths that a robot touched and may not, as far as is known, sorted;
            ``"?"``: more than can be told.
    """

    name: str
    own: tuple[str, ...]
    others: tuple[str, ...]
    counted_by: tuple[str, ...]
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A signed declaration.

    Attributes:
        bundle: Sigstore bundle, JSON.
        statement: Digest of its statement.
        claim: What it says.
    """

    bundle: bytes
    statement: Digest
    claim: Declaration


def consider(
    revisions: str,
    repository_uri: str,
    *,
    repository: Repository,
    registry: Registry,
    clock: Clock,
) -> Considered:
    """Read what a declaration of a range would speak for.

    Args:
        revisions: ``BASE..TARGET`` or ``TARGET``: what the collector attests, or the
            word is about something else.
        repository_uri: Address under which policies know it; ``""``: that of ``origin``.
        repository: Where the range is.
        registry: The assistants known.
        clock: Says when.

    Raises:
        Malformed: no such range, nothing in it, or no address of the repository.
    """
    history = repository.history(revisions)
    address = repository_of(repository_uri, history)
    claim = Declaration(
        repository=address,
        range=CommitRange(history.base, history.target),
        declared_on=clock.now(),
    )
    return Considered(
        claim=claim,
        tree=Subject(f"tree:{address}", history.tree),
        derivation=derive(history, registry),
    )


def require_clean(considered: Considered) -> None:
    """Check that there is nothing in the range that belies the word.

    Raises:
        Malformed: a commit carries a mark of assistance, or commits are out of sight.
    """
    found = considered.derivation
    if found.marked:
        raise Malformed(
            "expected no mark of assistance in the range, saw one in "
            f"{found.marked} of {len(found.commits)} commits: such a change is not "
            "human; ask for a sign-off (countersign sign-off)"
        )
    if not found.complete:
        gaps = sorted({one.gap.value for one in found.unseen})
        raise Malformed(
            f"expected to see all of the range, did not ({', '.join(gaps)}): fetch the "
            "full history and the notes (git fetch --unshallow; git config --add "
            "remote.origin.fetch '+refs/notes/*:refs/notes/*' && git fetch)"
        )


def standing(
    considered: Considered, word: Evidence, policies: Collection[Policy]
) -> Standing:
    """Say whose word it is, and what for, as the law will look at it.

    Args:
        considered: What is spoken for.
        word: Proven.
        policies: Those in force, with their rosters and robots.
    """
    knowing = [p for p in policies if p.roster.signer(word.signer) is not None]
    persons = [p.roster.signer(word.signer) for p in knowing]
    person = persons[0] if persons else None
    if person is None:
        return _of_robots(considered, word, policies)
    aliases = {alias for known in persons if known for alias in known.aliases}
    own = tuple(a for a in considered.authors if _alias(a) in aliases)
    return Standing(
        name=person.id,
        own=own,
        others=tuple(a for a in considered.authors if a not in own),
        counted_by=tuple(
            sorted(
                policy.name
                for policy, known in zip(knowing, persons, strict=True)
                if known is not None
                and any(g.role in policy.declaring_roles for g in known.grants)
            )
        ),
    )


async def declare(considered: Considered, *, signer: Signer) -> Declared:
    """Sign the word.

    Raises:
        Malformed: as `require_clean`.
        Rejected: the signer's identity was refused.
        Unavailable: the signer's services did not answer.
    """
    require_clean(considered)
    statement = render_declaration(considered.claim, [considered.tree])
    return Declared(
        bundle=await sign(statement, signer),
        statement=Digest.sha256(statement),
        claim=considered.claim,
    )


async def worth(
    considered: Considered,
    declared: Declared,
    *,
    prover: Prover,
    policies: Collection[Policy],
) -> Standing:
    """Prove who signed, and check that it is somebody who made the range.

    Raises:
        Rejected: no trust root knows the signature, it is nobody's in the rosters, or
            nothing in the range is that person's.
        Unavailable: no trust root is loaded.
    """
    word = await prover.prove(declared.bundle)
    found = standing(considered, word, policies)
    if not found.name:
        raise Rejected(
            f"expected an identity of a roster, saw {word.signer}: sign as yourself, or "
            "have this identity added to the roster (a robot's: to provenance.robots)"
        )
    if not found.own:
        raise Rejected(
            f"expected a part of {found.name} in the range, saw only "
            f"{', '.join(found.others)}: nobody declares for others (a person's "
            "addresses in git are the roster's aliases.git, a robot's its authors)"
        )
    return found


def _of_robots(
    considered: Considered, word: Evidence, policies: Collection[Policy]
) -> Standing:
    """Say which robots' word it is; one touched the same, whichever policy names it."""
    naming = [(p, r) for p in policies for r in robots_of(p, word)]
    own = {a for a in considered.authors if any(r.is_author(a) for _, r in naming)}
    told = {one.id: one.paths for one in touched(considered.derivation.commits)}
    within = [p.name for p, r in naming if not _outside(r, own, told)]
    outside = [_outside(r, own, told) for _, r in naming]
    return Standing(
        name=naming[0][1].id if naming else "",
        own=tuple(sorted(own)),
        others=tuple(a for a in considered.authors if a not in own),
        counted_by=tuple(sorted(set(within))),
        outside=tuple(sorted(frozenset().union(*outside))),
    )


def _outside(
    robot: Robot, own: Collection[str], told: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    return frozenset(
        path
        for address in own
        if robot.is_author(address)
        for path in told.get(address, {"?"})
        if not robot.may_touch(path)
    )


def _alias(address: str) -> Alias:
    return Alias(AliasKind.GIT, address.lower())
