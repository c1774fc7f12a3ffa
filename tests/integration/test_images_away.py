"""A registry that is away, at a real API server: Pods of what is there come back."""

import pytest

from tests.support import chart
from tests.support.gate import Gate
from tests.support.registry import Registry
from tests.support.shipping import Dock
from tools.stack.ready import until


def test_pods_of_what_was_admitted_need_no_registry(
    gate: Gate, docks: Registry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As when a node is drained meanwhile: their owner's evidence is at hand."""
    with Dock.open(gate, docks, tmp_path_factory.mktemp("away")) as dock:
        image = dock.built(dock.push("away"))
        manifest = chart.deployment("away", image=image.pinned)
        dock.ship(manifest)
        admitted = dock.apply(manifest)
        assert admitted.admitted, admitted.out

        first = gate.pod("away")
        docks.forget()
        with docks.down():
            gate.stack.plane.kubectl(
                *("delete", first, "-n", chart.NAMESPACE, "--wait=false"),
                *("--grace-period=0", "--force"),
            ).check()
            until(
                lambda: "" if gate.pod("away") != first else "the same Pod",
                what="another Pod in its place",
            )
        assert docks.asked == ()
