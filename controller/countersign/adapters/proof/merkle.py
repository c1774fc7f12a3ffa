"""That a leaf is in a tree, from the hashes beside its path.

Source:
    RFC 9162, section 2.1.3.2 (the algorithm); RFC 6962, section 2.1 (the hashes).
"""

import hashlib

from countersign.core.errors import Rejected
from countersign.wire.tlog import InclusionProof


def root_of(leaf: bytes, proof: InclusionProof) -> bytes:
    """Return the root of the tree in which `proof` puts `leaf`.

    Args:
        leaf: Its data, unhashed.
        proof: Index, size and hashes; its claimed root is not looked at.

    Raises:
        Rejected: no tree of this size has such a path for this index.
    """
    if proof.index >= proof.size:
        raise Rejected("expected the index of a leaf inside of its tree")
    index, last = proof.index, proof.size - 1
    result = hashlib.sha256(b"\0" + leaf).digest()
    for sibling in proof.hashes:
        if len(sibling) != len(result):
            raise Rejected("expected SHA-256 hashes in the proof of inclusion")
        if last == 0:
            raise Rejected("expected fewer hashes in the proof of inclusion")
        if index % 2 or index == last:
            result = _node(sibling, result)
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            result = _node(result, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise Rejected("expected more hashes in the proof of inclusion")
    return result


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
