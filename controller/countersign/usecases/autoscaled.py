"""How far a signed autoscaler may move a number: its own minimum and maximum.

Who signs a HorizontalPodAutoscaler signs the range, and the object that it is for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from countersign.binding.actors import controllers
from countersign.binding.derivations.kin import number, text
from countersign.core.types.artifacts import Digest, ObjectRef, Tree
from countersign.core.types.policy import Policy
from countersign.ports import ClusterState
from countersign.usecases.owners import Owners

AUTOSCALER = controllers("horizontal-pod-autoscaler")
_VERSION, _GROUP, _KIND = "v2", "autoscaling", "HorizontalPodAutoscaler"
_TARGET = "/spec/scaleTargetRef"
_LEAST = 1  # what the server takes for a minimum that is absent


@dataclass(frozen=True, slots=True)
class Span:
    """What one autoscaler may choose, both ends included, and what it stands on."""

    lowest: int
    highest: int
    bundles: tuple[Digest, ...]

    def holds(self, wanted: int) -> bool:
        """Tell whether `wanted` may be chosen."""
        return self.lowest <= wanted <= self.highest


async def spans(
    state: ClusterState,
    owners: Owners,
    target: ObjectRef,
    policies: Iterable[Policy],
) -> Mapping[str, tuple[Span, ...]]:
    """Return what signed autoscalers of `target` may choose, by the policy's name.

    Args:
        state: The cluster: which autoscalers there are is always asked anew.
        owners: Tells what a live object stands on.
        target: What would be scaled.
        policies: For which the autoscaler must be authentic, each for itself.

    Raises:
        Unavailable: the API server did not answer.
        Malformed: an autoscaler is not what it is called.
    """
    asked, found = tuple(policies), dict[str, tuple[Span, ...]]()
    kind = ObjectRef(_GROUP, _KIND, target.namespace, "")
    for tree in _aimed_at(target, await state.list(_VERSION, kind)):
        standing = await owners.standing(tree, asked)
        for policy, bundles in standing.items():
            span = Span(
                number(tree, "/spec/minReplicas", _LEAST),
                number(tree, "/spec/maxReplicas", -1),
                bundles,
            )
            found[policy] = (*found.get(policy, ()), span)
    return found


def _aimed_at(target: ObjectRef, trees: Iterable[Tree]) -> Iterator[Tree]:
    """Yield the autoscalers that name `target`, whatever version they name it by."""
    for tree in trees:
        group = text(tree, f"{_TARGET}/apiVersion").rpartition("/")[0]
        kind, name = text(tree, f"{_TARGET}/kind"), text(tree, f"{_TARGET}/name")
        if (group, kind, name) == (target.group, target.kind, target.name):
            yield tree
