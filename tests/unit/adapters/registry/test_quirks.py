"""Registries that misbehave: unavailable, no evidence or malformed, each in its time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from countersign.adapters.registry.leads import INTENT_TYPE
from countersign.core.errors import Malformed, OverLimit, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Pinned, Throttled
from countersign.wire.oci import CREATED, INDEX, MANIFEST
from countersign.wire.oci_names import tag_of
from countersign.wire.shapes import render_time
from tests.support import quirky_answers as answers
from tests.support.quirky import BUNDLE, Quirk, Quirky, index, manifest
from tests.unit.adapters.registry.conftest import Opened

About = Callable[..., Awaitable[Attached]]

SIGNED = b'{"a bundle": 1}'
OTHER = b'{"a bundle": 2}'
SHORT = {"request_s": 0.3}


# the registry itself fails: there is no answer


@pytest.mark.parametrize("where", ["manifests/", "referrers/", "blobs/", ".att"])
@pytest.mark.parametrize(
    "quirk",
    [
        pytest.param(answers.status(500), id="an error of its own"),
        pytest.param(answers.status(503), id="no time, without saying until when"),
        pytest.param(answers.status(401), id="no access, and no way to ask for it"),
        pytest.param(answers.status(403), id="no access"),
        pytest.param(answers.status(418), id="a status that says nothing"),
        pytest.param(answers.status(204), id="a status of success that has no answer"),
        pytest.param(answers.silent, id="not a word"),
        pytest.param(answers.slow, id="a byte at a time"),
        pytest.param(answers.truncated, id="half of it, then gone"),
        pytest.param(answers.gzipped(1 << 30), id="a gzip bomb"),
        pytest.param(
            answers.instead(b"{}", Content_Encoding="br"), id="encoded in some way"
        ),
    ],
)
async def test_a_registry_that_fails_gives_no_answer(
    registry: Quirky, about: About, where: str, quirk: Quirk
) -> None:
    """Whatever else it has said before: what it did not say may speak against it."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    registry.quirks[where] = quirk

    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await about(image, **SHORT)


async def test_it_is_asked_anew_afterwards(registry: Quirky, about: About) -> None:
    """A failure is of the moment."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    registry.quirks["blobs/"] = answers.first(1, answers.status(502))

    with pytest.raises(Unavailable, match="answered 502"):
        await about(image)
    assert (await about(image)).bundles == (SIGNED,)


async def test_who_is_not_trusted_is_not_asked(
    registry: Quirky, opened: Opened
) -> None:
    """TLS comes before the first request."""
    image = Pinned(registry.repository, registry.image())
    with pytest.raises(Unavailable, match="by no authority that is trusted"):
        await opened(ca_file=None).about(image)
    assert registry.seen == []


async def test_no_name_no_way(opened: Opened) -> None:
    """Nor one that is no name of a registry at all."""
    image = Digest.sha256(b"")
    for repository in (
        "registry.invalid/a",
        "no",
        "a b/c",
        "x/../y",
        "https://x/y",
        "/",
    ):
        with pytest.raises(Unavailable):
            await opened().about(Pinned(repository, image))


async def test_an_image_that_is_not_there(registry: Quirky, about: About) -> None:
    """Nothing can be said about it."""
    with pytest.raises(Unavailable, match="does not have"):
        await about(Digest.sha256(b"nothing"))
    assert len(registry.seen) == 1


@pytest.mark.parametrize("where", ["manifests/sha256:", "blobs/"])
@pytest.mark.parametrize(
    "quirk",
    [answers.instead(b"{}"), answers.instead(b""), answers.cut],
    ids=["other bytes", "none", "half"],
)
async def test_other_bytes_than_a_digest_says_are_a_failure(
    registry: Quirky, about: About, where: str, quirk: Quirk
) -> None:
    """Who says such says nothing that could be relied on."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    registry.quirks[where] = quirk

    with pytest.raises(Unavailable, match="other bytes"):
        await about(image)


async def test_a_tag_that_is_not_what_its_header_says(
    registry: Quirky, opened: Opened
) -> None:
    """The header is of the bytes, or something stands in between."""
    image = registry.image(tag="v1")
    liar = f"sha256:{'0' * 64}"
    body = registry.manifests[str(image)][0]
    registry.quirks["manifests/v1"] = answers.instead(body, Docker_Content_Digest=liar)

    with pytest.raises(Unavailable, match="not what the registry says"):
        await opened().resolve(registry.repository, "v1")


