"""Evidence beside images, from the command line, in real registries.

What is pushed here is read by the real cosign, too; the other way round is asked in
test_cosign_images.
"""

import asyncio
import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from countersign.core.types.artifacts import Digest
from countersign.faces.cli import main
from countersign.faces.cli.images import open_registries
from countersign.faces.cli.options import RegistryOptions
from countersign.faces.cli.session import Exit, Session
from countersign.ports import Pinned
from countersign.usecases.attach import Parcel, put
from countersign.usecases.inspect import carried_bundles
from countersign.wire.manifests import parse_manifests
from tests.support.cli import NOON, Ran
from tests.support.pushed import BOTH, Pushed, cosign, crane, push
from tests.support.registry import Kind, Registry, running_registry
from tests.support.registry_access import Auth
from tests.support.release import IMAGE, Release

_NEXT = re.compile(r"then run: countersign (.*)")
SECRET = """\
---
apiVersion: v1
kind: Secret
metadata:
  name: ledger
stringData:
  password: correct-horse-battery-staple
"""


@dataclass
class Shop:
    """A release whose image lies in a registry of its own.

    Attributes:
        registry: Where.
        image: What the Deployment runs: an index of two platforms.
        release: Manifests, keys and rules; these name the registry.
        environ: Of whoever runs a command.
    """

    registry: Registry
    image: Pushed
    release: Release
    environ: dict[str, str] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Return a file of the release."""
        return self.release.path(name)

    def run(self, *args: object, stdin: io.StringIO | None = None) -> Ran:
        """Run a command with the registry's authority; `stdin` is a person's terminal."""
        out = io.TextIOWrapper(io.BytesIO(), write_through=True)
        err, before = io.StringIO(), (sys.stdin, dict(os.environ))
        session = Session(
            environ=self.environ, present=lambda: NOON, interactive=stdin is not None
        )
        os.environ["COUNTERSIGN_REGISTRY_CA"] = str(self.registry.authority)
        sys.stdin = stdin or io.StringIO()
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                code = main([str(arg) for arg in args], session=session)
        finally:
            sys.stdin = before[0]
            os.environ.clear()
            os.environ.update(before[1])
        out.seek(0)
        return Ran(code, out.read(), err.getvalue())

    def attest(self, *more: object) -> Ran:
        """Attest the last commit as ci, beside images."""
        return self.run(
            *("attest", f"{self.release.base}..HEAD", "--cluster", "prod"),
            *("--repo", self.release.git.path, "--key", self.path("ci.key")),
            *("--carrier", "oci", *more),
        )

    def sign(self, *more: object, by: str = "dana", **given: io.StringIO) -> Ran:
        """Sign the manifests as somebody."""
        answers = () if given else ("--answers", self.path("answers.yaml"))
        return self.run(
            *("sign-off", "--key", self.path(f"{by}.key"), "--cluster", "prod"),
            *(*answers, "--policies", self.path("policies"), *more),
            **given,
        )

    def verify(self, *more: object) -> Ran:
        """Ask for the verdict by the rules of the release."""
        rules = ("--policies", self.path("policies"), "--cluster", "prod")
        return self.run("verify", *rules, *more)

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what lies beside an image."""
        rules = ("--policies", self.path("policies"))
        ran = self.run("inspect", name, *rules, "-o", "json")
        assert ran.code == Exit.DONE, ran.err
        (found,) = json.loads(ran.out)
        return dict(found)


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return Release.make(tmp_path_factory.mktemp("release"))


@pytest.fixture(
    name="shop", params=[(Kind.DISTRIBUTION, Auth.TOKEN), (Kind.GGCR, Auth.BASIC)]
)
def _shop(
    request: pytest.FixtureRequest, template: Release, tmp_path: Path
) -> Iterator[Shop]:
    """Both registries: with the fallback tag, and with the referrers API."""
    kind, auth = request.param
    with running_registry(kind, auth=auth) as registry:
        yield made(registry, template.copy(tmp_path / "release"))


@pytest.fixture(name="one")
def _one(template: Release, tmp_path: Path) -> Iterator[Shop]:
    """One registry, where it does not matter which."""
    with running_registry(Kind.GGCR, auth=Auth.BASIC) as registry:
        yield made(registry, template.copy(tmp_path / "release"))


