"""Where a policy names Argo CD, hooks go as people signed that they shall."""

from typing import Any

import pytest

from countersign.binding.argocd import HOOK_FINALIZER
from countersign.core.types.doors import Doors, Tools
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Door, Reason
from tests.support import a
from tests.support.trees import having
from tests.support.world import Tree, World, delete, stored, update

HOOK = {"argocd.argoproj.io/hook": "PreSync"}
POLICY = {"argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation"}
HELM = {"helm.sh/hook": "pre-upgrade", "helm.sh/hook-delete-policy": "hook-failed"}
MARKS = "/metadata/annotations"
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


def named(name: str = "payments") -> Policy:
    """Return a policy that names Argo CD."""
    return a.policy(name=name, doors=Doors(tools=Tools(argocd="")))


def unnamed(name: str = "payments") -> Policy:
    """Return a policy that names the other tools."""
    return a.policy(name=name, doors=Doors(tools=Tools(helm=True, flux=True)))


def world() -> World:
    """Return a world whose one policy names Argo CD."""
    return World(policies=(named(),))


def manifest(
    marks: dict[str, str], kind: str = "ConfigMap", version: str = "v1", **fields: Any
) -> Tree:
    """Return an object with these annotations."""
    metadata = {"name": "prepare", "namespace": a.NAMESPACE, "annotations": marks}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def config(marks: dict[str, str]) -> Tree:
    """Return a ConfigMap with these annotations."""
    return manifest(marks, data={"x": "y"})


def job() -> Tree:
    """Return a hook that runs something."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "x"}]}
    return manifest(HOOK | POLICY, "Job", "batch/v1", spec={"template": {"spec": pod}})


def marked(tree: Tree, marks: dict[str, str]) -> Tree:
    """Return an object to whose annotations somebody added these."""
    return having(tree, MARKS, {**tree["metadata"]["annotations"], **marks})


@pytest.mark.parametrize("marks", [HOOK | POLICY, HELM])
async def test_a_signed_hook_goes_as_it_says(marks: dict[str, str]) -> None:
    """With the finalizer that holds it, too; not so that it leaves something behind."""
    here = world()
    old = stored(here.signed(config(marks)))

    for live in (old, having(old, "/metadata/finalizers", [HOOK_FINALIZER])):
        verdict = await here.judge(delete(live))

        (basis,) = verdict.bases
        assert (basis.door, basis.rule) == (Door.DERIVED, "argocd-hook")
        assert basis.bundles
        for options in ({"propagationPolicy": "Orphan"}, {"orphanDependents": True}):
            why = await here.why(delete(live, options=options))
            assert Reason.DELETION in why


async def test_each_policy_answers_for_itself() -> None:
    """One that does not name Argo CD asks for a signature."""
    here = World(policies=(unnamed(),))
    old = stored(here.signed(config(HOOK | POLICY)))

    assert Reason.DELETION in await here.why(delete(old))
    here.policies = (named("one"), unnamed("two"))
    verdict = await here.judge(delete(old))
    assert [basis.policy for basis in verdict.bases] == ["one"]
    assert {finding.policy for finding in verdict.findings} == {"two"}


@pytest.mark.parametrize(
    ("signed", "added"),
    [
        pytest.param({}, HOOK | POLICY, id="made a hook"),
        pytest.param(HOOK, POLICY, id="given an end"),
        pytest.param(POLICY, HOOK, id="given a phase"),
        pytest.param({}, HELM, id="made a hook of Helm's"),
        pytest.param(HOOK | POLICY, {"x": "y"}, id="changed besides"),
    ],
)
async def test_nobody_makes_it_go_by_a_mark(
    signed: dict[str, str], added: dict[str, str]
) -> None:
    """Neither is the mark let in, nor does it help one that is there already."""
    here = world()
    old = stored(here.signed(config(signed)))

    assert await here.why(update(old, marked(old, added)))
    assert Reason.DELETION in await here.why(delete(marked(old, added)))


@pytest.mark.parametrize("marks", [HOOK | POLICY, HELM])
async def test_an_unsigned_hook_stays(marks: dict[str, str]) -> None:
    """So does one whose present state is not the one that people signed."""
    here = world()
    changed = having(stored(here.signed(config(marks))), "/data", {"x": "z"})

    for tree in (changed, stored(config(marks))):
        assert Reason.DELETION in await here.why(delete(tree))


async def test_an_end_that_nobody_spelled_out_is_signed_for() -> None:
    """Although Argo CD would take the default."""
    here = world()

    assert Reason.DELETION in await here.why(delete(stored(here.signed(config(HOOK)))))


async def test_what_is_no_hook_is_signed_for() -> None:
    """An end alone makes none, although people signed it."""
    here = world()
    alone = config(POLICY)

    assert Reason.DELETION in await here.why(delete(stored(here.signed(alone))))


async def test_a_run_is_not_cut_short() -> None:
    """A Job goes once it has ended."""
    here = world()
    old = stored(here.signed(job()))

    assert Reason.DELETION in await here.why(delete(old))
    assert not await here.why(delete({**old, "status": COMPLETE}))


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("PersistentVolumeClaim", "v1"),
        ("Service", "v1"),
        ("NetworkPolicy", "networking.k8s.io/v1"),
    ],
)
async def test_what_keeps_or_serves_is_signed_for(kind: str, version: str) -> None:
    """Whatever it says of itself, signed as it is."""
    here = world()
    old = stored(here.signed(manifest(HOOK | POLICY, kind, version, spec={})))

    assert Reason.DELETION in await here.why(delete(old))


async def test_the_finalizer_is_let_go_of_and_put_on_nothing_else() -> None:
    """By anybody, where Argo CD is named; a signed object that is no hook gets none."""
    here = world()
    bare, plain = (stored(here.signed(config(m))) for m in (HOOK | POLICY, {}))
    held, caught = (
        having(tree, "/metadata/finalizers", [HOOK_FINALIZER]) for tree in (bare, plain)
    )

    assert not await here.why(update(held, bare))
    assert not await here.why(update(bare, held))
    assert await here.why(update(plain, caught))
    here.policies = (unnamed(),)
    assert await here.why(update(bare, held))


async def test_each_policy_says_whether_a_hook_may_be_let_go_of() -> None:
    """Of what nobody signed, so that nothing else lets it in; and of hooks alone."""
    here = world()
    bare, plain = (stored(config(marks)) for marks in (HOOK | POLICY, POLICY))
    held, caught = (
        having(tree, "/metadata/finalizers", [HOOK_FINALIZER]) for tree in (bare, plain)
    )

    assert not await here.why(update(held, bare))
    assert await here.why(update(caught, plain))
    here.policies = (named("one"), unnamed("two"))
    verdict = await here.judge(update(held, bare))
    assert [basis.policy for basis in verdict.bases] == ["one"]
    assert {finding.policy for finding in verdict.findings} == {"two"}
