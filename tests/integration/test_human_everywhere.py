"""Human, per artifact: manifest and image of two repositories; worse beside it; revoked.

The rest of what makes a change human, and what does not, is in ``test_human``.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from countersign.core.types.artifacts import Digest
from tests.support import chart
from tests.support.author import Work, known
from tests.support.gate import (
    Gate,
    Judged,
    bundles,
    carry,
    changed,
    documents,
    written,
)
from tests.support.git import GitFolder, Who
from tools.stack.history import IMAGE
from tools.stack.people import CI, LEE, REPOSITORY

APP = "https://git.acme.example/acme/app"
BUILT = f"{IMAGE}@sha256:{'a99' * 21}a"
DECLARED = ("payments: signed declared=lee",)


@pytest.fixture(name="work")
def _work(gate: Gate, tmp_path: Path) -> Work:
    return Work.begin(gate, tmp_path / "work")


@dataclass
class App:
    """The repository that the image is built from; no policy has a baseline in it.

    Attributes:
        gate: Where the image is to run.
        git: The repository.
        span: Of its commits; all of them, so that it begins at the root.
    """

    gate: Gate
    git: GitFolder
    span: str = "HEAD"
    made: list[dict[str, object]] = field(default_factory=list)

    def attested(self, **environ: str) -> dict[str, object]:
        """Have CI attest the image."""
        flags = ("--image", BUILT, "--cluster", "local")
        return self._run(*flags, "--key", self.gate.stack.key(CI), **environ)

    def declared(self) -> dict[str, object]:
        """Have Lee declare it."""
        return self._run("--declare-human", "--yes", "--key", self.gate.stack.key(LEE))

    def _run(self, *flags: str | Path, **environ: str) -> dict[str, object]:
        out = self.git.path.parent / "app.json"
        done = self.gate.cli(
            *("attest", self.span, "--repo", self.git.path, "--repo-uri", APP),
            *(*flags, "--out", out),
            at=None,
            **environ,
        )
        assert done.code == 0, done.err
        found: dict[str, object] = json.loads(out.read_text())
        return found


@pytest.fixture(name="app")
def _app(gate: Gate, tmp_path: Path) -> App:
    git = GitFolder.init(tmp_path / "app")
    git.write("main.go", "package main\n")
    git.commit("Begin", author=known(LEE))
    git.git("remote", "add", "origin", APP)
    git.fetching_notes()
    return App(gate, git)


def test_manifest_and_image_of_two_repositories(
    gate: Gate, work: Work, app: App, name: str
) -> None:
    """Each with a collector's word and its author's; what lacks is named."""
    work.commit(name)
    manifest = chart.deployment(name, image=BUILT)
    ours = bundles(documents(work.attest(manifest, images=[]))[0])
    word = json.loads(work.declare()[0].read_text())
    image, spoken = app.attested(), app.declared()
    # the same commit: a pull request from an assistant's branch is known of it, too
    worse = app.attested(GITHUB_ACTIONS="true", GITHUB_HEAD_REF="copilot/fix")

    def judged(*carried: object) -> Judged:
        tree = documents(work.attest(manifest, images=[]))[0]
        carry(tree, [*ours, *carried])  # type: ignore[list-item]
        return gate.apply(written([tree]))

    unattested = judged(word, spoken)
    undeclared = judged(word, image)
    only_image = judged(image, spoken)
    beside_worse = judged(word, image, spoken, worse)
    admitted = judged(word, image, spoken)

    assert set(unattested.reasons) == {
        "slot_open",
        "authors_unknown",
        "declaration_rejected",
    }
    for denied in (undeclared, only_image):
        assert denied.reasons == ("slot_open",), denied.out
    assert "assistance was seen in it" in beside_worse.out
    assert not beside_worse.admitted
    assert admitted.bases == DECLARED, admitted.out
    assert gate.pod(name)


def test_an_image_that_nobody_may_answer_for(
    gate: Gate, work: Work, app: App, name: str
) -> None:
    """The worst artifact counts: one author of the image whom nobody knows."""
    app.git.commit("More", author=Who("Mallory", "mallory@elsewhere.example"))
    work.commit(name)
    manifest = chart.deployment(name, image=BUILT)
    tree = documents(work.human(manifest))[0]
    carry(tree, [*bundles(tree), app.attested(), app.declared()])

    denied = gate.apply(written([tree]))

    assert "author_unresolved" in denied.reasons
    assert "mallory@elsewhere.example" in denied.out


@pytest.mark.parametrize("what", ["word", "person", "collector"])
def test_what_was_revoked(gate: Gate, work: Work, name: str, what: str) -> None:
    """The word, its author, or who confirmed it; what runs already stays."""
    work.commit(name)
    text = work.human(chart.config_map(name))
    word = (gate.folder / "lee.declaration.json").read_bytes().strip()
    entry = {
        "word": {"kind": "bundle", "value": str(Digest.sha256(word))},
        "person": {"kind": "person", "value": LEE.id},
        "collector": {"kind": "collector", "value": "ci-key"},
    }[what]
    revocation = {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Revocation",
        "metadata": {"name": name},
        "spec": {"entries": [{**entry, "reason": "a test"}]},
    }

    with changed(gate, revocation):
        gate.wait_for("declaration_rejected", text)
        denied = gate.apply(text)
    gate.wait_for("", text)

    assert {"slot_open", "declaration_rejected"} <= set(denied.reasons)
    assert "revoked" in denied.out
    assert gate.apply(text).bases == DECLARED


def test_no_baseline_of_another_repository(gate: Gate, work: Work, name: str) -> None:
    """The same commit, said to be elsewhere, is no approved ground there."""
    work.commit(name)
    fork = f"{REPOSITORY}-fork"
    word, _ = work.declare(repository=fork)
    out = gate.folder / "forked.yaml"
    done = gate.cli(
        *("attest", work.span, "--repo", work.git.path, "--repo-uri", fork),
        *("-f", gate.write(chart.config_map(name)), "--key", gate.stack.key(CI)),
        *("--carrier", "annotations", "--declaration", word, "--out", out),
    )
    assert done.code == 0, done.err

    denied = gate.apply(out.read_text())

    assert "does not begin at anything approved" in denied.out
    assert set(denied.reasons) == {
        "slot_open",
        "authors_unknown",
        "declaration_rejected",
    }
