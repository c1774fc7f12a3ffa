"""A cluster that begins with nothing, and whose own rules are governed from the start.

There are two admins of the roster, ada and ravi, and one of policies, ada.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from countersign.config import variable
from countersign.wire.resources.founding import digest
from tests.support.gate import AUDIT_LOG, Gate, Judged, documents, written
from tests.support.operating import Operating, operating
from tools import controlplane
from tools.controlplane import ControlPlane, Options
from tools.stack import access, chart, policies
from tools.stack.build import build
from tools.stack.people import ADA, RAVI, Someone
from tools.stack.ready import until

Tree = dict[str, Any]

ROOT = "platform"
RECOVERY = "acme:recovery"
_LAST = {"TrustRoot": 0, "ProtectionPolicy": 1, "Roster": 2}  # the root roster ends it
_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}


@dataclass
class Founded:
    """A governed cluster.

    Attributes:
        gate: Its gate, with everything that people do.
        objects: What the installation begins with, the root roster last.
    """

    gate: Gate
    objects: list[Tree] = field(default_factory=list)

    def found(self, folder: Path) -> None:
        """Have the operator create what the installation begins with.

        All of it as the chart renders it: rights, files, and the digests that serve was
        given.
        """
        plane = self.gate.stack.plane
        values = {"governance": {"rootRoster": ROOT, "objects": self.objects}}
        rendered = chart.render(plane, {**policies.VALUES, **values})
        role = chart.only(rendered, "ClusterRole", "countersign-watchdog")
        plane.kubectl("apply", "-f", "-", stdin=role).check()
        files = chart.only(rendered, "ConfigMap", "countersign-beginning")["data"]
        for name, text in files.items():
            (folder / name).write_text(text)
        container = chart.only(rendered, "Deployment", "countersign")["spec"]
        told = container["template"]["spec"]["containers"][0]["env"]
        digests = {one["name"]: one.get("value") for one in told}
        assert digests[variable("governance.founding")] == founding_of(self.objects)
        work = folder / "work"
        work.mkdir()
        settings = {"beginning__directory": folder, "beginning__root_roster": ROOT}
        with self.operated(work, **settings):
            until(self._missing, what="the root roster")

    def operated(
        self, folder: Path, **settings: object
    ) -> AbstractContextManager[Operating]:
        """Run the operator, with its own rights, while the block lasts."""
        plane = self.gate.stack.plane
        operator = plane.user(access.OPERATE, to=folder / "kubeconfig")
        return operating(plane, folder, operator, waits=True, **settings)

    def _missing(self) -> str:
        return self.gate.stack.plane.kubectl("get", "roster", ROOT).stderr

    def admin(self, verb: str, tree: Tree, *flags: str) -> "Done":
        """Run kubectl with an object as ``system:masters``, by whom nothing is denied."""
        done = self.gate.kubectl(verb, *flags, "-f", "-", by=None, stdin=tree)
        return Done(done)

    def live(self, kind: str, name: str) -> Tree:
        """Return a live object, without what the server notes."""
        done = self.gate.stack.plane.kubectl("get", kind, name, "-o", "json")
        tree: Tree = json.loads(done.check().stdout)
        tree["metadata"] = {"name": name}
        tree.pop("status", None)
        return tree

    def signed(self, tree: Tree, *by: Someone, flags: tuple[str, ...] = ()) -> Tree:
        """Return `tree` signed over what is live, by each of `by`."""
        text = written([tree])
        for one in by:
            config = self.gate.stack.folder / "kubeconfig"
            text = self.gate.sign(text, "--kubeconfig", str(config), *flags, by=one)
        (signed,) = documents(text)
        return signed

    def removal(self, tree: Tree, *by: Someone) -> None:
        """Lay down sign-offs of the deletion of a live object, by each of `by`."""
        config = str(self.gate.stack.folder / "kubeconfig")
        for one in by:
            flags = ("--operation", "delete", "--carrier", "bundleset")
            text = self.gate.sign(
                written([tree]), *flags, "--kubeconfig", config, by=one
            )
            self.gate.stack.plane.kubectl("apply", "-f", "-", stdin=text).check()


@dataclass(frozen=True)
class Done:
    """What became of one write."""

    judged: Judged

    def check(self) -> Judged:
        """Return it; it must have been admitted."""
        assert self.judged.admitted, self.judged
        return self.judged

    @property
    def reasons(self) -> set[str]:
        """Why it was denied; it must have been."""
        assert self.judged.code != 0, self.judged
        return set(self.judged.reasons)


def founding_of(objects: list[Tree]) -> str:
    """Return the digests of what an installation begins with, as serve is told."""
    return ",".join(str(digest(tree)) for tree in objects)


def roles(roster: Tree, someone: Someone, *names: str) -> Tree:
    """Return a roster in which somebody holds exactly these roles."""
    changed = copy.deepcopy(roster)
    for person in changed["spec"]["persons"]:
        if person["id"] == someone.id:
            person["roles"] = [{"name": name} for name in names]
    return changed


@contextmanager
def founding(folder: Path, **settings: object) -> Iterator[Founded]:
    """Run a control plane of its own, governed, with nothing in it yet."""
    audit = folder / "audit"
    audit.mkdir()
    (audit / "policy.json").write_text(json.dumps(_AUDIT))
    flags = {
        "audit-policy-file": str(audit / "policy.json"),
        "audit-log-path": str(audit / AUDIT_LOG),
    }
    options = Options(cluster=policies.CLUSTER, apiserver_flags=flags)
    with controlplane.running(options) as plane:
        plane.binaries |= controlplane.ensure()
        yield raised(plane, folder, audit / AUDIT_LOG, settings)


def raised(
    plane: ControlPlane, folder: Path, audit: Path, settings: Mapping[str, object]
) -> Founded:
    """Raise the stack on a control plane."""
    objects: list[Tree] = []

    def told(given: list[Tree]) -> Mapping[str, object]:
        for tree in given:
            if tree["kind"] == "Roster":
                held = (*RAVI.roles, "roster-admin")
                tree["spec"] = roles(tree, RAVI, *held)["spec"]
        objects.extend(yaml.safe_load(yaml.safe_dump(given)))
        objects.sort(key=lambda tree: _LAST[tree["kind"]])
        return {
            "GOVERNANCE_ROOT_ROSTER": ROOT,
            "GOVERNANCE_FOUNDING": founding_of(objects),
            "GOVERNANCE_RECOVERY_GROUPS": RECOVERY,
            **settings,
        }

    stack = build(plane, plane.folder / "run", say=lambda _: None, founded=told)
    work = folder / "gate"
    work.mkdir()
    return Founded(Gate(stack, work, audit), objects)


__all__ = ["ADA", "RAVI", "RECOVERY", "ROOT", "Founded", "founding", "roles"]
