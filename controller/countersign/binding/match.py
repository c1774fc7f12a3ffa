"""Does an object equal what was signed, or what was there before?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from countersign.binding.allocation import ALLOCATIONS
from countersign.binding.besides import NOTHING, Besides
from countersign.binding.canonical import canonical_json
from countersign.binding.causes import explained, texts
from countersign.binding.comparison import Comparison
from countersign.binding.custom.definition import CustomKind
from countersign.binding.facts import ClusterFacts
from countersign.binding.inherited import keep_inherited
from countersign.binding.injection import injected
from countersign.binding.kinds import BUILT_IN, AnyKind, Kinds, is_custom
from countersign.binding.masking import is_secret, mask, mask_nulls, salt_of
from countersign.binding.normal_form import (
    SERVER_OWNED,
    apply_defaults,
    normal_form,
    written_form,
)
from countersign.binding.places import counterpart, places_in
from countersign.binding.shared import are_alike, without_inert, without_shared
from countersign.binding.tables import kind_key
from countersign.binding.tooling import accept_marks
from countersign.binding.tree import (
    ABSENT,
    Struct,
    as_bytes,
    differences,
    find,
    put,
    without_nulls,
)
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Difference, Digest, ObjectRef, Tree
from countersign.core.types.change import Elastic
from countersign.core.types.operators import Field

_GENERATED_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5}")
_MAX_GENERATED_BASE = 58  # characters; names.maxGeneratedNameLength


def match(
    intent: Tree,
    observed: Tree,
    *,
    identity: ObjectRef,
    old: Tree | None = None,
    facts: ClusterFacts | None = None,
    elastic: Iterable[Elastic] = (),
    besides: Besides = NOTHING,
    dry_run: bool = False,
) -> tuple[Difference, ...]:
    """Compare the object under admission with a signed intent.

    Args:
        intent: A canonical intent; of a Secret a masked one.
        observed: The object as the server shows it to a validating webhook.
        identity: What the request says it is about; `observed` must agree.
        old: The object before an UPDATE; None on CREATE.
        facts: Answers to `facts_needed(observed)`, and the cluster's settings.
        elastic: Paths at which any integer within the signed bounds equals.
        besides: What a policy lets be there.
        dry_run: The request is one.

    Returns:
        Where they differ, sorted by path, bounded in number and length; values of
        Secrets are masked. Empty: they are equal, where the intent says null be it a
        field's zero or no field.

    Raises:
        Malformed: the kind is not known, `observed` is not what `identity` says,
            the intent is of a Secret and not masked, or one of them is nested too
            deeply.
    """
    context = _Context(
        identity, old, facts or ClusterFacts(), tuple(elastic), besides, dry_run
    )
    try:
        found = _compared(intent, observed, context)
        # `kubectl apply` drops null fields before it creates, and deletes by them
        # later: then the object has none of what the server makes of null
        if found and (sent := without_nulls(intent)) is not intent:
            return _compared(sent, observed, context) and found
    except RecursionError as error:
        raise Malformed("expected an object, saw one nested too deeply") from error
    return found


@dataclass(frozen=True, slots=True)
class _Context:
    """What `match` is told besides the two objects."""

    identity: ObjectRef
    old: Tree | None
    facts: ClusterFacts
    elastic: tuple[Elastic, ...]
    besides: Besides
    dry_run: bool


def _compared(intent: Tree, observed: Tree, said: _Context) -> tuple[Difference, ...]:
    """Compare with an intent that says what null means."""
    facts, identity, besides = said.facts, said.identity, said.besides
    salt, kinds = salt_of(intent), facts.kinds
    if salt is not None:
        intent = mask_nulls(intent, salt)
    intent, observed = without_shared(intent, observed)
    seen = normal_form(_masked(observed, salt), kinds=kinds)
    _identify(seen, identity, kinds)
    if intent.get("apiVersion") != seen["apiVersion"] and is_custom(intent):
        return (_other_version(intent, seen),)
    if are_alike(normal_form(intent, kinds=kinds), seen):  # so most objects are
        return ()
    completed = injected(intent, seen, besides.injections)
    wanted = written_form(completed, kinds=kinds)
    _name(wanted, seen)
    accept_marks(wanted, seen, identity, besides.tools)
    sides = Comparison(
        written=written_form(intent, kinds=kinds),
        wanted=apply_defaults(intent, wanted, kinds=kinds),
        seen=seen,
        old=None
        if said.old is None
        else normal_form(_masked(without_inert(said.old), salt), kinds=kinds),
        uid=str(find(observed, "/metadata/uid") or ""),
        created=str(find(observed, "/metadata/creationTimestamp") or ""),
        namespace=identity.namespace,
        facts=facts,
        dry_run=said.dry_run,
    )
    allocate = ALLOCATIONS.get(kind_key(intent))
    if allocate:
        allocate(sides)
    keep_inherited(sides)
    _keep_scale(sides, kinds.of(intent))
    _keep_fields(sides, besides.fields)
    for bounds in said.elastic:
        _stretch(sides, bounds)
    return explained(sides, intent=intent, secret=salt is not None)


def same(old: Tree, new: Tree, kinds: Kinds = BUILT_IN) -> bool:
    """Tell whether an UPDATE changes nothing: door *unchanged*.

    Labels, annotations (our own too), finalizers and owner references count.

    Raises:
        Malformed: the kind is not supported.
    """
    before, after = _as_read(old), _as_read(new)
    if before == after is not None:  # the usual re-apply, without a normal form
        return True
    one, other = (normal_form(tree, own=True, kinds=kinds) for tree in (old, new))
    return next(differences(one, other), None) is None


def state_digest(
    tree: Tree, *, salt: bytes | None = None, kinds: Kinds = BUILT_IN
) -> Digest:
    """Return the digest of an object's state: the ``base`` that a sign-off names.

    Args:
        tree: The live object.
        salt: That of the intent, for a Secret: its values enter masked, since a plain
            hash would let anyone try values.
        kinds: Those that are known.

    Raises:
        Malformed: the kind is not known, or a Secret comes without a salt.
    """
    if is_secret(tree) and salt is None:
        raise Malformed("expected a salt for the state of a Secret, saw none")
    return Digest.sha256(canonical_json(normal_form(_masked(tree, salt), kinds=kinds)))


def _as_read(tree: Tree) -> bytes | None:
    """Return an object byte for byte, less what the server writes; None: it is no JSON.

    Two trees with the same bytes are the same, types of values included; the same object
    may have other bytes.
    """
    metadata = tree.get("metadata")
    if type(metadata) is dict:
        plain = {k: v for k, v in metadata.items() if k not in SERVER_OWNED}
        tree = {**tree, "metadata": plain}
    return as_bytes(tree)


def _masked(tree: Tree, salt: bytes | None) -> Tree:
    """Mask an object of the server's, which shows webhooks an empty value as null."""
    if salt is None or not is_secret(tree):
        return tree
    return mask_nulls(mask(tree, salt), salt)


