"""What registries say is remembered, asked for once, and not too often.

Each of these was seen to fail once with its rule taken out of the code.
"""

import asyncio
import logging

import pytest

from countersign.adapters.attached.evidence import MAX_FLIGHTS, Bounds, KeptEvidence
from countersign.adapters.attached.memory import FRESH_S
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Pinned, Throttled
from countersign.telemetry import REGISTRY
from tests.support import a
from tests.support.images import FakeRegistries
from tests.support.watched import Clock

BUNDLE = b'{"bundle": 1}'


def image(name: str = "ledger", host: str = "ghcr.io") -> Pinned:
    """Return an image of its own digest."""
    return Pinned(f"{host}/acme/{name}", a.digest(name))


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="registries")
def _registries() -> FakeRegistries:
    return FakeRegistries()


@pytest.fixture(name="kept")
def _kept(registries: FakeRegistries, clock: Clock) -> KeptEvidence:
    return make(registries, clock)


def make(registries: FakeRegistries, clock: Clock, **bounds: int) -> KeptEvidence:
    """Return a memory before `registries`."""
    told = Bounds(monotonic=clock.monotonic, sleep=clock.sleep, **bounds)
    return KeptEvidence(registries, told)


# Memory -----------------------------------------------------------------------------


async def test_what_was_found_is_known_for_ever(
    kept: KeptEvidence, registries: FakeRegistries, clock: Clock
) -> None:
    """However old it is, and whatever is wrong with the registry by now."""
    registries.put(image(), BUNDLE)
    found = await kept.about(image())
    clock.now += 1e6

    assert kept.known(image()) == found == Attached(bundles=(BUNDLE,))
    assert kept.known(image(), within_s=1e5) is None


async def test_that_there_is_nothing_is_forgotten_soon(
    kept: KeptEvidence, clock: Clock
) -> None:
    """Somebody is about to put it there."""
    await kept.about(image())
    assert kept.known(image()) == Attached()

    clock.now += FRESH_S + 1
    assert kept.known(image()) is None


@pytest.mark.parametrize("bundles", [(), (BUNDLE,)], ids=["nothing", "something"])
async def test_who_asks_hears_what_lies_there_now(
    kept: KeptEvidence,
    registries: FakeRegistries,
    clock: Clock,
    bundles: tuple[bytes, ...],
) -> None:
    """An answer is one for a moment: asked again in it, nobody is bothered."""
    registries.put(image(), *bundles)
    await kept.about(image())
    await kept.about(image())
    assert len(registries.asked) == 1

    registries.put(image(), b"more")
    clock.now += FRESH_S + 1
    assert b"more" in (await kept.about(image())).bundles


async def test_a_failure_is_no_answer(
    kept: KeptEvidence, registries: FakeRegistries
) -> None:
    """It is not remembered, and does not hide what was known."""
    registries.down.add("ghcr.io")
    with pytest.raises(Unavailable, match="refused"):
        await kept.about(image())
    assert kept.known(image()) is None

    registries.down.clear()
    registries.put(image(), BUNDLE)
    assert (await kept.about(image())).bundles == (BUNDLE,)


async def test_what_once_was_seen_is_there(
    kept: KeptEvidence, registries: FakeRegistries, clock: Clock
) -> None:
    """An answer that is not whole takes nothing away; and it is never of the present."""
    registries.put(image(), BUNDLE)
    await kept.about(image())
    clock.now += FRESH_S + 1
    registries.held[image()] = Attached(bundles=(b"new",), complete=False)
    await kept.about(image())

    known = kept.known(image())
    assert known is not None
    assert set(known.bundles) == {BUNDLE, b"new"}
    assert kept.known(image(), within_s=1) is None


async def test_what_is_seen_in_pieces_does_not_push_out_the_rest(
    registries: FakeRegistries, clock: Clock
) -> None:
    """Who may push shows something else each time, and never all of it."""
    kept = make(registries, clock, cache_bytes=64_000)
    registries.put(image("other"), BUNDLE)
    await kept.about(image("other"))
    pieces = [bytes([number]) * 3000 for number in range(100)]
    for piece in pieces:
        clock.now += FRESH_S + 1
        registries.held[image()] = Attached(bundles=(piece,), complete=False)
        await kept.about(image())

    known = kept.known(image())
    assert known is not None
    assert pieces[-1] in known.bundles
    assert kept.size < 64_000 / 4
    assert kept.known(image("other")) is not None


