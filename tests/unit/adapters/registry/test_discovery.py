"""All evidence beside an image, wherever it lies, and nothing else."""

import base64
import json
from collections.abc import Awaitable, Callable

import pytest

from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Other
from countersign.wire.bundle import parse_bundle
from countersign.wire.cosign import legacy_attestation
from countersign.wire.oci import DOCKER_LIST
from countersign.wire.oci_names import tag_of
from tests.support.quirky import BUNDLE, Quirky, index, manifest

About = Callable[..., Awaitable[Attached]]

SIGNED = b'{"a bundle": 1}'
OTHER = b'{"a bundle": 2}'
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


def envelope(payload: bytes = b"{}") -> bytes:
    """Return a DSSE envelope as cosign stores it."""
    tree = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": "", "sig": base64.b64encode(b"sig").decode()}],
    }
    return json.dumps(tree).encode()


async def test_every_place_is_looked_at(registry: Quirky, about: About) -> None:
    """A bundle in each; what lies in two is there once."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    registry.lists = True
    hidden = registry.referrer(image, OTHER)
    registry.document(index(registry.entry(hidden)), tag=tag_of(image))
    layer = registry.descriptor(envelope(), ENVELOPE, annotations={})
    config = registry.descriptor(b"{}", "application/vnd.oci.image.config.v1+json")
    registry.document(manifest(config, [layer]), tag=tag_of(image, ".att"))
    signature = registry.descriptor(b"a signature", SIMPLE)
    sig = registry.document(manifest(config, [signature]), tag=tag_of(image, ".sig"))
    del sig

    found = await about(image)
    legacy = legacy_attestation(envelope(), {})
    assert set(found.bundles) == {SIGNED, OTHER, legacy}
    assert parse_bundle(legacy).envelope.payload == b"{}"
    assert found.complete
    assert found.problems == ()
    assert found.others == (Other(SIMPLE, Digest.sha256(b"a signature"), image),)


@pytest.mark.parametrize(
    "media_type",
    [
        BUNDLE,
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
    ],
)
async def test_bundles_of_every_version(
    registry: Quirky, about: About, media_type: str
) -> None:
    """The layer says that it is one, whatever the artifact is called."""
    image = registry.image()
    registry.referrer(image, SIGNED, kind=media_type)
    registry.document(
        manifest(
            registry.descriptor(b"{}", EMPTY),
            [registry.descriptor(OTHER, media_type)],
            artifactType="application/vnd.in-toto+json",
            subject=registry.entry(image),
        )
    )
    assert set((await about(image)).bundles) == {SIGNED, OTHER}


async def test_old_forms_differ_by_their_proof(registry: Quirky, about: About) -> None:
    """One envelope, attested twice: the annotations are part of it."""
    image = registry.image()
    stamp = {"dev.sigstore.cosign/rfc3161timestamp": "{}"}
    layers = [
        registry.descriptor(envelope(), ENVELOPE, annotations={}),
        registry.descriptor(envelope(), ENVELOPE, annotations=stamp),
        registry.descriptor(b"junk", ENVELOPE, annotations={}),
    ]
    registry.document(
        manifest(registry.descriptor(b"{}", EMPTY), layers), tag=tag_of(image, ".att")
    )
    found = await about(image)
    assert legacy_attestation(envelope(), {}) in found.bundles
    assert not found.complete
    assert any(str(Digest.sha256(b"junk")) in problem for problem in found.problems)


async def test_intents_are_no_evidence(registry: Quirky, about: About) -> None:
    """Nor anything else worth a word: a sign-off names them."""
    image = registry.image()
    kind = "application/vnd.countersign.intent.v1+json"
    registry.referrer(image, b"an intent", kind=kind)
    assert await about(image) == Attached()


# an index and its platforms


async def test_evidence_of_platforms_belongs_to_the_index(
    registry: Quirky, about: About
) -> None:
    """And to whoever pins a platform, only its own."""
    amd64, arm64 = registry.image("amd64"), registry.image("arm64")
    image = registry.index(amd64, arm64)
    for subject, bundle in ((image, SIGNED), (amd64, OTHER), (arm64, b"{}")):
        registry.referrer(subject, bundle)
    sbom = registry.referrer(arm64, b"sbom", kind="text/spdx")

    found = await about(image)
    assert set(found.bundles) == {SIGNED, OTHER, b"{}"}
    assert found.platforms == {amd64, arm64}
    assert found.others == (Other("text/spdx", sbom, arm64),)
    alone = await about(amd64)
    assert alone == Attached(bundles=(OTHER,))


async def test_what_no_machine_runs_is_no_platform(
    registry: Quirky, about: About
) -> None:
    """BuildKit's attestations lie in the index; what says nothing of itself may run."""
    amd64, attestation = registry.image("amd64"), registry.image("attestation")
    told = {"architecture": "unknown", "os": "unknown"}
    image = registry.document(
        index(
            {**registry.entry(amd64), "platform": {"architecture": "amd64"}},
            {**registry.entry(attestation), "platform": told},
        )
    )
    half = registry.document(
        index({**registry.entry(amd64), "platform": {**told, "os": "linux"}})
    )
    assert (await about(image)).platforms == {amd64}
    assert (await about(half)).platforms == {amd64}