def made(registry: Registry, release: Release) -> Shop:
    """Push the image, and write it into the manifests and the policy."""
    image = push(registry, "acme/ledger", platforms=BOTH)
    manifests = release.path("ledger.yaml")
    written = manifests.read_text().replace(IMAGE, image.pinned)
    _, deployment = yaml.safe_load_all(written)
    deployment["metadata"]["namespace"] = "payments"
    manifests.write_text(yaml.safe_dump(deployment))
    rules = release.path("policies") / "all.yaml"
    documents = list(yaml.safe_load_all(rules.read_text()))
    documents[-1]["spec"]["images"] = {"registries": [f"{registry.host}/acme/*"]}
    rules.write_text(yaml.safe_dump_all(documents))
    environ = {"DOCKER_CONFIG": str(registry.docker_config)}
    return Shop(registry, image, release, environ)


def test_attested_and_signed_beside_the_image_it_is_admitted(shop: Shop) -> None:
    """By the file as it was before: nothing travels with it."""
    file, rules = shop.path("ledger.yaml"), ("--registries",)
    before = shop.verify("-f", file, *rules)
    attested = shop.attest("--image", shop.image.pinned, "-f", file, "--out", file)
    between = shop.verify("-f", file, *rules)
    signed = shop.sign("-f", file, "--carrier", "oci", "--out", file)
    after = shop.verify("-f", file, *rules)
    offline = shop.verify("-f", file)

    assert (attested.code, signed.code) == (Exit.DONE, Exit.DONE), signed.err
    assert "countersign.dev" not in file.read_text()
    assert f"beside {shop.image.pinned}: 1 bundle and 1 intent" in signed.err
    assert "sees it within 10 s" in signed.err
    assert "an index of 2 images" in signed.err
    assert "made of https://git.example/acme/payments" in signed.err
    assert "provenance 1: mixed (amazon-q 2026-03, 1 of 1 lines" in signed.err
    assert "attention" not in signed.err
    codes = (before.code, between.code, after.code, offline.code)
    assert codes == (Exit.DENIED, Exit.DENIED, Exit.DONE, Exit.DENIED)
    assert "--registries" in offline.err
    assert shop.verify("--image", shop.image.pinned).code == Exit.DONE


def test_another_image_another_object_and_a_tag_are_denied(one: Shop) -> None:
    """Evidence for an image never covers what runs it otherwise."""
    file = one.path("ledger.yaml")
    one.attest("--image", one.image.pinned, "-f", file, "--out", file)
    one.sign("-f", file, "--carrier", "oci", "--out", file)
    other = push(one.registry, "acme/ledger", tag="other", content="other")
    text = file.read_text()
    privileged = "- securityContext: {privileged: true}\n        image:"
    changes = {
        "privileged": text.replace("- image:", privileged),
        "another image": text.replace(one.image.pinned, other.pinned),
        "a tag": text.replace(one.image.pinned, f"{one.image.repository}:latest"),
        "a platform": text.replace(one.image.pinned, one.image.platform(0).pinned),
    }

    codes = {}
    for name, changed in changes.items():
        assert changed != text, name
        one.path("changed.yaml").write_text(changed)
        codes[name] = one.verify("-f", one.path("changed.yaml"), "--registries").code

    assert codes == dict.fromkeys(changes, Exit.DENIED)


def test_inspects_the_whole_lineage(shop: Shop) -> None:
    """By digest and by tag; what others left there is named."""
    file = shop.path("ledger.yaml")
    shop.attest("--image", shop.image.pinned, "-f", file, "--out", file)
    shop.sign("-f", file, "--carrier", "oci", "--out", file)
    subject, key = shop.image.pinned, shop.path("cosign")
    cosign(shop.registry, "generate-key-pair", "--output-key-prefix", key).check()
    shop.path("sbom.json").write_text('{"bomFormat": "CycloneDX"}')
    shown = ("--type", "cyclonedx", "--predicate", shop.path("sbom.json"))
    signing = ("--key", f"{key}.key", "--signing-config", _offline(shop))
    cosign(shop.registry, "attest", *signing, *shown, subject).check()

    found = shop.inspect(subject)
    tagged = shop.run("inspect", f"{shop.image.repository}:latest")

    (origin,) = found["origins"]
    assert origin["repository"] == "https://git.example/acme/payments"
    assert origin["provenance"][0]["proven"]["signer"]["key"] == "ci"
    (sign_off,) = found["signOffs"]
    assert sign_off["proven"]["signer"]["key"] == "dana"
    assert found["platforms"] == sorted(shop.image.platforms)
    assert {one["type"] for one in found["others"]} == {"https://cyclonedx.org/bom"}
    assert (found["problems"], found["complete"]) == ([], True)
    assert "tag latest is at it now" in tagged.out
    assert tagged.out.startswith(f"image {subject}\n  tag")
    assert "NOT PROVEN: no trust roots were given" in tagged.out
    assert "attestation https://cyclonedx.org/bom" in tagged.out


