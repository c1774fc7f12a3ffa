"""Requests of real controllers, recorded once (see ``recorded/README.md``)."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from countersign.binding.surface import subject_of
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.wire.admission import API_VERSION, KIND, parse_review
from tests.support.world import Tree, World

_HERE = Path(__file__).parent / "recorded"
_OURS = "countersign.dev/"


def manifests() -> dict[str, Tree]:
    """Return what was applied, by name."""
    found: dict[str, Tree] = json.loads((_HERE / "manifests.json").read_text())
    return found


def recorded(world: World) -> Iterator[AdmissionRequest]:
    """Yield the requests, in their order, with bundles that `world` knows."""
    real = dict(_annotations(world))
    for line in gzip.decompress(
        (_HERE / "controllers.jsonl.gz").read_bytes()
    ).splitlines():
        request = _replaced(json.loads(line), real)
        review = {"apiVersion": API_VERSION, "kind": KIND, "request": request}
        yield parse_review(orjson.dumps(review))


def follow(world: World, request: AdmissionRequest) -> None:
    """Let `request` happen in `world`."""
    new: Tree | None = request.object
    old: Tree | None = request.old
    sub = request.resource.subresource
    if request.verb is Verb.DELETE and old is not None:
        options = request.options or {}
        lingers = options.get("propagationPolicy") in ("Foreground", "Orphan")
        if lingers or request.ref.kind == "Namespace":
            going = {**old["metadata"], "deletionTimestamp": "2026-11-22T12:00:00Z"}
            world.cluster.store({**old, "metadata": going})
        else:
            world.cluster.remove(old)
    elif new is not None and sub in ("", "status"):
        world.cluster.store(new)
    elif new is not None and sub == "scale":
        parent = world.cluster.live[subject_of(request)]
        parent["spec"]["replicas"] = new["spec"]["replicas"]
        world.cluster.store(parent)


def find(requests: list[AdmissionRequest], **wanted: Any) -> AdmissionRequest:
    """Return the first request that is like `wanted`.

    Args:
        requests: Recorded ones.
        **wanted: ``by`` (end of the user's name), ``kind``, ``verb``, ``subresource``,
            and ``name`` (its beginning).
    """
    for request in requests:
        if (
            request.requester.name.endswith(wanted.get("by", ""))
            and request.ref.kind == wanted.get("kind", request.ref.kind)
            and request.verb is wanted.get("verb", request.verb)
            and request.resource.subresource == wanted.get("subresource", "")
            and request.ref.name.startswith(wanted.get("name", ""))
        ):
            return request
    raise LookupError(wanted)


def _annotations(world: World) -> Iterator[tuple[str, str]]:
    """Yield what stands for what."""
    for name, manifest in manifests().items():
        signed = world.signed(manifest)["metadata"]["annotations"]
        yield f"bundles of {name}", signed[f"{_OURS}bundles"]
        yield f"intent of {name}", signed[f"{_OURS}intent"]


def _replaced(value: Any, real: dict[str, str]) -> Any:
    match value:
        case dict():
            return {k: _replaced(v, real) for k, v in value.items()}
        case list():
            return [_replaced(v, real) for v in value]
        case str():
            return real.get(value, value)
        case _:
            return value