# it wants to be left alone


async def test_a_short_while_is_waited_for(registry: Quirky, about: About) -> None:
    """Where the deadline allows, nobody notices."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    registry.quirks["referrers/"] = answers.first(
        1, answers.status(429, Retry_After="0")
    )
    assert (await about(image)).bundles == (SIGNED,)


async def test_a_short_while_again_and_again(registry: Quirky, about: About) -> None:
    """Who only says so is not asked without end."""
    image = registry.image()
    registry.quirks["referrers/"] = answers.status(429, Retry_After="0")
    with pytest.raises(Throttled, match="again and again"):
        await about(image)
    assert len([one for one in registry.seen if "referrers/" in one.path]) == 3


@pytest.mark.parametrize(
    ("told", "expected"),
    [("600", 600), ("Wed, 21 Oct 2026 07:28:00 GMT", 5), ("-1", 5), ("9" * 99, 3600)],
)
async def test_a_long_while_is_told(
    registry: Quirky, about: About, told: str, expected: float
) -> None:
    """Who asked learns when to ask again."""
    image = registry.image()
    registry.quirks["referrers/"] = answers.status(429, Retry_After=told)
    with pytest.raises(Throttled) as refused:
        await about(image, visit_s=2.0)
    assert expected - 3 < refused.value.retry_after <= expected


async def test_meanwhile_it_is_left_alone(registry: Quirky, opened: Opened) -> None:
    """Also by who asks for something else."""
    image = Pinned(registry.repository, registry.image())
    registry.quirks["manifests/"] = answers.status(503, Retry_After="600")
    client = opened()
    with pytest.raises(Throttled):
        await client.about(image)
    registry.quirks.clear()
    asked = len(registry.seen)

    with pytest.raises(Throttled):
        await client.blob(image, Digest.sha256(b""), limit=10)
    assert len(registry.seen) == asked == 1


# there is no evidence, and it is sure


@pytest.mark.parametrize(
    "quirk",
    [
        pytest.param(answers.status(404), id="not found"),
        pytest.param(answers.status(400), id="bad request"),
        pytest.param(answers.status(405), id="no such method"),
        pytest.param(answers.status(406), id="no such type"),
        pytest.param(
            answers.instead(b"<html>welcome</html>", "text/html"), id="a front page"
        ),
        pytest.param(
            answers.instead(json.dumps(index()).encode(), INDEX), id="an empty list"
        ),
        pytest.param(
            answers.instead(json.dumps({**index(), "manifests": None}).encode(), INDEX),
            id="a list as Go writes an empty one",
        ),
    ],
)
async def test_no_referrers_are_no_evidence(
    registry: Quirky, about: About, quirk: Quirk
) -> None:
    """The registry knows none, or has no list of them."""
    image = registry.image()
    registry.quirks["referrers/"] = quirk
    assert await about(image) == Attached()


async def test_without_the_list_the_tags_speak(registry: Quirky, about: About) -> None:
    """And a list that is empty does not speak against them."""
    image = registry.image()
    referrer = registry.referrer(image, SIGNED)
    registry.document(index(registry.entry(referrer)), tag=tag_of(image))
    for quirk in (
        answers.status(404),
        answers.instead(json.dumps(index()).encode(), INDEX),
    ):
        registry.quirks["referrers/"] = quirk
        assert (await about(image)).bundles == (SIGNED,)


# what lies there is not what it should be: told, and the rest is read


def _listed(registry: Quirky, image: Digest, *entries: dict[str, Any]) -> None:
    """Let the fallback tag list an honest bundle, and these."""
    honest = registry.entry(registry.referrer(image, SIGNED))
    registry.lists = False
    registry.document(index(honest, *entries), tag=tag_of(image))


def _damaged(registry: Quirky, image: Digest, what: str) -> dict[str, Any]:
    """Put something damaged there, and describe it as it would be described."""
    subject = registry.entry(image)
    trees: dict[str, Any] = {
        "no JSON": b"{",
        "no manifest": b"[]",
        "the same key twice": b'{"schemaVersion": 2, "schemaVersion": 2}',
        "schema 1": {**manifest({}), "schemaVersion": 1, "subject": subject},
        "an unknown type": {**manifest({}), "mediaType": "a/b", "subject": subject},
        "a manifest and an index": {
            **manifest(registry.descriptor(b"", "a/b")),
            "manifests": [],
        },
        "no configuration": {"schemaVersion": 2, "layers": [], "subject": subject},
        "a deep one": b"[" * 100_000,
    }
    return registry.entry(registry.document(trees[what]))


@pytest.mark.parametrize(
    "what",
    [
        "no JSON",
        "no manifest",
        "the same key twice",
        "schema 1",
        "an unknown type",
        "a manifest and an index",
        "no configuration",
        "a deep one",
    ],
)
async def test_a_referrer_that_cannot_be_read(
    registry: Quirky, about: About, what: str
) -> None:
    """Its digest is right: it lies there so, and may be anything."""
    image = registry.image()
    _listed(registry, image, _damaged(registry, image, what))

    found = await about(image)
    assert found.bundles == (SIGNED,)
    assert not found.complete
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "text",
        {},
        {"mediaType": MANIFEST, "digest": "sha256:0", "size": 1},
        {"mediaType": MANIFEST, "digest": f"sha512:{'0' * 128}", "size": 1},
        {"mediaType": MANIFEST, "digest": f"sha256:{'0' * 64}", "size": -1},
        {"mediaType": 1, "digest": f"sha256:{'0' * 64}", "size": 1},
        {"mediaType": MANIFEST, "digest": f"sha256:{'0' * 64}/../x", "size": 1},
    ],
    ids=repr,
)
async def test_an_entry_that_cannot_be_read(
    registry: Quirky, about: About, entry: Any
) -> None:
    """In a list of the API, and under the tag."""
    image = registry.image()
    _listed(registry, image, entry)
    by_tag = await about(image)
    registry.tags.clear()
    registry.lists, registry.listed = True, [entry]
    by_api = await about(image)

    for found in (by_tag, by_api):
        assert found.bundles == (SIGNED,)
        assert not found.complete
        assert "cannot be read" in found.problems[0]


async def test_a_list_that_cannot_be_read(registry: Quirky, about: About) -> None:
    """Of the API, and under each tag."""
    image = registry.image()
    registry.quirks["referrers/"] = answers.instead(b"[]", INDEX)
    for tag in (tag_of(image), tag_of(image, ".att"), tag_of(image, ".sig")):
        registry.document(b"[]", tag=tag)

    found = await about(image)
    assert found.bundles == ()
    assert not found.complete
    assert len(found.problems) == 4


async def test_manifest_and_index_confused(registry: Quirky, about: About) -> None:
    """A manifest where a list should be, and the other way round."""
    image = registry.image()
    registry.document(manifest(registry.descriptor(b"", "a/b")), tag=tag_of(image))
    registry.document(index(), tag=tag_of(image, ".att"))

    found = await about(image)
    assert not found.complete
    assert sorted(one.partition(": ")[2] for one in found.problems) == [
        f"expected a manifest under {tag_of(image, '.att')}",
        f"expected an index under {tag_of(image)}",
    ]


@pytest.mark.parametrize("what", ["manifest", "layer"])
async def test_what_is_named_and_is_gone(
    registry: Quirky, about: About, what: str
) -> None:
    """Something was there, and nobody knows any more what it said."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    gone = registry.referrer(image, OTHER)
    if what == "manifest":
        registry.listed = [registry.entry(gone)]
        del registry.manifests[str(gone)]
    else:
        del registry.blobs[str(Digest.sha256(OTHER))]

    found = await about(image)
    assert found.bundles == (SIGNED,)
    assert not found.complete
    assert "is not there" in found.problems[0]