def test_a_tag_is_refused_with_the_command_that_works(shop: Shop) -> None:
    """As it stands: a test that edits it would test something else."""
    refused = shop.attest("--image", f"{shop.image.repository}:latest")
    printed = _NEXT.search(refused.err)
    assert printed, refused.err

    done = shop.run(*shlex.split(printed[1]))

    assert (refused.code, refused.out) == (Exit.USAGE, "")
    assert done.code == Exit.DONE
    assert shop.inspect(shop.image.pinned)["origins"]


def test_cosign_reads_what_lies_there(shop: Shop) -> None:
    """And verifies it with the signer's key."""
    shop.attest("--image", shop.image.pinned)
    public = shop.path("ci.pub")
    key = load_pem_private_key(shop.path("ci.key").read_bytes(), None)
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(key.public_key().public_bytes(*form))
    kind = "https://countersign.dev/attestation/ai-provenance/v0.1"

    verified = cosign(
        shop.registry,
        *("verify-attestation", "--key", public, "--insecure-ignore-tlog"),
        *("--type", kind, shop.image.pinned),
    )
    shown = cosign(shop.registry, "tree", shop.image.pinned)

    assert verified.ok, verified.stderr
    assert kind in shown.stdout


def test_those_who_sign_at_once_all_count(shop: Shop) -> None:
    """The fallback tag is one place that all write to, each from a machine of its own.

    Seen to fail, with the fallback tag, where nobody looked whether it stayed.
    """
    file, people = shop.path("ledger.yaml"), ("dana", "ravi", "dev")
    shop.attest("--image", shop.image.pinned, "-f", file, "--out", file)
    for who in people:
        shop.sign("-f", file, "--out", shop.path(f"{who}.yaml"), by=who)
    bundles = [
        carried_bundles(parse_manifests(shop.path(f"{who}.yaml").read_bytes())[0])[1]
        for who in people
    ]

    asyncio.run(_put_at_once(shop, [found[-1] for found in bundles]))

    found = shop.inspect(shop.image.pinned)
    signers = [each["proven"]["signer"]["key"] for each in found["signOffs"]]
    assert sorted(signers) == sorted(people)


async def _put_at_once(shop: Shop, bundles: list[bytes]) -> None:
    image = Pinned(shop.image.repository, Digest.parse(shop.image.digest))

    async def one(bundle: bytes) -> None:
        how = RegistryOptions(registry_ca=shop.registry.authority)
        session = Session(environ=shop.environ, present=lambda: NOON)
        async with open_registries(session, how) as store:
            await put([Parcel(image=image, bundles=(bundle,))], store)

    await asyncio.gather(*map(one, bundles))


def test_what_runs_no_image_carries_its_evidence_and_secrets_never_leave(
    one: Shop,
) -> None:
    """No intent of a Secret is ever sent, salted or not."""
    file = one.path("all.yaml")
    config = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ledger}\n"
    file.write_text(one.path("ledger.yaml").read_text() + config + SECRET)
    attested, signed = one.path("attested.yaml"), one.path("signed.yaml")

    first = one.attest(
        *("-f", file, "-n", "payments", "--out", attested),
        *("--image", one.image.pinned),
    )
    second = one.sign("-f", attested, "--carrier", "oci", "--out", signed)

    assert first.code == Exit.DONE, first.err
    assert "payments/Secret/ledger: runs no such image" in first.err
    assert "payments/ConfigMap/ledger: runs no such image" in first.err
    assert second.code == Exit.DONE, second.err
    verdict = one.verify("-f", signed, "--registries")
    assert verdict.code == Exit.DONE, verdict.out
    (sign_off,) = one.inspect(one.image.pinned)["signOffs"]
    lies_there = {
        subject["name"].split("/")[-3]: crane(
            one.registry, "blob", f"{one.image.repository}@{subject['digest']}"
        ).ok
        for subject in sign_off["subjects"]
        if subject["name"].startswith("manifest:")
    }
    assert lies_there == {
        "Deployment": True,
        "manifest:ConfigMap": False,
        "manifest:Secret": False,
    }


def test_a_signature_is_not_lost_when_the_registry_goes_away(one: Shop) -> None:
    """It was looked at, answered and signed; then the registry was down."""
    file, out = one.path("ledger.yaml"), one.path("signed.yaml")
    one.attest("--image", one.image.pinned, "-f", file, "--out", file)
    with contextlib.ExitStack() as stack:
        down = _Typed(lambda: stack.enter_context(one.registry.down()))
        saved = one.sign("-f", file, "--carrier", "oci", "--out", out, stdin=down)

    assert saved.code == Exit.UNDECIDED
    assert "the signature is not lost: what was written has it in annotations" in (
        saved.err
    )
    assert one.verify("-f", out, "--registries").code == Exit.DONE


