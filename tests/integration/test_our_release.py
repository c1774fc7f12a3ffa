"""Our own release, step by step as the workflow does it, into a registry on loopback.

The script is the workflow's. Only who signs differs: cosign with a key, at a throw-away
Sigstore, where a runner's identity would be. The image is a small one: no engine is here.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from countersign.core.types.evidence import Build
from countersign.faces.cli.session import Exit
from countersign.wire.attestation import parse_attestation
from tests.support.cosigning import Cosign, Services, Signer, running_cosign
from tests.support.pushed import Pushed, cosign, crane, push
from tests.support.registry import Kind, Registry, running_registry
from tests.support.registry_access import Auth
from tests.support.release import Release
from tools.controlplane.binaries import ensure
from tools.controlplane.cache import root
from tools.controlplane.commands import Result
from tools.controlplane.programs import CRANE
from tools.gen import ROOT

VERSION = "0.1.0"
STEPS = ("sbom", "provenance", "chart", "sign", "workloads", "attest")
_REPOSITORY = "acme/countersign"
_WORKFLOW = ".github/workflows/release.yml"


@dataclass
class Shipyard:
    """Where one release is made.

    Attributes:
        registry: It goes there.
        image: It is about.
        people: Keys, rules, and a history of one assistant's commit.
        cosign: At a Sigstore.
        signer: Who signs.
        environ: What the steps are told.
    """

    registry: Registry
    image: Pushed
    people: Release
    cosign: Cosign
    signer: Signer
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def dist(self) -> Path:
        """What is made."""
        return self.people.path("dist")

    def step(self, *words: str, **told: str) -> Result:
        """Run steps; what they print is told to those that follow."""
        environ = {**self.environ, **told}
        command: list[str | Path] = [ROOT / ".ci" / "release", *words]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, check=False
        )
        for line in done.stdout.splitlines():
            key, _, value = line.partition("=")
            self.environ[f"RELEASE_{key.upper()}"] = value
        return Result(words, done.returncode, done.stdout, done.stderr)

    def countersign(self, *words: str | Path, key: str) -> Result:
        """Run the command line as somebody."""
        environ = {
            **self.environ,
            "COUNTERSIGN_KEY": str(self.people.path(f"{key}.key")),
        }
        done = subprocess.run(
            [ROOT / ".venv" / "bin" / "countersign", *words],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return Result(tuple(map(str, words)), done.returncode, done.stdout, done.stderr)

    def sign_off(self) -> Result:
        """Have a senior sign what runs the image, as docs/supply-chain.md says."""
        return self.countersign(
            *("sign-off", "-f", self.dist / "workloads.yaml", "-n", "countersign"),
            *("--image", self.image.pinned, "--carrier", "oci", "--cluster", "release"),
            *("--policies", self.people.path("policies")),
            *("--answers", self.people.path("answers.yaml")),
            *("--out", self.people.path("signed.yaml")),
            key="dana",
        )

    def gate(self) -> Result:
        """Ask whether it may be published."""
        return self.step("gate")

    def verify(self, what: str, *kind: str) -> Result:
        """Verify as a user does."""
        command = "verify-attestation" if kind else "verify"
        flags = self.cosign.verifying(self.signer, Services.REKOR_V2)
        return cosign(self.registry, command, *flags, *kind, what)


@pytest.fixture(name="yard", scope="module")
def _yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipyard]:
    people = Release.make(tmp_path_factory.mktemp("people") / "release")
    with (
        running_registry(Kind.DISTRIBUTION, auth=Auth.BASIC) as registry,
        running_cosign() as signing,
    ):
        image = push(registry, _REPOSITORY, tag=VERSION)
        yield _made(registry, image, people, signing)


def _made(
    registry: Registry, image: Pushed, people: Release, signing: Cosign
) -> Shipyard:
    stem = people.path("release")
    cosign(None, "generate-key-pair", "--output-key-prefix", stem).check()
    signer = Signer.key(stem)
    rules = people.path("policies") / "all.yaml"
    documents = list(yaml.safe_load_all(rules.read_text()))
    spec = documents[-1]["spec"]
    spec["protect"] = {"namespaces": ["countersign"]}
    spec["images"] = {"registries": [f"{registry.host}/acme/*"]}
    rules.write_text(yaml.safe_dump_all(documents))
    head = people.head
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(people.folder),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        "COSIGN_PASSWORD": "",
        "UV": _uv(),
        "RELEASE_CHECKOUT": str(people.git.path),
        "RELEASE_REPOSITORY": image.repository,
        "RELEASE_VERSION": VERSION,
        "RELEASE_IMAGE": image.pinned,
        "RELEASE_RANGE": f"{people.base}..{head}",
        "RELEASE_POLICIES": str(people.path("policies")),
        "RELEASE_DIST": str(people.path("dist")),
        "RELEASE_SIGNING": " ".join(
            map(str, signing.signing(signer, Services.REKOR_V2))
        ),
        "COUNTERSIGN_KEY": str(people.path("ci.key")),
        "COUNTERSIGN_REGISTRY_CA": str(registry.authority),
        **registry.environment,
        **_runner(head),
    }
    return Shipyard(registry, image, people, signing, signer, environ)


def _uv() -> str:
    """Return uv, which `make` brings where there is none."""
    brought = root(os.environ).parent / "uv" / "bin" / "uv"
    return os.environ.get("UV") or shutil.which("uv") or str(brought)


def _runner(head: str) -> dict[str, str]:
    """Return what a runner says of itself."""
    ref = f"refs/tags/v{VERSION}"
    return {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": _REPOSITORY,
        "GITHUB_WORKFLOW_REF": f"{_REPOSITORY}/{_WORKFLOW}@{ref}",
        "GITHUB_REF": ref,
        "GITHUB_SHA": head,
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REPOSITORY_ID": "1",
        "GITHUB_REPOSITORY_OWNER_ID": "2",
        "RUNNER_ENVIRONMENT": "github-hosted",
    }


def test_a_release_is_signed_gated_and_verified_by_its_user(yard: Shipyard) -> None:
    """Every step in order; without a senior's word the last one says no, and why."""
    made = yard.step(*STEPS).check()
    chart = yard.environ["RELEASE_CHART"]
    before = yard.gate()
    signed = yard.sign_off().check()
    after = yard.gate()

    assert "chart=" in made.stdout
    assert before.code == Exit.DENIED, before.stderr
    assert "missing: senior (0 of 1)" in before.stderr
    assert "mixed (amazon-q 2026-03, 1 of 1 lines)" in before.stderr
    assert f"beside {yard.image.pinned}: 1 bundle" in signed.stderr
    assert after.code == Exit.DONE, after.stderr
    for what in (yard.image.pinned, chart):
        yard.verify(what).check()
        yard.verify(what, "--type=slsaprovenance1").check()
    parts = yard.verify(yard.image.pinned, "--type=cyclonedx").check()
    assert _statement(parts.stdout)["predicateType"] == "https://cyclonedx.org/bom"


