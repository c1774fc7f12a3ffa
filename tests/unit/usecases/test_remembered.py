"""Intents are remembered from one request to the next: nobody may change their trees.

Seen to fail: with a field set in the tree that is bound, in the one that a decision
proposes, and in the one that is prepared to be signed again.
"""

import copy

import pytest

from countersign.binding.canonical import canonical_json, read_intent
from countersign.core.types.verdict import Door
from countersign.usecases.prepare import prepare
from countersign.usecases.record import decision_of
from tests.support import a, chart
from tests.support.world import (
    SALT,
    Tree,
    World,
    create,
    stored,
    update,
)


def _secret(name: str) -> Tree:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": a.NAMESPACE},
        "data": {"password": "aHVudGVyMg=="},
    }


MANIFESTS = [
    pytest.param(chart.config_map("web", a="1"), id="ConfigMap"),
    pytest.param(chart.deployment("web"), id="Deployment"),
    pytest.param(chart.cron_job("web"), id="CronJob"),
    pytest.param(_secret("web"), id="Secret"),
]


@pytest.mark.parametrize("manifest", MANIFESTS)
async def test_a_remembered_intent_stays_what_was_digested(manifest: Tree) -> None:
    """Admitted, changed and denied, recorded, prepared to be signed again."""
    world = World()
    signed = world.signed(manifest)
    digest, raw = world.intent(manifest)
    known = read_intent(raw)

    admitted = await world.reviewer().judge(create(signed))
    changed = copy.deepcopy(signed)
    changed["metadata"].setdefault("labels", {})["changed"] = "yes"
    unsigned = world.carrying(manifest, a.provenance(subjects=[digest]))
    denied = [update(stored(signed), changed), create(unsigned)]
    for asked in denied:
        judged = await world.reviewer().judge(asked)
        assert not judged.verdict.allowed
        assert decision_of(judged, asked, cluster=a.CLUSTER, at=a.NOON, salt=SALT)
    prepare([signed], namespace=a.NAMESPACE, salt=lambda: SALT)

    assert {basis.door for basis in admitted.verdict.bases} == {Door.SIGNED}
    assert read_intent(raw) is known
    assert known.digest == digest
    assert canonical_json(known.tree) == raw
