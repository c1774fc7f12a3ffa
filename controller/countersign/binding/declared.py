"""What a policy's operators write: children by declared derivation, and fields of theirs.

An operator is a controller that Kubernetes does not ship. What the built-in tables say
of the built-in ones, a policy says of it: which user it is, what it makes of which
owner, and which fields of other objects it fills in. A child is compared with what its
owner and the policy make of it, as any other child.
"""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from countersign.binding.children import Derivation
from countersign.binding.deletions import Owner, controller_of
from countersign.binding.delta import judged_changes
from countersign.binding.derivations.kin import Kin, listing, mapping, text
from countersign.binding.masking import is_secret, mask
from countersign.binding.places import fields_of, places_in
from countersign.binding.tree import (
    ABSENT,
    Struct,
    differences,
    find,
    put,
    token,
)
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.operators import (
    Children,
    Link,
    Operator,
    is_ours,
)
from countersign.core.types.request import AdmissionRequest

_SALT = bytes(32)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a policy lets an operator make, and whose child an object says it is."""

    operator: Operator
    children: Children
    owner: Owner


def claims(operator: Operator, tree: Tree, kind: GroupKind) -> Iterator[Claim]:
    """Yield the rules of an operator by which `tree`, of `kind`, would be its child."""
    for children in operator.children:
        if GroupKind(children.group, children.kind) != kind:
            continue
        if (owner := claimed(children, tree)) is not None:
            yield Claim(operator, children, owner)


def way_of(operator: Operator, children: Children) -> Derivation:
    """Return how such children come from their owners."""
    return Derivation(
        rule=f"operator-{children.kind.lower()}",
        actors=frozenset({operator.user}),
        version=children.owner_version,
        derive=lambda kin: _masked(_child(kin, children)),
    )


def claimed(children: Children, child: Tree) -> Owner | None:
    """Return the owner that `child` names, or None.

    A claim, until it is looked up; by annotation and by name the uid is not known.
    """
    kind, version = (
        GroupKind(children.owner_group, children.owner_kind),
        children.owner_version,
    )
    if children.link is Link.OWNER_REFERENCE:
        owner = controller_of(child)
        fits = owner is not None and (owner.kind, owner.version) == (kind, version)
        return owner if fits else None
    if children.link is Link.ANNOTATION:
        name = text(child, "/metadata/annotations/" + token(children.key))
    else:
        name = text(child, "/metadata/name")
    return Owner(version, kind, name, "") if name else None


def writes(operators: Iterable[Operator], request: AdmissionRequest) -> bool:
    """Tell whether an UPDATE writes only what one of `operators` may write there."""
    if request.old is None or request.object is None:
        return False
    mine = [o for o in operators if o.user == request.requester.name]
    fields = fields_of(mine, GroupKind(request.ref.group, request.ref.kind))
    places = list(_places(request))
    return bool(places) and all(any(f.holds(place) for f in fields) for place in places)


def _places(request: AdmissionRequest) -> Iterator[str]:
    """Yield what an UPDATE changes, as deep as both states have the same shape."""
    for path, before, after in judged_changes(request):
        for place, _, _ in differences(before, after, path):
            yield place


def _child(kin: Kin, children: Children) -> Struct:
    """Return the child: what is the owner's, and what may be anything.

    What the child is called says the child: a name that matters is derived. Whose it is
    it may say as well, also where it is found by a name: but nobody else's, or another
    controller would take it for its own.
    """
    child = kin.child
    if children.trusted:
        return _without_ours(child)
    metadata = {
        key: copy.deepcopy(value)
        for key in ("name", "generateName", "namespace")
        if (value := find(child, f"/metadata/{key}")) is not ABSENT
    }
    uid = text(kin.owner, "/metadata/uid")
    owners = listing(child, "/metadata/ownerReferences")
    if mine := [copy.deepcopy(one) for one in owners if one.get("uid") == uid]:
        metadata["ownerReferences"] = mine
    made: Struct = {
        "apiVersion": child.get("apiVersion"),
        "kind": child.get("kind"),
        "metadata": metadata,
    }
    if children.link is Link.ANNOTATION:
        metadata["annotations"] = {children.key: kin.name}
    for part in children.derive:
        value = find(kin.owner, part.source)
        if value is ABSENT:
            _take(made, part.target)
        else:
            put(made, part.target, copy.deepcopy(value))
    for field in children.free:
        for path in [*places_in(made, field)]:
            _take(made, path)
        for path in places_in(child, field):
            put(made, path, copy.deepcopy(find(child, path)))
    return made


def _masked(child: Struct) -> Struct:
    """Return a Secret as intents hold it. It is compared at once, and kept nowhere."""
    return mask(child, _SALT) if is_secret(child) else child


def _without_ours(child: Tree) -> Struct:
    """Return all of a child but our annotations, which nobody may make up."""
    made: Struct = copy.deepcopy(child)
    for key in [*mapping(made, "/metadata/annotations")]:
        if is_ours(key):
            _take(made, f"/metadata/annotations/{token(key)}")
    return made


def _take(tree: Struct, path: str) -> None:
    """Remove an entry of a map; an item of a list stays where it is."""
    way, _, last = path.rpartition("/")
    holder = find(tree, way) if way else tree
    if type(holder) is dict:
        holder.pop(last.replace("~1", "/").replace("~0", "~"), None)
