"""Whole releases on the real API server: what changed, what stays, what goes."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Ran
from tests.support.gate import Gate, Judged, documents
from tools.stack.people import DANA

Tree = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "tests/support/charts/web"
SPACE = "orders"  # asks for a senior, and for no provenance
PLACE = ("--namespace", SPACE)
MOVED = ("--set", "region=us-east-1")
SMALLER = ("--set", "extra=false")


@pytest.fixture(name="path")
def _path(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the real kubectl and helm where ``countersign`` looks for them."""
    gate.stack.plane.helm("version").check()
    found = gate.stack.plane.binaries
    folders = {str(found[name].parent) for name in ("kubectl", "helm")}
    monkeypatch.setenv("PATH", os.pathsep.join([*folders, os.environ["PATH"]]))


@dataclass(frozen=True, slots=True)
class Shop:
    """A release of the chart, signed and brought out as docs/releases.md says."""

    gate: Gate
    name: str

    def render(self, *flags: str) -> Path:
        """Write what ``helm template`` prints into a file."""
        done = self.gate.stack.plane.helm("template", self.name, CHART, *PLACE, *flags)
        return self.file("rendered.yaml", done.check().stdout)

    def file(self, name: str, text: str) -> Path:
        """Write a file."""
        file = self.gate.folder / f"{self.name}-{name}"
        file.write_text(text)
        return file

    def held(self, *flags: str) -> Path:
        """Write what ``helm get manifest`` prints into a file."""
        done = self.gate.helm("get", "manifest", self.name, *PLACE, *flags)
        return self.file("held.yaml", done.out)

    def sign(self, *flags: str | Path, to: str = "sets.yaml") -> tuple[Path, Ran]:
        """Sign off as a senior; return the BundleSets, and what the person saw."""
        gate, out = self.gate, self.gate.folder / f"{self.name}-{to}"
        done = gate.cli(
            *("sign-off", *flags, *PLACE, "--sets-only", "--out", out),
            *("--key", gate.stack.key(DANA)),
            *("--answers", gate.stack.folder / "people" / "answers.yaml"),
        )
        assert done.code == 0, done.err
        return out, done

    def apply(self, sets: Path) -> None:
        """Put the evidence where the cluster finds it."""
        done = self.gate.kubectl("apply", "-f", sets)
        assert done.code == 0, done.out

    def approve(self, *flags: str | Path) -> Ran:
        """Sign, and apply the evidence."""
        sets, done = self.sign(*flags)
        assert [t["kind"] for t in documents(sets.read_text())] == ["BundleSet"]
        self.apply(sets)
        return done

    def helm(self, verb: str, *flags: str) -> Judged:
        """Run a command of Helm about the release, as a developer."""
        return self.gate.helm(verb, self.name, *flags, *PLACE)

    def live(self, name: str) -> bool:
        """Whether a ConfigMap is there."""
        seen = self.gate.stack.plane.kubectl("get", "configmap", name, "-n", SPACE)
        return seen.code == 0


@pytest.fixture(name="shop")
def _shop(gate: Gate, name: str) -> Shop:
    return Shop(gate, name[:30].strip("-"))


# What goes --------------------------------------------------------------------------


def test_a_release_from_its_first_day_to_its_last(shop: Shop) -> None:
    """Install, upgrade that removes, rollback, uninstall: one sign-off for each."""
    shop.approve("-f", shop.render())
    assert shop.helm("install", str(CHART)).admitted
    assert shop.helm("test").admitted

    seen = shop.approve("-f", shop.render(*SMALLER), "--previous", shop.held())
    upgraded = shop.helm("upgrade", str(CHART), *SMALLER)
    assert upgraded.admitted, upgraded.out
    assert f"{SPACE}/ConfigMap/{shop.name}-extra  to be deleted" in seen.err
    assert not shop.live(f"{shop.name}-extra")

    again = shop.helm("test")  # its last run is in the way, and its removal signed
    assert again.admitted, again.out

    older = shop.held("--revision", "1")
    shop.approve("-f", older)
    back = shop.helm("rollback", "1")
    assert back.admitted, back.out
    assert shop.live(f"{shop.name}-extra")

    shop.approve("-f", shop.held(), "--operation", "delete")
    gone = shop.helm("uninstall")
    assert gone.admitted, gone.out
    assert not shop.live(f"{shop.name}-extra")


