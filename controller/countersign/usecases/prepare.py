"""Prepare: from manifests to what is signed about them, and back to be applied."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from countersign.binding.canonical import canonical, canonical_json, read_intent
from countersign.binding.images import images
from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.binding.masking import is_secret, salt_of
from countersign.binding.normal_form import OWN_PREFIX
from countersign.binding.surface import place_of
from countersign.binding.tree import token
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import (
    GroupKind,
    Image,
    Intent,
    Json,
    ObjectRef,
    Subject,
    Tree,
)
from countersign.core.types.change import ObjectChange, Operation
from countersign.core.types.policy import Policy
from countersign.ports import Pinned
from countersign.wire.annotations import Carried, read_annotations, render_annotations
from countersign.wire.changes import render_change
from countersign.wire.resources.bundleset_about import intent_ref

# Characters of our annotations on one object. `kubectl apply` stores them twice, and the
# controllers of Deployments copy them to each ReplicaSet: above this it gets tight.
BUDGET = 48 * 1024
MAX_SAFE = 2**53 - 1  # RFC 7493, section 2.2; what canonical JSON holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One object of a change.

    Attributes:
        manifest: As written, its namespace filled in, our annotations taken off.
        ref: Which object.
        version: API version without group.
        intent: What is signed.
        images: What it would run.
        bundles: Evidence it carries, raw, that belongs to this intent.
        carries: Its own annotations as they were, unless they are of another state.
        stale: It carried evidence of another state, which was left behind.
    """

    manifest: Tree
    ref: ObjectRef
    version: str
    intent: Intent
    images: tuple[Image, ...]
    bundles: tuple[bytes, ...]
    carries: Mapping[str, Json] = field(default_factory=dict)
    stale: bool

    @property
    def as_it_was(self) -> Tree:
        """The manifest with what it carried."""
        return _with_annotations(self.manifest, self.carries)

    @property
    def pinned(self) -> tuple[Pinned, ...]:
        """The images it would run, as far as a digest pins them, each once."""
        found = (Pinned(i.repository, i.digest) for i in self.images if i.digest)
        return tuple(dict.fromkeys(found))

    @property
    def subject(self) -> Subject:
        """The object as a subject of a statement."""
        change = ObjectChange(
            object=self.ref,
            digest=self.intent.digest,
            operation=Operation.CREATE_OR_UPDATE,
        )
        return render_change(change, {})[1]

    def annotated(self, bundles: Iterable[bytes]) -> Tree:
        """Return the manifest with its intent and `bundles` in its annotations.

        Args:
            bundles: Raw; those that are the same are kept once, in order.

        Raises:
            Malformed: they are more, or larger, than an object may carry.
        """
        once = tuple(dict.fromkeys([*self.bundles, *bundles]))
        own = render_annotations(Carried(once, canonical_json(self.intent.tree)))
        return _with_annotations(self.manifest, own)


def weight(annotated: Tree) -> int:
    """Return how many characters of our annotations an object carries."""
    return sum(
        len(str(value))
        for key, value in _annotations(annotated).items()
        if key.startswith(OWN_PREFIX)
    )


def prepare(
    manifests: Iterable[Tree],
    *,
    namespace: str,
    salt: Callable[[], bytes],
    beside: Iterable[bytes] = (),
    kinds: Kinds = BUILT_IN,
) -> tuple[Prepared, ...]:
    """Make the intent of each manifest, or keep the one it carries.

    A carried intent is kept where it still is the intent of the manifest. So several
    statements can be made about one state of a Secret, whose digest is salted.

    Args:
        manifests: Objects as written, lists expanded.
        namespace: For those that name none; ``""`` for no such help.
        salt: Makes the random salt of a Secret.
        beside: Intents of BundleSets, raw: kept like those that objects carry.
        kinds: Tell which custom resources live in namespaces.

    Raises:
        Malformed: a manifest that cannot be signed, or one object twice; the message
            says which.
    """
    known = {ref: raw for raw in beside if (ref := intent_ref(raw))}
    prepared = tuple(_prepare(one, namespace, salt, known, kinds) for one in manifests)
    seen: set[ObjectRef] = set()
    for one in prepared:
        if one.ref in seen:
            raise Malformed(f"expected each object once, saw {one.ref} twice")
        seen.add(one.ref)
    return prepared


def with_declared(
    objects: Iterable[Prepared], policies: Iterable[Policy] | None
) -> tuple[Prepared, ...]:
    """Add the images of custom kinds, where policies that judge them say they are.

    Args:
        objects: As `prepare` made them.
        policies: Those in force; None: nobody gave any.

    Raises:
        Malformed: something else is there, so that the object would be denied; the
            message says which.
    """
    return tuple(_declared(one, tuple(policies or ())) for one in objects)


