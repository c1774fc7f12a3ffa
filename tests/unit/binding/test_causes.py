"""Why something is missing: the server may have dropped it, or somebody took it out."""

from typing import Any

import pytest

from countersign.binding.match import match
from countersign.core.types.artifacts import Cause
from tests.support.trees import Tree
from tests.support.world import ref_of, stored

STOP = {"stopSignal": "SIGUSR1"}
SLEEP = {"preStop": {"sleep": {"seconds": 5}}}


def pod(**container: Any) -> Tree:
    """Return a Pod of one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "payments"},
        "spec": {"containers": [{"name": "c", "image": "i", **container}]},
    }


@pytest.mark.parametrize(
    ("signed", "seen", "path", "cause"),
    [
        pytest.param(
            {**STOP, **SLEEP}, SLEEP, "/stopSignal", Cause.DROPPED, id="the field"
        ),
        pytest.param(STOP, None, "", Cause.DROPPED, id="a struct of nothing else"),
        pytest.param({**STOP, **SLEEP}, None, "", Cause.MISSING, id="of more"),
        pytest.param({**STOP, **SLEEP}, STOP, "/preStop", Cause.MISSING, id="another"),
    ],
)
def test_a_gate_explains_what_only_gated_fields_are_in(
    signed: Tree, seen: Tree | None, path: str, cause: Cause
) -> None:
    """Servers leave out a struct of which nothing is left."""
    intent = pod(lifecycle=signed)
    there = stored(pod(lifecycle=seen) if seen else pod())
    found = match(intent, there, identity=ref_of(intent))

    where = f"/spec/containers/0/lifecycle{path}"
    assert [(d.path, d.cause) for d in found if "lifecycle" in d.path] == [
        (where, cause)
    ]
