"""Changes of our own objects, before a root roster that is what the test says."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from countersign.core.errors import Unavailable
from countersign.core.types.governance import Founding, Regime
from countersign.core.types.people import Roster
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb
from countersign.core.types.verdict import Reason, Verdict
from countersign.usecases.govern import Governor, is_governed
from countersign.usecases.ways import Ways
from countersign.wire.resources.founding import digest
from countersign.wire.resources.kinds import KINDS
from countersign.wire.resources.objects import roster
from tests.support import a
from tests.support import resources as stored
from tests.support.world import World, ref_of

Tree = dict[str, Any]

HEALER = Requester("hal", "hal", frozenset({"acme:recovery"}))
NOBODY = Regime(roster=None, problems=(), revocations=(), unread=frozenset())


@dataclass
class Roots:
    """The port RootBook.

    Attributes:
        error: What comes instead.
        frozen: It never comes.
    """

    now: Regime = NOBODY
    error: Unavailable | None = None
    frozen: bool = False
    asked: list[str] = field(default_factory=list)

    async def regime(self, root: str) -> Regime:
        """Return who governs."""
        self.asked.append(root)
        if self.error:
            raise self.error
        if self.frozen:
            await asyncio.Event().wait()
        return self.now


def rooted() -> Tree:
    """Return a root roster with an admin."""
    tree: Tree = stored.roster()
    tree["metadata"] = {"name": "platform"}
    tree["spec"]["persons"][0]["roles"] = [{"name": "roster-admin"}]
    return tree


def asking(
    tree: Tree, verb: Verb = Verb.CREATE, by: Requester | None = None
) -> AdmissionRequest:
    """Return a request about an object of ours."""
    version = Resource("countersign.dev", "v1alpha1", KINDS[tree["kind"]].plural)
    gone = verb is Verb.DELETE
    return AdmissionRequest(
        uid="1",
        verb=verb,
        resource=version,
        ref=replace(
            ref_of(tree), generate_name=tree["metadata"].get("generateName", "")
        ),
        version="v1alpha1",
        object=None if gone else tree,
        old=None if verb is Verb.CREATE else tree,
        options=None,
        requester=by or Requester("root", "root", frozenset({"system:masters"})),
    )


async def judged(
    roots: Roots,
    request: AdmissionRequest,
    *,
    recovery: frozenset[str] = frozenset(),
    patience_s: float | None = None,
) -> Verdict:
    """Judge `request`, where the installation begins with `rooted`."""
    world = World()
    ways = Ways(
        state=world.cluster,
        prover=world.prover,
        sets=world.sets,
        clock=world,
        cluster=a.CLUSTER,
        settings=world.settings,
    )
    begins = digest(rooted())
    assert begins is not None
    founding = Founding(root="platform", digests=frozenset({begins}), recovery=recovery)
    governor = Governor(founding, roots, world.sets, world)
    deadline = None
    if patience_s is not None:
        deadline = asyncio.get_running_loop().time() + patience_s
    found = await governor.judge(request, lambda: (ways, None), deadline)
    return found.verdict


def governed(**more: Any) -> Roots:
    """Return a regime of `rooted`."""
    known: Roster = roster(rooted())
    return Roots(replace(NOBODY, roster=known, **more))


@pytest.mark.parametrize(
    ("roots", "reason"),
    [
        pytest.param(
            Roots(error=Unavailable("no list yet")), Reason.UNAVAILABLE, id="unseen"
        ),
        pytest.param(Roots(frozen=True), Reason.UNAVAILABLE, id="too late"),
        pytest.param(
            Roots(replace(NOBODY, problems=("spec: broken",))),
            Reason.GOVERNANCE,
            id="a root roster that cannot be read is none that is not there",
        ),
        pytest.param(
            governed(unread=frozenset({"lost"})),
            Reason.GOVERNANCE,
            id="a revocation that cannot be read",
        ),
    ],
)
async def test_doubt_denies(roots: Roots, reason: Reason) -> None:
    """Even what the installation begins with."""
    verdict = await judged(roots, asking(rooted()), patience_s=0.01)

    assert a.reasons(verdict) == {reason}
    assert not verdict.allowed


async def test_the_digest_counts_while_nobody_governs() -> None:
    """Only on creation; as soon as somebody governs, for nothing."""
    begun = await judged(Roots(), asking(rooted()))
    changed = await judged(Roots(), asking(rooted() | {"spec": {}}, Verb.CREATE))
    later = await judged(governed(), asking(rooted()))

    assert begun.allowed
    assert [basis.rule for basis in begun.bases] == ["bootstrap"]
    assert a.reasons(changed) == {Reason.GOVERNANCE}
    assert not later.allowed


@pytest.mark.parametrize(
    ("tree", "verb", "lets"),
    [
        pytest.param(rooted(), Verb.CREATE, True, id="the root roster"),
        pytest.param(stored.sigstore_root(), Verb.CREATE, True, id="trust"),
        pytest.param(rooted(), Verb.DELETE, False, id="never a deletion"),
        pytest.param(
            rooted() | {"metadata": {"name": "other"}},
            Verb.CREATE,
            False,
            id="no other roster",
        ),
        pytest.param(stored.policy(), Verb.CREATE, False, id="no policy"),
        pytest.param(stored.revocation(), Verb.CREATE, False, id="no revocation"),
        pytest.param(
            rooted() | {"metadata": {"name": "platform", "generateName": "p"}},
            Verb.CREATE,
            False,
            id="no generated name",
        ),
    ],
)
async def test_recovery_mends_the_roster_and_trust_alone(
    tree: Tree,
    verb: Verb,
    lets: bool,  # noqa: FBT001 - a case's answer
) -> None:
    """And is told; nobody else may at all."""
    groups = frozenset({"acme:recovery"})
    healed = await judged(governed(), asking(tree, verb, by=HEALER), recovery=groups)
    without = await judged(governed(), asking(tree, verb, by=HEALER))
    other = await judged(governed(), asking(tree, verb), recovery=groups)

    assert healed.allowed is lets
    assert healed.recovered is lets
    assert not without.allowed
    assert not other.allowed


async def test_what_cannot_be_read_may_be_mended_first() -> None:
    """Then it is signatures that are asked for."""
    tree: Tree = stored.revocation()
    roots = governed(unread=frozenset({tree["metadata"]["name"]}))
    verdict = await judged(roots, asking(tree, Verb.DELETE))

    assert Reason.GOVERNANCE not in a.reasons(verdict)
    assert Reason.DELETION in a.reasons(verdict)


async def test_a_made_up_name_is_refused_only_where_it_is_made_up() -> None:
    """What was there before somebody governed can still be changed."""
    tree: Tree = stored.policy()
    tree["metadata"]["generateName"] = "pay"
    created = await judged(governed(), asking(tree))
    deleted = await judged(governed(), asking(tree, Verb.DELETE))

    assert a.reasons(created) == {Reason.GOVERNANCE}
    assert a.reasons(deleted) == {Reason.DELETION}


def test_evidence_is_not_governed() -> None:
    """Storage is not trusted: whoever may write it, may."""
    request = asking(rooted())
    sets = Resource("countersign.dev", "v1alpha1", "bundlesets")

    assert is_governed(request)
    assert not is_governed(replace(request, resource=sets))