async def test_a_referrer_of_something_else(registry: Quirky, about: About) -> None:
    """Lists lie; the manifest says what it is about. Seen, so nothing is missing."""
    image, other = registry.image(), registry.image("another")
    elsewhere = registry.referrer(other, OTHER)
    nowhere = registry.document(
        manifest(
            registry.descriptor(b"{}", "a/b"), [registry.descriptor(OTHER, BUNDLE)]
        )
    )
    _listed(registry, image, registry.entry(elsewhere), registry.entry(nowhere))

    found = await about(image)
    assert found.bundles == (SIGNED,)
    assert found.complete
    assert len(found.problems) == 2
    assert all("is listed, and is about" in problem for problem in found.problems)


@pytest.mark.parametrize(
    "told",
    ["application/vnd.cyclonedx+json", "", None, 3],
    ids=["an SBOM", "nothing", "none", "a number"],
)
async def test_what_the_list_says_of_types_counts_for_nothing(
    registry: Quirky, about: About, told: Any
) -> None:
    """The manifest is read whatever it is said to be."""
    image = registry.image()
    referrer = registry.referrer(image, SIGNED)
    registry.lists = False
    entry = {**registry.entry(referrer), "artifactType": told}
    registry.document(index(entry), tag=tag_of(image))

    found = await about(image)
    assert found.bundles == ((SIGNED,) if told != 3 else ())
    assert found.complete == (told != 3)


