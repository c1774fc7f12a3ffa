"""Argo CD's hooks: the finalizer they get, and their end.

Argo CD puts a finalizer on each hook that it makes, takes it off once it has seen how
the run ended, and removes the hook when its delete policy says so. What is a hook, and
when it goes, stands in annotations: they count where people signed them.

Source:
    argo-cd/gitops-engine, ``pkg/sync/hook`` and ``pkg/sync/sync_context.go``.
"""

from countersign.binding.delta import judged_changes
from countersign.binding.edits import Edit, removes
from countersign.binding.runs import has_run
from countersign.binding.tree import Struct, find, token
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.request import AdmissionRequest, Verb

RULE = "argocd-hook"
HOOK_FINALIZER = "argocd.argoproj.io/hook-finalizer"

_HOOK, _POLICY = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"
_HELM_HOOK, _HELM_POLICY = "helm.sh/hook", "helm.sh/hook-delete-policy"
_SKIP = "Skip"
_PHASES = frozenset({"PreSync", "Sync", "PostSync", "SyncFail"})
_HELM_PHASES = frozenset({"pre-install", "pre-upgrade", "post-install", "post-upgrade"})
_POLICIES = frozenset({"BeforeHookCreation", "HookSucceeded", "HookFailed"})
_HELM_POLICIES = frozenset({"before-hook-creation", "hook-succeeded", "hook-failed"})

_RBAC = "rbac.authorization.k8s.io"
_GO = frozenset(
    {
        GroupKind("", "ConfigMap"),
        GroupKind("", "Pod"),
        GroupKind("", "Secret"),
        GroupKind("", "ServiceAccount"),
        GroupKind("batch", "Job"),
        GroupKind(_RBAC, "ClusterRole"),
        GroupKind(_RBAC, "ClusterRoleBinding"),
        GroupKind(_RBAC, "Role"),
        GroupKind(_RBAC, "RoleBinding"),
    }
)
"""Runs that can be seen to have ended, and what a run needs.

Not listed: what serves until the next sync, keeps data, or forbids something. Whoever
may delete would choose the moment.
"""

_RELEASED = Edit("/metadata/finalizers", removes(HOOK_FINALIZER))


def accept_hook(wanted: Struct, seen: Struct) -> None:
    """Accept the finalizer that Argo CD puts on a hook.

    Args:
        wanted: N of the intent, whose annotations say that it is a hook; completed in
            place.
        seen: Normal form of the object.
    """
    if not is_hook(wanted):
        return
    metadata = wanted["metadata"]
    said = metadata.get("finalizers", [])
    added = seen["metadata"].get("finalizers", []).count(HOOK_FINALIZER) == 1
    if added and HOOK_FINALIZER not in said:
        metadata["finalizers"] = [*said, HOOK_FINALIZER]


def is_hook(tree: Tree) -> bool:
    """Tell whether Argo CD runs an object in a phase of a sync, for what it says.

    Source:
        ``IsHook`` and ``Types`` in ``pkg/sync/hook/hook.go``: Helm's hooks are its own,
        unless it is told otherwise.
    """
    if types := _words(tree, _HOOK) & (_PHASES | {_SKIP}):
        return types != {_SKIP}
    return bool(_words(tree, _HELM_HOOK) & _HELM_PHASES)


def releases(request: AdmissionRequest) -> bool:
    """Tell whether a request takes the finalizer off a hook, and does no more.

    Harmless whoever does it: the removal that it held up was judged by itself.
    """
    if request.verb is not Verb.UPDATE or request.resource.subresource:
        return False
    changed = judged_changes(request)
    return (
        bool(changed)
        and is_hook(request.old or {})
        and all(_RELEASED.allows(change) for change in changed)
    )


def hook_may_go(tree: Tree) -> bool:
    """Tell whether an object says of itself that Argo CD removes it, and its run is over.

    The caller sees to it that people signed this. A delete policy has to be spelled out,
    also the one that holds without any: nobody signed what is not there.
    """
    group = str(tree.get("apiVersion", "")).rpartition("/")[0]
    policies = _words(tree, _POLICY) & _POLICIES
    policies |= _words(tree, _HELM_POLICY) & _HELM_POLICIES
    return (
        bool(policies)
        and is_hook(tree)
        and GroupKind(group, str(tree.get("kind", ""))) in _GO
        and has_run(tree)
    )


def _words(tree: Tree, key: str) -> frozenset[str]:
    """Return the words of an annotation, which commas part."""
    text = find(tree, "/metadata/annotations/" + token(key))
    words = text.split(",") if type(text) is str else []
    return frozenset(word.strip() for word in words)
