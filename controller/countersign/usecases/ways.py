"""All doors of one cluster, as its present kinds have them."""

from dataclasses import replace

from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import Kinds
from countersign.core.types.request import AdmissionRequest
from countersign.ports import BundleSource, Clock, ClusterState, Prover
from countersign.usecases.beside import BesideDoor
from countersign.usecases.doors import Doors
from countersign.usecases.gather import Gatherer
from countersign.usecases.images import Looks
from countersign.usecases.kept import Keeper
from countersign.usecases.signed import SignedDoor


class Ways:
    """The doors, and what judges the end of a BundleSet.

    Args:
        state: The cluster.
        prover: Makes evidence of bundles.
        sets: Evidence beside objects.
        clock: The present.
        cluster: Our cluster's name.
        settings: Of the cluster, the kinds it knows included.
        looks: What a request sees of registries; None: nothing.
    """

    def __init__(
        self,
        *,
        state: ClusterState,
        prover: Prover,
        sets: BundleSource,
        clock: Clock,
        cluster: str,
        settings: ClusterFacts,
        looks: Looks | None = None,
    ) -> None:
        self.settings = settings
        gatherer = Gatherer(prover, sets, looks)
        self.doors = Doors(state, gatherer, clock, cluster, settings)
        self.signed = SignedDoor(state, gatherer, clock, cluster, settings)
        self.beside = BesideDoor(state, gatherer, clock, cluster)
        self.keeper = Keeper(state, prover, sets, cluster, settings, looks=looks)
        self._state, self._prover, self._sets = state, prover, sets
        self._clock, self._cluster = clock, cluster

    def knowing(self, kinds: Kinds) -> "Ways":
        """Return the same doors with other kinds; these where nothing changed."""
        if kinds is self.settings.kinds:
            return self
        return self._with(replace(self.settings, kinds=kinds), None)

    def seeing(self, looks: Looks) -> "Ways":
        """Return the same doors for one request that sees registries."""
        return self._with(self.settings, looks)

    def _with(self, settings: ClusterFacts, looks: Looks | None) -> "Ways":
        return Ways(
            state=self._state,
            prover=self._prover,
            sets=self._sets,
            clock=self._clock,
            cluster=self._cluster,
            settings=settings,
            looks=looks,
        )


def named(request: AdmissionRequest, kinds: Kinds) -> AdmissionRequest:
    """Say of a subresource of a custom resource which kind it is of.

    For ``/scale`` the API server shows a Scale, whatever is scaled.
    """
    resource = request.resource
    kind = kinds.behind(resource.group, resource.name)
    if not (kind and resource.subresource):
        return request
    return replace(request, ref=replace(request.ref, group=resource.group, kind=kind))