async def test_what_is_said_to_be_a_bundle_and_is_none(
    registry: Quirky, about: About
) -> None:
    """It is named as what it says that it is."""
    image = registry.image()
    sbom = registry.referrer(image, b"{}", kind="application/vnd.cyclonedx+json")
    registry.quirks["referrers/"] = answers.instead(
        json.dumps(index({**registry.entry(sbom), "artifactType": BUNDLE})).encode(),
        INDEX,
    )
    found = await about(image)
    assert found.bundles == ()
    assert [other.type for other in found.others] == ["application/vnd.cyclonedx+json"]


@pytest.mark.parametrize("lied", [1, 5000])
async def test_a_size_that_is_not_the_size(
    registry: Quirky, about: About, lied: int
) -> None:
    """No more is read than is announced; what is shorter has another digest anyway."""
    image = registry.image()
    layer = {**registry.descriptor(OTHER, BUNDLE), "size": lied}
    registry.document(
        manifest(
            registry.descriptor(b"{}", "a/b"), [layer], subject=registry.entry(image)
        )
    )
    registry.referrer(image, SIGNED)
    found = await about(image)
    assert SIGNED in found.bundles
    assert (OTHER in found.bundles) == (lied > len(OTHER)) == found.complete


# too much of it


async def test_a_huge_bundle_is_not_read(registry: Quirky, about: About) -> None:
    """Its size is known before; a server that then sends more is cut off."""
    image = registry.image()
    huge = registry.referrer(image, bytes(2 << 20))
    registry.referrer(image, SIGNED)
    found = await about(image)
    assert found.bundles == (SIGNED,)
    assert not found.complete
    assert not [
        one for one in registry.seen if str(Digest.sha256(bytes(2 << 20))) in one.path
    ]
    del registry.manifests[str(huge)]

    registry.quirks[f"blobs/{Digest.sha256(SIGNED)}"] = answers.endless
    async with asyncio.timeout(5):
        found = await about(image)
    assert found.bundles == ()
    assert not found.complete


@pytest.mark.parametrize("where", ["referrers/", "manifests/sha256-"])
async def test_an_endless_list_is_cut_off(
    registry: Quirky, about: About, where: str
) -> None:
    """Too large is told as such: what it holds stays unseen."""
    image = registry.image()
    registry.quirks[where] = answers.endless
    if where == "referrers/":

        async def endless(
            request: web.Request, honest: web.Response
        ) -> web.StreamResponse:
            honest.content_type = INDEX
            return await answers.endless(request, honest)

        registry.quirks[where] = endless
    async with asyncio.timeout(10):
        found = await about(image)
    assert not found.complete
    assert "expected at most" in found.problems[0]


def _made(number: int) -> dict[str, str]:
    """Say of a manifest when it was made: a later number, a later day."""
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return {CREATED: render_time(day)}


async def test_an_image_that_was_signed_off_for_years(
    registry: Quirky, about: About
) -> None:
    """Each time with its text: all of it is read, and in time."""
    image = registry.image()
    for number in range(200):
        registry.referrer(image, b"%d" % number, annotations=_made(number))
        registry.referrer(image, b"text %d" % number, kind=INTENT_TYPE)
    found = await about(image)
    assert found.complete
    assert found.bundles == tuple(b"%d" % number for number in range(199, -1, -1))


