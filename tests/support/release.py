"""A release to try commands on: a repository, manifests, keys, rules."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from countersign.core.questions import DEFAULT_QUESTIONS, DEFAULT_URI
from countersign.core.types.artifacts import Json, Tree
from countersign.faces.cli import main
from countersign.faces.cli.session import Exit, Session
from countersign.wire.yaml_text import render_yaml
from tests.support.cli import NOON
from tests.support.git import DEV, GitFolder

DIGEST = "sha256:" + "5f3c" * 16
IMAGE = f"ghcr.io/acme/ledger@{DIGEST}"
MANIFESTS = f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: ledger
data:
  failover: eu-west-1
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger
spec:
  selector:
    matchLabels: {{app: ledger}}
  template:
    metadata:
      labels: {{app: ledger}}
    spec:
      containers:
      - name: ledger
        image: {IMAGE}
"""
PEOPLE = ("ci", "dana", "ravi", "dev")


@dataclass(frozen=True)
class Release:
    """Files in one folder.

    Attributes:
        folder: Where all of it is.
        git: Its repository, of base and head.
        base: First commit.
        head: An assistant's commit.
    """

    folder: Path
    git: GitFolder
    base: str
    head: str

    @classmethod
    def make(cls, folder: Path) -> "Release":
        """Write everything."""
        git = GitFolder.init(folder / "repo")
        git.git("remote", "add", "origin", "https://t:x@git.example/acme/payments.git")
        git.fetching_notes()
        git.write("ledger.yaml", MANIFESTS.replace("eu-west-1", "none"))
        base = git.commit("Begin")
        git.write("ledger.yaml", MANIFESTS)
        head = git.commit("Fail over by itself\n\nAI-Assisted: amazon-q/2026-03\n")
        (folder / "ledger.yaml").write_text(MANIFESTS)
        keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in PEOPLE}
        for name, key in keys.items():
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (folder / f"{name}.key").write_bytes(pem)
        rules = _rules({n: _public(k) for n, k in keys.items()}, base)
        (folder / "policies").mkdir()
        (folder / "policies" / "all.yaml").write_text(render_yaml(rules))
        made = cls(folder, git, base, head)
        made.attest()
        made.answer()
        return made

    def copy(self, folder: Path) -> "Release":
        """Return the same release in another folder."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, git=GitFolder(folder / "repo"))

    def attest(self) -> None:
        """Write ``attested.yaml``: the manifests in payments, with ci's provenance."""
        args = (
            *("attest", f"{self.base}..HEAD", "--repo", self.git.path),
            *("-f", self.path("ledger.yaml"), "-n", "payments", "--cluster", "prod"),
            *("--image", IMAGE, "--key", self.path("ci.key")),
            *("--carrier", "annotations", "--out", self.path("attested.yaml")),
        )
        session = Session(environ={}, present=lambda: NOON)
        assert main([str(arg) for arg in args], session=session) == Exit.DONE

    def answer(self) -> None:
        """Write ``answers.yaml``."""
        answers: list[Json] = [
            {"id": question.id, "verdict": "addressed", "answer": "looked at it"}
            for question in DEFAULT_QUESTIONS
        ]
        form: Tree = {"questionSet": DEFAULT_URI, "answers": answers}
        self.path("answers.yaml").write_text(render_yaml([form]))

    def path(self, name: str) -> Path:
        """Return the path of one file."""
        return self.folder / name


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def _rules(keys: dict[str, str], base: str) -> list[Tree]:
    ci: Tree = {"name": "ci", "key": "ci", "trustRoot": "keys"}
    persons: list[Json] = [
        {
            "id": name,
            "name": name.title(),
            "identities": [{"key": name, "trustRoot": "keys"}],
            "aliases": {"git": [DEV.email]} if name == "dev" else {},
            "roles": [{"name": "senior"}],
        }
        for name in PEOPLE
        if name != "ci"
    ]
    trusted: list[Json] = [
        {"name": n, "type": "pem", "pem": pem} for n, pem in keys.items()
    ]
    policy: Tree = {
        "protect": {"namespaces": ["payments"]},
        "preset": "default",
        "roster": "platform",
        "provenance": {
            "collectors": [ci],
            "builders": [ci],
            "baselines": [
                {"repo": "https://git.example/acme/payments", "commit": base}
            ],
        },
    }
    return [
        _resource("TrustRoot", "keys", {"keys": trusted}),
        _resource("Roster", "platform", {"persons": persons}),
        _resource("ProtectionPolicy", "payments", policy),
    ]


def _resource(kind: str, name: str, spec: Tree) -> Tree:
    return {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
