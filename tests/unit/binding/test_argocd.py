"""Argo CD's hooks: what it adds to them, takes off again, and when they may go."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.argocd import HOOK_FINALIZER, hook_may_go, releases
from countersign.binding.besides import Besides
from countersign.binding.canonical import canonical
from countersign.binding.facts import ClusterFacts
from countersign.binding.match import match
from countersign.binding.proposal import propose
from countersign.core.types.doors import Tools
from countersign.core.types.request import AdmissionRequest, Resource
from tests.support.trees import Tree, having, ref, tree
from tests.support.world import stored
from tests.support.world import update as asked

HOOK = "argocd.argoproj.io/hook"
POLICY = "argocd.argoproj.io/hook-delete-policy"
PRE_SYNC = {HOOK: "PreSync"}
ARGOCD = Tools(argocd="")
OTHER = "shop.example/protect"
COMPLETE: Any = {"conditions": [{"type": "Complete", "status": "True"}]}


def config(marks: dict[str, Any] = PRE_SYNC, *finalizers: str, **more: Any) -> Tree:
    """Return a ConfigMap with these annotations and finalizers."""
    metadata = {"annotations": marks, **more}
    if finalizers:
        metadata["finalizers"] = list(finalizers)
    return tree("ConfigMap", data={"a": "b"}, metadata=metadata)


def differ(seen: Tree, wanted: Tree, tools: Tools = ARGOCD, **how: Any) -> bool:
    """Tell whether `seen` is more than what was signed."""
    besides = Besides(tools=tools)
    return bool(match(wanted, seen, identity=ref(seen), besides=besides, **how))


@pytest.mark.parametrize(
    "marks",
    [
        PRE_SYNC,
        {HOOK: "PreSync, PostSync"},
        {HOOK: "Skip,Sync"},
        {"helm.sh/hook": "pre-install,pre-upgrade"},
        {HOOK: "anything", "helm.sh/hook": "post-install"},
    ],
)
def test_a_signed_hook_gets_the_finalizer(marks: dict[str, Any]) -> None:
    """Behind those that were signed, and only where the policy names Argo CD."""
    seen, signed = config(marks, HOOK_FINALIZER), config(marks)
    behind = config(marks, OTHER, HOOK_FINALIZER)

    assert not differ(seen, signed)
    assert not differ(signed, signed, old=seen)
    assert not differ(behind, config(marks, OTHER))
    for tools in (Tools(), Tools(helm=True, flux=True)):
        assert differ(seen, signed, tools)


@pytest.mark.parametrize(
    "marks",
    [
        {},
        {HOOK: ""},
        {HOOK: "anything"},
        {HOOK: "Skip"},
        {HOOK: "Skip", "helm.sh/hook": "pre-install"},
        {"helm.sh/hook": "test"},
        {"helm.sh/hook": "crd-install"},
        {POLICY: "HookSucceeded"},
    ],
)
def test_what_is_no_hook_gets_none(marks: dict[str, Any]) -> None:
    """As Argo CD sees it."""
    assert differ(config(marks, HOOK_FINALIZER), config(marks))


@pytest.mark.parametrize(
    ("seen", "signed"),
    [
        pytest.param(config(PRE_SYNC, HOOK_FINALIZER), config({}), id="a hook by now"),
        pytest.param(config(PRE_SYNC, OTHER), config(), id="another"),
        pytest.param(config(PRE_SYNC, HOOK_FINALIZER, OTHER), config(), id="one more"),
        pytest.param(config(PRE_SYNC, HOOK_FINALIZER + "s"), config(), id="alike"),
        pytest.param(
            config(PRE_SYNC, HOOK_FINALIZER), config(PRE_SYNC, OTHER), id="instead"
        ),
        pytest.param(
            config({HOOK: "PostSync"}, HOOK_FINALIZER), config(), id="other phase"
        ),
        pytest.param(
            config(PRE_SYNC | {POLICY: "HookSucceeded"}, HOOK_FINALIZER),
            config(),
            id="other end",
        ),
    ],
)
def test_nothing_else_passes_with_it(seen: Tree, signed: Tree) -> None:
    """What makes it a hook is what people signed."""
    assert differ(seen, signed)


def update(old: Tree, new: Tree) -> AdmissionRequest:
    """Return the update of an object that is there."""
    return asked(stored(old), stored(new))


def test_it_is_let_go_of() -> None:
    """With nothing else, whatever else holds it."""
    old = config(PRE_SYNC, OTHER, HOOK_FINALIZER, "foregroundDeletion")
    new = config(PRE_SYNC, OTHER, "foregroundDeletion")

    assert releases(update(old, new))
    assert releases(update(config(PRE_SYNC, HOOK_FINALIZER), config()))
    assert not releases(update(config({}, HOOK_FINALIZER), config({})))
    assert not releases(update(new, old))
    assert not releases(update(old, config(PRE_SYNC, "foregroundDeletion")))
    assert not releases(update(old, having(new, "/data", {"a": "c"})))
    assert not releases(update(old, old))
    status = Resource("", "v1", "configmaps", "status")
    assert not releases(replace(update(old, new), resource=status))


@pytest.mark.parametrize(
    "marks",
    [
        PRE_SYNC | {POLICY: "BeforeHookCreation"},
        PRE_SYNC | {POLICY: "HookFailed, HookSucceeded"},
        {"helm.sh/hook": "pre-upgrade", "helm.sh/hook-delete-policy": "hook-failed"},
    ],
)
def test_a_hook_goes_after_its_run(marks: dict[str, Any]) -> None:
    """Where it says so; what a Job or a Pod does is not cut short."""
    job = tree("Job", "batch/v1", metadata={"annotations": marks})
    pod = tree("Pod", metadata={"annotations": marks})

    assert hook_may_go(config(marks))
    assert not hook_may_go(job)
    assert hook_may_go({**job, "status": COMPLETE})
    assert not hook_may_go({**pod, "status": {"phase": "Running"}})
    assert hook_may_go({**pod, "status": {"phase": "Failed"}})


@pytest.mark.parametrize(
    "marks",
    [
        {},
        PRE_SYNC,
        PRE_SYNC | {POLICY: ""},
        PRE_SYNC | {POLICY: "beforehookcreation"},
        {POLICY: "HookSucceeded"},
        {HOOK: "Skip", POLICY: "HookSucceeded"},
    ],
)
def test_nothing_else_goes_like_that(marks: dict[str, Any]) -> None:
    """Nor what nobody spelled out."""
    assert not hook_may_go(config(marks))


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("v1", "Namespace"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "Service"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("argoproj.io/v1alpha1", "Workflow"),
        ("shop.example/v1", "ConfigMap"),
    ],
)
def test_what_keeps_or_serves_is_signed_for(version: str, kind: str) -> None:
    """Whoever may delete would choose the moment."""
    marks = PRE_SYNC | {POLICY: "HookSucceeded"}

    assert not hook_may_go(tree(kind, version, metadata={"annotations": marks}))


def test_what_is_proposed_is_the_manifest() -> None:
    """A decision over a hook that nobody signed does not have the finalizer in it."""
    seen = config(PRE_SYNC, OTHER, HOOK_FINALIZER)

    found = propose(
        seen,
        identity=ref(seen),
        old=None,
        carried=(),
        salt=bytes(32),
        facts=ClusterFacts(),
        besides=Besides(tools=ARGOCD),
    )

    assert found == canonical(config(PRE_SYNC, OTHER), namespace="here")
