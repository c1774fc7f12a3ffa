"""Voices: who spoke for an object, and whose word fills a slot of its policies.

A signature that may not fill a slot, its maker's own for instance, stands for the object
all the same (`core.rules.authentic`), but approves nothing: it is told apart.
"""

from collections.abc import Collection, Iterable, Iterator

from countersign.core.rules.authors import parts_of
from countersign.core.rules.case import Said, said
from countersign.core.rules.collectors import made_by
from countersign.core.rules.declarations import is_about
from countersign.core.rules.lineage import is_made_of
from countersign.core.rules.objects import states_of
from countersign.core.rules.robots import answering
from countersign.core.types.artifacts import Digest, ObjectRef
from countersign.core.types.evidence import (
    Build,
    Declaration,
    Evidence,
    Part,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.people import Alias, AliasKind, Person
from countersign.core.types.policy import Policy, Slot
from countersign.core.types.running import Bar, Voice, Word


def voices(
    policy: Policy,
    ref: ObjectRef,
    states: Collection[Digest],
    made: Collection[Said[Provenance]],
    evidence: Collection[Evidence],
    *,
    cluster: str,
) -> Iterator[Voice]:
    """Yield who spoke for an object, and for what of `policy` that counts.

    Args:
        policy: That protects it.
        ref: The object.
        states: Digests of the intents that it equals.
        made: How it and its images were made, as collectors of the policy say.
        evidence: Supporting, about it.
        cluster: Our name.
    """
    parts = _parts(policy, made)
    for one in said(evidence, SignOff):
        signed = {state.digest for state in states_of(one.claim, ref)}
        approves = one.claim.result is Result.APPROVED and cluster in one.claim.clusters
        if approves and signed & one.evidence.digests & set(states):
            yield from _signed(policy, ref, one, parts)
    for word in said(evidence, Declaration):
        person = policy.roster.signer(word.evidence.signer)
        about = [one for one in made if is_about(word, one)]
        if person is not None and about:
            yield _voice(person.id, Word.DECLARATION, word.evidence)
        for robot in sorted({r for one in about for r in _robots(policy, word, one)}):
            yield _voice(robot, Word.DECLARATION, word.evidence)


def about_images(
    policy: Policy,
    made: Iterable[Said[Provenance]],
    evidence: Collection[Evidence],
    images: Collection[Digest],
) -> list[Said[Provenance]]:
    """Return those of `made` that name any of `images`, or what such an image is made of.

    Args:
        policy: Whose builders say what is made of what.
        made: By collectors of the policy.
        evidence: Builders' words among it.
        images: By their digests.
    """
    built = [
        build
        for build in said(evidence, Build)
        if not build.evidence.digests.isdisjoint(images)
        and made_by(policy.builders, build.evidence)
    ]
    return [
        one
        for one in made
        if not one.evidence.digests.isdisjoint(images)
        or any(is_made_of(build, one) for build in built)
    ]


def merged(found: Iterable[Voice]) -> tuple[Voice, ...]:
    """Return each word once, sorted: it counts if it does for any policy."""
    kept: dict[tuple[str, Word, Digest], Voice] = {}
    for voice in sorted(found, key=lambda v: (v.bar is None, v.roles)):
        kept[voice.person, voice.word, voice.bundle] = voice
    return tuple(
        sorted(kept.values(), key=lambda v: (v.word, bool(v.bar), v.person, v.bundle))
    )


def _signed(
    policy: Policy,
    ref: ObjectRef,
    one: Said[SignOff],
    parts: dict[str, set[Part]],
) -> Iterator[Voice]:
    person = policy.roster.signer(one.evidence.signer)
    if person is None:
        return
    if one.claim.emergency is not None:
        yield _voice(person.id, Word.BREAK_GLASS, one.evidence)
        return
    held = [s for s in policy.slots if person.has_role(s.role, ref.namespace)]
    bars = {slot: _bar(slot, person, one.claim, parts) for slot in held}
    roles = tuple(sorted({slot.role for slot, bar in bars.items() if bar is None}))
    first = next(iter(bars.values()), Bar.NO_ROLE)
    yield _voice(
        person.id, Word.SIGN_OFF, one.evidence, roles, None if roles else first
    )


def _bar(
    slot: Slot, person: Person, claim: SignOff, parts: dict[str, set[Part]]
) -> Bar | None:
    """Say why a sign-off does not fill a slot whose role its person holds, or None."""
    if not slot.meanings <= claim.meanings:
        return Bar.OTHER_MEANING
    if slot.needs_authors and not parts:
        return Bar.AUTHORS_UNKNOWN
    had = parts.get(person.id, set()) & parts_of(slot)
    return Bar.MAKER if had else None


def _parts(policy: Policy, made: Iterable[Said[Provenance]]) -> dict[str, set[Part]]:
    """Return the parts that each person had, by id; ``""``: somebody's unknown to us."""
    found: dict[str, set[Part]] = {}
    for one in made:
        for contributor in one.claim.contributors:
            alias = Alias(AliasKind.GIT, contributor.id.lower())
            person = policy.roster.known_as(alias)
            name = person.id if person is not None else ""
            found.setdefault(name, set()).add(contributor.part)
    return found


def _robots(
    policy: Policy, word: Said[Declaration], about: Said[Provenance]
) -> Iterator[str]:
    for who in about.claim.contributors:
        for robot in answering(policy, word, who, about):
            yield robot.id


def _voice(
    person: str,
    word: Word,
    evidence: Evidence,
    roles: tuple[str, ...] = (),
    bar: Bar | None = None,
) -> Voice:
    return Voice(person, word, roles, evidence.bundle, evidence.signed_at, bar)