class _Typed(io.StringIO):
    """A person who does something else first, and then answers."""

    def __init__(self, first: object) -> None:
        super().__init__("a\nlooked at it\n" * 3 + "y\n")
        self._first = first

    # typeshed has bytes for the base class of all streams
    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        """Type one line."""
        first, self._first = self._first, None
        if callable(first):
            first()
        return super().readline(-1 if size is None else size)


def test_a_rejection_lies_beside_the_image_too(one: Shop) -> None:
    """And outweighs the approval that was there before."""
    file = one.path("ledger.yaml")
    one.attest("--image", one.image.pinned, "-f", file, "--out", file)
    one.sign("-f", file, "--carrier", "oci", "--out", file)
    allowed = one.verify("-f", file, "--registries").code

    one.sign("-f", file, "--carrier", "oci", "--reject", "--out", file, by="ravi")

    assert allowed == Exit.DONE
    assert one.verify("-f", file, "--registries").code == Exit.DENIED


def test_an_image_is_approved_as_such(one: Shop) -> None:
    """Without manifests; that admits nothing by itself."""
    signed = one.sign("--image", one.image.pinned, "--carrier", "oci")

    found = one.inspect(one.image.pinned)
    assert (signed.code, signed.out) == (Exit.DONE, "")
    (sign_off,) = found["signOffs"]
    digests = {subject["digest"] for subject in sign_off["subjects"]}
    assert digests == {one.image.digest, *one.image.platforms}
    denied = one.verify("-f", one.path("ledger.yaml"), "--registries")
    assert denied.code == Exit.DENIED
    nothing = one.verify("--image", one.image.pinned)
    assert nothing.code == Exit.NO_INPUT
    assert "an image alone is not admitted" in nothing.err


def test_the_command_is_right_however_the_tag_was_given(one: Shop) -> None:
    """Also as one word, and where something else has to be quoted."""
    tag = f"{one.image.repository}:latest"
    link = "https://git.example/pull/1?a=1&b=2"

    refused = one.sign(f"--image={tag}", "--carrier", "oci", "--link", link)
    printed = _NEXT.search(refused.err)
    assert printed, refused.err
    done = one.run(*shlex.split(printed[1]))

    assert f"--image={one.image.pinned}" in shlex.split(printed[1])
    assert done.code == Exit.DONE, done.err


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("{host}/acme/none:latest", "does not have", id="no such tag"),
        pytest.param("{host}/acme/ledger@sha256:" + "0" * 64, "", id="no such image"),
        pytest.param("169.254.169.254/x:1", "may not be", id="metadata"),
        pytest.param("[fe80::1]:5000/x:1", "may not be", id="link-local"),
        pytest.param("metadata.invalid/x:1", "no way", id="no such host"),
    ],
)
def test_says_what_it_could_not_ask(name: str, hint: str, one: Shop) -> None:
    """On one line, without a traceback."""
    ran = one.run("inspect", name.format(host=one.registry.host))

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert hint in ran.err


def test_a_credential_helper_is_asked_and_nothing_of_it_is_printed(
    one: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker's own way; also where it fails, and with --debug."""
    folder = one.path("helpers")
    folder.mkdir()
    config = one.path("docker")
    config.mkdir()
    told = {"credHelpers": {one.registry.host: "shop"}}
    (config / "config.json").write_text(json.dumps(told))
    one.environ["DOCKER_CONFIG"] = str(config)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    codes = []
    for password in (one.registry.password, "wrong-horse"):
        said = {"Username": one.registry.user, "Secret": password}
        helper = folder / "docker-credential-shop"
        helper.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{json.dumps(said)}'\n")
        helper.chmod(0o755)
        ran = one.run("inspect", f"{one.image.repository}:latest", "--debug")
        codes.append(ran.code)
        assert password not in ran.out + ran.err

    assert codes == [Exit.DONE, Exit.UNDECIDED]


def test_without_docker_configuration_nobody_is_known(one: Shop) -> None:
    """A private registry says no, and the message says whom it does not know."""
    shutil.rmtree(one.registry.docker_config)

    ran = one.run("inspect", f"{one.image.repository}:latest")

    assert ran.code == Exit.UNDECIDED
    assert one.registry.host in ran.err


def _offline(shop: Shop) -> Path:
    """Return a signing config without services: cosign signs with the key alone."""
    file = shop.path("signing_config.json")
    kind = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
    file.write_text(json.dumps({"mediaType": kind}))
    return file