def test_the_chart_names_the_image_that_was_signed(
    yard: Shipyard, tmp_path: Path
) -> None:
    """By digest, so that whoever verified the chart runs what it was built with."""
    _released(yard)
    chart = yard.environ["RELEASE_CHART"]
    layer = json.loads(crane(yard.registry, "manifest", chart).check().stdout)
    blob = f"{chart.partition('@')[0]}@{layer['layers'][0]['digest']}"
    package = tmp_path / "chart.tgz"
    with package.open("wb") as file:
        program: list[str | Path] = [ensure([CRANE])[CRANE.name], "blob", blob]
        subprocess.run(program, env=yard.environ, stdout=file, check=True)

    subprocess.run(["tar", "-xzf", package, "-C", tmp_path], check=True)

    values = yaml.safe_load((tmp_path / "countersign" / "values.yaml").read_text())
    named = f"{values['image']['repository']}@{values['image']['digest']}"
    rendered = (yard.dist / "workloads.yaml").read_text()
    assert named == yard.image.pinned
    assert rendered.count(f"image: {yard.image.pinned}") >= 2


def test_the_list_of_parts_is_the_lock(yard: Shipyard) -> None:
    """Every package that is installed into the image, its version and a hash; no other."""
    _released(yard)
    parts = json.loads((yard.dist / "sbom.cdx.json").read_text())
    how = "export --quiet --frozen --no-default-groups --no-emit-project --no-hashes"
    exported = subprocess.run(
        [yard.environ["UV"], *how.split(), "--no-header", "--no-annotate"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    locked = {line.partition(" ;")[0].strip() for line in exported.stdout.splitlines()}

    listed = {f"{one['name']}=={one['version']}" for one in parts["components"]}

    assert parts["bomFormat"] == "CycloneDX"
    assert listed == locked
    for one in parts["components"]:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        assert any("hashes" in ref for ref in one["externalReferences"])


def test_the_provenance_is_one_that_our_own_gate_reads(yard: Shipyard) -> None:
    """The commit is the one whose making was attested, the builder the workflow's file."""
    _released(yard)
    said = json.loads((yard.dist / "provenance.json").read_text())
    subject = {"name": "it", "digest": {"sha256": yard.image.digest[7:]}}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": said,
    }

    claim = parse_attestation(json.dumps(statement).encode()).claim

    assert isinstance(claim, Build)
    assert yard.people.head in str(claim)
    assert said["runDetails"]["builder"]["id"].endswith(
        f"{_REPOSITORY}/{_WORKFLOW}@refs/tags/v{VERSION}"
    )


def test_what_was_tampered_with_is_refused(yard: Shipyard) -> None:
    """Another image under the tag, another chart, other rules, and no signature at all."""
    _released(yard)
    evil = push(yard.registry, _REPOSITORY, tag=VERSION, content="evil")
    other = yard.people.path("other")
    cosign(None, "generate-key-pair", "--output-key-prefix", other).check()
    stranger = Signer.key(other)
    flags = yard.cosign.verifying(stranger, Services.REKOR_V2)

    swapped = yard.step("gate", RELEASE_IMAGE=evil.pinned)
    workloads = yard.dist / "workloads.yaml"
    honest = workloads.read_text()
    workloads.write_text(honest.replace(yard.image.digest, evil.digest))
    rewritten = yard.gate()
    workloads.write_text(honest.replace("drop:", "add:"))
    privileged = yard.gate()
    workloads.write_text(honest)

    assert not yard.verify(evil.pinned).ok
    assert not cosign(yard.registry, "verify", *flags, yard.image.pinned).ok
    assert not swapped.ok
    assert (rewritten.code, privileged.code) == (Exit.DENIED, Exit.DENIED)
    assert yard.gate().ok


@pytest.mark.parametrize(
    ("words", "told", "said"),
    [
        pytest.param(["publish"], {}, "expected a step, saw publish", id="no step"),
        pytest.param([], {}, "The steps of a release", id="none"),
        pytest.param(
            ["gate"], {"RELEASE_POLICIES": ""}, "RELEASE_POLICIES", id="rules"
        ),
        pytest.param(["provenance"], {"GITHUB_SHA": None}, "GITHUB_SHA", id="commit"),
    ],
)
def test_a_step_says_what_it_lacks(
    yard: Shipyard, words: list[str], told: dict[str, str | None], said: str
) -> None:
    """And does nothing."""
    environ = {**yard.environ, **told}
    left = {key: value for key, value in environ.items() if value is not None}
    done = subprocess.run(
        [ROOT / ".ci" / "release", *words],
        env=left,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert said in done.stderr


def _released(yard: Shipyard) -> None:
    """Make the release, where no test has."""
    if "RELEASE_CHART" not in yard.environ:
        yard.step(*STEPS).check()
        yard.sign_off().check()


def _statement(printed: str) -> dict[str, str]:
    """Return the statement that cosign printed."""
    envelope = json.loads(printed.splitlines()[0])
    return dict(json.loads(base64.b64decode(envelope["payload"])))
