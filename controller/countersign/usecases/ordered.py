"""Which of all that lies beside an object is proven, and in which order.

Years of releases may lie there, all of them honest, and whatever anybody else put in
between. What bundles claim to speak of is read without proof: so proofs are spent on the
states that are nearest to the object, and on what concerns those, the newest first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from countersign.binding.images import readable_images
from countersign.binding.nearness import FAR, distance
from countersign.core.types.artifacts import Digest, ObjectRef, Tree
from countersign.core.types.change import Change, NamespaceWindow
from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import ImagePaths
from countersign.core.types.stated import Stated
from countersign.ports import Detached
from countersign.usecases.concerning import Spoken, State, concerning
from countersign.usecases.gathered import Gathered
from countersign.wire.resources.bundleset_about import stated

MAX_INTENTS = 16  # beside one object that it is compared with


@dataclass(frozen=True, slots=True)
class Piece:
    """One bundle that lies beside an object.

    Attributes:
        raw: The bundle.
        sets: The names of those that it is in.
        made: When the newest of them was taken by the server; what is not there yet is
            newer than all.
        stated: What it claims; None: it cannot be read.
    """

    raw: bytes
    sets: tuple[str, ...]
    made: str
    stated: Stated | None


@dataclass(slots=True)
class Beside:
    """What lies beside an object.

    Attributes:
        pieces: Each bundle once, the newest first.
        intents: Digests of the intents there, the nearest first, then the newest.
        state: What is always looked for: deeds, images, the intents that it carries.
        carried: What the object carries itself, which is proven.
    """

    pieces: Sequence[Piece]
    intents: Sequence[Digest]
    state: State
    carried: Sequence[Evidence]
    _said: list[tuple[Piece | None, Spoken]] = field(init=False)

    def __post_init__(self) -> None:
        self._said = [
            (
                None,
                Spoken(
                    digests=one.digests, claim=one.claim, signer=one.signer, given=True
                ),
            )
            for one in self.carried
        ]
        self._said += [
            (
                one,
                Spoken(
                    digests=one.stated.digests,
                    claim=one.stated.claim,
                    signer=None,
                    sets=frozenset(one.sets),
                ),
            )
            for one in self.pieces
            if one.stated is not None
        ]

    def concerning(self, count: int) -> list[Piece]:
        """Return what claims to concern the first `count` intents.

        What names one of them comes first, and of that, as of the rest, the newest.
        """
        state = State(
            intents=self.state.intents.union(self.intents[:count]),
            images=self.state.images,
            around=self.state.around,
            deeds=self.state.deeds,
        )
        kept = concerning([said for _, said in self._said], state, judging=True)
        found = [
            (said.digests.isdisjoint(state.intents), one)
            for (one, said), keep in zip(self._said, kept, strict=True)
            if keep and one is not None
        ]
        return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def lay_out(
    sets: Iterable[Detached],
    tree: Tree | None,
    ref: ObjectRef,
    *,
    old: Tree | None,
    carried: Gathered,
    deeds: Iterable[Change],
    paths: tuple[ImagePaths, ...] = (),
) -> Beside:
    """Order what lies beside an object.

    Args:
        sets: What lies there.
        tree: The object; None: what goes, or is connected to.
        ref: What it is.
        old: What is there before; the images that it runs were judged before.
        carried: What the object carries itself: intents, and evidence, which is proven.
        deeds: Changes that leave no state, which may be what is asked for.
        paths: Where policies say that custom kinds name images.
    """
    ordered = sorted(sets, key=lambda one: (_age(one), one.name), reverse=True)
    runs, ran = _digests(tree, paths), _digests(old, paths)
    return Beside(
        pieces=tuple(_pieces(ordered)),
        intents=tuple(_nearest(ordered, tree)),
        state=State(
            intents=frozenset(intent.digest for intent in carried.intents),
            images=runs - ran,
            around=runs,
            deeds=(*deeds, NamespaceWindow(namespace=ref.namespace)),
        ),
        carried=tuple(carried.evidence),
    )


def distances(
    sets: Iterable[Detached], tree: Tree | None
) -> Mapping[Digest, tuple[int, int]]:
    """Return how far an object is from each intent that lies beside it, to sort by.

    Of those that are as near, the one that says most: a state that has only part of
    another lets that be as it likes.
    """
    raws = {raw for one in sets for raw in one.intents}
    return {
        Digest.sha256(raw): (FAR if tree is None else distance(raw, tree), -len(raw))
        for raw in raws
    }


def _pieces(ordered: Iterable[Detached]) -> Iterator[Piece]:
    """Yield each bundle once, with all of its sets, by the newest of them."""
    names: dict[bytes, list[str]] = {}
    first: dict[bytes, tuple[str, Stated | None]] = {}
    for one in ordered:
        claims = one.stated or tuple(map(stated, one.bundles))
        for raw, claim in zip(one.bundles, claims, strict=True):
            names.setdefault(raw, []).append(one.name)
            first.setdefault(raw, (one.made, claim))
    for raw, (made, claim) in first.items():
        yield Piece(raw, tuple(names[raw]), made, claim)


def _nearest(ordered: Sequence[Detached], tree: Tree | None) -> list[Digest]:
    """Return the intents that some bundle there names, the nearest first."""
    named = {
        digest
        for one in ordered
        for said in one.stated or map(stated, one.bundles)
        if said is not None
        for digest in said.digests
    }
    far = distances(ordered, tree)
    newest = dict.fromkeys(Digest.sha256(raw) for one in ordered for raw in one.intents)
    return sorted((d for d in newest if d in named), key=lambda digest: far[digest])


def _age(one: Detached) -> tuple[bool, str]:
    return not one.made, one.made


def _digests(tree: Tree | None, paths: tuple[ImagePaths, ...]) -> frozenset[Digest]:
    found = readable_images(tree, paths)
    return frozenset(image.digest for image in found if image.digest is not None)
