"""A guess at how far an object is from an intent: what is nearest is looked at first."""

import copy
from typing import Any

import pytest

from countersign.binding.canonical import canonical, canonical_json
from countersign.binding.nearness import FAR, distance
from tests.support import chart

Tree = dict[str, Any]

SALT = b"s" * 32
SECRET: Tree = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "namespace": "payments"},
    "data": {"a": "YQ=="},
}


def with_data(data: dict[str, str]) -> Tree:
    """Return the Secret with other values."""
    return {**SECRET, "data": data}


def intent(tree: Tree) -> bytes:
    """Return the intent of what somebody wrote."""
    made = canonical(tree, namespace="payments", salt=SALT)
    return canonical_json(made.tree)


def observed() -> Tree:
    """Return a Deployment as a server shows it: with more than was written."""
    tree = copy.deepcopy(chart.deployment("x"))
    tree["metadata"] |= {"uid": "u", "generation": 1}
    tree["spec"] |= {"revisionHistoryLimit": 10}
    tree["spec"]["template"]["spec"]["containers"][0]["resources"] = {}
    return tree


def test_what_was_written_and_is_there_is_near() -> None:
    """Whatever else is there; each place that differs is one step."""
    other = copy.deepcopy(chart.deployment("x", replicas=7))
    other["metadata"]["labels"]["release"] = "2"

    assert distance(intent(chart.deployment("x")), observed()) == 0
    assert distance(intent(other), observed()) == 2


def test_a_secret_is_compared_under_the_intents_salt() -> None:
    """Its values are nowhere else."""
    assert distance(intent(SECRET), SECRET) == 0
    assert distance(intent(SECRET), with_data({"a": "Yg=="})) == 1


def test_what_was_made_of_it_has_its_template() -> None:
    """An older ReplicaSet, beside a Deployment that has moved on."""
    made: Tree = {
        "kind": "ReplicaSet",
        "spec": {"template": observed()["spec"]["template"]},
    }
    other = copy.deepcopy(chart.deployment("x"))
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "other"

    assert distance(intent(chart.deployment("x")), made) == 0
    assert distance(intent(other), made) == 1


@pytest.mark.parametrize(
    "junk",
    [b"", b"[]", b"{", b'{"kind":"Secret","apiVersion":"v1"}', b"[" * 100_000],
)
def test_junk_is_far(junk: bytes) -> None:
    """Whatever it is."""
    assert distance(junk, SECRET) == FAR


def test_counting_ends() -> None:
    """However much there is to compare."""
    large = with_data({str(n): "x" for n in range(5000)}) | {"kind": "ConfigMap"}
    other = {**large, "data": dict.fromkeys(large["data"], "y")}

    assert distance(intent(large), other) == FAR
    assert distance(intent(large), {**large, "data": "y"}) == 1
