"""Helm as it is really used: one sign-off for a release, then Helm by itself."""

import base64
import copy
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import chart
from tests.support.gate import Gate, Judged, documents, written
from tests.support.helm import secret
from tests.support.seconds import in_another_second
from tools.stack.people import CI, LEE

Tree = dict[str, Any]

CHART = Path(__file__).parents[1] / "support" / "charts" / "web"
SPACE = "orders"  # asks for a senior, and for no provenance
MOVED = ("--set", "region=us-east-1")
SMALLER = ("--set", "extra=false")
STORED = "orders: delta helm-storage"


@dataclass(frozen=True, slots=True)
class Release:
    """A release of the chart, and the ways people bring it out."""

    gate: Gate
    name: str
    space: str = SPACE

    def helm(self, verb: str, *flags: str) -> Judged:
        """Run a command of Helm about this release, as a developer."""
        return self.gate.helm(verb, self.name, *flags, "--namespace", self.space)

    def install(self, *flags: str) -> Judged:
        """``helm install`` the chart."""
        return self.helm("install", str(CHART), *flags)

    def upgrade(self, *flags: str) -> Judged:
        """``helm upgrade`` to the chart with other values."""
        return self.helm("upgrade", str(CHART), *flags)

    def render(self, *flags: str) -> str:
        """``helm template``: what is going to be signed."""
        return (
            self.gate.stack.plane.helm(
                "template", self.name, CHART, "--namespace", self.space, *flags
            )
            .check()
            .stdout
        )

    def manifest(self, *flags: str) -> str:
        """``helm get manifest``: what Helm brought out."""
        place = ("--namespace", self.space)
        return self.gate.helm("get", "manifest", self.name, *flags, *place).out

    def sign(self, text: str, *flags: str) -> str:
        """Return what one sign-off over all of it writes: sets, then objects."""
        place = ("--namespace", self.space, "--carrier", "bundleset")
        return self.gate.sign(text, *place, *flags)

    def approve(self, text: str, *flags: str) -> None:
        """Sign all of it off, and put the evidence where the cluster finds it.

        The objects are Helm's to make.
        """
        sets = self.sign(text, "--sets-only", *flags)
        assert {one["kind"] for one in documents(sets)} == {"BundleSet"}
        done = self.gate.kubectl("apply", "-f", "-", stdin=sets)
        assert done.code == 0, done.out

    def status(self) -> str:
        """Return what Helm says of the last revision."""
        shown = self.helm("status", "--output", "json")
        status: str = json.loads(shown.out)["info"]["status"]
        return status

    def objects(self, kind: str) -> str:
        """Return the names of live objects."""
        plane = self.gate.stack.plane
        return plane.kubectl("get", kind, "-n", self.space, "-o", "name").stdout


@pytest.fixture(name="release")
def _release(gate: Gate, name: str) -> Release:
    return Release(gate, name[:30].strip("-"))


@pytest.fixture(name="installed")
def _installed(release: Release) -> Release:
    """Bring out a release that is signed."""
    release.approve(release.render())
    done = release.install()
    assert done.admitted, done.out
    return release


# What is signed works ---------------------------------------------------------------


def test_install(release: Release) -> None:
    """One sign-off covers objects and hooks; Helm's storage and the hook's end pass."""
    release.approve(release.render())

    done = release.install()

    assert done.admitted, done.out
    assert set(done.bases) == {
        "orders: signed senior=dana",
        "orders: derived helm-hook",
        STORED,
    }
    assert release.status() == "deployed"
    assert f"{release.name}-prepare" not in release.objects("configmap")


def test_the_tests_of_a_release(installed: Release) -> None:
    """``helm test`` makes what was signed with the rest."""
    assert installed.helm("test").admitted


@pytest.mark.parametrize("side", ["true", "false"])
def test_upgrade(gate: Gate, side: str) -> None:
    """The new state, signed anew; by server-side apply, and by patches."""
    release = Release(gate, f"upgrade-{side}")
    way = f"--server-side={side}"
    release.approve(release.render())
    assert release.install(way).admitted

    release.approve(release.render(*MOVED))
    done = release.upgrade(*MOVED, way)

    assert done.admitted, done.out
    assert release.status() == "deployed"


