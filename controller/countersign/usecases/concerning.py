"""Concerning: which of many statements speak of one state, and not of others of it.

Nobody clears away the evidence of earlier releases. It names the same object and often
the same images and commits; a reviewer who had to read it, and a BundleSet that had to
carry it, would have more of it with every release. Nothing here is proven: what is left
aside may still be found by whoever judges.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from countersign.core.rules.collectors import repository
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.core.types.change import (
    Access,
    Change,
    Deletion,
    NamespaceWindow,
    ObjectChange,
)
from countersign.core.types.evidence import (
    Build,
    Claim,
    Contributor,
    Declaration,
    Provenance,
    SignOff,
)
from countersign.core.types.people import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One statement.

    Attributes:
        digests: Of its subjects.
        claim: What it says.
        signer: Who is proven to say it; None: nobody is.
        sets: What it travels in: several that travel together were put together.
        given: Somebody handed it over for this very state: it is not measured.
    """

    digests: frozenset[Digest]
    claim: Claim
    signer: Identity | None
    sets: frozenset[str] = frozenset()
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is signed, or judged.

    Attributes:
        intents: Digests of the intents that it equals.
        images: That it newly runs.
        sources: Commits and trees that are approved as such.
        around: Images that it runs anyway: what is said of them counts where it came
            together with what is said of the intent.
        deeds: Changes that leave no state: removals, accesses, windows.
    """

    intents: frozenset[Digest] = frozenset()
    images: frozenset[Digest] = frozenset()
    sources: frozenset[Digest] = frozenset()
    around: frozenset[Digest] = frozenset()
    deeds: tuple[Change, ...] = ()


def concerning(
    spoken: Sequence[Spoken], state: State, *, judging: bool = False
) -> tuple[bool, ...]:
    """Tell of each statement whether it speaks of `state`.

    1. what was given for it, names its intent or an image it newly runs, or approves
       the same deed; and provenance of what such an image was built of
    2. provenance that came in one set with such, of what lies right before its range:
       a range may be declared in parts
    3. words about those commits and trees, and about where their ranges begin:
       declarations, and sign-offs of a source
    4. other provenance about the same commits, if it says more than all of these: the
       worst that is known must be seen (rule 6)

    What names an image alone that ran before, or another state, is left aside.

    Args:
        spoken: In any order.
        state: What they may speak of.
        judging: Nothing is proven yet. Then all of 4. counts: junk that says the worst
            must not hide what a collector saw.
    """
    kept = [one.given or _is_of(one, state) for one in spoken]  # 1.
    _add_sources(spoken, kept)
    _add_parts(spoken, kept, state.around)  # 2.
    made = _provenance(spoken, kept)
    built = (commit for _, commit in _built(spoken, kept))
    sources = state.sources.union(built, *(_git(one.digests) for one, _ in made))
    begins = {claim.range.base for _, claim in made if claim.range.base is not None}
    for n, one in enumerate(spoken):  # 3.
        wanted = sources if isinstance(one.claim, Declaration) else sources | begins
        if not isinstance(one.claim, Provenance | Build):
            kept[n] |= not wanted.isdisjoint(_git(one.digests))
    if not judging:
        _add_worse(spoken, kept, sources)  # 4.
        return tuple(kept)
    return tuple(
        keep
        or (isinstance(one.claim, Provenance) and not sources.isdisjoint(one.digests))
        for one, keep in zip(spoken, kept, strict=True)
    )


def _is_of(one: Spoken, state: State) -> bool:
    if isinstance(one.claim, SignOff):
        changes = one.claim.changes
        return any(_approves(change, state) for change in changes) or (
            not changes and not one.digests.isdisjoint(state.images)
        )
    return not one.digests.isdisjoint(state.intents | state.images)


def _add_sources(spoken: Sequence[Spoken], kept: list[bool]) -> None:
    """Keep provenance of the commits that kept builds are of."""
    built = _built(spoken, kept)
    for n, one in enumerate(spoken):
        claim = one.claim
        if isinstance(claim, Provenance):
            kept[n] |= (repository(claim.repository), claim.range.target) in built


def _approves(change: Change, state: State) -> bool:
    if isinstance(change, ObjectChange):
        return change.digest in state.intents
    return any(_deed(change) == _deed(asked) for asked in state.deeds)


def _deed(change: Change) -> tuple[object, ...]:
    """Return what is done to which object, however it is to be done."""
    if isinstance(change, NamespaceWindow):
        return (change.namespace,)
    if isinstance(change, Access):
        return (change.object, change.uid, change.subresource)
    return (change.object, change.uid if isinstance(change, Deletion) else None)


def _add_parts(
    spoken: Sequence[Spoken], kept: list[bool], around: frozenset[Digest]
) -> None:
    """Follow ranges back within the sets of what is kept, as far as they reach."""
    together = {name for n, one in enumerate(spoken) if kept[n] for name in one.sets}
    near = [n for n, one in enumerate(spoken) if not together.isdisjoint(one.sets)]
    for n in near:
        made = isinstance(spoken[n].claim, Provenance | Build)
        kept[n] |= made and not around.isdisjoint(spoken[n].digests)
    _add_sources(spoken, kept)
    grown = True
    while grown:
        before = {
            (repository(claim.repository), claim.range.base)
            for _, claim in _provenance(spoken, kept)
        }
        grown = False
        for n in near:
            claim = spoken[n].claim
            if kept[n] or not isinstance(claim, Provenance):
                continue
            if (repository(claim.repository), claim.range.target) in before:
                kept[n] = grown = True


def _add_worse(
    spoken: Sequence[Spoken], kept: list[bool], sources: Collection[Digest]
) -> None:
    """Keep provenance about `sources` that says more than what its signer said so far.

    Each signer is measured alone: a stranger must not hide what a collector saw.
    """
    others = [
        (n, one, one.claim)
        for n, one in enumerate(spoken)
        if not kept[n]
        and isinstance(one.claim, Provenance)
        and not one.digests.isdisjoint(sources)
    ]
    told = [
        (one.signer, claim)
        for one, claim in _provenance(spoken, kept)
        if not one.digests.isdisjoint(sources)
    ]
    for n, one, claim in sorted(others, key=lambda o: _badness(o[2]), reverse=True):
        if _says_more(claim, [said for who, said in told if who == one.signer]):
            kept[n] = True
            told.append((one.signer, claim))


def _badness(claim: Provenance) -> tuple[object, ...]:
    doubts = (claim.assistance, claim.marked, not claim.complete)
    return (*doubts, len(claim.tools), len(claim.contributors), _written(claim))


def _written(claim: Provenance) -> tuple[str, ...]:
    who = sorted(f"{c.part} {c.id}" for c in claim.contributors)
    return (*claim.tools, *who, str(claim.collected_on))


def _says_more(claim: Provenance, told: Collection[Provenance]) -> bool:
    """Tell whether `claim` has assistance, tools, people or gaps that no other has."""
    tools = {tool for one in told for tool in one.tools}
    people: set[Contributor] = {who for one in told for who in one.contributors}
    return (
        not told
        or claim.assistance > max(one.assistance for one in told)
        or (claim.marked and not any(one.marked for one in told))
        or (not claim.complete and all(one.complete for one in told))
        or not tools.issuperset(claim.tools)
        or not people.issuperset(claim.contributors)
    )


def _provenance(
    spoken: Iterable[Spoken], kept: Sequence[bool]
) -> list[tuple[Spoken, Provenance]]:
    return [
        (one, one.claim)
        for one, keep in zip(spoken, kept, strict=True)
        if keep and isinstance(one.claim, Provenance)
    ]


def _built(
    spoken: Iterable[Spoken], kept: Sequence[bool]
) -> frozenset[tuple[str, Digest]]:
    """Return repository and commit of each kept build."""
    return frozenset(
        (repository(one.claim.repository), one.claim.commit)
        for one, keep in zip(spoken, kept, strict=True)
        if keep and isinstance(one.claim, Build)
    )


def _git(digests: Iterable[Digest]) -> frozenset[Digest]:
    return frozenset(d for d in digests if d.algorithm is not Algorithm.SHA256)
