"""Sidecars: what a mutating webhook put into a Pod, if a policy describes it.

Only what the policy describes is completed, item by item: a container that merely has
the sidecar's name differs in all that the description does not say. It is done before
the server's own plugins are mirrored, since the API server runs those once more after a
webhook has changed a Pod.

Limits:
    What an injector *changes* in its author's containers cannot be described, only what
    it adds: an injector that rewrites probes must be told not to.

Source:
    ``Reinvocation`` in k8s.io/apiserver/pkg/admission/plugin/webhook/mutating.
"""

import copy
import re
from collections.abc import Iterable

from countersign.binding.derivations.kin import listing, mapping, part
from countersign.binding.podspecs import CONTAINER_LISTS, containers
from countersign.binding.tables import kind_key
from countersign.binding.tree import ABSENT, Struct, Value, find, put
from countersign.core.types.artifacts import Tree
from countersign.core.types.injection import PATTERN, Injection

POD = "v1/Pod"


def injected(intent: Tree, seen: Struct, injections: Iterable[Injection]) -> Tree:
    """Return the intent of a Pod with what was injected into the one that is seen.

    Args:
        intent: As signed, or as derived; returned as it is where nothing was injected.
        seen: Normal form of the Pod.
        injections: What the policy describes.
    """
    described = tuple(injections)
    if not described or kind_key(intent) != POD:
        return intent
    made = copy.deepcopy(intent)
    for injection in described:
        _marks(made, seen, injection)
        _into_containers(made, seen, injection)
        spec, shown = part(made, "spec"), seen.get("spec", {})
        _items(spec, shown, "initContainers", injection.init_containers)
        _items(spec, shown, "containers", injection.containers)
        _items(spec, shown, "volumes", injection.volumes)
        for path, value in injection.fields.items():
            there = find(seen, path)
            if there is not ABSENT and find(made, path) in (ABSENT, None):
                put(made, path, _filled(value, there))
    return made


def _marks(made: Struct, seen: Struct, injection: Injection) -> None:
    for field, described in (
        ("labels", injection.labels),
        ("annotations", injection.annotations),
    ):
        said = made["metadata"].get(field) or {}
        there = mapping(seen, f"/metadata/{field}")
        more = {
            key: _filled(value, there[key])
            for key, value in described.items()
            if key in there and key not in said
        }
        if more:
            made["metadata"][field] = said | more


def _into_containers(made: Struct, seen: Struct, injection: Injection) -> None:
    """Complete the author's own containers, which are found by name."""
    shown = {c.get("name"): c for c in containers(seen.get("spec", {}))}
    for field in CONTAINER_LISTS:
        for container in listing(made, f"/spec/{field}"):
            there = shown.get(container.get("name"), {})
            _items(container, there, "env", injection.env)
            mounts = injection.volume_mounts
            _items(container, there, "volumeMounts", mounts, key="mountPath")


def _items(
    holder: Struct,
    shown: Struct,
    field: str,
    described: tuple[Tree, ...],
    key: str = "name",
) -> None:
    """Insert what is described, where it is seen; what is called so already stays.

    By `key` the server tells the items apart, too: a volume may be mounted twice.
    """
    said = holder.get(field) or []
    taken = [item.get(key) for item in said]
    for at, there in enumerate(shown.get(field, [])):
        name = there.get(key)
        known = next((d for d in described if _filled(d.get(key), name) == name), None)
        if known is not None and name not in taken and at <= len(said):
            said = [*said[:at], _filled(known, there), *said[at:]]
            taken.append(name)
    if said:
        holder[field] = said


def _filled(described: Value, there: Value) -> Value:
    """Return what is described, with what is seen where a pattern allows it."""
    if type(described) is str and described.startswith(PATTERN):
        fits = type(there) is str and re.fullmatch(
            described.removeprefix(PATTERN), there
        )
        if fits:
            return there
        # else the text of the pattern itself would equal what is described
        return PATTERN + described if there == described else described
    if type(described) is dict and type(there) is dict:
        return {k: _filled(v, there.get(k, ABSENT)) for k, v in described.items()}
    if type(described) is list and type(there) is list:
        items = [*there, *[ABSENT] * len(described)]
        return [_filled(v, items[at]) for at, v in enumerate(described)]
    return copy.deepcopy(described)