async def test_a_blob_is_fetched_once(
    kept: KeptEvidence, registries: FakeRegistries, clock: Clock
) -> None:
    """It cannot change; that there is none can."""
    digest = Digest.sha256(b"text")
    assert await kept.blob(image(), digest, limit=100) is None
    assert await kept.blob(image(), digest, limit=100) is None
    assert len(registries.fetched) == 1

    registries.blobs["ghcr.io/acme/ledger", digest] = b"text"
    clock.now += FRESH_S + 1
    assert await kept.blob(image(), digest, limit=100) == b"text"
    assert kept.known_blob(digest) == b"text"
    assert await kept.blob(image("other"), digest, limit=100) == b"text"
    assert len(registries.fetched) == 2


async def test_ten_thousand_images_stay_within_bounds(
    registries: FakeRegistries, clock: Clock
) -> None:
    """By bytes; the last ones are known."""
    limit = 4 << 20
    kept = make(registries, clock, cache_bytes=limit)
    for number in range(10_000):
        one = image(f"image-{number}")
        registries.held = {one: Attached(bundles=(bytes([number % 256]) * 4096,))}
        await kept.about(one)
        assert kept.size <= limit

    assert kept.size > limit * 0.9
    assert kept.known(image("image-9999")) is not None
    assert kept.known(image("image-0")) is None


async def test_what_is_larger_than_all_is_not_kept(
    registries: FakeRegistries, clock: Clock
) -> None:
    """It is answered all the same."""
    kept = make(registries, clock, cache_bytes=10_000)
    registries.put(image(), b"x" * 20_000)

    assert len((await kept.about(image())).bundles[0]) == 20_000
    assert kept.known(image()) is None


# Once -------------------------------------------------------------------------------


async def test_fifty_who_want_the_same_ask_once(
    kept: KeptEvidence, registries: FakeRegistries
) -> None:
    """A rollout is one look."""
    registries.stuck.add("ghcr.io")
    registries.put(image(), BUNDLE)
    waiting = [asyncio.create_task(kept.about(image())) for _ in range(50)]
    await asyncio.sleep(0)
    registries.go.set()

    assert {found.bundles for found in await asyncio.gather(*waiting)} == {(BUNDLE,)}
    assert registries.asked == [image()]


async def test_a_look_goes_on_when_nobody_waits(
    kept: KeptEvidence, registries: FakeRegistries
) -> None:
    """So the retry finds it."""
    registries.stuck.add("ghcr.io")
    registries.put(image(), BUNDLE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await kept.about(image())
    registries.go.set()

    assert (await kept.about(image())).bundles == (BUNDLE,)
    assert registries.asked == [image()]


async def test_a_failure_is_told_to_all_who_wait(
    kept: KeptEvidence, registries: FakeRegistries
) -> None:
    """And to nobody after them."""
    registries.stuck.add("ghcr.io")
    registries.down.add("ghcr.io")
    waiting = [asyncio.create_task(kept.about(image())) for _ in range(3)]
    await asyncio.sleep(0)
    registries.go.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(error) for error in told] == [Unavailable] * 3


# Bounds -----------------------------------------------------------------------------


async def test_who_needs_a_registry_leaves_room(
    registries: FakeRegistries, clock: Clock
) -> None:
    """Requests that wait for one that hangs must not be all that there are."""
    kept = make(registries, clock, waiting=4)
    registries.stuck.add("ghcr.io")
    waiting = [asyncio.create_task(kept.about(image(str(n)))) for n in range(4)]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="fewer than 4 requests"):
        await kept.about(image("another"))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await kept.close()


async def test_looks_that_nobody_waits_for_are_bounded(
    registries: FakeRegistries, clock: Clock
) -> None:
    """Each request of an attacker names another digest, and goes."""
    kept = make(registries, clock)
    registries.stuck.add("ghcr.io")
    for number in range(MAX_FLIGHTS):
        task = asyncio.create_task(kept.about(image(str(number))))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with pytest.raises(Unavailable, match="looks at registries"):
        await kept.about(image("another"))
    await kept.close()


