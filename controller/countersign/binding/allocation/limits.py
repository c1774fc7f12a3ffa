"""Requests and limits that the LimitRanges of a namespace fill into its Pods.

Source:
    plugin/pkg/admission/limitranger/admission.go
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from countersign.binding.comparison import Comparison, annotate, annotations
from countersign.binding.facts import limit_ranges
from countersign.binding.normal_form import normal_form
from countersign.binding.podspecs import containers
from countersign.binding.tree import Struct
from countersign.core.types.artifacts import Tree

MAX_RANGES = 5  # of a namespace that fill in anything; each order of them is tried
ANNOTATION = "kubernetes.io/limit-ranger"
_SAID = "LimitRanger plugin set: "
_NOTE = re.compile(r"(.+) (request|limit) for (init container|container) (\S+)")
_LISTS = (("container", "containers"), ("init container", "initContainers"))
_WORDS = ("request", "limit")


@dataclass(frozen=True, slots=True)
class _Range:
    """What one LimitRange gives a container: quantities by resource, in normal form."""

    request: Struct
    limit: Struct


def limit_containers(sides: Comparison) -> None:
    """Fill in the defaults of the namespace's LimitRanges, and say so in an annotation.

    The server asks its cache for them, which has no order: of several, which one comes
    first, and which last writes the annotation, is chance. So it is the order that
    makes what is seen; where none does, any.

    Limits:
        `MAX_RANGES`; of more none is believed.
    """
    ranges = _ranges(sides)
    if not ranges or len(ranges) > MAX_RANGES:
        return
    spec, said = sides.spec(), annotations(sides.seen).get(ANNOTATION)
    made = (_limited(spec, order) for order in permutations(ranges))
    fitting = (
        each for each in made if each[1] == said and _equal(each[0], sides.seen_spec())
    )
    limited, text = next(fitting, None) or _limited(spec, tuple(ranges))
    spec.update({name: found for name, found in limited.items() if found})
    if text:
        annotate(sides.wanted, ANNOTATION, text)


def _limited(spec: Struct, order: tuple[_Range, ...]) -> tuple[Struct, str]:
    """Return the containers that LimitRanges in this order make, and what they say."""
    limited: Struct = {name: copy.deepcopy(spec.get(name, [])) for _, name in _LISTS}
    return limited, _limit(limited, order)


def _equal(limited: Struct, seen: Struct) -> bool:
    return all(
        [container.get("resources") for container in found]
        == [container.get("resources") for container in seen.get(name, [])]
        for name, found in limited.items()
    )


def keep_limits(sides: Comparison) -> None:
    """Keep on UPDATE what was filled in at first: nothing is filled in a second time.

    That is what the old annotation names, and what a LimitRange still gives.
    """
    noted = _noted(annotations(sides.old or {}).get(ANNOTATION, ""))
    ranges = _ranges(sides)
    for title, name in _LISTS:
        trios = (side.get(name, []) for side in _specs(sides))
        for wanted, seen, old in zip(*trios, strict=False):
            for word in _WORDS:
                kept = _kept(seen, old, word)
                for resource, amount in kept.items():
                    if (title, wanted.get("name"), word, resource) in noted or any(
                        getattr(each, word).get(resource) == amount for each in ranges
                    ):
                        resources = wanted.setdefault("resources", {})
                        resources.setdefault(f"{word}s", {}).setdefault(
                            resource, amount
                        )


def _specs(sides: Comparison) -> tuple[Struct, Struct, Struct]:
    return sides.spec(), sides.seen_spec(), sides.old_spec()


def _kept(seen: Struct, old: Struct, word: str) -> Struct:
    """Return the amounts that a container had before and has now."""
    now, then = (c.get("resources", {}).get(f"{word}s", {}) for c in (seen, old))
    return {name: now[name] for name in now if now[name] == then.get(name)}


def _noted(text: str) -> set[tuple[str, str, str, str]]:
    """Read the annotation: kind of container, its name, the word, the resource."""
    notes = text.removeprefix(_SAID).split("; ") if text.startswith(_SAID) else []
    return {
        (found[3], found[4], found[2], resource)
        for note in notes
        if (found := _NOTE.fullmatch(note))
        for resource in found[1].split(", ")
    }


def _ranges(sides: Comparison) -> list[_Range]:
    """Return the LimitRanges of the namespace that fill in anything."""
    found = (_defaults(t) for t in sides.facts.answers(limit_ranges(sides.namespace)))
    return [each for each in found if each.request or each.limit]


def _defaults(tree: Tree) -> _Range:
    """``defaultContainerResourceRequirements``: of several items the later wins."""
    given = _Range({}, {})
    named = {**tree, "apiVersion": "v1", "kind": "LimitRange"}  # not in a list's items
    for item in normal_form(named).get("spec", {}).get("limits", []):
        if item.get("type") == "Container":
            given.request.update(item.get("defaultRequest", {}))
            given.limit.update(item.get("default", {}))
    return given


def _limit(spec: Struct, order: tuple[_Range, ...]) -> str:
    """``PodMutateLimitFunc`` with each: return what the last one says, if it does."""
    text = ""
    for each in order:
        notes = [
            note
            for title, name in _LISTS
            for container in containers(spec, name)
            for note in _limit_container(container, title, each)
        ]
        text = _SAID + "; ".join(notes) if notes else text
    return text


def _limit_container(container: Struct, title: str, given: _Range) -> Iterator[str]:
    """``mergeContainerResources``: fill in what is missing and yield what to say."""
    resources = container.get("resources", {})
    for word in _WORDS:
        said, defaults = resources.get(f"{word}s", {}), getattr(given, word)
        if missing := sorted(defaults.keys() - said.keys()):
            resources[f"{word}s"] = {**defaults, **said}
            container["resources"] = resources
            name = container.get("name", "")
            yield f"{', '.join(missing)} {word} for {title} {name}"
