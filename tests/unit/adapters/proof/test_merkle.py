"""Proofs of inclusion lead to the root of the tree, and no others do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.proof.merkle import root_of
from countersign.core.errors import Rejected
from countersign.wire.tlog import InclusionProof
from tools.sigstore.merkle import MerkleTree

MANY = 70  # leaves; more than a complete tree, with every shape of path below


def tree(size: int) -> MerkleTree:
    """Grow a tree."""
    grown = MerkleTree()
    for number in range(size):
        grown.append(b"%d" % number)
    return grown


def proof(size: int, index: int) -> InclusionProof:
    """Prove a leaf of such a tree."""
    grown = tree(size)
    return InclusionProof(
        index=index,
        size=size,
        root=grown.root(),
        hashes=tuple(grown.proof(index)),
        checkpoint="",
    )


@pytest.mark.parametrize("size", range(1, MANY))
def test_every_leaf_of_every_tree_is_proven(size: int) -> None:
    """Against the logs' own trees."""
    for index in range(size):
        sound = proof(size, index)

        assert root_of(b"%d" % index, sound) == sound.root


sizes = st.integers(1, MANY)


@given(sizes, st.data())
def test_nothing_else_is_proven(size: int, data: st.DataObject) -> None:
    """Another leaf, place, size or path. Seen to fail with lengths unchecked."""
    index = data.draw(st.integers(0, size - 1))
    sound = proof(size, index)
    leaf = b"%d" % index
    others = st.one_of(
        st.just((b"another", sound)),
        st.integers(0, size).map(lambda i: (leaf, replace(sound, index=i))),
        st.integers(0, 2 * MANY).map(lambda n: (leaf, replace(sound, size=n))),
        st.integers(0, len(sound.hashes)).map(
            lambda n: (leaf, replace(sound, hashes=sound.hashes[:n]))
        ),
        st.binary(max_size=33).map(
            lambda more: (leaf, replace(sound, hashes=(*sound.hashes, more)))
        ),
        st.permutations(sound.hashes).map(
            lambda turned: (leaf, replace(sound, hashes=tuple(turned)))
        ),
    )
    text, forged = data.draw(others)
    try:
        root = root_of(text, forged)
    except Rejected:
        return

    # the size of a tree is part of its checkpoint: several have the same path
    same = (text, forged.index, forged.hashes) == (leaf, index, sound.hashes)
    assert (root == sound.root) is same


def test_a_node_is_no_leaf() -> None:
    """Leaves and nodes are hashed apart: what is below a node is no leaf's data."""
    two = tree(2)
    left, right = tree(1).root(), two.proof(0)[0]
    forged = InclusionProof(index=0, size=1, root=two.root(), hashes=(), checkpoint="")

    assert root_of(b"\1" + left + right, forged) != two.root()
    assert root_of(left + right, forged) != two.root()


def test_hashes_are_of_one_length() -> None:
    """Else the border between two could be moved."""
    forged = InclusionProof(
        index=0, size=2, root=b"", hashes=(b"x" * 31,), checkpoint=""
    )

    with pytest.raises(Rejected, match="SHA-256"):
        root_of(b"leaf", forged)
