"""Evidence that is put beside images, by many at once."""

import asyncio
import json

import pytest
from aiohttp import web

from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Pinned
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope
from countersign.wire.oci import parse_index
from countersign.wire.oci_names import tag_of
from tests.support import quirky_answers as answers
from tests.support.proving import STATEMENT
from tests.support.quirky import BUNDLE, Quirky, index
from tests.unit.adapters.registry.conftest import Opened


def bundle(number: int = 0) -> bytes:
    """Return a bundle; another number is another one."""
    return render_key_bundle(Envelope(STATEMENT, b"%d" % number), "key")


async def test_it_lies_there_as_cosign_puts_it(
    registry: Quirky, opened: Opened
) -> None:
    """The manifest of cosign 3, and one for the intents."""
    client, image = opened(), Pinned(registry.repository, registry.image())
    intents = [b"one intent", b"another"]
    await client.attach(image, bundles=[bundle()], intents=intents)

    put = [
        tree
        for raw, _ in registry.manifests.values()
        if (tree := json.loads(raw)).get("subject")
    ]
    intent, one = sorted(put, key=lambda tree: tree["artifactType"])
    assert one["artifactType"] == one["layers"][0]["mediaType"] == BUNDLE
    assert one["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    assert one["config"]["digest"] == str(Digest.sha256(b"{}"))
    assert one["subject"] == registry.entry(image.digest)
    annotations = one["annotations"]
    assert annotations.pop("org.opencontainers.image.created").endswith("Z")
    assert annotations == {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": json.loads(STATEMENT)["predicateType"],
    }
    assert intent["artifactType"] == "application/vnd.countersign.intent.v1+json"
    assert {layer["digest"] for layer in intent["layers"]} == {
        str(Digest.sha256(text)) for text in intents
    }
    assert (await client.about(image)).bundles == (bundle(),)
    for text in intents:
        assert await client.blob(image, Digest.sha256(text), limit=99) == text


@pytest.mark.parametrize("lists", [True, False])
async def test_twice_is_once(registry: Quirky, opened: Opened, *, lists: bool) -> None:
    """Whatever is there already stays as it is."""
    registry.lists = lists
    client, image = opened(), Pinned(registry.repository, registry.image())
    await client.attach(image, bundles=[bundle()], intents=[b"an intent"])
    before = dict(registry.manifests), dict(registry.tags), dict(registry.blobs)
    await client.attach(image, bundles=[bundle()], intents=[b"an intent"])
    await client.attach(image, bundles=[], intents=[])
    assert (registry.manifests, registry.tags, registry.blobs) == before
    assert bool(registry.tags) == (not lists)


async def test_what_others_listed_stays(registry: Quirky, opened: Opened) -> None:
    """With whatever they said of it, known to us or not."""
    registry.lists = False
    image = Pinned(registry.repository, registry.image())
    theirs = {**registry.entry(registry.referrer(image.digest, b"x")), "new": {"a": 1}}
    registry.document({**index(theirs), "theirs": 1}, tag=tag_of(image.digest))
    await opened().attach(image, bundles=[bundle()], intents=[])

    listed = json.loads(registry.manifests[registry.tags[tag_of(image.digest)]][0])
    assert listed["manifests"][0] == theirs
    assert listed["theirs"] == 1
    mine = listed["manifests"][1]
    assert mine["artifactType"] == BUNDLE
    assert mine["annotations"]["dev.sigstore.bundle.content"] == "dsse-envelope"
    assert len((await opened().about(image)).bundles) == 2


@pytest.mark.parametrize("conditions", [True, False])
async def test_many_at_once(
    registry: Quirky, opened: Opened, *, conditions: bool
) -> None:
    """Nobody guards the list; each finds that his is in it before he leaves."""
    registry.lists, registry.conditions = False, conditions
    image = Pinned(registry.repository, registry.image())

    async def write(number: int) -> None:
        client = opened(request_s=30.0, visit_s=60.0)
        await client.attach(image, bundles=[bundle(number)], intents=[])

    await asyncio.gather(*(write(number) for number in range(12)))
    found = await opened().about(image)
    assert set(found.bundles) == {bundle(number) for number in range(12)}
    assert found.complete


async def test_a_weak_tag_is_no_condition(registry: Quirky, opened: Opened) -> None:
    """It would never hold: RFC 9110, 13.1.1."""
    registry.lists, registry.conditions = False, True
    image = registry.image()

    async def weak(_: web.Request, honest: web.Response) -> web.StreamResponse:
        if "ETag" in honest.headers:
            honest.headers["ETag"] = f"W/{honest.headers['ETag']}"
        return honest

    registry.quirks["manifests/sha256-"] = weak
    pinned = Pinned(registry.repository, image)
    client = opened()
    await client.attach(pinned, bundles=[], intents=[b"one"])
    await client.attach(pinned, bundles=[], intents=[b"two"])
    found = parse_index(registry.manifests[registry.tags[tag_of(image)]][0])
    assert len(found.manifests) == 2


async def test_who_overwrites_the_list_is_noticed(
    registry: Quirky, opened: Opened
) -> None:
    """A writer who read before us, and writes after us."""
    registry.lists = False
    image = Pinned(registry.repository, registry.image())
    old = registry.document(index())
    left = 3

    async def undone(request: web.Request, honest: web.Response) -> web.StreamResponse:
        nonlocal left
        if request.method == "PUT" and left:
            left -= 1
            registry.tags[tag_of(image.digest)] = str(old)
        return honest

    registry.quirks[f"manifests/{tag_of(image.digest)}"] = undone
    await opened().attach(image, bundles=[bundle()], intents=[])
    assert (await opened().about(image)).bundles == (bundle(),)


async def test_a_list_that_never_keeps_it(registry: Quirky, opened: Opened) -> None:
    """Whoever attached must not believe that it is there."""
    registry.lists = False
    image = Pinned(registry.repository, registry.image())
    registry.quirks[f"manifests/{tag_of(image.digest)}"] = answers.status(201)
    with pytest.raises(Unavailable):
        await opened(visit_s=1.0).attach(image, bundles=[bundle()], intents=[])


async def test_what_is_no_list_is_not_overwritten(
    registry: Quirky, opened: Opened
) -> None:
    """Somebody's image has that tag."""
    registry.lists = False
    image = Pinned(registry.repository, registry.image())
    registry.tags[tag_of(image.digest)] = str(image.digest)
    with pytest.raises(Unavailable, match="expected an index"):
        await opened().attach(image, bundles=[bundle()], intents=[])
    assert registry.tags[tag_of(image.digest)] == str(image.digest)


async def test_nothing_is_put_beside_nothing(registry: Quirky, opened: Opened) -> None:
    """No image, or no bundle."""
    nothing = Pinned(registry.repository, Digest.sha256(b"nothing"))
    with pytest.raises(Unavailable, match="does not have"):
        await opened().attach(nothing, bundles=[bundle()], intents=[])
    image = Pinned(registry.repository, registry.image())
    with pytest.raises(Malformed):
        await opened().attach(image, bundles=[bundle(), b"{}"], intents=[b"x"])
    assert [one.method for one in registry.seen if one.method != "GET"] == []


@pytest.mark.parametrize(
    "where", ["uploads", "upload/", "manifests/sha256:", "sha256-"]
)
@pytest.mark.parametrize("code", [400, 403, 404, 413, 500])
async def test_a_registry_that_does_not_take_it(
    registry: Quirky, opened: Opened, where: str, code: int
) -> None:
    """It says so, and so do we."""
    registry.lists = False
    image = Pinned(registry.repository, registry.image())

    async def refuses(request: web.Request, honest: web.Response) -> web.StreamResponse:
        if request.method in {"PUT", "POST"}:
            return await answers.status(code)(request, honest)
        return honest

    registry.quirks[where] = refuses
    with pytest.raises(Unavailable):
        await opened(visit_s=2.0).attach(image, bundles=[bundle()], intents=[])


@pytest.mark.parametrize(
    "to", ["https://{elsewhere}/upload/x", "http://{host}/upload/x", "//[", ""]
)
async def test_an_upload_does_not_continue_elsewhere(
    registry: Quirky, opened: Opened, to: str
) -> None:
    """It would see a token that may write."""
    image = Pinned(registry.repository, registry.image())
    where = to.format(host=registry.host, elsewhere=registry.elsewhere)
    registry.quirks["uploads/"] = answers.status(202, Location=where)
    with pytest.raises(Unavailable):
        await opened().attach(image, bundles=[bundle()], intents=[])
    assert {one.host for one in registry.seen} == {registry.host}


async def test_what_a_tag_names(registry: Quirky, opened: Opened) -> None:
    """Now, by the bytes that lie there."""
    image = registry.image(tag="v1")
    assert await opened().resolve(registry.repository, "v1") == image
    for tag in ("v2", "../x", "", "a" * 129, "v1/../v1"):
        with pytest.raises(Unavailable):
            await opened().resolve(registry.repository, tag)
