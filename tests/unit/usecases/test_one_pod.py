"""Another container in a Pod that runs, or other resources: signed for that one Pod."""

import pytest

from countersign.core.types.change import Base, Operation, Uid
from countersign.core.types.decision import Proposal
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import AdmissionRequest, Resource, Verb
from countersign.core.types.verdict import Door, Reason
from countersign.usecases.record import decision_of
from tests.support import a
from tests.support.trees import having
from tests.support.world import SALT, Tree, World, request, stored

IMAGE = f"ghcr.io/acme/ledger@sha256:{'1' * 64}"
POD: Tree = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "ledger-0", "namespace": a.NAMESPACE},
    "spec": {
        "containers": [{"name": "app", "image": IMAGE}],
        "automountServiceAccountToken": False,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "serviceAccount": "default",
        "serviceAccountName": "default",
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{trouble}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for trouble in ("not-ready", "unreachable")
        ],
    },
}
TOOL = [{"name": "tool", "image": IMAGE, "targetContainerName": "app"}]
DEBUGGED = having(POD, "/spec/ephemeralContainers", TOOL)


def asked(
    new: Tree = DEBUGGED, *, uid: str = "one", subresource: str = "ephemeralcontainers"
) -> AdmissionRequest:
    """Return what kubectl debug asks for."""
    return request(
        Verb.UPDATE,
        stored(new, uid),
        stored(POD, uid),
        resource=Resource("", "v1", "pods", subresource),
    )


def signed(base: Uid | Base, new: Tree = DEBUGGED) -> World:
    """Return a world in which Dana signed `new` on top of `base`."""
    world = World()
    change = world.state(new, base=base, operation=Operation.UPDATE)
    world.beside(new, changes=(change,))
    return world


async def test_what_was_signed_for_this_pod_is_let_in() -> None:
    """By the door of every signed state."""
    verdict = await signed(Uid("one")).judge(asked())

    assert [basis.door for basis in verdict.bases] == [Door.SIGNED]


@pytest.mark.parametrize(
    ("base", "ask", "reason"),
    [
        pytest.param(Uid("one"), asked(uid="two"), Reason.STALE_BASE, id="its next"),
        pytest.param(Base.ANY, asked(), Reason.STALE_BASE, id="no Pod in particular"),
        pytest.param(
            Uid("one"),
            asked(having(DEBUGGED, "/spec/ephemeralContainers/0/name", "shell")),
            Reason.CHANGED,
            id="another container",
        ),
        pytest.param(
            Uid("one"),
            request(Verb.UPDATE, stored(DEBUGGED, "one"), stored(POD, "one")),
            Reason.STALE_BASE,
            id="the Pod itself",
        ),
        pytest.param(
            Uid("one"),
            request(Verb.CREATE, DEBUGGED),
            Reason.WRONG_OPERATION,
            id="a new Pod",
        ),
    ],
)
async def test_nothing_else_is(
    base: Uid | Base, ask: AdmissionRequest, reason: Reason
) -> None:
    """Another Pod, another state, another way."""
    assert reason in await signed(base).why(ask)


async def test_resources_go_the_same_way() -> None:
    """A resize is a state of one Pod."""
    path = "/spec/containers/0/resources"
    larger = having(POD, path, {"requests": {"cpu": "2"}})
    world = signed(Uid("one"), larger)

    assert not await world.why(asked(larger, subresource="resize"))
    again = having(POD, path, {"requests": {"cpu": "2000m"}})
    assert not await world.why(asked(again, subresource="resize"))
    more = having(POD, path, {"requests": {"cpu": "3"}})
    assert Reason.CHANGED in await world.why(asked(more, subresource="resize"))


async def test_the_recorded_decision_says_what_to_sign() -> None:
    """And that, signed, lets the very same request in."""
    world = World()
    judged = await world.reviewer().judge(asked())
    kept = decision_of(judged, asked(), cluster=a.CLUSTER, at=a.NOON, salt=SALT)

    assert kept is not None
    assert judged.verdict.findings[0].enforcement is Enforcement.DENY
    proposal = kept.proposal
    assert isinstance(proposal, Proposal)
    assert proposal.intent is not None
    assert proposal.change == world.state(
        proposal.intent.tree, base=Uid("one"), operation=Operation.UPDATE
    )
    world.beside({**proposal.intent.tree}, changes=(proposal.change,))
    assert not await world.why(asked())
