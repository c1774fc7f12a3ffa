"""Objects of our kinds, from what the server stores to values of the core.

Each function raises :class:`~countersign.wire.resources.read.Invalid`, with a path for
every problem, and nothing else.
"""

from collections.abc import Callable
from typing import TypeVar

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.core.types.people import Roster
from countersign.core.types.policy import Revoked
from countersign.core.types.published import Mirror
from countersign.core.types.trust import TrustRoot
from countersign.wire.resources.bundleset import refuse_other_name
from countersign.wire.resources.bundleset_spec import BundleSetSpec
from countersign.wire.resources.kinds import (
    BUNDLE_SET,
    POLICY,
    REVOCATION,
    ROSTER,
    TRUST_ROOT,
)
from countersign.wire.resources.policy import PolicySpec
from countersign.wire.resources.read import Invalid, name_of, read
from countersign.wire.resources.resolve import check
from countersign.wire.resources.revocation import RevocationSpec
from countersign.wire.resources.roster import RosterSpec
from countersign.wire.resources.trust import TrustRootSpec

T = TypeVar("T")


def policy(tree: Tree) -> PolicySpec:
    """Read a ProtectionPolicy; names that lead to other objects are not looked up."""
    spec = read(tree, POLICY, PolicySpec)
    check(name_of(tree), spec)
    return spec


def roster(tree: Tree) -> Roster:
    """Read a Roster."""
    spec = read(tree, ROSTER, RosterSpec)
    return _value(lambda: spec.value(name_of(tree)))


def trust_root(tree: Tree) -> TrustRoot:
    """Read a TrustRoot."""
    spec = read(tree, TRUST_ROOT, TrustRootSpec)
    return _value(lambda: spec.value(name_of(tree)))


def mirror(tree: Tree) -> Mirror | None:
    """Read where a TrustRoot is published; None: it does not say. Nothing judges by it."""
    said = read(tree, TRUST_ROOT, TrustRootSpec).tuf
    return None if said is None else said.value()


def revocation(tree: Tree) -> tuple[Revoked, ...]:
    """Read the entries of a Revocation."""
    return read(tree, REVOCATION, RevocationSpec).value()


def bundle_set(tree: Tree) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Read the plain bundles and intents of a BundleSet. Nothing of them is proven.

    Its name must say what is in it, so that what was once seen under a name stays so.
    """
    found = _value(read(tree, BUNDLE_SET, BundleSetSpec).value)
    refuse_other_name(tree)
    return found


def _value(make: Callable[[], T]) -> T:
    try:
        return make()
    except Malformed as error:
        raise Invalid([f"spec: {error}"]) from error


_READERS: dict[str, Callable[[Tree], object]] = {
    POLICY.name: policy,
    ROSTER.name: roster,
    TRUST_ROOT.name: trust_root,
    REVOCATION.name: revocation,
    BUNDLE_SET.name: bundle_set,
}


def refuse_invalid(tree: Tree) -> None:
    """Parse an object of our group as every load does.

    Raises:
        Invalid: it would not be understood, or is of a kind that we do not have.
    """
    reader = _READERS.get(str(tree.get("kind")))
    if reader is None:
        raise Invalid([f"kind: expected one of {', '.join(_READERS)}"])
    reader(tree)
