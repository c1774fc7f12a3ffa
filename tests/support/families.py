"""Recorded children of controllers, each with the owner that was live then."""

from functools import cache

from countersign.binding.children import DERIVATIONS, compare
from countersign.binding.deletions import controller_of
from countersign.binding.derivations.kin import Kin
from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import Difference
from countersign.core.types.request import AdmissionRequest, Verb
from tests.support.recording import find, follow, recorded
from tests.support.world import Tree, World, ref_of

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


def scene(name: str, verb: Verb = Verb.CREATE) -> tuple[World, AdmissionRequest]:
    """Return the world just before a child was asked for, and the request for it."""
    wanted = find(REQUESTS, **CHILDREN[name], verb=verb)
    world = World()
    for request in recorded(world):
        if request.uid == wanted.uid:
            return world, request
        follow(world, request)
    raise LookupError(name)


def owner_of(world: World, request: AdmissionRequest) -> Tree:
    """Return the live object that a child names, or is named after."""
    claim = controller_of(request.object or {})
    kind, name = ("Service", request.ref.name)
    if claim:
        kind, name = claim.kind.kind, claim.name
    return next(
        tree
        for ref, tree in world.cluster.live.items()
        if (ref.kind, ref.name) == (kind, name)
    )


@cache
def family(name: str, verb: Verb = Verb.CREATE) -> tuple[AdmissionRequest, Kin]:
    """Return a recorded child with the owner that was live then."""
    world, request = scene(name, verb)
    pods = tuple(t for r, t in world.cluster.live.items() if r.kind == "Pod")
    owner, child = owner_of(world, request), request.object or {}
    return request, Kin(owner=owner, child=child, old=request.old, pods=pods)


def differ(kin: Kin) -> tuple[Difference, ...]:
    """Compare a child with what its owner makes of it."""
    child_kind = kin.child["kind"]
    (way,) = (
        way
        for (owner, child), way in DERIVATIONS.items()
        if child.kind == child_kind and owner.kind == kin.owner["kind"]
    )
    return compare(way, kin, ref_of(kin.child), ClusterFacts())
