"""Images: in which registries evidence is looked for, and what one request sees of them.

Only hosts that a policy names are ever asked, and each image once for a request. First
the engine goes by what is remembered; only where that does not do, it waits.
"""

from collections.abc import Iterable
from dataclasses import replace

from countersign.binding.images import readable_images
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest, Tree
from countersign.core.types.globs import glob
from countersign.core.types.policy import Policy
from countersign.ports import Attached, Pinned, RememberedEvidence
from countersign.wire.resources.bundleset_spec import MAX_PLAIN

RECENT_S = 300.0
"""Seconds for which nothing new that speaks against a change is expected."""

MAX_IMAGES = 32  # of one object; more containers than one would want to run together


class Looks:
    """What one request sees of registries.

    Args:
        evidence: What is remembered, and the way to ask.
        asks: Registries may be waited for, from the start.

    Attributes:
        asks: They may be waited for by now.
        missed: Something may lie there that was not looked at.
    """

    def __init__(self, evidence: RememberedEvidence, *, asks: bool = False) -> None:
        self.asks = asks
        self.missed = False
        self._evidence = evidence
        self._answers: dict[Pinned, Attached | Unavailable] = {}
        self._awaited: set[str] = set()

    def ask(self) -> None:
        """Wait for registries from now on."""
        self.asks = True

    @property
    def silent(self) -> tuple[str, ...]:
        """What registries failed to say so far, a line each, sorted."""
        said = {str(a) for a in self._answers.values() if isinstance(a, Unavailable)}
        return tuple(
            sorted(said | {f"{r} has not answered yet" for r in self._awaited})
        )

    async def about(self, image: Pinned) -> Attached | None:
        """Return what lies beside an image, as far as it may be looked at.

        What is remembered and may have grown is not complete; None: nobody looked.

        Raises:
            Unavailable: its registry did not answer, now or earlier in this request.
        """
        if not self.asks:
            self.missed = True
            return self.remembered(image, within_s=RECENT_S)
        if image not in self._answers:
            try:
                self._answers[image] = await self._ask(image)
            except Unavailable as error:
                self._answers[image] = error
        answer = self._answers[image]
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    def remembered(self, image: Pinned, *, within_s: float = 0.0) -> Attached | None:
        """Return what lay beside an image; complete only if it did so `within_s`."""
        recent = self._evidence.known(image, within_s=within_s)
        if recent is not None:
            return recent
        before = self._evidence.known(image)
        return None if before is None else replace(before, complete=False)

    async def blob(self, image: Pinned, digest: Digest) -> bytes | None:
        """Return what lies in the image's repository under a digest, if it is there.

        Raises:
            Unavailable: its registry did not answer.
            Malformed: it is not what its digest says, or too large for an intent.
        """
        known = self._evidence.known_blob(digest)
        if known is not None:
            return known
        if not self.asks:
            self.missed = True
            return None
        return await self._evidence.blob(image, digest, limit=MAX_PLAIN)

    async def _ask(self, image: Pinned) -> Attached:
        self._awaited.add(image.registry)
        try:
            found = await self._evidence.about(image)
        except Unavailable:
            self._awaited.discard(image.registry)
            raise
        self._awaited.discard(image.registry)
        return found


def asks_registries(policies: Iterable[Policy]) -> bool:
    """Tell whether any of `policies` names registries at all."""
    return any(policy.images.registries for policy in policies)


def lying(tree: Tree | None, policies: Iterable[Policy]) -> tuple[Pinned, ...]:
    """Return the images of an object beside which any of `policies` looks, sorted.

    Whose they are does not matter: an approval of the object may lie beside an image of
    others too. What is not pinned lies nowhere.
    """
    found: set[Pinned] = set()
    for policy in policies:
        patterns = [glob(p, "/") for p in policy.images.registries]
        if not patterns or tree is None:
            continue
        found |= {
            Pinned(image.repository, image.digest)
            for image in readable_images(tree, policy.images.paths)
            if image.digest is not None
            and any(pattern.fullmatch(image.repository) for pattern in patterns)
        }
    return tuple(sorted(found))
