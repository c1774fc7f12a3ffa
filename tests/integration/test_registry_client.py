"""Real registries, filled by the real cosign and by us: each finds what the other put."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from countersign.adapters.registry import attaching
from countersign.adapters.registry.credentials import DockerConfig
from countersign.adapters.registry.registries import Registries
from countersign.adapters.registry.settings import LOOPBACK, Settings
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Pinned
from countersign.wire.bundle import parse_bundle, render_key_bundle
from countersign.wire.envelope import Envelope
from countersign.wire.statement import parse_statement
from tests.support.proving import STATEMENT
from tests.support.pushed import BOTH, Pushed, cosign, push
from tests.support.registry import Kind, Registry, running_registry
from tests.support.registry_access import Auth

WRITERS = 8
YEARS = 135  # sign-offs beside one image
PREDICATE = "https://example.org/predicate"
UNLOGGED = ("--tlog-upload=false", "--use-signing-config=false")


@pytest.fixture(name="registry", params=Kind, scope="module")
def _registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    """Both kinds: one with a referrers API, one without."""
    with running_registry(request.param, auth=Auth.TOKEN) as registry:
        yield registry


@pytest.fixture(name="key", scope="module")
def _key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    prefix = folder / "cosign"
    cosign(None, "generate-key-pair", "--output-key-prefix", prefix).check()
    (folder / "predicate.json").write_text('{"reviewed": true}')
    return folder / "cosign.key"


def client(
    registry: Registry, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Registries:
    """Return a client that is the registry's user."""
    return Registries(
        Settings(
            credentials=DockerConfig(registry.docker_config_file),
            ca_file=registry.authority,
            networks=LOOPBACK,
            request_s=30.0,
            visit_s=120.0,
        ),
        now=now,
    )


def pinned(image: Pushed) -> Pinned:
    """Return the image as we name it."""
    return Pinned(image.repository, Digest.parse(image.digest))


def attest(registry: Registry, image: Pushed, key: Path, *, old: bool) -> None:
    """Let cosign attest an image."""
    form = f"--new-bundle-format={str(not old).lower()}"
    predicate = ("--predicate", key.parent / "predicate.json", "--type", PREDICATE)
    cosign(
        registry, "attest", "--key", key, *predicate, *UNLOGGED, form, image.pinned
    ).check()


async def test_what_cosign_puts_we_find(registry: Registry, key: Path) -> None:
    """In both forms, beside an index and beside a platform; its signatures by name."""
    image = push(registry, "shop/api", platforms=BOTH)
    attest(registry, image, key, old=True)
    attest(registry, image.platform(1), key, old=False)
    old = "--new-bundle-format=false"
    cosign(registry, "sign", "--key", key, *UNLOGGED, old, image.pinned).check()

    async with client(registry) as registries:
        found = await registries.about(pinned(image))
        alone = await registries.about(pinned(image.platform(0)))
        assert (
            await registries.resolve(image.repository, "latest") == pinned(image).digest
        )
    assert found.platforms == {Digest.parse(one) for one in image.platforms}
    assert found.complete
    assert found.problems == ()
    stated = [
        parse_statement(parse_bundle(one).envelope.payload) for one in found.bundles
    ]
    assert {subject.digest for one in stated for subject in one.subjects} == {
        pinned(image).digest,
        pinned(image.platform(1)).digest,
    }
    assert {one.predicate_type for one in stated} == {PREDICATE}
    assert [other.type for other in found.others] == [
        "application/vnd.dev.cosign.simplesigning.v1+json"
    ]
    assert (alone.bundles, alone.others) == ((), ())


async def test_what_we_put_cosign_finds(registry: Registry, key: Path) -> None:
    """A bundle of cosign's own, carried by us to where the image is a copy."""
    there = push(registry, "shop/made", content="the same")
    here = push(registry, "shop/copied", content="the same")
    attest(registry, there, key, old=False)
    async with client(registry) as registries:
        bundles = (await registries.about(pinned(there))).bundles
        await registries.attach(pinned(here), bundles=bundles, intents=[b"an intent"])
        await registries.attach(pinned(here), bundles=bundles, intents=[b"an intent"])
        assert (await registries.about(pinned(here))).bundles == bundles
        intent = Digest.sha256(b"an intent")
        assert await registries.blob(pinned(here), intent, limit=9) == b"an intent"

    verified = cosign(
        registry,
        *("verify-attestation", "--key", key.with_suffix(".pub"), "--type", PREDICATE),
        *("--insecure-ignore-tlog=true", here.pinned),
    )
    assert verified.ok, verified.stderr


async def test_what_years_of_sign_offs_leave(
    registry: Registry, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is found, the newest first, and in time.

    Where there is no referrers API the list under the tag is looked at twice after each:
    here nobody else writes.
    """
    monkeypatch.setattr(attaching, "_SETTLE_S", 0.0)
    monkeypatch.setattr(attaching, "_PATIENCE", 0.0)
    image = push(registry, "shop/old")
    attest(registry, image, key, old=False)
    made = [
        render_key_bundle(Envelope(STATEMENT, b"%d" % n), "k") for n in range(YEARS)
    ]
    days = iter(range(YEARS + 1))
    first = datetime.now(UTC) + timedelta(days=1)
    async with client(registry, lambda: first + timedelta(days=next(days))) as writer:
        await writer.attach(pinned(image), bundles=made, intents=[b"a text"])
    async with client(registry) as registries:
        began = monotonic()
        found = await registries.about(pinned(image))
        took = monotonic() - began
    assert (found.complete, found.problems) == (True, ())
    assert found.bundles[:YEARS] == (*reversed(made),)
    assert len(found.bundles) == YEARS + 1
    assert took < 10


async def test_many_put_at_once(registry: Registry, key: Path) -> None:
    """Cosign's own stays as well."""
    image = push(registry, "shop/busy")
    attest(registry, image, key, old=False)
    bundles = [
        render_key_bundle(Envelope(STATEMENT, b"%d" % n), "k") for n in range(WRITERS)
    ]

    async def write(bundle: bytes) -> None:
        async with client(registry) as registries:
            await registries.attach(pinned(image), bundles=[bundle], intents=[])

    await asyncio.gather(*(write(bundle) for bundle in bundles))
    async with client(registry) as registries:
        found = await registries.about(pinned(image))
    assert found.complete
    assert len(found.bundles) == WRITERS + 1
    assert {*bundles} < {*found.bundles}


async def test_credentials_stay_with_the_registry(
    registry: Registry, key: Path
) -> None:
    """Blobs lie elsewhere; who keeps them is shown nothing, strangers are told nothing."""
    image = push(registry, "shop/web")
    attest(registry, image, key, old=False)
    registry.forget()
    registry.redirects = True
    async with client(registry) as registries:
        await registries.attach(pinned(image), bundles=[], intents=[b"an intent"])
        assert len((await registries.about(pinned(image))).bundles) == 1
    registry.redirects = False
    elsewhere = [one for one in registry.asked if one.host != registry.host]
    assert elsewhere
    assert not any(one.authorization for one in elsewhere)
    settings = Settings(ca_file=registry.authority, networks=LOOPBACK)
    async with Registries(settings) as stranger:
        with pytest.raises(Unavailable):
            await stranger.about(pinned(image))


async def test_a_registry_that_is_down(registry: Registry) -> None:
    """Until it comes back."""
    image = push(registry, "shop/down")
    async with client(registry) as registries:
        with registry.down(), pytest.raises(Unavailable, match="no way to registry"):
            await registries.about(pinned(image))
        assert (await registries.about(pinned(image))).bundles == ()
