"""Nothing in a child of a controller is free but what the controller chooses."""

import copy
import re
from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.derivations.kin import Kin
from countersign.binding.match import same
from countersign.core.errors import Malformed
from countersign.core.types.request import Verb
from tests.support.families import CHILDREN, differ, family
from tests.support.mutations import stepped, steps
from tests.support.world import Tree

TRIGGER = r"/metadata/annotations(/endpoints\.kubernetes\.io~1last-change\S*)?"
LESS = r"(None|ABSENT|\[\]|\{\})"
# What a controller chooses: which of what it may write, and how it prefers among it.
CHOSEN = {
    "deployment-replicaset": (
        r"/metadata/annotations/deployment\.kubernetes\.io~1\S+ = .*",
        r"/spec/replicas = .*",
    ),
    "indexed-job-pod": (r"/metadata/annotations/batch\S+job-index-\S+ = .*",),
    "service-endpoints": (
        rf"{TRIGGER} = {LESS}",
        rf"/subsets = (\[{LESS}\]|\[{{'\w+': \[\]}}\]|{LESS})",
        rf"/subsets/0(/(addresses|ports)(/\d)?(/nodeName|/targetRef|/name)?)? = {LESS}",
        r"/subsets/0/(addresses|ports) = \[(.*)\]",  # in another order, or twice
        r"/subsets = \[(.*)\]",
    ),
    "service-endpointslice": (
        rf"{TRIGGER} = {LESS}",
        r"/addressType = .*",
        rf"/(endpoints|ports)(/\d(/nodeName|/targetRef|/appProtocol)?)? = {LESS}",
        r"/(endpoints|ports) = \[(.*)\]",
        r"/endpoints/\d/(conditions|hints|zone)\S* = .*",
    ),
    "endpoints-endpointslice": (
        rf"{TRIGGER} = {LESS}",
        r"/addressType = .*",
        rf"/(endpoints|ports)(/\d)? = {LESS}",
        r"/(endpoints|ports) = \[(.*)\]",
        r"/endpoints/\d/(conditions|hints|zone)\S* = .*",
    ),
}
STEPS = [(name, Verb.CREATE) for name in CHILDREN] + [
    ("service-endpoints", Verb.UPDATE),
    ("service-endpointslice", Verb.UPDATE),
]


@pytest.mark.parametrize(("name", "verb"), STEPS)
def test_nothing_else_in_a_child_is_free(name: str, verb: Verb) -> None:
    """Every step away from it is noticed. Fails if, say, annotations are left out."""
    _, kin = family(name, verb)
    free = re.compile("|".join(CHOSEN.get(name, ("nothing",))))
    plain = _plain(kin.child)
    unseen = [
        named
        for step in steps(plain)
        for named in [f"{step[0]} = {step[1]!r}"]
        for mutant in [stepped(plain, step)]
        if not free.fullmatch(named)
        and not _same(kin.child, mutant)
        and not _noticed(kin, mutant)
    ]

    assert unseen == []


def _plain(tree: Any) -> Any:
    made = copy.deepcopy(tree)
    for field in ("creationTimestamp", "generation", "uid", "resourceVersion"):
        made["metadata"].pop(field, None)
    made.pop("status", None)
    return made


def _same(child: Tree, mutant: Tree) -> bool:
    try:
        return same(_plain(child), mutant)
    except Malformed:
        return False


def _noticed(kin: Kin, mutant: Any) -> bool:
    child: Any = kin.child
    mutant["metadata"]["uid"] = child["metadata"]["uid"]
    try:
        return bool(differ(replace(kin, child=mutant)))
    except Malformed:
        return True  # refused altogether
