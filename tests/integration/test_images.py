"""Deployments whose evidence lies beside their images, at a real API server.

The image is pushed with crane, the builder's statement is cosign's, provenance and
sign-off are countersign's: all in a registry with TLS and tokens. What is applied is a
plain manifest, without a single annotation.
"""

import pytest

from tests.support import chart
from tests.support.chart import Tree
from tests.support.cosigning import Services, Signer
from tests.support.gate import Judged
from tests.support.pushed import BOTH, Pushed
from tests.support.shipping import Dock, pod
from tools.sigstore import Workflow
from tools.stack.people import REPOSITORY, WORKFLOW

UNLINKED = {"authors_unknown", "slot_open"}  # no line leads to who made the image


def dry(dock: Dock, manifest: Tree) -> Judged:
    """Ask what would become of a manifest."""
    return dock.apply(manifest, "--dry-run=server")


@pytest.mark.parametrize(
    ("services", "old"),
    [
        pytest.param(Services.REKOR_V2, False, id="as cosign 3 does"),
        pytest.param(Services.REKOR_V1, True, id="as cosign did before"),
    ],
)
def test_a_plain_manifest_is_admitted_by_what_lies_beside_its_image(
    dock: Dock, services: Services, *, old: bool
) -> None:
    """Image to commit, commit to provenance, provenance to sign-off."""
    name = f"shipped-{'old' if old else 'new'}"
    image = dock.built(dock.push(name, *BOTH), services=services, old=old)
    manifest = chart.deployment(name, image=image.pinned)
    dock.ship(manifest)

    done = dock.apply(manifest)

    assert done.admitted, done.out
    assert done.bases == ("payments: signed senior=dana",)
    assert dock.gate.pod(name)


def test_what_else_lies_beside_it_is_no_hindrance(dock: Dock, name: str) -> None:
    """Lists of parts, scans, signatures of others: most images have some."""
    image = dock.built(dock.push(name))
    signer = Signer.key(dock.cosign.folder / "other")
    dock.cosign.run(
        *("generate-key-pair", "--output-key-prefix", dock.cosign.folder / "other")
    ).check()
    signing = dock.cosign.signing(signer, Services.NOBODY)
    dock.cosign.run("sign", *signing, image.pinned, registry=dock.registry).check()
    dock.built(image, kind="cyclonedx")
    manifest = chart.deployment(name, image=image.pinned)
    dock.ship(manifest)

    done = dry(dock, manifest)

    assert done.admitted, done.out


@pytest.fixture(scope="module", name="shipped")
def _shipped(dock: Dock) -> tuple[Tree, Pushed]:
    """A manifest that is admitted as it is, and its image."""
    image = dock.built(dock.push("shipped"))
    manifest = chart.deployment("shipped", image=image.pinned)
    dock.ship(manifest)
    assert dry(dock, manifest).admitted
    return manifest, image


def test_another_digest_is_denied(dock: Dock, shipped: tuple[Tree, Pushed]) -> None:
    """Also one that was built of the same commit."""
    other = dock.built(dock.push("another"))

    done = dry(dock, chart.deployment("shipped", image=other.pinned))

    assert shipped[1].digest != other.digest
    assert set(done.reasons) == {"no_evidence", "slot_open"}


def test_an_approved_image_approves_no_object(dock: Dock, name: str) -> None:
    """The image is signed, who may run it and how is not."""
    image = dock.built(dock.push(name))
    dock.sign_off(flags=("--image", image.pinned))

    done = dry(dock, chart.deployment(name, image=image.pinned))

    assert set(done.reasons) == {"slot_open", "wrong_object"}


@pytest.mark.parametrize("signed", [False, True])
def test_a_tag_is_denied(
    dock: Dock, shipped: tuple[Tree, Pushed], *, signed: bool
) -> None:
    """Whoever signs it: what it names tomorrow nobody has seen."""
    manifest = chart.deployment("tagged", image=f"{shipped[1].repository}:latest")
    gate = dock.gate
    text = gate.sign(gate.attest(manifest, images=())) if signed else None

    done = gate.apply(text, "--dry-run=server") if text else dry(dock, manifest)

    assert done.code
    assert "image_unpinned" in done.reasons


