"""Shipping an image: pushed with crane, attested with cosign, signed off, applied bare.

`Dock` does at the gate's stack what people and their CI do. The manifests that are
applied carry nothing: all evidence lies in the registry.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.chart import NAMESPACE
from tests.support.cosigning import Cosign, Services, Signer
from tests.support.gate import Gate, Judged, written
from tests.support.pushed import Pushed, push
from tests.support.registry import Registry
from tests.support.slsa import predicate
from tools.sigstore import PEOPLE, WORKFLOWS, Workflow
from tools.stack.people import CI, DANA, REPOSITORY, WORKFLOW, Someone

Tree = dict[str, Any]


@dataclass
class Dock:
    """Where images are loaded.

    Attributes:
        gate: What they have to pass.
        registry: Where they lie.
        cosign: At the gate's own Sigstore.
        policies: Those of the stack, that of ``payments`` looking in the registry.
    """

    gate: Gate
    registry: Registry
    cosign: Cosign
    policies: Path

    @classmethod
    @contextmanager
    def open(cls, gate: Gate, registry: Registry, folder: Path) -> Iterator["Dock"]:
        """Have the gate's policy of ``payments`` look in `registry` for a while.

        Args:
            gate: What everything has to pass.
            registry: The one that its webhook was told of.
            folder: For files; empty.
        """
        config = gate.stack.folder / "sigstore" / "signing_config.json"
        url = json.loads(config.read_text())["caUrls"][0]["url"]
        rules = folder / "policies"
        shutil.copytree(gate.stack.folder / "policies", rules)
        (folder / "cosign").mkdir()
        cosign = Cosign(gate.stack.sigstore, url, folder / "cosign")
        dock = cls(gate, registry, cosign, rules)
        where = [f"{registry.host}/shop/*"]
        dock.file.write_text(yaml.safe_dump(dock.policy(registries=where)))
        dock.rule()
        try:
            yield dock
        finally:
            original = gate.stack.folder / "policies" / dock.file.name
            gate.stack.plane.kubectl("apply", "-f", original).check()

    @property
    def file(self) -> Path:
        """The policy of ``payments``."""
        return self.policies / "protectionpolicy-payments.yaml"

    def policy(self, **images: object) -> Tree:
        """Return the policy of ``payments``, with other demands on images."""
        tree: Tree = yaml.safe_load(self.file.read_text())
        tree["spec"]["images"] |= images
        return tree

    def rule(self, **images: object) -> None:
        """Apply the policy of ``payments``, with other demands on images if any."""
        kubectl = self.gate.stack.plane.kubectl
        kubectl("apply", "-f", "-", stdin=self.policy(**images)).check()

    def push(self, name: str, *platforms: str) -> Pushed:
        """Push an image, an index if there are platforms."""
        return push(self.registry, f"shop/{name}", platforms=platforms)

    def built(
        self,
        image: Pushed,
        *,
        by: Workflow | str | None = None,
        of: str = REPOSITORY,
        kind: str = "slsaprovenance1",
        services: Services = Services.REKOR_V2,
        old: bool = False,
    ) -> Pushed:
        """Have the CI say, by the real cosign, of which commit `image` was built.

        Args:
            image: In the registry.
            by: Who signs; the workflow that the policy names if None.
            of: The repository that is named.
            kind: Of statement, as cosign calls it.
            services: Who else says so.
            old: As cosign before 3 put it there.
        """
        head = self.gate.stack.history.head
        who = by or Workflow(file=WORKFLOW, repository=REPOSITORY, revision=head)
        issuer = PEOPLE if isinstance(who, str) else WORKFLOWS
        said = self.cosign.folder / "predicate"
        said.write_text(json.dumps(predicate(of, head)))
        self.cosign.attest(
            self.registry,
            image.pinned,
            Signer.keyless(self.cosign, who, issuer),
            services,
            *("--type", kind, "--predicate", said),
            old=old,
        )
        return image

    def attest(self, *manifests: Tree, flags: tuple[str | Path, ...] = ()) -> None:
        """Have the CI's collector say who and what made `manifests` and their commit."""
        history = self.gate.stack.history
        self._command(
            *("attest", f"{history.baseline}..{history.head}"),
            *("--repo", history.path, "--key", self.gate.stack.key(CI)),
            *("-f", self.gate.write(*manifests), "--carrier", "oci"),
            *("--out", self.gate.folder / "attested.yaml", *flags),
        )

    def sign_off(
        self,
        *manifests: Tree,
        by: Someone = DANA,
        flags: tuple[str | Path, ...] = (),
    ) -> None:
        """Have somebody sign `manifests` off, beside their images."""
        people = self.gate.stack.folder / "people"
        given = ("-f", self.gate.write(*manifests)) if manifests else ()
        self._command(
            *("sign-off", *given, "--carrier", "oci"),
            *("--identity-token", self.gate.stack.token(by)),
            *("--answers", people / "answers.yaml"),
            *("--out", self.gate.folder / "signed.yaml", *flags),
        )

    def ship(self, *manifests: Tree) -> None:
        """Attest and sign off `manifests`; they stay as they are."""
        self.attest(*manifests)
        self.sign_off(*manifests)

    def apply(self, manifest: Tree, *flags: str) -> Judged:
        """Apply a manifest as it is."""
        return self.gate.apply(self.written(manifest), *flags)

    @staticmethod
    def written(*manifests: Tree) -> str:
        """Write manifests as they are, for kubectl."""
        return written(manifests)

    def _command(self, *words: str | Path) -> None:
        done = self.gate.cli(
            *words,
            DOCKER_CONFIG=str(self.registry.docker_config),
            COUNTERSIGN_REGISTRY_CA=str(self.registry.authority),
            COUNTERSIGN_POLICIES=str(self.policies),
        )
        assert done.code == 0, done.err


def pod(name: str, image: Pushed) -> Tree:
    """Return a Pod of one container, ``main``."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "main", "image": image.pinned}]},
    }
