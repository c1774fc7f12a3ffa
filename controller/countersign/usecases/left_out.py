"""Left out: what a release held and holds no more, and hooks that are in its way.

Who brings a release out removes what is no longer part of it, so that is part of the
change (rule 15). Signed are objects that are live, by their uid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from countersign.binding.tree import find
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.ports import ClusterState
from countersign.usecases.prepare import Prepared
from countersign.usecases.sheet import Removal

_HOOK = "/metadata/annotations/helm.sh~1hook"
_POLICY = "/metadata/annotations/helm.sh~1hook-delete-policy"
_KEPT = "/metadata/annotations/helm.sh~1resource-policy"
_BEFORE = "before-hook-creation"
_CRD_HOOK = "crd-install"  # of Helm 2; nobody runs it


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What is to go.

    Attributes:
        removals: Live objects.
        gone: What the release held and what is not there any more.
        kept: What Helm was told to leave where it is.
    """

    removals: tuple[Removal, ...] = ()
    gone: tuple[ObjectRef, ...] = ()
    kept: tuple[ObjectRef, ...] = ()


async def left_out(
    objects: Sequence[Prepared],
    previous: Iterable[tuple[Tree, Removal]],
    cluster: ClusterState,
) -> LeftOut:
    """Return what goes with a release.

    That is what it held and holds no more, unless its live object has the annotation
    ``helm.sh/resource-policy: keep``; and of each hook of the new release the object
    that its last run left behind, if Helm removes that before the next run. Hooks that
    were dropped stay: no tool removes them.

    Args:
        objects: Of the new release.
        previous: Manifests of the old one, and which objects they are.
        cluster: Shows what is live.

    Raises:
        Unavailable: the cluster did not answer: nobody signs what could not be seen.

    Source:
        helm.sh/helm/v4, ``pkg/kube/client.go`` (Update) and ``pkg/action/hooks.go``
        (hooksDeleteBefore...).
    """
    now = {one.ref for one in objects}
    removals: list[Removal] = []
    gone: list[ObjectRef] = []
    kept: list[ObjectRef] = []
    for tree, one in previous:
        if one.ref in now or find(tree, _HOOK):
            continue
        live = await cluster.get(one.version, one.ref, live=True)
        if live is None:
            gone.append(one.ref)
        elif find(live, _KEPT) == "keep":
            kept.append(one.ref)
        else:
            removals.append(one)
    hooks = (one for one in objects if one.ref.name and is_replaced(one.manifest))
    removals += [
        Removal(ref=hook.ref, version=hook.version)
        for hook in hooks
        if await cluster.get(hook.version, hook.ref, live=True) is not None
    ]
    return LeftOut(removals=tuple(removals), gone=tuple(gone), kept=tuple(kept))


def is_replaced(tree: Tree) -> bool:
    """Tell whether it is a hook whose last run Helm removes before the next one."""
    hook, policy = find(tree, _HOOK), find(tree, _POLICY)
    if type(hook) is not str or not hook or hook == _CRD_HOOK:
        return False
    # without any policy this one holds
    return type(policy) is not str or not policy or _BEFORE in _words(policy)


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",")}