async def test_more_bundles_than_are_read(registry: Quirky, about: About) -> None:
    """The newest are, in whichever order the registry tells them."""
    image = registry.image()
    for number in range(270):
        registry.referrer(image, b"%d" % number, annotations=_made(number))
    found = await about(image)
    reversed_ = dict(reversed(registry.manifests.items()))
    registry.manifests.clear()
    registry.manifests.update(reversed_)

    assert found.bundles == tuple(b"%d" % number for number in range(269, 13, -1))
    assert not found.complete
    assert await about(image) == found


@pytest.mark.parametrize("said", ["", "soon", "9999-12-31T23:59:59-23:59", 7, None])
async def test_what_says_no_time_is_the_oldest(
    registry: Quirky, about: About, said: object
) -> None:
    """And is read, where there is room."""
    image = registry.image()
    registry.referrer(image, b"undated", annotations={CREATED: said})
    registry.referrer(image, b"dated", annotations=_made(0))
    found = await about(image)
    assert found.bundles == (b"dated", b"undated")
    assert found.complete


async def test_nor_does_the_order_in_a_manifest(registry: Quirky, about: About) -> None:
    """Whoever writes it would choose what stays unread."""
    image = registry.image()
    layers = [registry.descriptor(b"%d" % number, BUNDLE) for number in range(260)]
    found = []
    for order in (layers, layers[::-1]):
        config = registry.descriptor(b"{}", "a/b")
        registry.document(manifest(config, order), tag=tag_of(image, ".att"))
        found.append(await about(image))
    assert found[0] == found[1]
    assert len(found[0].bundles) == 256


async def test_more_referrers_than_are_read(registry: Quirky, about: About) -> None:
    """Each would be a request. The newest are read, as far as the list tells."""
    image = registry.image()
    registry.listed = [
        {
            "mediaType": MANIFEST,
            "digest": str(Digest.sha256(b"%d" % number)),
            "size": 1,
            "annotations": _made(number),
        }
        for number in range(2000)
    ]
    found = await about(image)
    assert not found.complete
    asked = [one.path for one in registry.seen if "/manifests/sha256:" in one.path]
    assert len(asked) == 1 + 512
    newest = {str(Digest.sha256(b"%d" % number)) for number in range(1488, 2000)}
    assert newest < {path.rpartition("/")[2] for path in asked}


async def test_more_documents_than_are_read(registry: Quirky, about: About) -> None:
    """What is read to find evidence has a limit as well."""
    image = registry.image()
    for number in range(6):
        told = {"a": str(number) + "x" * (3 << 20)}
        registry.referrer(image, b"%d" % number, annotations=told)
    found = await about(image)
    assert len(found.bundles) == 5
    assert not found.complete
    assert len(found.problems) == 1


async def test_a_manifest_of_very_many_layers(registry: Quirky, about: About) -> None:
    """None of them is looked at."""
    image = registry.image()
    layer = registry.descriptor(SIGNED, BUNDLE)
    config = registry.descriptor(b"{}", "a/b")
    subject = registry.entry(image)
    registry.document(manifest(config, [layer] * 8193, subject=subject))
    found = await about(image)
    assert found.bundles == ()
    assert not found.complete


async def test_a_type_as_long_as_a_book(registry: Quirky, about: About) -> None:
    """Enough of it is told."""
    image = registry.image()
    registry.referrer(image, b"x", kind="a/" + "b" * 100_000)
    (other,) = (await about(image)).others
    assert len(other.type) < 200


async def test_endless_paging(registry: Quirky, about: About) -> None:
    """Every page has a next one."""
    image = registry.image()
    registry.referrer(image, SIGNED)

    async def more(request: web.Request, honest: web.Response) -> web.StreamResponse:
        number = int(request.query.get("n", "0")) + 1
        honest.headers["Link"] = f'<{request.path}?n={number}>; rel="next"'
        return honest

    registry.quirks["referrers/"] = more
    found = await about(image)
    assert found.bundles == (SIGNED,)
    assert not found.complete
    assert "pages" in found.problems[0]


