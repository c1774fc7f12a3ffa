"""Recorded children of controllers, each with the owner that was live then."""

from functools import cache
from typing import Any

from countersign.binding.children import DERIVATIONS, compare
from countersign.binding.deletions import controller_of
from countersign.binding.derivations.kin import Kin
from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import Difference
from countersign.core.types.request import AdmissionRequest, Verb
from tests.support.recording import find, follow, recorded
from tests.support.world import World, ref_of

REQUESTS = list(recorded(World()))
CHILDREN = {
    "deployment-replicaset": {"by": "deployment-controller", "kind": "ReplicaSet"},
    "replicaset-pod": {"by": "replicaset-controller", "kind": "Pod"},
    "job-pod": {"by": "job-controller", "name": "once"},
    "indexed-job-pod": {"by": "job-controller", "name": "indexed-1"},
    "cronjob-job": {"by": "cronjob-controller", "kind": "Job"},
    "service-endpoints": {"by": "endpoint-controller", "name": "ledger"},
    "service-endpointslice": {"by": "endpointslice-controller", "name": "ledger"},
    "endpoints-endpointslice": {"by": "endpointslicemirroring-controller"},
}


@cache
def family(name: str, verb: Verb = Verb.CREATE) -> tuple[AdmissionRequest, Kin]:
    """Return a recorded child with the owner that was live then."""
    wanted = find(REQUESTS, **CHILDREN[name], verb=verb)
    world = World()
    for request in recorded(world):
        if request.uid == wanted.uid:
            break
        follow(world, request)
    child: Any = wanted.object
    pods = tuple(t for r, t in world.cluster.live.items() if r.kind == "Pod")
    claim = controller_of(child)
    kind = claim.kind.kind if claim else "Service"
    owner = next(
        tree
        for ref, tree in world.cluster.live.items()
        if ref.kind == kind
        and ref.name == (claim.name if claim else child["metadata"]["name"])
    )
    return wanted, Kin(owner=owner, child=child, old=wanted.old, pods=pods)


def differ(kin: Kin) -> tuple[Difference, ...]:
    """Compare a child with what its owner makes of it."""
    child_kind = kin.child["kind"]
    (way,) = (
        way
        for (owner, child), way in DERIVATIONS.items()
        if child.kind == child_kind and owner.kind == kin.owner["kind"]
    )
    return compare(way, kin, ref_of(kin.child), ClusterFacts())
