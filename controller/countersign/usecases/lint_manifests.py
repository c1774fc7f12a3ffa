"""Lints of manifests alone: what the server would make of them is not what is signed.

What can never be signed is refused where an intent is made of it: unknown fields, fields
of the server, integers that JSON cannot hold. Here is what depends on the cluster, or on
what was there before.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from countersign.binding.applied import applied
from countersign.binding.gated import gated
from countersign.binding.masking import is_secret
from countersign.binding.match import match
from countersign.binding.minors import MINORS, unknown_to
from countersign.binding.tables import supported
from countersign.binding.tree import Value, find, token
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Cause, Difference, Tree
from countersign.core.types.change import Elastic
from countersign.usecases.lint_kinds import Lint, LintKind
from countersign.usecases.prepare import Prepared

MAX_ANNOTATIONS = 256 * 2**10  # bytes of all keys and values; apimachinery's validation
_MAX_SHOWN = 10  # lints of one kind and object

# What tells the items of a list apart for the server's merges.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
}
_PORTS = (("containerPort", "protocol"), ("port", "protocol"), ("name",))
_NAMESPACE = "/metadata/namespace"
_REPLICAS = "/spec/replicas"
_SCALERS = "HorizontalPodAutoscaler"
_STICKING = frozenset({Cause.UNWRITTEN, Cause.KEPT, Cause.SCALED, Cause.REORDERED})
_RANDOM_KEY = re.compile(r"(?i).*(?:password|passwd|secret|token|key|salt).*")
_RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9]{8,64}")
_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by")


def manifest_lints(objects: Sequence[Prepared]) -> Iterator[Lint]:
    """Yield what is in the way of manifests, whatever the policy.

    Args:
        objects: All of the change: an autoscaler speaks of another one.
    """
    for one in objects:
        about, manifest = str(one.ref), one.manifest
        if supported(manifest):
            yield from _fields(manifest, about)
        if find(manifest, _NAMESPACE) and not one.ref.namespace:
            yield Lint(LintKind.NAMESPACE_DROPPED, about, path=_NAMESPACE)
        for check in _CHECKS:
            yield from check(manifest, about)
        for image in one.images:
            if image.digest is None and image.tag in ("", "latest"):
                yield Lint(LintKind.IMAGE_MOVES, about, image.reference)
    yield from _scaled(objects)


def sticking(
    one: Prepared, live: Tree | None, elastic: Collection[Elastic]
) -> tuple[Difference, ...]:
    """Return what an apply would leave otherwise than it is signed.

    Args:
        one: What is signed.
        live: The object as it is.
        elastic: What is signed as elastic.
    """
    if live is None or not supported(one.intent.tree):
        return ()
    landed = applied(live, one.manifest)
    try:
        found = match(
            one.intent.tree, landed, identity=one.ref, old=live, elastic=elastic
        )
    except Malformed:
        return ()  # others say so
    return tuple(each for each in found if each.cause in _STICKING)


def _fields(manifest: Tree, about: str) -> Iterator[Lint]:
    """Yield fields that some servers drop in silence."""
    for path, gate, since in gated(manifest):
        when = f"{gate}, on from 1.{since}" if since else gate
        yield Lint(LintKind.FIELD_GATED, about, when, path)
    minors: dict[str, list[str]] = {}
    for minor in reversed(MINORS):
        for path in unknown_to(minor, manifest):
            minors.setdefault(path, []).append(minor)
    for path, unknown in [*minors.items()][:_MAX_SHOWN]:
        kind = LintKind.FIELD_UNKNOWN if path else LintKind.API_UNKNOWN
        yield Lint(kind, about, ", ".join(unknown), path)


def _policy_types(manifest: Tree, about: str) -> Iterator[Lint]:
    """Yield the default that does not follow when rules for egress are added later."""
    spec = manifest.get("spec")
    if manifest.get("kind") != "NetworkPolicy" or type(spec) is not dict:
        return
    if spec.get("egress") and not spec.get("policyTypes"):
        said = json.dumps(["Ingress", "Egress"])
        yield Lint(LintKind.DEFAULT_DEPENDS, about, said, "/spec/policyTypes")


def _twice(manifest: Tree, about: str) -> Iterator[Lint]:
    """Yield items of a list that have one name: apply keeps one of them."""
    found = [
        Lint(LintKind.NAMED_TWICE, about, name, path)
        for field, items, path in _lists(manifest, "", "")
        for name, path in _repeated(field, items, path)
    ]
    yield from found[:_MAX_SHOWN]


def _lists(value: Value, field: str, path: str) -> Iterator[tuple[str, Value, str]]:
    if type(value) is dict:
        for key, item in value.items():
            yield from _lists(item, key, f"{path}/{token(key)}")
    elif type(value) is list:
        yield field, value, path
        for index, item in enumerate(value):
            yield from _lists(item, "", f"{path}/{index}")


def _repeated(field: str, items: Value, path: str) -> Iterator[tuple[str, str]]:
    """Yield the name and place of each item that comes a second time."""
    ways = _PORTS if field == "ports" else (_KEYS[field],) if field in _KEYS else ()
    for keys in ways:
        seen = set()
        for index, item in enumerate(items):
            if type(item) is not dict or keys[0] not in item:
                continue
            name = "/".join(str(item[key]) for key in keys if key in item)
            if name in seen:
                yield name, f"{path}/{index}"
            seen.add(name)


def _size(manifest: Tree, about: str) -> Iterator[Lint]:
    """Yield what client-side apply cannot send: it copies all into an annotation."""
    annotations = find(manifest, "/metadata/annotations")
    said = annotations if type(annotations) is dict else {}
    own = sum(len(f"{key}{value}".encode()) for key, value in said.items())
    size = own + len(json.dumps(manifest, separators=(",", ":")).encode())
    if size > MAX_ANNOTATIONS:
        yield Lint(LintKind.TOO_LARGE, about, str(size), "/metadata/annotations")


def _generated(manifest: Tree, about: str) -> Iterator[Lint]:
    """Yield values of Secrets from charts that look made up: the next render differs."""
    labels = find(manifest, "/metadata/labels")
    marked = type(labels) is dict and not labels.keys().isdisjoint(_HELM)
    if not (marked and is_secret(manifest)):
        return
    for field in ("data", "stringData"):
        values = manifest.get(field)
        for key, value in values.items() if type(values) is dict else ():
            text = _plain(value) if field == "data" else value
            known = type(text) is str and _RANDOM.fullmatch(text)
            if known and _RANDOM_KEY.fullmatch(key):
                yield Lint(LintKind.GENERATED, about, "", f"/{field}/{token(key)}")


def _plain(value: Value) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _scaled(objects: Sequence[Prepared]) -> Iterator[Lint]:
    """Yield a number that each apply takes back from an autoscaler of the same change."""
    for scaler in (one.manifest for one in objects if one.ref.kind == _SCALERS):
        named = find(scaler, "/spec/scaleTargetRef/name")
        kind = find(scaler, "/spec/scaleTargetRef/kind")
        for one in objects:
            written = type(find(one.manifest, _REPLICAS)) is int
            if written and (one.ref.kind, one.ref.name) == (kind, named):
                yield Lint(LintKind.SCALED_BY, str(one.ref), path=_REPLICAS)


_CHECKS: tuple[Callable[[Tree, str], Iterator[Lint]], ...] = (
    _policy_types,
    _twice,
    _size,
    _generated,
)
