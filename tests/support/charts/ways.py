"""The ways that people bring a chart into a cluster, and out of it again."""

import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from countersign.wire.yaml_text import render_yaml
from tests.support.charts.corpus import ChartSet
from tests.support.charts.yard import Yard
from tools.controlplane.commands import Result

Tree = dict[str, Any]

_IMMUTABLE = ("Job", "Pod", "PersistentVolumeClaim", "PersistentVolume")
_UNNAMED = re.compile(r"\bgenerateName\b")
_ESTABLISHED = ("wait", "--for=condition=Established", "--timeout=30s", "-f", "-")


def client_side(yard: Yard, chart: ChartSet) -> None:
    """``kubectl apply`` of what sign-off wrote; the second time changes nothing."""
    signed = yard.sign(others(chart))
    yard.kubectl(*verb(chart), "-f", "-", text=signed, placed=True).check()
    if verb(chart) == ("apply",):
        yard.kubectl("apply", "-f", "-", text=signed, placed=True).check()


def plain(yard: Yard, chart: ChartSet) -> None:
    """``kubectl apply`` of the chart byte for byte, with the evidence beside it."""
    yard.approve(others(chart))
    yard.kubectl(*verb(chart), "-f", "-", text=chart.text).check()


def server_side(yard: Yard, chart: ChartSet) -> None:
    """``kubectl apply --server-side``, twice."""
    yard.approve(others(chart))
    if verb(chart) != ("apply",):
        yard.kubectl("create", "-f", "-", text=others(chart)).check()
        return
    for _ in range(2):
        flags = ("--server-side", "--force-conflicts", "-f", "-")
        yard.kubectl("apply", *flags, text=others(chart)).check()


def created_and_replaced(yard: Yard, chart: ChartSet) -> None:
    """``kubectl create``, then ``kubectl replace`` by the next state, signed anew."""
    yard.kubectl(
        "create", "-f", "-", text=yard.sign(others(chart)), placed=True
    ).check()
    moved = [
        relabelled(tree)
        for tree in chart.others
        if tree["kind"] not in _IMMUTABLE and "name" in tree["metadata"]
    ]
    yard.approve(render_yaml(moved))
    yard.kubectl("replace", "-f", "-", text=render_yaml(moved)).check()


def kustomized(yard: Yard, chart: ChartSet) -> None:
    """``kubectl apply -k`` of an overlay; signed is what ``kubectl kustomize`` builds."""
    folder = yard.folder(f"kustomize-{chart.name}")
    named = [tree for tree in chart.others if "name" in tree["metadata"]]
    (folder / "chart.yaml").write_text(render_yaml(named))
    overlay: Tree = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": yard.space,
        "resources": ["chart.yaml"],
        "labels": [{"pairs": {"team": "blue"}, "includeSelectors": False}],
        "commonAnnotations": {"note": "built"},
        "images": [{"name": "busybox", "newTag": "1.37"}],
        "configMapGenerator": [{"name": "generated", "literals": ["a=b"]}],
    }
    (folder / "kustomization.yaml").write_text(render_yaml([overlay]))
    built = yard.kubectl("kustomize", folder).check().stdout
    yard.approve(built)
    yard.kubectl("apply", "-k", folder).check()
    yard.also(built)


WAYS: Mapping[str, Callable[[Yard, ChartSet], None]] = {
    way.__name__.replace("_", "-"): way
    for way in (client_side, plain, server_side, created_and_replaced, kustomized)
}


def define(yard: Yard, chart: ChartSet) -> None:
    """Sign and apply the definitions first, as everybody does."""
    if chart.definitions:
        signed = yard.sign(render_yaml(chart.definitions))
        flags = ("--server-side", "-f", "-")
        yard.kubectl("apply", *flags, text=signed, placed=True).check()
        yard.kubectl(*_ESTABLISHED, text=render_yaml(chart.definitions)).check()


def others(chart: ChartSet) -> str:
    """Return all but the definitions, as a manifest."""
    return render_yaml(chart.others)


def verb(chart: ChartSet) -> tuple[str]:
    """Return what kubectl can do with a set: names are not applied but made."""
    return ("create",) if _UNNAMED.search(chart.text) else ("apply",)


def relabelled(tree: Tree) -> Tree:
    """Return an object with one more label."""
    moved = copy.deepcopy(tree)
    labels = moved["metadata"].get("labels") or {}
    moved["metadata"]["labels"] = {**labels, "charts.example/state": "next"}
    return moved


def packed(yard: Yard, chart: ChartSet) -> Path:
    """Write a set as a chart for Helm: definitions apart, braces escaped."""
    folder = yard.folder(f"helm-{chart.name}")
    for part in ("crds", "templates"):
        (folder / part).mkdir(exist_ok=True)
    about: Tree = {"apiVersion": "v2", "name": chart.name, "version": "1.2.3"}
    (folder / "Chart.yaml").write_text(render_yaml([about]))
    (folder / "values.yaml").write_text("state: first\n")
    if chart.definitions:
        (folder / "crds" / "all.yaml").write_text(render_yaml(chart.definitions))
    state = '\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-state"}\ndata: {state: "{{ .Values.state }}"}\n'
    text = others(chart).replace("{{", "{{ `{{` }}")
    (folder / "templates" / "all.yaml").write_text(text + state)
    return folder


def helm(yard: Yard, *arguments: str | Path) -> Result:
    """Run Helm as the administrator, in the chart's namespace."""
    where = ("--namespace", yard.space)
    return yard.gate.stack.plane.helm(*arguments, *where)
