"""What of all that lies beside an object is about it as it is now.

Nobody clears away the evidence of earlier releases. It is found with the newest one,
names the same object, and each intent costs a comparison.
"""

from collections.abc import Collection, Iterable, Iterator

from countersign.binding.canonical import read_intent
from countersign.binding.images import readable_images
from countersign.core.errors import Malformed, OverLimit
from countersign.core.rules.objects import names
from countersign.core.types.artifacts import Digest, Intent, ObjectRef, Tree
from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import ImagePaths
from countersign.core.types.verdict import Reason
from countersign.ports import Detached
from countersign.usecases.gathered import Gathered, Problem
from countersign.usecases.ordered import MAX_INTENTS, distances
from countersign.wire.resources.bundleset_about import intent_ref

MAX_BESIDE = 256  # pieces of evidence beside one object that the law is shown


def choose(
    sets: Collection[Detached],
    tree: Tree | None,
    ref: ObjectRef,
    into: Gathered,
    *,
    weighty: Collection[Digest],
    paths: tuple[ImagePaths, ...] = (),
) -> None:
    """Add the intents of `ref` to `into`, and take what is about other states away.

    Intents that no proven evidence names are left out: they cannot bind, and anybody
    may put them there.

    Args:
        sets: What lies beside the object.
        tree: The object; None: what goes, or is connected to.
        ref: What it is.
        into: With all evidence that was proven.
        weighty: What those name whose word lets things in.
        paths: Where policies say that custom kinds name images.

    Limits:
        `MAX_INTENTS`: those first that have weight; of them the nearest, and of those
            the ones that were signed last.
        `MAX_BESIDE`: what names one of those first, then the newest; then gathering is
            not complete.
    """
    when = _named_at(into.evidence)
    found = {
        intent.digest: intent for intent in _intents(sets, ref, into, frozenset(when))
    }
    runs, far = readable_images(tree, paths), distances(sets, tree)
    nearest = sorted(
        found.values(),
        key=lambda i: (
            i.digest not in weighty,
            far[i.digest],
            -when[i.digest],
            i.digest,
        ),
    )
    into.intents += nearest[:MAX_INTENTS]
    others = {intent.digest for intent in nearest[MAX_INTENTS:]}
    if others:
        text = f"of {len(found)} intents beside it only {MAX_INTENTS} were compared"
        into.problems.append(Problem(Reason.OVER_LIMIT, text))
    states = {intent.digest for intent in into.intents}
    here = states | {image.digest for image in runs if image.digest is not None}
    _keep(
        into,
        [e for e in into.evidence if e.digests & here or not e.digests & others],
        states,
    )


def _keep(into: Gathered, about: list[Evidence], states: set[Digest]) -> None:
    carried = [e for e in about if not into.of(e)]
    beside = sorted(
        (e for e in about if into.of(e)),
        key=lambda e: (e.digests.isdisjoint(states), -made_at(e)),
    )
    into.evidence[:] = (*carried, *beside[:MAX_BESIDE])
    if len(beside) > MAX_BESIDE:
        said = f"expected at most {MAX_BESIDE} bundles beside it, saw {len(beside)}"
        into.problem(OverLimit(said))


def _intents(
    sets: Iterable[Detached], ref: ObjectRef, into: Gathered, named: frozenset[Digest]
) -> Iterator[Intent]:
    known = {intent.digest for intent in into.intents}
    for raw in (raw for one in sets for raw in one.intents):
        digest = Digest.sha256(raw)
        if digest not in named or digest in known:
            continue
        known.add(digest)
        try:
            described = intent_ref(raw)
            if described is not None and names(described, ref):
                yield read_intent(raw)
        except Malformed as error:
            into.problem(error)


def _named_at(evidence: Iterable[Evidence]) -> dict[Digest, float]:
    """Return what evidence names, and when the newest of it was made."""
    found: dict[Digest, float] = {}
    for one in evidence:
        for digest in one.digests:
            found[digest] = max(made_at(one), found.get(digest, 0.0))
    return found


def made_at(evidence: Evidence) -> float:
    """Return when evidence was signed, in seconds; 0: nobody trusted says."""
    at = evidence.signed_at
    return 0.0 if at is None else at.timestamp()
