"""What registries said, within a number of bytes.

More may be put beside an image at any time, and nothing is ever taken away that matters:
what supports a change stays true however old the answer is. So answers are kept with
their age, and who asks says how old is too old. That there is nothing is forgotten soon,
and a failure is not an answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cachetools import LRUCache

from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Pinned

FRESH_S = 10.0  # seconds for which an answer is what lies there now, "nothing" too

_ENTRY = 1536  # bytes of an entry without what lies there, measured
_PIECE = 128  # bytes of each bundle and each line, besides its own
_DIGEST = 512  # bytes of each digest
_SHARE = 1 / 8  # of all that is kept: more is not added up about one image


@dataclass(frozen=True, slots=True)
class _Answer:
    value: Attached | bytes | None
    at: float  # monotonic seconds
    size: int  # bytes, estimated


class Memory:
    """Answers about images, and blobs, the last used ones.

    Args:
        max_bytes: Of all that is kept; what is larger than that is not.
        monotonic: The clock for ages, in seconds.
    """

    def __init__(self, max_bytes: int, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._kept: LRUCache[Pinned | tuple[str, Digest], _Answer] = LRUCache(
            max_bytes, getsizeof=lambda answer: answer.size
        )

    @property
    def size(self) -> int:
        """Bytes of what is kept, estimated."""
        return int(self._kept.currsize)

    def answer(
        self, image: Pinned, *, within_s: float | None = None
    ) -> Attached | None:
        """Return what was said of an image; see `RememberedEvidence.known`.

        An answer that is not whole is never of the present: the rest may be seen now.
        """
        found = self._kept.get(image)
        if found is None or not isinstance(found.value, Attached):
            return None
        age = self._monotonic() - found.at
        if not found.value.bundles and age > FRESH_S:
            del self._kept[image]
            return None
        old = within_s is not None and (age > within_s or not found.value.complete)
        return None if old else found.value

    def keep(self, image: Pinned, said: Attached) -> None:
        """Remember what was said of an image.

        What went unseen this time may have been seen the last time: it still is there.
        But whoever may push can have something else seen each time, so only as much is
        added up as leaves the others their room.
        """
        before = self.answer(image)
        if before is not None and not said.complete:
            both = dict.fromkeys([*said.bundles, *before.bundles])
            joined = replace(said, bundles=tuple(both))
            if _size(joined) <= self._kept.maxsize * _SHARE:
                said = joined
        self._put(image, said, _size(said))

    def blob(self, digest: Digest) -> bytes | None:
        """Return the blob of a digest, wherever it lay, or None."""
        found = self._kept.get(("", digest))
        return found.value if found and isinstance(found.value, bytes) else None

    def keep_blob(self, repository: str, digest: Digest, found: bytes | None) -> None:
        """Remember a blob, or for a moment that a repository has none."""
        if found is None:
            self._put((repository, digest), None, _ENTRY)
        else:
            self._put(("", digest), found, _ENTRY + len(found))

    def lacks(self, repository: str, digest: Digest) -> bool:
        """Tell whether a repository was sure, a moment ago, to have no such blob."""
        found = self._kept.get((repository, digest))
        return found is not None and self._monotonic() - found.at <= FRESH_S

    def _put(
        self,
        key: Pinned | tuple[str, Digest],
        value: Attached | bytes | None,
        size: int,
    ) -> None:
        self._kept.pop(key, None)
        if size <= self._kept.maxsize:
            self._kept[key] = _Answer(value, self._monotonic(), size)


def _size(said: Attached) -> int:
    pieces = (*said.bundles, *said.problems)
    digests = len(said.platforms) + 2 * len(said.others)
    return _ENTRY + sum(_PIECE + len(piece) for piece in pieces) + _DIGEST * digests
