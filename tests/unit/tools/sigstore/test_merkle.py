"""The log's tree against sigstore-python's own reading of RFC 6962."""

import hashlib
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from sigstore._internal.merkle import verify_merkle_inclusion

from tools.sigstore.merkle import MerkleTree


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_every_leaf_is_proven_by_its_path(
    entries: list[bytes], data: st.DataObject
) -> None:
    """Seen to fail with the sides of a node swapped."""
    tree = MerkleTree()
    for entry in entries:
        tree.append(entry)
        tree.root()  # fills the memory of complete subtrees at every size
    index = data.draw(st.integers(0, len(entries) - 1))
    proof = SimpleNamespace(
        log_index=index,
        tree_size=len(tree),
        hashes=tree.proof(index),
        root_hash=tree.root(),
    )
    logged = SimpleNamespace(canonicalized_body=entries[index], inclusion_proof=proof)

    verify_merkle_inclusion(SimpleNamespace(_inner=logged))  # type: ignore[arg-type]  # it reads these two fields only


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    """RFC 6962, section 2.1."""
    assert MerkleTree().root() == hashlib.sha256().digest()
