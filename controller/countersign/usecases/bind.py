"""Bind: tie an object to the intents that evidence names."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from countersign.binding.besides import Besides
from countersign.binding.derivations.kin import text
from countersign.binding.facts import ClusterFacts, Fact, facts_needed
from countersign.binding.images import readable_images
from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.binding.masking import is_secret, salt_of
from countersign.binding.match import match, state_digest
from countersign.core.errors import Malformed
from countersign.core.rules.collectors import repository
from countersign.core.types.artifacts import (
    Algorithm,
    Digest,
    GroupKind,
    ObjectRef,
    Tree,
)
from countersign.core.types.bound import BoundIntent, Mismatch, OldState
from countersign.core.types.change import Elastic, ObjectChange
from countersign.core.types.evidence import Build, Evidence, Provenance, SignOff
from countersign.core.types.policy import ImagePaths, Policy
from countersign.ports import ClusterState
from countersign.usecases.gathered import Gathered

MAX_ELASTICS = 4  # sets of bounds for one intent; each costs a comparison
ANY_SCALE = (Elastic("/spec/replicas", 1, 2**31 - 1),)
"""Any number but 0: of a state that is there already. Who chose it, the door asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """An object as the API server shows it, and what is known around it.

    Attributes:
        tree: The object.
        identity: What the request says it is.
        old: The object before; the object itself, where it is live and unchanged.
        facts: Answers to `facts_needed`, and the cluster's settings.
        dry_run: The request is one.
    """

    tree: Tree
    identity: ObjectRef
    old: Tree | None
    facts: ClusterFacts
    dry_run: bool = False


def bind(
    sight: Sight,
    gathered: Gathered,
    policy: Policy,
    *,
    allowed: tuple[Elastic, ...] = (),
) -> tuple[frozenset[BoundIntent], tuple[Mismatch, ...]]:
    """Return the intents that an object equals, and those signed that differ from it.

    Args:
        sight: The object.
        gathered: Intents, and the evidence that names some of them.
        policy: Whose people may stretch an intent, and whether Helm may mark it.
        allowed: Paths that may move besides those that were signed.

    Raises:
        Malformed: the kind is not supported, or the object is not what the request says.
            An intent that cannot be read is in nobody else's way.
    """
    kind = GroupKind(sight.identity.group, sight.identity.kind)
    besides = Besides.of(policy, kind)
    bound: set[BoundIntent] = set()
    missed: list[Mismatch] = []
    unread: Malformed | None = None
    for intent in {i.digest: i for i in gathered.intents}.values():
        named = intent.digest in {d for e in gathered.evidence for d in e.digests}
        for elastic in elastics(intent.digest, gathered.evidence, policy):
            try:
                different = match(
                    intent.tree,
                    sight.tree,
                    identity=sight.identity,
                    old=sight.old,
                    facts=sight.facts,
                    elastic=(*elastic, *allowed),
                    besides=besides,
                    dry_run=sight.dry_run,
                )
            except Malformed as error:
                unread = error
                continue
            if not different:
                bound.add(BoundIntent(intent.digest, elastic))
            elif named:
                missed.append(Mismatch(intent.digest, different))
    if unread and not (bound or missed):
        raise unread
    return frozenset(bound), tuple(missed)


def elastics(
    digest: Digest, evidence: Iterable[Evidence], policy: Policy
) -> tuple[tuple[Elastic, ...], ...]:
    """Return no bounds at all, and each set that people of the roster signed.

    Limits:
        `MAX_ELASTICS` sets. Strangers' are not looked at: who has any identity under
            a public trust root could sign thousands.
    """
    signed = {
        change.elastic
        for e in evidence
        if isinstance(e.claim, SignOff) and policy.roster.signer(e.signer)
        for change in e.claim.changes
        if isinstance(change, ObjectChange) and change.digest == digest
    }
    return ((), *sorted(signed - {()})[:MAX_ELASTICS])