async def test_pages_are_followed(registry: Quirky, about: About) -> None:
    """Relative and absolute; a last page may be of any length."""
    image = registry.image()
    entries = [
        registry.entry(registry.referrer(image, b"%d" % number)) for number in range(3)
    ]

    async def paged(request: web.Request, _: web.Response) -> web.StreamResponse:
        number = int(request.query.get("n", "0"))
        prefix = f"https://{request.host}" if number else ""
        link = f'<{prefix}{request.path}?n={number + 1}>; rel="next"'
        return web.Response(
            body=json.dumps(index(entries[number])).encode(),
            content_type=INDEX,
            headers={"Link": link} if number < 2 else {},
        )

    registry.quirks["referrers/"] = paged
    found = await about(image)
    assert len(found.bundles) == 3
    assert found.complete


@pytest.mark.parametrize(
    "link",
    [
        "https://{elsewhere}{path}",
        "http://{host}{path}",
        "https://{host}/v2/other/referrers/x",
        "//{elsewhere}{path}",
        "https://u:p@{host}{path}",
        "/token",
    ],
)
async def test_a_list_does_not_continue_elsewhere(
    registry: Quirky, about: About, link: str
) -> None:
    """Whoever is there would be asked as the registry, with its credentials."""
    image = registry.image()

    async def away(request: web.Request, honest: web.Response) -> web.StreamResponse:
        to = link.format(
            host=request.host, elsewhere=registry.elsewhere, path=request.path
        )
        honest.headers["Link"] = f'<{to}>; rel="next"'
        return honest

    registry.quirks["referrers/"] = away
    with pytest.raises(Unavailable, match="elsewhere"):
        await about(image)
    assert {one.host for one in registry.seen} == {registry.host}


# answers that change


async def test_a_list_that_changes_while_it_is_read(
    registry: Quirky, about: About
) -> None:
    """Each answer is taken as it is; what lies under a digest cannot change."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    registry.quirks["referrers/"] = answers.first(1, answers.status(404))
    assert await about(image) == Attached()
    assert (await about(image)).bundles == (SIGNED,)


# blobs


async def test_blobs_are_what_their_digest_says(
    registry: Quirky, opened: Opened
) -> None:
    """There, not there, larger than allowed, or something else."""
    client, here = opened(), Pinned(registry.repository, registry.image())
    intent = registry.blob(b"an intent")

    assert await client.blob(here, intent, limit=9) == b"an intent"
    assert await client.blob(here, Digest.sha256(b"none"), limit=9) is None
    with pytest.raises(OverLimit):
        await client.blob(here, intent, limit=8)
    registry.quirks["blobs/"] = answers.instead(b"another")
    with pytest.raises(Malformed):
        await client.blob(here, intent, limit=9)
    registry.quirks["blobs/"] = answers.endless
    with pytest.raises(OverLimit):
        await client.blob(here, intent, limit=9)


async def test_a_length_that_is_a_lie(registry: Quirky, opened: Opened) -> None:
    """Announced larger: it is not even read. Smaller: the rest is not its answer."""
    client, here = opened(), Pinned(registry.repository, registry.image())
    intent = registry.blob(b"an intent")

    async def announced(request: web.Request, _: web.Response) -> web.StreamResponse:
        length = request.query.get("never", "99999999999")
        answer = web.StreamResponse(headers={"Content-Length": length})
        await answer.prepare(request)
        await answer.write(b"an intent")
        await asyncio.sleep(60)
        return answer

    registry.quirks["blobs/"] = announced
    async with asyncio.timeout(1):
        with pytest.raises(OverLimit):
            await client.blob(here, intent, limit=9)

    async def less(request: web.Request, _: web.Response) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nan intent"
        )
        request.transport.close()
        return web.Response()

    registry.quirks["blobs/"] = less
    with pytest.raises((Malformed, Unavailable)):
        await client.blob(here, intent, limit=9)


async def test_the_time_for_one_image_ends(registry: Quirky, about: About) -> None:
    """However little each request takes."""
    image = registry.image()

    async def more(request: web.Request, honest: web.Response) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        honest.headers["Link"] = f'<{request.path}?{len(registry.seen)}>; rel="next"'
        return honest

    registry.quirks["referrers/"] = more
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="did not tell all"):
            await about(image, visit_s=0.5)
