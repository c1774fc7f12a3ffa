"""Deployments whose evidence lies beside their images, at a real API server.

The image is pushed with crane, the builder's statement is cosign's, provenance and
sign-off are countersign's: all in a registry with TLS and tokens. What is applied is a
plain manifest.
"""

from collections.abc import Iterator

import pytest

from tests.support import chart
from tests.support.gate import Gate
from tests.support.pushed import BOTH
from tests.support.registry import Registry
from tests.support.shipping import Dock


@pytest.fixture(scope="module", name="dock")
def _dock(
    gate: Gate, docks: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dock]:
    """Let the policy of ``payments`` look for evidence in the registry, for a while."""
    dock = Dock.at(gate, docks, tmp_path_factory.mktemp("dock"))
    kubectl = gate.stack.plane.kubectl
    kubectl("apply", "-f", dock.file).check()
    yield dock
    kubectl("apply", "-f", gate.stack.folder / "policies").check()


def test_a_plain_manifest_is_admitted_by_what_lies_beside_its_image(
    dock: Dock, name: str
) -> None:
    """Image to commit, commit to provenance, provenance to sign-off."""
    image = dock.built(dock.push(name, *BOTH))
    manifest = chart.deployment(name, image=image.pinned)
    dock.ship(manifest)

    done = dock.apply(manifest)

    assert done.admitted, done.out
    assert done.doors == {"signed"}