def _other_version(intent: Tree, seen: Struct) -> Difference:
    """Say that a custom resource was signed in another version than it came in.

    Versions may have other fields, and a conversion may do anything.
    """
    return Difference(
        "/apiVersion", *texts(intent.get("apiVersion"), seen["apiVersion"])
    )


def _identify(seen: Struct, identity: ObjectRef, kinds: Kinds) -> None:
    """Refuse an object that is not the request's; say where it lives if it does not.

    Raises:
        Malformed: another group, kind, namespace or name.
    """
    group, _, _version = seen["apiVersion"].rpartition("/")
    metadata = seen["metadata"]
    if kinds.of(seen).namespaced:
        namespace = metadata.setdefault("namespace", identity.namespace)
    else:
        namespace = identity.namespace
    name = metadata.get("name", "")
    if (group, seen["kind"], namespace) != (
        identity.group,
        identity.kind,
        identity.namespace,
    ) or (identity.name and identity.name != name):
        raise Malformed(
            f"expected the object of the request, {identity}, "
            f"saw {namespace}/{seen['kind']}/{name}"
        )


def _name(wanted: Struct, seen: Struct) -> None:
    """Accept a name that the server made from the intent's ``generateName``."""
    metadata = wanted["metadata"]
    base = metadata.get("generateName", "")[:_MAX_GENERATED_BASE]
    name = seen["metadata"].get("name", "")
    if (
        base
        and "name" not in metadata
        and name.startswith(base)
        and _GENERATED_SUFFIX.fullmatch(name, len(base))
    ):
        metadata["name"] = name


def _keep_scale(sides: Comparison, kind: AnyKind) -> None:
    """Let an unsaid number stay that ``/scale`` of a custom kind was let through with.

    As ``/spec/replicas`` of built-in kinds: an apply without it leaves it alone.
    """
    path = kind.replicas if isinstance(kind, CustomKind) else ""
    if path and type(find(sides.seen, path)) is int:
        sides.keep(path)


def _keep_fields(sides: Comparison, fields: Iterable[Field]) -> None:
    """Let stay what operators wrote before, and the intent does not speak of."""
    for field in fields if sides.old is not None else ():
        for path in places_in(sides.seen, field):
            seen = find(sides.seen, path)
            before = counterpart(sides.old, sides.seen, path)
            unsaid = find(sides.written, path) is ABSENT
            if unsaid and next(differences(before, seen), None) is None:
                put(sides.wanted, path, seen)


def _stretch(sides: Comparison, bounds: Elastic) -> None:
    """Accept an integer within signed bounds where the intent has one or none."""
    seen, said = find(sides.seen, bounds.path), find(sides.wanted, bounds.path)
    if (
        type(seen) is int
        and bounds.minimum <= seen <= bounds.maximum
        and (said is ABSENT or type(said) is int)
    ):
        put(sides.wanted, bounds.path, seen)