async def test_indexes_in_indexes(registry: Quirky, about: About) -> None:
    """Opened, a few; what is in several of them is one platform."""
    amd64, arm64 = registry.image("amd64"), registry.image("arm64")
    inner = registry.index(arm64, amd64)
    image = registry.document(
        index(
            registry.entry(inner),
            {**registry.entry(amd64)},
            mediaType=DOCKER_LIST,
        )
    )
    assert (await about(image)).platforms == {amd64, arm64}

    for _ in range(9):
        inner = registry.index(inner)
    with pytest.raises(Unavailable, match="more than 8 indexes"):
        await about(inner)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"digest": f"sha512:{'0' * 128}"}, id="another algorithm"),
        pytest.param({"mediaType": None}, id="no type"),
        pytest.param({"size": "1"}, id="no size"),
    ],
)
async def test_an_index_that_cannot_be_read_whole_is_none(
    registry: Quirky, about: About, spoil: dict[str, object]
) -> None:
    """A platform that nobody sees would be covered by nothing, and run."""
    amd64, arm64 = registry.image("amd64"), registry.image("arm64")
    image = registry.document(
        index(registry.entry(amd64), {**registry.entry(arm64), **spoil})
    )
    with pytest.raises(Unavailable, match="not all platforms"):
        await about(image)


async def test_an_index_with_what_it_does_not_have(
    registry: Quirky, about: About
) -> None:
    """A platform that was not copied is still one; an index hides what is in it."""
    amd64, gone = registry.image("amd64"), Digest.sha256(b"gone")
    sparse = registry.index(amd64, gone)
    assert (await about(sparse)).platforms == {amd64, gone}

    entry = {**registry.entry(gone), "mediaType": DOCKER_LIST}
    hiding = registry.document(index(registry.entry(amd64), entry))
    with pytest.raises(Unavailable, match="does not have"):
        await about(hiding)
    lying = registry.document(
        index({**registry.entry(amd64), "mediaType": DOCKER_LIST})
    )
    with pytest.raises(Unavailable, match="not all platforms"):
        await about(lying)


async def test_too_many_platforms(registry: Quirky, about: About) -> None:
    """Each would be asked about."""
    entry = registry.entry(registry.image())
    image = registry.document(
        index(*({**entry, "digest": f"sha256:{n:064x}"} for n in range(65)))
    )
    with pytest.raises(Unavailable, match="more than 64 platforms"):
        await about(image)
    assert len(registry.seen) == 1


@pytest.mark.parametrize(
    "raw", [b"{", b"{}", b"[]", b'{"schemaVersion":1,"fsLayers":[]}']
)
async def test_what_is_no_image(registry: Quirky, about: About, raw: bytes) -> None:
    """Its digest is right, and no machine runs it."""
    with pytest.raises(Unavailable):
        await about(registry.document(raw))


async def test_the_same_place_answers_the_same(registry: Quirky, about: About) -> None:
    """The order in which a registry lists decides nothing."""
    image = registry.image()
    for number in range(9):
        registry.referrer(image, b"%d" % number)
    found = await about(image)
    registry.manifests = dict(reversed(registry.manifests.items()))
    assert await about(image) == found
