"""Raises the stack on a running control plane."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from countersign.adapters import key_files
from countersign.core.questions import DEFAULT
from tools.controlplane import ControlPlane, ControlPlaneError
from tools.sigstore import PEOPLE, WORKFLOWS, VirtualSigstore
from tools.stack import access, addresses, chart, history, operate, policies, webhook
from tools.stack.people import CI, EVERYONE, LEE, Someone, roster
from tools.stack.ready import until
from tools.stack.stack import LIFETIME, Stack, secret

_CHECKOUT = Path(__file__).parents[2]
_CRDS = _CHECKOUT / "manifests" / "crds"
_RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")

Say = Callable[[str], None]
Founded = Callable[[list[dict[str, object]]], Mapping[str, object]]


def build(
    plane: ControlPlane,
    folder: Path,
    *,
    say: Say,
    settings: Mapping[str, object] = MappingProxyType({}),
    founded: Founded | None = None,
) -> Stack:
    """Build the stack in `folder` on a running control plane.

    Args:
        plane: Runs; its folder is not in use by another stack.
        folder: Made; must not hold a stack.
        say: Told each step.
        settings: Further ones of ``countersign serve``, by the names of its variables.
        founded: Given the policies and all that they rest on, returns further settings;
            then none of it is applied, and nothing operates: that is left to whoever asks. None: it is there
            before the webhook is.

    Raises:
        ControlPlaneError: Something did not come up; its log is in the message.
    """
    furnished = furnish(plane, folder, say=say)
    if founded is not None:
        settings = {**settings, **founded(furnished.objects)}
    furnished.write(folder)
    say("custom resources, namespaces, rights")
    rendered = chart.render(plane, policies.VALUES)
    _cluster(plane, folder, [one for one in rendered if one["kind"] in _RIGHTS])
    if founded is None:
        plane.kubectl("apply", "-f", folder / "policies").check()
    at = addresses.choose(folder / "tls")
    stack = Stack(folder, plane, furnished.history, furnished.sigstore, at, rendered)
    people(stack)
    say("the webhook")
    webhook.serve(stack, settings)
    webhook.register(stack)
    if founded is None:
        say("the operator, with the recorder")
        operate.operate(stack)
    stack.write_environment()
    return stack


@dataclass(frozen=True, slots=True)
class Furnished:
    """What a stack rests on, wherever it runs.

    Attributes:
        history: The demo's git repository.
        sigstore: The throw-away Sigstore, which runs.
        objects: TrustRoots, the Roster and the policies; nothing of it is applied.
    """

    history: history.History
    sigstore: VirtualSigstore
    objects: list[dict[str, object]]

    def write(self, folder: Path) -> None:
        """Write the objects, and what people answer, into the stack's `folder`."""
        _policies(folder, self.objects)


def furnish(plane: ControlPlane, folder: Path, *, say: Say) -> Furnished:
    """Make in `folder` what needs no cluster; people's keys among it.

    Args:
        plane: Its processes include the Sigstore.
        folder: Made; must not hold a stack.
        say: Told each step.

    Raises:
        ControlPlaneError: The Sigstore did not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "people").mkdir(mode=0o700)
    say("a throw-away Sigstore")
    sigstore = _sigstore(plane, folder)
    say("people, a git repository, policies")
    repository = history.make(folder / "repo")
    keys = {someone.id: _key(folder, someone) for someone in EVERYONE}
    objects = [
        *policies.trust_roots(sigstore.trusted_root(), keys),
        roster(PEOPLE),
        *policies.policies(WORKFLOWS, repository.baseline),
    ]
    return Furnished(repository, sigstore, objects)


def _sigstore(plane: ControlPlane, folder: Path) -> VirtualSigstore:
    home = folder / "sigstore"
    home.mkdir(mode=0o700)
    log = home / "service.log"
    processes = plane.ledger
    processes.start(
        "sigstore",
        [sys.executable, "-m", "tools.sigstore", "--dir", home],
        log=log,
        environment={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
    )

    def silent() -> str:
        said = log.read_text() if log.exists() else ""
        if not processes.alive("sigstore"):
            raise ControlPlaneError(f"the throw-away Sigstore ended: {said}")
        return "" if said.startswith("http") else "not listening"

    until(silent, what=f"the throw-away Sigstore (log: {log})")
    return VirtualSigstore(home)


def _key(folder: Path, someone: Someone) -> str:
    """Make the key pair of `someone`; return the public key in PEM."""
    _, public = key_files.generate(folder / "people" / someone.id, "")
    return public.read_text()


def _policies(folder: Path, objects: list[dict[str, object]]) -> None:
    (folder / "policies").mkdir()
    for item in objects:
        metadata: Any = item["metadata"]
        name = f"{str(item['kind']).lower()}-{metadata['name']}.yaml"
        text = yaml.safe_dump(item, sort_keys=False)
        (folder / "policies" / name).write_text(text)
    answers = [
        {
            "id": question,
            "verdict": "addressed",
            "answer": "Walked through with the on-call engineer; rehearsed in staging.",
        }
        for question in DEFAULT.ids
    ]
    text = yaml.safe_dump(
        {"questionSet": DEFAULT.uri, "answers": answers}, sort_keys=False
    )
    (folder / "people" / "answers.yaml").write_text(text)


def _cluster(plane: ControlPlane, folder: Path, rights: list[chart.Tree]) -> None:
    plane.kubectl("apply", "-f", _CRDS).check()
    plane.kubectl("wait", "--for=condition=Established", "-f", _CRDS).check()
    spaces = (*policies.PROTECTED, policies.OPEN)
    for namespace in (chart.OWN_NAMESPACE, *spaces):
        plane.create_namespace(namespace)
    items = [*rights, *access.bindings(spaces)]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    plane.kubectl("apply", "-f", "-", stdin=listed).check()
    tools(plane, folder)


def tools(plane: ControlPlane, folder: Path) -> None:
    """Write the administrator's kubeconfig, and links to the programs."""
    shutil.copy(plane.admin, folder / "kubeconfig")
    (folder / "bin").mkdir()
    for name, executable in plane.binaries.items():
        (folder / "bin" / name).symlink_to(executable)


def people(stack: Stack) -> None:
    """Make everybody known to the cluster, and mint their identity tokens."""
    for someone in EVERYONE:
        stack.plane.user(
            someone.id,
            someone.groups,
            namespace="payments",
            to=stack.kubeconfig(someone),
        )
        if someone is not CI:
            token = stack.sigstore.token(someone.email, lifetime=LIFETIME)
            secret(stack.token(someone), token)
    stack.mint(stack.history.head)
    shutil.copy(stack.kubeconfig(LEE), stack.folder / "dev.kubeconfig")
