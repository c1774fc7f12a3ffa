"""Charts as they are: signed once, brought in every way, run by the real controllers.

Nothing that was signed is denied, to nobody: the API server's audit log is read for
everybody who was told no. ``COUNTERSIGN_SWEEP=full`` tries every set in every way; else
each set takes one, and all ways are taken.
"""

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from countersign.wire.yaml_text import render_yaml
from tests.support.apiserver import ApiServer, Refused
from tests.support.charts.corpus import ChartSet, chart_sets
from tests.support.charts.drawer import Drawer
from tests.support.charts.drawn import drawn
from tests.support.charts.ways import WAYS, define, helm, packed
from tests.support.charts.yard import Yard, protected
from tests.support.gate import Gate
from tests.support.judge import Judge
from tools.controlplane import ControlPlane
from tools.stack.policies import OPEN

Tree = dict[str, Any]

FULL = os.environ.get("COUNTERSIGN_SWEEP") == "full"
DRAWN = 20_000 if FULL else 600
SETS = {chart.name: chart for chart in chart_sets()}
# Endpoints that a person wrote, and whose mirrored slices their controller writes anew.
MIRRORED = ("platform", "created-and-replaced")
PAIRS = [
    (chart, way)
    for number, chart in enumerate(SETS)
    for turn, way in enumerate(WAYS)
    if FULL or turn == number % len(WAYS) or (chart, way) == MIRRORED
]

# What Helm itself cannot do, with or without us: apply what has no name, and take back
# the rules of a role that the API server aggregates.
NOT_BY_HELM = {"limited", "cert-manager"}
HELM = sorted(SETS.keys() - NOT_BY_HELM)


@pytest.fixture(scope="module", name="everywhere")
def _everywhere(gate: Gate) -> Iterator[Gate]:
    with protected(gate):
        yield gate


@pytest.fixture(name="yard")
def _yard(everywhere: Gate, request: pytest.FixtureRequest) -> Iterator[Yard]:
    chart = SETS[request.node.callspec.params["chart"]]
    space = "charts-limited" if chart.name == "limited" else "charts"
    yard = Yard(everywhere, space)
    yard.denials()
    yield yard
    yard.clear(chart)


@pytest.mark.parametrize(("chart", "way"), PAIRS)
def test_a_chart_as_it_is(yard: Yard, chart: str, way: str) -> None:
    """Signed, sent, run by its controllers, removed: nobody is denied anything."""
    one = SETS[chart]
    define(yard, one)
    WAYS[way](yard, one)
    yard.settle()
    yard.remove(one)

    assert yard.denials() == []
    assert yard.seen["signed senior=dana"] > 0


@pytest.mark.parametrize("chart", HELM if FULL else ["gitops", "postgresql"])
def test_a_release_by_helm(yard: Yard, chart: str) -> None:
    """Install, upgrade, roll back, uninstall, each signed as it is rendered.

    Hooks are left out: a Job ends on a node, and there are none.
    """
    one, alone = SETS[chart], "--no-hooks"
    folder, name = packed(yard, one), f"r-{chart}"
    first = ("template", name, folder, "--include-crds")
    moved = (*first, "--set", "state=next")
    yard.approve(helm(yard, *first).check().stdout)
    helm(yard, "install", name, folder, alone).check()
    yard.settle()
    yard.approve(helm(yard, *moved).check().stdout)
    helm(yard, "upgrade", name, folder, alone, "--set", "state=next").check()
    yard.approve(helm(yard, "get", "manifest", name, "--revision", "1").check().stdout)
    helm(yard, "rollback", name, "1", alone).check()
    yard.settle()
    yard.approve_removal(helm(yard, "get", "manifest", name).check().stdout)
    helm(yard, "uninstall", name, alone).check()

    assert yard.denials() == []


def test_drawn_objects_equal_what_was_signed(control_plane: ControlPlane) -> None:
    """Usual kinds, spelled as templates spell them: what the server takes is equal."""
    space, tried = f"drawn-{uuid.uuid4().hex[:8]}", Counter[str]()
    control_plane.create_namespace(space)
    with closing(ApiServer(control_plane.admin)) as server:
        judge = Judge(server, control_plane.service_cidr)
        for tree in drawn(Drawer(DRAWN, space), DRAWN):
            try:
                made = server.create(tree, dryRun="All", fieldValidation="Strict")
            except Refused:
                tried["refused"] += 1
                continue
            assert judge.differences(tree, made, dry_run=True) == (), tree
            tried["equal"] += 1

    assert tried["equal"] > 3 * tried["refused"]


def test_drawn_objects_through_the_whole_gate(everywhere: Gate) -> None:
    """A handful of the same, signed at once and applied at once."""
    yard = Yard(everywhere, "charts")
    yard.denials()
    objects = [*drawn(Drawer(7, yard.space), 60)]
    with closing(ApiServer(everywhere.stack.plane.admin)) as server:
        taken = [tree for tree in objects if _taken(server, tree)]
    text = render_yaml(taken)
    yard.approve(text)
    yard.kubectl("apply", "-f", "-", text=text).check()
    drawn_set = ChartSet("drawn", text)
    yard.remove(drawn_set)

    assert yard.denials() == []


def _taken(server: ApiServer, tree: Tree) -> bool:
    """Tell whether the server takes an object that bounds and holds back no other."""
    metadata = {**tree["metadata"], "namespace": OPEN}
    if metadata.get("finalizers") or tree["kind"] in ("LimitRange", "ResourceQuota"):
        return False
    try:
        server.create({**tree, "metadata": metadata}, dryRun="All")
    except Refused:
        return False
    return True