async def look_up(
    state: ClusterState, settings: ClusterFacts, tree: Tree, namespace: str
) -> ClusterFacts:
    """Answer what must be known of the cluster to judge `tree`.

    Raises:
        Unavailable: the API server did not answer.
        Malformed: `tree` names no kind.
    """
    live: dict[Fact, tuple[Tree, ...]] = {}
    for fact in sorted(facts_needed(tree, namespace)):
        if fact.ref.name:
            found = await state.get(fact.version, fact.ref, live=False)
            live[fact] = () if found is None else (found,)
        else:
            live[fact] = await state.list(fact.version, fact.ref)
    return replace(settings, live={**settings.live, **live})


def bind_old(
    sight: Sight, gathered: Gathered, policy: Policy, salt: bytes | None
) -> OldState:
    """Return the state before an UPDATE, with the evidence that speaks of it.

    Args:
        sight: The old object; its `old` is itself.
        gathered: What speaks of it.
        policy: As of `bind`.
        salt: That of the new intent, for a Secret.

    Raises:
        Malformed: the kind is not supported, or the object is not what the request says.
    """
    intents, _ = bind(sight, gathered, policy, allowed=ANY_SCALE)
    kinds, paths = sight.facts.kinds, policy.images.paths
    state = unproven_state(sight.tree, salt, kinds, paths)
    evidence = _about(gathered, intents, state.images)
    return replace(state, intents=intents, evidence=evidence)


def unproven_state(
    tree: Tree,
    salt: bytes | None = None,
    kinds: Kinds = BUILT_IN,
    paths: tuple[ImagePaths, ...] = (),
) -> OldState:
    """Return the state of a live object, without evidence.

    A Secret without a salt has no digest that may be shown, nor has a kind that we do
    not know: then it is one that nobody can have signed.
    """
    uid, known = text(tree, "/metadata/uid"), is_known(tree, kinds)
    digest = Digest.sha256(f"no state of {uid}".encode())
    if known and not is_secret(tree):
        digest = state_digest(tree, kinds=kinds)
    elif known and salt is not None:
        digest = state_digest(tree, salt=salt, kinds=kinds)
    ran = readable_images(tree, paths) if known else ()
    pinned = frozenset(i.digest for i in ran if i.digest is not None)
    return OldState(digest=digest, uid=uid, images=pinned)


def is_known(tree: Tree, kinds: Kinds) -> bool:
    """Tell whether binding can judge an object at all."""
    try:
        return kinds.known(tree)
    except Malformed:
        return False


def salt_in(gathered: Gathered, bound: frozenset[BoundIntent]) -> bytes | None:
    """Return the salt of the intent of a Secret: of one that it equals, if any does."""
    equal = {intent.digest for intent in bound}
    ordered = sorted(gathered.intents, key=lambda i: i.digest not in equal)
    return next((salt_of(intent.tree) for intent in ordered), None)


def _about(
    gathered: Gathered, intents: frozenset[BoundIntent], ran: frozenset[Digest]
) -> tuple[Evidence, ...]:
    """Return what speaks of a state, and people's words about the source of that.

    What lies beside the object may be about another state of it, that has the same
    images and was or will be there: then all of its set is.

    Provenance must name the object or an image of it, or be of the commit that such an
    image was built of: else somebody could hang any range on an object, and have the
    next one begin where it ends.
    """
    if not intents:
        return ()
    equal = {intent.digest for intent in intents}
    about = {n for e in gathered.evidence if e.digests & equal for n in gathered.of(e)}
    heard = [
        e
        for e in gathered.evidence
        if not gathered.of(e) or not about.isdisjoint(gathered.of(e))
    ]
    named = [e for e in heard if e.digests & (equal | ran)]
    built = {
        (repository(e.claim.repository), e.claim.commit)
        for e in named
        if isinstance(e.claim, Build)
    }
    direct = [e for e in heard if e in named or _ends_on(e, built)]
    sources = {
        digest
        for e in direct
        for digest in e.digests
        if digest.algorithm is not Algorithm.SHA256
    }
    words = [
        e
        for e in heard
        if e not in direct
        and not isinstance(e.claim, Provenance)
        and e.digests & sources
    ]
    return (*direct, *words)


def _ends_on(evidence: Evidence, built: Collection[tuple[str, Digest]]) -> bool:
    claim = evidence.claim
    return (
        isinstance(claim, Provenance)
        and (repository(claim.repository), claim.range.target) in built
    )