def test_with_provenance(gate: Gate) -> None:
    """Where it is asked who made the change, CI's word travels the same way."""
    release = Release(gate, "attested", space=chart.NAMESPACE)
    image = ("--set", f"image={chart.PINNED}")
    stack, out = gate.stack, gate.folder / "release.yaml"
    rendered = gate.folder / "rendered.yaml"
    rendered.write_text(release.render(*image))
    made = gate.cli(
        "attest",
        f"{stack.history.baseline}..{stack.history.head}",
        *("--repo", stack.history.path, "-f", rendered, "--image", chart.PINNED),
        *("--namespace", release.space, "--key", stack.key(CI)),
        *("--carrier", "bundleset", "--out", out),
    )
    assert made.code == 0, made.err

    release.approve(out.read_text())
    done = release.install(*image)

    assert done.admitted, done.out
    assert "payments: signed senior=dana" in done.bases


def test_objects_that_are_there_already(release: Release) -> None:
    """Applied by kubectl first, taken over by Helm: only its marks come to them."""
    signed = release.sign(release.render())
    assert release.gate.apply(signed).admitted

    done = release.install("--take-ownership")

    assert done.admitted, done.out


def test_storage_in_config_maps(release: Release) -> None:
    """As ``HELM_DRIVER=configmap`` keeps it."""
    release.approve(release.render())
    plane, place = release.gate.stack.plane, ("--namespace", SPACE)
    lee = release.gate.stack.kubeconfig(LEE)

    done = plane.helm(
        "install",
        release.name,
        CHART,
        *place,
        user=lee,
        environment={"HELM_DRIVER": "configmap"},
    )

    assert done.code == 0, done.stderr
    stored = f"configmap/sh.helm.release.v1.{release.name}.v1"
    assert stored in release.objects("configmap")


# What is not signed does not --------------------------------------------------------


def test_another_value_than_was_signed(release: Release) -> None:
    """It is denied where it differs; the same name works once that is signed."""
    release.approve(release.render())

    denied = release.install(*MOVED)

    assert denied.code == 1
    assert "changed" in denied.reasons
    assert "/data/region" in denied.out
    assert release.status() == "failed"

    release.approve(release.render(*MOVED))
    done = release.upgrade(*MOVED)

    assert done.admitted, done.out
    assert release.status() == "deployed"


def test_an_install_that_undoes_itself(release: Release) -> None:
    """``--rollback-on-failure`` removes what was made, which is another deed to sign."""
    release.approve(release.render())
    failing = (*MOVED, "--no-hooks", "--rollback-on-failure", "--timeout", "30s")

    denied = release.install(*failing)
    release.approve(written(_live(release)), "--operation", "delete")
    done = release.helm("uninstall")

    assert set(denied.reasons) >= {"changed", "deletion"}
    assert done.admitted, done.out
    assert f"/{release.name}\n" not in release.objects("serviceaccount")


def test_a_chart_that_renders_differently_each_time(release: Release) -> None:
    """What nobody could have seen before cannot have been signed."""
    release.approve(release.render("--set", "random=true"))

    denied = release.install("--set", "random=true")

    assert "changed" in denied.reasons
    assert "/data/password" in denied.out


def test_an_upgrade_that_removes_an_object(installed: Release) -> None:
    """The removal is a change of its own, of that very object."""
    extra = _only(installed.render(), f"{installed.name}-extra")
    installed.approve(installed.render(*SMALLER))

    denied = installed.upgrade(*SMALLER)
    installed.approve(extra, "--operation", "delete")
    done = installed.upgrade(*SMALLER)

    assert "deletion" in denied.reasons
    assert done.admitted, done.out
    assert f"{installed.name}-extra" not in installed.objects("configmap")


def test_rollback(installed: Release) -> None:
    """An older state does not return by itself; signed as what is wanted now it does."""
    in_another_second()
    installed.approve(installed.render(*MOVED))
    assert installed.upgrade(*MOVED).admitted
    older = installed.manifest("--revision", "1")

    denied = installed.helm("rollback", "1")
    installed.approve(older)
    done = installed.helm("rollback", "1")

    assert "stale_base" in denied.reasons
    assert done.admitted, done.out
    assert installed.status() == "deployed"


def test_rollback_that_was_foreseen(release: Release) -> None:
    """A reviewer may allow that a state returns until some day."""
    release.approve(release.render(), "--restore-until", "10d")
    assert release.install().admitted
    release.approve(release.render(*MOVED))
    assert release.upgrade(*MOVED).admitted

    done = release.helm("rollback", "1")

    assert done.admitted, done.out


def test_uninstall(installed: Release) -> None:
    """A removal is signed from what runs; leaving the children behind is another one."""
    running = installed.manifest()

    unsigned = installed.helm("uninstall")
    installed.approve(running, "--operation", "delete")
    orphaning = installed.helm("uninstall", "--cascade", "orphan")
    done = installed.helm("uninstall")

    assert set(unsigned.reasons) >= {"deletion"}
    assert orphaning.code == 1
    assert "deletion" in orphaning.reasons
    assert done.admitted, done.out
    assert f"/{installed.name}\n" not in installed.objects("deployment")
    assert f".{installed.name}." not in installed.objects("secret")


