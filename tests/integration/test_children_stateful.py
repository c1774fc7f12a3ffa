"""Children of StatefulSets: Pods of two templates, claims, and the records of both."""

from typing import Any

import pytest

from tests.support import chart
from tests.support.chart import NAMESPACE, Tree
from tests.support.gate import Gate
from tests.support.workloads import (
    EVIL,
    all_of,
    another,
    created,
    denied_to_controllers,
    owner_of,
    regions,
    stateful_set,
    unplaced,
    until_regions,
)
from tools.stack.ready import until

BY = "statefulset-controller"


@pytest.fixture(name="app", scope="module")
def _app(gate: Gate) -> str:
    """Apply a signed database; two of its three Pods are of the newer template."""
    name = "stateful"
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    first = stateful_set(name, updateStrategy=strategy)
    applied = gate.apply(gate.approved(first, chart.service(name)))
    assert applied.admitted, applied.out
    until_regions(gate, name, "eu", "eu")
    newer = stateful_set(name, "us", replicas=3, updateStrategy=strategy)
    applied = gate.apply(gate.approved(newer))
    assert applied.admitted, applied.out
    until_regions(gate, name, "eu", "us", "us")
    return name


def test_claims_come_with_the_pods(gate: Gate, app: str) -> None:
    """One a Pod, owned by nobody, of the template's spec and labels."""
    claims = all_of(gate, "persistentvolumeclaims", app)

    assert [c["metadata"]["name"] for c in claims] == [f"data-{app}-{n}" for n in "012"]
    assert {owner_of(claim) for claim in claims} == {""}
    assert {claim["metadata"]["labels"]["tier"] for claim in claims} == {"db"}


def test_a_pod_below_the_partition_comes_back_as_it_was(gate: Gate, app: str) -> None:
    """Of the older template, which its record keeps, and people signed for once."""
    before = all_of(gate, "pods", app)[0]["metadata"]["uid"]
    gone = gate.kubectl("delete", "pod", f"{app}-0", "--wait=false", by=None)

    assert gone.doors == {"derived"}, gone.out
    until(
        lambda: (
            "" if _uid(gate, app) not in ("", before) else f"{app}-0 is not there again"
        ),
        what="the same Pod",
    )
    assert regions(gate, app)[f"{app}-0"] == "eu"


def _uid(gate: Gate, app: str) -> str:
    pods = [p for p in all_of(gate, "pods", app) if p["metadata"]["name"] == f"{app}-0"]
    return pods[0]["metadata"]["uid"] if pods else ""


def _pod(gate: Gate, app: str, ordinal: int) -> Tree:
    """Return a Pod of the set as the controller sends it, of an ordinal of its own."""
    pod = another(all_of(gate, "pods", app)[ordinal], f"{app}-{ordinal}")
    pod["metadata"]["generateName"] = f"{app}-"
    pod["spec"] = unplaced(pod["spec"])
    return pod


def _fourth(gate: Gate, app: str, like: int) -> Tree:
    """Return a Pod that the set does not have, and otherwise would."""
    text: Any = _pod(gate, app, like)
    return yaml.safe_load(yaml.safe_dump(text).replace(f"{app}-{like}", f"{app}-3"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("spec/hostPID", True, id="the host's processes"),
        pytest.param("spec/subdomain", "elsewhere", id="another service"),
        pytest.param("spec/hostname", "other", id="another host name"),
        pytest.param("spec/containers/0/image", EVIL, id="an image"),
        pytest.param(
            "spec/volumes/0/persistentVolumeClaim/claimName",
            "data-stateful-1",
            id="the claim of a neighbour",
        ),
        pytest.param("metadata/labels/tier", "front", id="a label"),
    ],
)
def test_a_played_controller_makes_nothing_more(
    gate: Gate, app: str, path: str, value: Any
) -> None:
    """Dry runs tell: the names are taken."""
    pod = _fourth(gate, app, 2)
    assert put(pod, path, value) != value

    assert created(gate, pod, BY, "--dry-run=server").reasons == ("child_differs",)


def test_an_ordinal_beyond_the_last_is_nobodys(gate: Gate, app: str) -> None:
    """Whatever it is of."""
    pod = _fourth(gate, app, 2)

    assert created(gate, pod, BY, "--dry-run=server").reasons == ("child_differs",)