def _declared(one: Prepared, policies: tuple[Policy, ...]) -> Prepared:
    kind, place = GroupKind(one.ref.group, one.ref.kind), place_of(one.ref)
    paths = tuple(
        path
        for policy in policies
        if policy.scope.holds(kind, place)
        for path in policy.images.paths
    )
    try:
        return replace(one, images=images(one.intent.tree, paths)) if paths else one
    except Malformed as error:
        raise Malformed(f"{name_of(one.manifest)}: {error}") from error


def _prepare(
    manifest: Tree,
    namespace: str,
    salt: Callable[[], bytes],
    beside: Mapping[ObjectRef, bytes],
    kinds: Kinds,
) -> Prepared:
    try:
        carried = read_annotations(_annotations(manifest))
        kept = read_intent(carried.intent) if carried.intent else None
        known = kept or _beside(manifest, namespace, beside)
        _require_safe(manifest, "")
        intent = canonical(
            manifest,
            namespace=namespace,
            salt=(known and salt_of(known.tree)) or salt(),
            kinds=kinds,
        )
    except Malformed as error:
        raise Malformed(f"{name_of(manifest)}: {error}") from error
    stale = kept is not None and kept.digest != intent.digest
    return Prepared(
        manifest=_placed(manifest, intent.tree),
        ref=_ref(intent.tree),
        version=str(intent.tree["apiVersion"]).rpartition("/")[2],
        intent=intent,
        images=images(intent.tree),
        bundles=() if stale else carried.bundles,
        carries={} if stale else _own(manifest),
        stale=stale,
    )


def _require_safe(value: Json, path: str) -> None:
    """Refuse an integer that canonical JSON cannot hold, and say where it stands."""
    if isinstance(value, dict):
        for key, item in value.items():
            _require_safe(item, f"{path}/{token(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _require_safe(item, f"{path}/{index}")
    elif isinstance(value, int) and abs(value) > MAX_SAFE:
        raise Malformed(
            f"{path}: expected an integer of at most 2^53, which JSON's readers agree "
            f"on, saw {value}: quote it, if the field takes text"
        )


def _beside(
    manifest: Tree, namespace: str, beside: Mapping[ObjectRef, bytes]
) -> Intent | None:
    """Return the intent that a BundleSet has for a Secret: its salt must stay."""
    if not is_secret(manifest):
        return None
    ref = _ref(manifest)
    raw = beside.get(replace(ref, namespace=ref.namespace or namespace))
    return None if raw is None else read_intent(raw)


def _own(manifest: Tree) -> Tree:
    """Return our annotations."""
    said = _annotations(manifest).items()
    return {key: value for key, value in said if key.startswith(OWN_PREFIX)}


def _with_annotations(manifest: Tree, more: Mapping[str, Json]) -> Tree:
    if not more:
        return manifest
    annotations = {**_annotations(manifest), **more}
    metadata = {**_metadata(manifest), "annotations": annotations}
    return {**manifest, "metadata": metadata}


def _ref(intent: Tree) -> ObjectRef:
    metadata = _metadata(intent)
    return ObjectRef(
        group=str(intent["apiVersion"]).rpartition("/")[0],
        kind=str(intent["kind"]),
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        generate_name=str(metadata.get("generateName", "")),
    )


def _placed(manifest: Tree, intent: Tree) -> Tree:
    """Fill in the namespace, and take our annotations off."""
    metadata = _metadata(manifest)
    if namespace := _metadata(intent).get("namespace"):
        metadata = {**metadata, "namespace": namespace}
    if "annotations" in metadata:
        plain = {
            key: value
            for key, value in _annotations(manifest).items()
            if not key.startswith(OWN_PREFIX)
        }
        metadata = {k: v for k, v in metadata.items() if k != "annotations"}
        metadata |= {"annotations": plain} if plain else {}
    return {**manifest, "metadata": metadata}


def _annotations(manifest: Tree) -> Tree:
    annotations = _metadata(manifest).get("annotations") or {}
    if not isinstance(annotations, dict):
        raise Malformed("/metadata/annotations: expected a map")
    return annotations


def _metadata(manifest: Tree) -> Tree:
    metadata = manifest.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise Malformed("/metadata: expected an object")
    return metadata


def name_of(manifest: Tree) -> str:
    """Name an object that may be broken, for a person."""
    metadata = manifest.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    return f"{manifest.get('kind', 'object')}/{name}"[:200]
