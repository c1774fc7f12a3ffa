"""The canonical intent (C0): what a person signs of a manifest.

It does not depend on the version of a cluster: no default is filled in, only what
cannot be meant is taken out. Its digest is the SHA-256 of its canonical JSON
(RFC 8785). What a server would drop or overwrite in silence is refused, because then
the object could never equal what was signed.
"""

from functools import lru_cache

import orjson
import rfc8785

from countersign.binding.kinds import BUILT_IN, Kinds, is_custom
from countersign.binding.masking import is_secret, mask, masked_part, salt_of
from countersign.binding.normal_form import LAST_APPLIED, OWN_PREFIX, SERVER_OWNED
from countersign.binding.plan import is_plan, require_plan
from countersign.binding.scalars import SCALARS
from countersign.binding.tables import (
    TYPES,
    Either,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
    kind_key,
    kind_of,
    shape_of,
)
from countersign.binding.tree import Struct, Value, token
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Intent, Tree

_METADATA = Structure(pointer=False, type="meta/v1.ObjectMeta")
_OF_IMAGES = frozenset({"config", "layers", "manifests", "fslayers"})
"""Fields of image manifests and indexes of all versions, whose items have digests."""

_REMEMBERED, _SMALL = 128, 16 * 2**10  # intents, and bytes of each: 16 MiB of trees


def canonical(
    manifest: Tree,
    *,
    namespace: str = "",
    salt: bytes = b"",
    kinds: Kinds = BUILT_IN,
) -> Intent:
    """Return the canonical intent of a manifest.

    Taken out: null fields, an empty status, our own annotations and
    ``last-applied-configuration``. Nulls in lists and maps are values and stay.

    Of a custom resource only the metadata is read. All else is signed as it is
    written, so that a signature does not depend on a definition that may change. But
    what registries would keep as an image is refused: whoever signed for the object
    would have named an image.

    Args:
        manifest: One object as written by its author; lists are expanded before.
        namespace: Where a manifest that names no namespace goes, as ``kubectl -n``;
            without effect on kinds that are known to be cluster-scoped. A custom
            resource of an unknown kind is taken for namespaced if there is any.
        salt: For a Secret that is not yet masked: 32 random bytes.
        kinds: Tell whether a custom resource lives in a namespace.

    Raises:
        Malformed: unsupported kind; unknown field or wrong type; a field that the
            server owns; no name; no namespace, another than `namespace`, or one on a
            cluster-scoped built-in kind; an integer beyond 2**53; nested too deeply; an
            image manifest or index at the same time.
    """
    if is_custom(manifest):
        return _custom(manifest, namespace, kinds)
    if is_plan(manifest):
        return _plan(manifest, namespace, salt)
    kind = kind_of(manifest)
    if is_secret(manifest) and "salt" not in manifest:
        manifest = mask(manifest, salt)
    masked = masked_part(manifest)
    plain = {
        k: v for k, v in manifest.items() if k not in ("salt", "data") or not masked
    }
    try:
        tree: Struct = _clean(plain, Structure(pointer=False, type=kind.type), "")
    except RecursionError as error:
        raise Malformed("expected a manifest, saw one nested too deeply") from error
    if kind.status:
        _drop_status(tree)
    metadata = _clean_metadata(tree)
    _place(metadata, namespace, namespaced=kind.namespaced)
    return _intent(tree | masked)


def _plan(manifest: Tree, namespace: str, salt: bytes) -> Intent:
    """Return the canonical intent of a plan, masked."""
    tree: Struct = {**(manifest if "salt" in manifest else mask(manifest, salt))}
    salt_of(tree)
    about = tree.get("metadata")
    tree["metadata"] = _clean({} if about is None else about, _METADATA, "/metadata")
    metadata = _clean_metadata(tree)
    require_plan(tree)
    _place(metadata, namespace, namespaced=True)
    return _intent(tree)


def _custom(manifest: Tree, namespace: str, kinds: Kinds) -> Intent:
    """Return the canonical intent of a custom resource.

    Whether its kind has namespaces, nobody may know here. An intent that is wrong about
    it equals no object: the server shows the namespace where there is one.
    """
    _refuse_image(manifest)
    namespaced = kinds.is_namespaced(manifest)
    about = manifest.get("metadata")
    try:
        metadata = _clean({} if about is None else about, _METADATA, "/metadata")
    except RecursionError as error:
        raise Malformed("expected a manifest, saw one nested too deeply") from error
    tree: Struct = {**manifest, "metadata": metadata}
    _clean_metadata(tree)
    if namespaced is None:
        namespaced = bool(namespace or metadata.get("namespace"))
    _place(metadata, namespace, namespaced=namespaced)
    return _intent(tree)


def _refuse_image(manifest: Tree) -> None:
    """Refuse a manifest that is one of an image as well, or an index of some.

    Then one digest would stand for both. Runtimes read names in any letters (Go's
    ``encoding/json``), and pass over fields that they do not know.
    """
    for name, value in manifest.items():
        some = value if type(value) is list else [value]
        if name.casefold() in _OF_IMAGES and any(_names_blob(item) for item in some):
            raise Malformed(
                f"/{name[:80]}: expected an object that is no image as well, saw "
                "digests as in an image manifest"
            )


