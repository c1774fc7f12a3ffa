"""A registry that is away, at a real API server: Pods of what is there come back."""

from tests.support import chart
from tests.support.shipping import Dock
from tools.stack.ready import until


def test_pods_of_what_was_admitted_need_no_registry(dock: Dock, name: str) -> None:
    """As when a node is drained meanwhile: their owner's evidence is at hand."""
    image = dock.built(dock.push(name))
    manifest = chart.deployment(name, image=image.pinned)
    dock.ship(manifest)
    admitted = dock.apply(manifest)
    assert admitted.admitted, admitted.out

    gate, registry = dock.gate, dock.registry
    first = gate.pod(name)
    registry.forget()
    with registry.down():
        gate.stack.plane.kubectl(
            *("delete", first, "-n", chart.NAMESPACE, "--wait=false"),
            *("--grace-period=0", "--force"),
        ).check()
        until(
            lambda: "" if gate.pod(name) != first else "the same Pod",
            what="another Pod in its place",
        )
    assert registry.asked == ()