async def test_one_registry_that_hangs_leaves_room_for_others(
    registries: FakeRegistries, clock: Clock
) -> None:
    """Whoever names images in it, and waits, or does not."""
    kept = make(registries, clock, waiting=20)
    registries.stuck.add("ghcr.io")
    waiting = [asyncio.create_task(kept.about(image(str(n)))) for n in range(18)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="fewer than 20 requests"):
        await asyncio.wait_for(kept.about(image("another")), timeout=5)
    assert await kept.about(image("it", host="docker.io")) == Attached()

    for number in range(MAX_FLIGHTS):
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        waiting = [asyncio.create_task(kept.about(image(f"more {number}")))]
        await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="looks at registries"):
        await kept.about(image("another"))
    assert await kept.about(image("them", host="docker.io")) == Attached()
    await asyncio.gather(*waiting, return_exceptions=True)
    await kept.close()


async def test_one_registry_has_so_many_looks_at_a_time(
    registries: FakeRegistries, clock: Clock
) -> None:
    """And what hangs there hangs nowhere else."""
    kept = make(registries, clock, at_once=2)
    registries.stuck.add("ghcr.io")
    waiting = [asyncio.create_task(kept.about(image(str(n)))) for n in range(5)]
    for _ in range(10):
        await asyncio.sleep(0)

    assert len(registries.asked) == 2
    assert await kept.about(image("it", host="docker.io")) == Attached()
    registries.go.set()
    await asyncio.gather(*waiting)
    assert len(registries.asked) == 6


async def test_one_registry_has_so_many_looks_a_second(
    registries: FakeRegistries, clock: Clock
) -> None:
    """A burst of two seconds' looks, then one by one."""
    kept = make(registries, clock, rate=5)
    for number in range(10):
        await kept.about(image(str(number)))
    assert clock.slept == []

    await kept.about(image("one more"))
    assert sum(clock.slept) == pytest.approx(0.2, abs=0.01)


async def test_a_registry_that_wants_quiet_has_it(
    kept: KeptEvidence, registries: FakeRegistries, clock: Clock
) -> None:
    """Who asks meanwhile is told at once, and the registry hears nothing of it."""
    registries.quiet["ghcr.io"] = 7
    with pytest.raises(Throttled):
        await kept.about(image())
    registries.quiet.clear()
    with pytest.raises(Throttled, match="asked to be left alone for 7 s"):
        await kept.about(image("other"))
    assert len(registries.asked) == 1

    clock.now += 8
    await kept.about(image("other"))


async def test_quiet_is_granted_for_a_minute_at_most(
    kept: KeptEvidence, registries: FakeRegistries, clock: Clock
) -> None:
    """A registry that wants a day would stop every change for a day."""
    registries.quiet["ghcr.io"] = 86_400
    with pytest.raises(Throttled):
        await kept.about(image())
    registries.quiet.clear()
    clock.now += 61

    await kept.about(image())


async def test_who_has_time_comes_after_those_who_have_not(
    registries: FakeRegistries, clock: Clock
) -> None:
    """Half of all looks at most, and none of what a burst of requests would need."""
    kept = make(registries, clock, at_once=2, rate=5)
    spare = kept.spare()
    registries.stuck.add("ghcr.io")
    early = [asyncio.create_task(spare.about(image(f"early {n}"))) for n in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(registries.asked) == 1

    hasty = asyncio.create_task(kept.about(image("hasty")))
    for _ in range(10):
        await asyncio.sleep(0)
    assert registries.asked[1:] == [image("hasty")]
    registries.go.set()
    await asyncio.gather(*early, hasty)


async def test_it_is_told_what_came_of_looks(
    kept: KeptEvidence, registries: FakeRegistries, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a word of what was found."""

    def counted(outcome: str) -> float:
        labels = {"registry": "ghcr.io", "outcome": outcome}
        return (
            REGISTRY.get_sample_value("countersign_registry_looks_total", labels) or 0.0
        )

    before = {o: counted(o) for o in ("found", "nothing", "unavailable")}
    registries.put(image("one"), b"a secret")
    await kept.about(image("one"))
    await kept.about(image("two"))
    registries.down.add("ghcr.io")
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable):
        await kept.about(image("three"))

    assert {o: counted(o) - n for o, n in before.items()} == dict.fromkeys(before, 1)
    assert "registry_unavailable" in caplog.text
    assert "a secret" not in caplog.text