# Attacks ----------------------------------------------------------------------------


def test_a_tampered_release_rolls_nothing_back(installed: Release) -> None:
    """Whoever edits what Helm stored makes Helm ask for what nobody signed."""
    installed.approve(installed.render(*MOVED))
    assert installed.upgrade(*MOVED).admitted
    kept = _stored(installed, 1)
    tampered = _edited(kept, "registry.k8s.io/pause", "ghcr.io/evil/pause")

    replaced = installed.gate.kubectl("replace", "-n", SPACE, "-f", "-", stdin=tampered)
    denied = installed.helm("rollback", "1")

    assert replaced.bases == (STORED,)
    assert denied.code == 1
    assert "changed" in denied.reasons
    assert "ghcr.io/evil/pause" not in written(_live(installed))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"type": "Opaque"}, "slot_open", id="an ordinary Secret"),
        pytest.param({"immutable": True}, "slot_open", id="one that stays"),
        pytest.param({"data": {"key": "eA=="}}, "slot_open", id="another key"),
    ],
)
def test_the_name_alone_opens_nothing(
    gate: Gate, change: dict[str, Any], why: str
) -> None:
    """Of the shape of storage, and not quite."""
    tree = {**secret(release="shape", namespace=SPACE), **change}

    assert why in gate.kubectl("create", "-f", "-", stdin=tree).reasons


def test_storage_stays_storage(gate: Gate) -> None:
    """Whoever may write it may not make it into anything else."""
    tree = secret(release="stays", namespace=SPACE)
    labelled = copy.deepcopy(tree)
    labelled["metadata"]["labels"]["argocd.argoproj.io/secret-type"] = "cluster"
    typed = {**tree, "type": "Opaque"}

    made = gate.kubectl("create", "-f", "-", stdin=tree)
    acting = gate.kubectl("replace", "-f", "-", stdin=labelled)
    retyped = gate.kubectl("replace", "-f", "-", stdin=typed)
    gone = gate.kubectl("delete", "-f", "-", stdin=tree)

    assert made.bases == gone.bases == (STORED,)
    assert "slot_open" in acting.reasons
    assert "field is immutable" in retyped.out


def test_nothing_may_use_the_storage(gate: Gate, name: str) -> None:
    """Not even signed: what it holds is nobody's word."""
    tree = chart.deployment(name)
    tree["metadata"]["namespace"] = SPACE
    tree["spec"]["template"]["spec"]["volumes"] = [
        {"name": "v", "secret": {"secretName": "sh.helm.release.v1.web.v1"}}
    ]

    denied = gate.apply(gate.sign(written([tree])))

    assert denied.reasons == ("unsigned_source",)


def test_a_hook_that_stays_is_removed_by_signature(gate: Gate) -> None:
    """Only those go by themselves that were signed to go after their run."""
    release = Release(gate, "stays-here")
    release.approve(release.render())
    assert release.install().admitted
    assert release.helm("test").admitted
    place = ("configmap", f"{release.name}-test", "-n", SPACE)

    denied = gate.kubectl("delete", *place)

    assert "deletion" in denied.reasons
    assert not denied.bases


def _only(text: str, name: str) -> str:
    return written([t for t in documents(text) if t["metadata"]["name"] == name])


def _stored(release: Release, revision: int) -> Tree:
    """Return the Secret of a revision as it is live."""
    name = f"sh.helm.release.v1.{release.name}.v{revision}"
    read = release.gate.stack.plane.kubectl(
        "get", "secret", name, "-n", SPACE, "-o", "json"
    )
    tree: Tree = json.loads(read.check().stdout)
    return tree


def _edited(tree: Tree, old: str, new: str) -> Tree:
    """Return a release's Secret with `new` for `old` in the manifest it keeps."""
    made = copy.deepcopy(tree)
    packed = base64.b64decode(base64.b64decode(made["data"]["release"]))
    text = gzip.decompress(packed).decode()
    assert old in text
    again = gzip.compress(text.replace(old, new).encode())
    plain = base64.b64encode(again)
    made["data"]["release"] = base64.b64encode(plain).decode()
    return made


def _live(release: Release) -> list[Tree]:
    """Return what is there of a release, less its hooks."""
    plane, found = release.gate.stack.plane, []
    for tree in documents(release.manifest()):
        what = (tree["kind"], tree["metadata"]["name"], "-n", SPACE)
        shown = plane.kubectl("get", *what, "--ignore-not-found", "-o", "json").check()
        found += [json.loads(shown.stdout)] if shown.stdout else []
    return found