def _names_blob(value: Value) -> bool:
    names = {name.casefold() for name in value} if type(value) is dict else set()
    return bool(names & {"digest", "blobsum"})


def _intent(tree: Struct) -> Intent:
    data = canonical_json(tree)
    return Intent(Digest.sha256(data), orjson.loads(data))


def read_intent(data: bytes) -> Intent:
    """Parse canonical JSON that claims to be a canonical intent.

    Args:
        data: The bytes, already bounded in size.

    Raises:
        Malformed: no JSON; not in canonical form, duplicate keys included; or not
            the canonical intent of what it describes.
    """
    return _remembered(data) if len(data) <= _SMALL else _read(data)


@lru_cache(maxsize=_REMEMBERED)  # a rollout shows the same one again and again
def _remembered(data: bytes) -> Intent:
    return _read(data)


def _read(data: bytes) -> Intent:
    try:
        tree = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Malformed("expected a JSON intent, saw something else") from error
    if type(tree) is not dict:
        raise Malformed("expected an intent to be an object")
    intent = canonical(tree)
    if intent.digest != Digest.sha256(data):
        raise Malformed("expected a canonical intent, saw another form of one")
    return intent


def canonical_json(tree: Value) -> bytes:
    """Return the canonical JSON of a tree (RFC 8785, JCS).

    Raises:
        Malformed: an integer beyond 2**53, NaN, or nested too deeply.
    """
    try:
        return rfc8785.dumps(tree)
    except rfc8785.CanonicalizationError as error:
        raise Malformed(f"expected plain JSON: {error}") from error
    except RecursionError as error:
        raise Malformed("expected plain JSON, saw it nested too deeply") from error


def _clean(value: Value, shape: Shape, path: str) -> Value:
    """Check a value against its shape and return it without null fields."""
    match shape:
        case Scalar(name=name):
            _check_scalar(value, name, path)
            return value
        case Structure(type=type_name):
            return _clean_struct(value, type_name, path)
        case Either():
            return _clean(value, shape_of(value, shape), path)
        case ListOf(item=item):
            if type(value) is not list:
                raise Malformed(f"{path}: expected a list")
            return [
                v if v is None else _clean(v, item, f"{path}/{i}")
                for i, v in enumerate(value)
            ]
        case MapOf(item=item):
            if type(value) is not dict:
                raise Malformed(f"{path}: expected a map")
            return {
                k: v if v is None else _clean(v, item, f"{path}/{token(k)}")
                for k, v in value.items()
            }


def _clean_struct(value: Value, type_name: str, path: str) -> Struct:
    if type(value) is not dict:
        raise Malformed(f"{path or '/'}: expected an object")
    fields = TYPES[type_name]
    for key in value:
        if key not in fields:
            raise Malformed(f"{path}/{token(key)[:80]}: unknown field")
    return {
        key: _clean(item, fields[key], f"{path}/{key}")
        for key, item in value.items()
        if item is not None
    }


def _check_scalar(value: Value, name: str, path: str) -> None:
    try:
        SCALARS[name](value)
    except Malformed as error:
        raise Malformed(f"{path}: {error}") from error


def _drop_status(tree: Struct) -> None:
    """Drop the empty status that generators leave; refuse any other."""
    if not _hollow(tree.pop("status", None)):
        raise Malformed("/status: owned by the server; remove it from the manifest")


def _hollow(value: Value) -> bool:
    """Tell whether nothing is said: null, zero, empty, or made of nothing else.

    What generators of CustomResourceDefinitions leave is
    ``{acceptedNames: {kind: "", plural: ""}, conditions: [], storedVersions: []}``.
    """
    if type(value) is dict:
        return all(_hollow(item) for item in value.values())
    return not value


def _clean_metadata(tree: Struct) -> Struct:
    """Refuse what the server owns and drop annotations that are no part of it."""
    metadata: Struct = tree.setdefault("metadata", {})
    for field in sorted(SERVER_OWNED & metadata.keys()):
        raise Malformed(f"/metadata/{field}: owned by the server; remove it")
    if not (metadata.get("name") or metadata.get("generateName")):
        raise Malformed(f"{kind_key(tree)}: expected a name, saw none")
    annotations = {
        key: value
        for key, value in metadata.pop("annotations", {}).items()
        if key != LAST_APPLIED and not key.startswith(OWN_PREFIX)
    }
    if annotations:
        metadata["annotations"] = annotations
    return metadata


def _place(metadata: Struct, namespace: str, *, namespaced: bool) -> None:
    """Make sure that the intent says where the object lives.

    Of what lives in none the server drops it in silence, so it cannot be meant.
    """
    written = metadata.get("namespace", "")
    if not namespaced:
        metadata.pop("namespace", None)
        return
    if written and namespace and written != namespace:
        raise Malformed(f"/metadata/namespace: expected {namespace}, saw {written}")
    if not (written or namespace):
        raise Malformed(
            "/metadata/namespace: expected a namespace, saw none: give --namespace"
        )
    metadata["namespace"] = written or namespace
