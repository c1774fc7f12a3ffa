"""Attestations beside images: what cosign puts there we find, and the other way round.

In both real registries, one with a referrers API and one without, by password and by
token; in the form of cosign 3 and in the older one.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from countersign.adapters.key_files import generate
from countersign.adapters.registry.credentials import DockerConfig
from countersign.adapters.registry.registries import Registries
from countersign.adapters.registry.settings import LOOPBACK, Settings
from countersign.adapters.sign.key import KeySigner, load_key
from countersign.adapters.sign.keyless import KeylessSigner
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Subject
from countersign.core.types.evidence import Build
from countersign.core.types.people import CertIdentity, KeyIdentity
from countersign.ports import Attached, Pinned
from countersign.wire.build import TYPE
from countersign.wire.statement import render_statement
from tests.support.cosigning import (
    Cosign,
    Services,
    Signer,
    proven,
    running_cosign,
    trust,
)
from tests.support.pushed import BOTH, Pushed, push
from tests.support.registry import Kind, Registry, running_registry
from tests.support.registry_access import Auth
from tests.support.sigstore import DANA, ISSUER
from tests.support.slsa import predicate

Result = TypeVar("Result")

COMMIT = Digest.parse(f"gitCommit:{'9f' * 20}")
BUILT = predicate("https://github.com/acme/payments", COMMIT.value)
NEW = [Services.REKOR_V1, Services.REKOR_V2]
OLD = [Services.REKOR_V1, Services.REKOR_V1_STAMPED]


@pytest.fixture(scope="module", name="cosign")
def _cosign() -> Iterator[Cosign]:
    with running_cosign() as cosign:
        (cosign.folder / "predicate").write_text(json.dumps(BUILT))
        cosign.run(
            "generate-key-pair", "--output-key-prefix", cosign.folder / "builder"
        ).check()
        yield cosign


@pytest.fixture(scope="module", name="registries")
def _registries() -> Iterator[dict[Kind, Registry]]:
    """Two: what one has, the other lacks."""
    with ExitStack() as stack:
        ways = {Kind.DISTRIBUTION: Auth.BASIC, Kind.GGCR: Auth.TOKEN}
        yield {
            kind: stack.enter_context(running_registry(kind, auth=auth))
            for kind, auth in ways.items()
        }


@pytest.fixture(params=Kind, name="registry")
def _registry(
    request: pytest.FixtureRequest, registries: dict[Kind, Registry]
) -> Registry:
    return registries[request.param]


@pytest.fixture(name="image")
def _image(request: pytest.FixtureRequest, registry: Registry) -> Pushed:
    """An index of two platforms that no other test knows."""
    name = Digest.sha256(request.node.name.encode()).value[:12]
    return push(registry, f"shop/{name}", platforms=BOTH)


@pytest.fixture(params=["key", "keyless"], name="signer")
def _signer(request: pytest.FixtureRequest, cosign: Cosign) -> Signer:
    if request.param == "key":
        return Signer.key(cosign.folder / "builder")
    return Signer.keyless(cosign, DANA, ISSUER)


def visit(
    registry: Registry, doing: Callable[[Registries], Awaitable[Result]]
) -> Result:
    """Speak with a registry as countersign does."""

    async def visiting() -> Result:
        settings = Settings(
            credentials=DockerConfig(registry.docker_config_file),
            ca_file=registry.authority,
            networks=LOOPBACK,
        )
        async with Registries(settings) as registries:
            return await doing(registries)

    return asyncio.run(visiting())


def pinned(image: Pushed) -> Pinned:
    """Name an image."""
    return Pinned(image.repository, Digest.parse(image.digest))


def found(registry: Registry, image: Pushed) -> Attached:
    """Return all that lies beside an image."""
    return visit(registry, lambda registries: registries.about(pinned(image)))


def attested(image: Pushed, cosign: Cosign, bundle: bytes) -> set[object]:
    """Prove a bundle, and return who said of the image what it says."""
    root = trust(cosign, cosign.folder / "builder.pub")
    evidence = proven(bundle, root)
    assert evidence.digests == {Digest.parse(image.digest)}
    assert isinstance(evidence.claim, Build)
    assert evidence.claim.commit == COMMIT
    assert evidence.signed_at
    return {evidence.signer}


KEY, PERSON = KeyIdentity("it", "builder"), CertIdentity("it", ISSUER, DANA)


@pytest.mark.parametrize("services", NEW)
def test_finds_what_cosign_attests(
    cosign: Cosign,
    registry: Registry,
    image: Pushed,
    signer: Signer,
    services: Services,
) -> None:
    """As referrers: by the API, or under the fallback tag."""
    cosign.attest(
        registry,
        image.pinned,
        signer,
        services,
        *("--type", "slsaprovenance1", "--predicate", cosign.folder / "predicate"),
    )

    lies = found(registry, image)

    assert lies.complete
    assert not lies.problems
    assert lies.platforms == {Digest.parse(one) for one in image.platforms}
    (bundle,) = lies.bundles
    assert attested(image, cosign, bundle) <= {KEY, PERSON}


@pytest.mark.parametrize("services", OLD)
def test_finds_what_older_versions_attest(
    cosign: Cosign,
    registry: Registry,
    image: Pushed,
    signer: Signer,
    services: Services,
) -> None:
    """Beside the tag ``.att``, rewritten as a bundle; three are three."""
    told = ("--type", "slsaprovenance1", "--predicate", cosign.folder / "predicate")
    for old in (True, False):
        cosign.attest(registry, image.pinned, signer, services, *told, old=old)

    lies = found(registry, image)

    assert lies.complete
    assert not lies.problems
    assert len(lies.bundles) == 2
    for bundle in lies.bundles:
        assert attested(image, cosign, bundle) <= {KEY, PERSON}


def test_finds_all_that_several_people_put_there(
    cosign: Cosign, registry: Registry, image: Pushed
) -> None:
    """Of the index and of its platforms, old and new, each with its subject."""
    told = ("--type", "slsaprovenance1", "--predicate", cosign.folder / "predicate")
    key = Signer.key(cosign.folder / "builder")
    cosign.run(
        "sign", *cosign.signing(key, Services.REKOR_V2), image.pinned, registry=registry
    ).check()
    for one, old in ((image, False), (image, True), (image.platform(1), False)):
        cosign.attest(
            registry, one.pinned, key, Services.REKOR_V1_STAMPED, *told, old=old
        )

    lies = found(registry, image)

    root = trust(cosign, cosign.folder / "builder.pub")
    subjects: list[Digest | None] = []
    for bundle in lies.bundles:
        try:
            subjects += proven(bundle, root).digests
        except Malformed:  # the signature says nothing that countersign knows
            subjects.append(None)
    assert lies.complete
    assert sorted(map(str, subjects)) == sorted(
        ["None", image.digest, image.digest, image.platforms[1]]
    )


@pytest.mark.parametrize("attestor", ["key", "keyless"])
def test_cosign_verifies_what_we_attach(
    cosign: Cosign, registry: Registry, image: Pushed, attestor: str, tmp_path: Path
) -> None:
    """Found by cosign's own discovery; for this image, this type and this signer."""
    name = Subject(image.repository, Digest.parse(image.digest))
    statement = render_statement([name], TYPE, BUILT)
    if attestor == "key":
        private, public = generate(tmp_path / "ours", "")
        key = KeySigner(load_key(private.read_bytes(), ""))
        bundle = asyncio.run(key.sign(statement))
        signer, services = Signer([], ["--key", public]), Services.NOBODY
    else:
        token = cosign.sigstore.token(DANA, issuer=ISSUER)
        config = cosign.config(Services.REKOR_V2)
        bundle = asyncio.run(KeylessSigner(config, token).sign(statement))
        signer, services = Signer.keyless(cosign, DANA, ISSUER), Services.REKOR_V2
    visit(
        registry,
        lambda registries: registries.attach(
            pinned(image), bundles=[bundle], intents=[]
        ),
    )

    def verify(kind: str, of: Pushed) -> bool:
        flags = cosign.verifying(signer, services)
        command = ("verify-attestation", *flags, "--type", kind, of.pinned)
        return cosign.run(*command, registry=registry).ok

    assert verify("slsaprovenance1", image)
    assert not verify("spdx", image)
    assert not verify("slsaprovenance1", image.platform(0))
