"""The hash tree of a transparency log, in memory.

Source:
    RFC 6962, section 2.1 (Merkle hash trees, audit paths).
"""

from tools.sigstore.encoding import sha256


class MerkleTree:
    """An append-only tree that proves what it holds.

    Hashes of complete subtrees are remembered, so appending and proving cost O(log n).
    """

    def __init__(self) -> None:
        self._leaves: list[bytes] = []
        self._complete: dict[tuple[int, int], bytes] = {}

    def __len__(self) -> int:
        return len(self._leaves)

    def append(self, entry: bytes) -> int:
        """Add `entry` and return its index."""
        self._leaves.append(sha256(b"\x00" + entry))
        return len(self._leaves) - 1

    def root(self) -> bytes:
        """Hash the whole tree."""
        return self._hash(0, len(self._leaves)) if self._leaves else sha256(b"")

    def proof(self, index: int) -> list[bytes]:
        """List the siblings on the way from leaf `index` to the root, leaf first."""
        return self._path(index, 0, len(self._leaves))

    def _hash(self, start: int, size: int) -> bytes:
        if size == 1:
            return self._leaves[start]
        known = self._complete.get((start, size))
        if known is not None:
            return known
        left = _split(size)
        value = sha256(
            b"\x01" + self._hash(start, left) + self._hash(start + left, size - left)
        )
        if size == 2 * left:
            self._complete[start, size] = value
        return value

    def _path(self, index: int, start: int, size: int) -> list[bytes]:
        if size == 1:
            return []
        left = _split(size)
        if index < start + left:
            return [
                *self._path(index, start, left),
                self._hash(start + left, size - left),
            ]
        return [
            *self._path(index, start + left, size - left),
            self._hash(start, left),
        ]


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