def test_a_tag_beside_its_digest_is_no_tag(dock: Dock, name: str) -> None:
    """The kubelet pulls the digest, and evidence is about that."""
    image = dock.built(dock.push(name))
    tagged = f"{image.repository}:latest@{image.digest}"
    manifest = chart.deployment(name, image=tagged)
    dock.ship(manifest)

    assert dry(dock, manifest).admitted


def test_an_init_container_runs_an_image_too(
    dock: Dock, shipped: tuple[Tree, Pushed], name: str
) -> None:
    """All of the manifest is signed; of the second image nobody knows the commit."""
    stray = dock.push(name)
    manifest = chart.deployment(name, image=shipped[1].pinned)
    inner = manifest["spec"]["template"]["spec"]
    inner["initContainers"] = [{"name": "first", "image": stray.pinned}]
    dock.ship(manifest)

    denied = dry(dock, manifest)
    inner["initContainers"][0]["image"] = dock.built(dock.push(f"{name}-ok")).pinned
    dock.ship(manifest)

    assert set(denied.reasons) == UNLINKED
    assert stray.digest[:19] in denied.out
    assert dry(dock, manifest).admitted


def test_an_ephemeral_container_is_denied(
    dock: Dock, shipped: tuple[Tree, Pushed], name: str
) -> None:
    """Into a Pod that was admitted, though its image is a good one, and built here."""
    image = dock.built(dock.push(name))
    manifest = pod(name, image)
    dock.ship(manifest)
    assert dock.apply(manifest).admitted

    done = dock.gate.kubectl(
        *("debug", f"pod/{name}", f"--image={shipped[1].pinned}"),
        *("--target=main", "--quiet"),
        by=None,  # nobody else may
    )

    assert done.code
    assert done.reasons, done.out


@pytest.mark.parametrize(
    "case",
    [
        "another type",
        "another repository",
        "another workflow",
        "another commit",
        "a person",
    ],
)
def test_only_its_builder_links_an_image_to_a_commit(dock: Dock, case: str) -> None:
    """All else is as it should be: manifest, provenance, sign-off."""
    image, head = dock.push(case.replace(" ", "-")), dock.gate.stack.history.head
    elsewhere = f"{REPOSITORY}-fork"
    match case:
        case "another type":
            dock.built(image, kind="https://slsa.dev/provenance/v0.9")
        case "another repository":
            by = Workflow(file=WORKFLOW, repository=elsewhere, revision=head)
            dock.built(image, by=by)
        case "another workflow":
            file = WORKFLOW.replace("provenance.yml", "experiment.yml")
            dock.built(
                image, by=Workflow(file=file, repository=REPOSITORY, revision=head)
            )
        case "another commit":
            by = Workflow(file=WORKFLOW, repository=REPOSITORY, revision="0a" * 20)
            dock.built(image, by=by)
        case _:
            dock.built(image, by="dana@acme.example")
    manifest = chart.deployment("built-otherwise", image=image.pinned)
    dock.ship(manifest)

    done = dry(dock, manifest)

    assert set(done.reasons) == UNLINKED, done.out


COVERED = {
    "the index": {"either", "index"},
    "each platform by itself": {"allPlatforms"},
    "the index and each platform": {"either", "index", "allPlatforms"},
    "one platform": set(),
}


@pytest.mark.parametrize("covered", COVERED)
def test_the_policy_says_what_evidence_must_name(dock: Dock, covered: str) -> None:
    """Index or platforms; and each change of the policy holds at once.

    The digest is the same all along: what was looked up is remembered, no verdict is.
    """
    name = covered.replace(" ", "-")
    image = dock.push(name, *BOTH)
    if "index" in covered:
        dock.built(image)
    for number in range(1 if "one" in covered else 2 if "each" in covered else 0):
        dock.built(image.platform(number))
    manifest = chart.deployment(name, image=image.pinned)
    dock.ship(manifest)
    text = dock.written(manifest)

    try:
        for subject in ("index", "allPlatforms", "either"):
            dock.rule(subject=subject)
            reason = "" if subject in COVERED[covered] else "authors_unknown"
            dock.gate.wait_for(reason, text)
    finally:
        dock.rule()