def test_only_what_went_is_signed_as_gone(shop: Shop) -> None:
    """Neither what stays, nor what Helm keeps, nor what is gone already."""
    keep = {"helm.sh/resource-policy": "keep"}
    kept: Tree = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{shop.name}-kept", "annotations": keep},
    }
    missing = json.dumps({**kept, "metadata": {"name": f"{shop.name}-missing"}})
    made = shop.gate.apply(
        shop.gate.sign(json.dumps(kept), *PLACE, "--carrier", "annotations"), *PLACE
    )
    assert made.admitted, made.out
    previous = shop.file("previous.yaml", f"{json.dumps(kept)}\n{missing}")

    _, seen = shop.sign("-f", shop.render(), "--previous", previous)

    assert "to be deleted" not in seen.err
    assert f"{shop.name}-kept: stays" in seen.err
    assert f"{shop.name}-missing: is gone already" in seen.err


# What stays -------------------------------------------------------------------------


def test_only_what_changed_is_signed_again(shop: Shop) -> None:
    """Two releases, of which the second moves three objects of seven."""
    first, _ = shop.sign("-f", shop.render(), to="first.yaml")
    shop.apply(first)
    assert shop.helm("install", str(CHART)).admitted

    second, seen = shop.sign("-f", shop.render(*MOVED), "--carry-over", first)
    shop.apply(second)
    done = shop.helm("upgrade", str(CHART), *MOVED)

    assert done.admitted, done.out
    assert "3 of 7 objects changed; 4 keep the evidence of " in seen.err
    assert f"{SPACE}/ServiceAccount/{shop.name}" not in seen.err
    assert f"{SPACE}/Deployment/{shop.name}" in seen.err
    (only,) = documents(second.read_text())
    assert len(only["spec"]["intents"]) == 7
    assert len(only["spec"]["bundles"]) == 2


def test_what_is_kept_is_enough(shop: Shop) -> None:
    """Where the earlier sets never came, the objects are made by what was kept of them."""
    first, _ = shop.sign("-f", shop.render(), to="first.yaml")
    second, _ = shop.sign("-f", shop.render(*MOVED), "--carry-over", first)
    shop.apply(second)

    done = shop.helm("install", str(CHART), *MOVED)

    assert done.admitted, done.out


def test_carried_evidence_fits_nothing_else(shop: Shop) -> None:
    """An object tampered with, or renamed, does not ride along."""
    first, _ = shop.sign("-f", shop.render(), to="first.yaml")
    second, _ = shop.sign("-f", shop.render(*MOVED), "--carry-over", first)
    shop.apply(second)
    extra = {t["metadata"]["name"]: t for t in documents(shop.render().read_text())}[
        f"{shop.name}-extra"
    ]
    place = {"namespace": SPACE}
    tampered = {**extra, "data": {"extra": "evil"}}
    renamed = {**extra, "metadata": {**extra["metadata"], "name": "other"}}

    for tree, why in ((tampered, "changed"), (renamed, "slot_open")):
        tree["metadata"] = {**tree["metadata"], **place}
        denied = shop.gate.kubectl("create", "-f", "-", stdin=tree)
        assert denied.code == 1
        assert why in denied.reasons
    extra["metadata"] = {**extra["metadata"], **place}
    assert shop.gate.kubectl("create", "-f", "-", stdin=extra).admitted


# Ways to give a release -------------------------------------------------------------


@pytest.mark.usefixtures("path")
def test_rendered_by_the_command_itself(shop: Shop) -> None:
    """The same as by hand; and what comes out otherwise each time is refused."""
    command = f"helm template {shop.name} {CHART} -n {SPACE}"
    sets, _ = shop.sign("--render", command)
    shop.apply(sets)
    assert shop.helm("install", str(CHART)).admitted

    random = f"{command} --set random=true"
    refused = shop.gate.cli(
        *("gate", "--render", random, "--cluster", "local"),
    )

    assert refused.code == 1
    assert f"ConfigMap/{shop.name}-random: /data/password: " in refused.err
    assert "give the values yourself" in refused.err


@pytest.mark.usefixtures("path")
def test_kustomize_and_folders(shop: Shop) -> None:
    """``kubectl apply -k`` and ``-R -f`` of what ``sign-off -k`` and ``-R -f`` signed."""
    folder = shop.gate.folder / shop.name
    deep = folder / "base" / "deep"
    deep.mkdir(parents=True)
    for number, where in enumerate((folder, deep)):
        tree = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{shop.name}-{number}"},
            "data": {"a": "b"},
        }
        (where / "map.json").write_text(json.dumps(tree))
    overlay = shop.gate.folder / f"{shop.name}-overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        f"namespace: {SPACE}\nnamePrefix: built-\n"
        "configMapGenerator: [{name: made, literals: [a=b]}]\n"
    )

    shop.approve("-R", "-f", folder)
    flat = shop.gate.kubectl("apply", *PLACE, "-R", "-f", folder)
    shop.approve("-k", overlay)
    built = shop.gate.kubectl("apply", "-k", overlay)

    assert flat.admitted, flat.out
    assert len(flat.bases) == 2
    assert built.admitted, built.out
