"""What is remembered, what is asked again, and what happens when there is too much."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from countersign.adapters.proof import judge as judging
from countersign.adapters.proof.cache import OnceCache
from countersign.adapters.proof.prover import BundleProver
from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.telemetry import REGISTRY
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope
from tests.support.proving import (
    STATEMENT,
    FixedClock,
    FixedTrust,
    sigstore_root,
)
from tests.support.sigstore import DANA, ISSUER, shared, stranger

NOW = datetime.now(UTC)
BUNDLE = shared().attest(STATEMENT, san=DANA, issuer=ISSUER)


class Setting:
    """A prover, and what it depends on.

    Attributes:
        trust: Assign `pages` to change the trust roots.
        clock: Assign `moment` to move it.
        prover: Under test.
    """

    def __init__(self) -> None:
        self.trust = FixedTrust((sigstore_root(shared()),))
        self.clock = FixedClock(NOW)
        self.prover = BundleProver(self.trust, self.clock)


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    """Trust the shared Sigstore, now."""
    setting = Setting()
    yield setting
    setting.prover.close()


def verified() -> float:
    """Count all verifications so far, whatever their result."""
    return sum(_count("proofs", result=r) for r in ("proven", "rejected", "malformed"))


def _count(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"countersign_{metric}_total", labels) or 0


async def test_a_bundle_is_verified_once(setting: Setting) -> None:
    """One after the other, and all at once."""
    before = verified()
    one = await setting.prover.prove(BUNDLE)
    many = await asyncio.gather(*[setting.prover.prove(BUNDLE)] * 3)

    assert set(map(id, many)) == {id(one)}
    assert verified() == before + 1


async def test_callers_at_once_share_the_work(setting: Setting) -> None:
    """Single flight."""
    before = verified()
    await asyncio.gather(*(setting.prover.prove(BUNDLE) for _ in range(8)))

    assert verified() == before + 1


async def test_look_ups_are_counted(setting: Setting) -> None:
    """A miss, then a hit."""
    labels = {"cache": "proofs", "result": "hit"}
    before = _count("cache_requests", **labels)
    await setting.prover.prove(BUNDLE)
    await setting.prover.prove(BUNDLE)

    assert _count("cache_requests", **labels) == before + 1


async def test_refusals_are_remembered_too(setting: Setting) -> None:
    """A forger does not make us work twice; each caller gets an error of its own."""
    forged = stranger().attest(STATEMENT, san=DANA, issuer=ISSUER)
    before = verified()
    errors = []
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            await setting.prover.prove(forged)
        errors.append(caught.value)

    assert verified() == before + 1
    assert errors[0] is not errors[1]
    assert str(errors[0]) == str(errors[1])


async def test_new_trust_is_asked_again(setting: Setting) -> None:
    """What was proven under old roots is not proven under new ones, nor refused."""
    await setting.prover.prove(BUNDLE)
    setting.trust.pages = (sigstore_root(stranger()),)
    with pytest.raises(Rejected):
        await setting.prover.prove(BUNDLE)
    setting.trust.pages = (sigstore_root(stranger()), sigstore_root(shared(), "z"))
    evidence = await setting.prover.prove(BUNDLE)

    assert evidence.signer.trust_root == "z"


async def test_a_root_under_a_new_name_proves_under_that_name(
    setting: Setting,
) -> None:
    """The name is part of the identity, so it is part of what is remembered."""
    await setting.prover.prove(BUNDLE)
    setting.trust.pages = (sigstore_root(shared(), "renamed"),)

    assert (await setting.prover.prove(BUNDLE)).signer.trust_root == "renamed"


async def test_the_present_is_asked_each_time(setting: Setting) -> None:
    """A time in the future is refused until it has come; a cache cannot know."""
    setting.clock.moment = NOW - timedelta(hours=1)
    with pytest.raises(Rejected, match="of the past"):
        await setting.prover.prove(BUNDLE)
    setting.clock.moment = NOW
    await setting.prover.prove(BUNDLE)
    setting.clock.moment = NOW - timedelta(hours=1)

    with pytest.raises(Rejected, match="of the past"):
        await setting.prover.prove(BUNDLE)


async def test_a_clock_a_little_ahead_is_forgiven(setting: Setting) -> None:
    """Logs and stampers have clocks of their own."""
    signed_at = (await setting.prover.prove(BUNDLE)).signed_at
    assert signed_at
    setting.clock.moment = signed_at - timedelta(seconds=59)

    assert (await setting.prover.prove(BUNDLE)).signed_at == signed_at


async def test_what_is_too_large_is_not_even_hashed(setting: Setting) -> None:
    """Nor is it remembered."""
    before = verified()
    with pytest.raises(Malformed, match="at most"):
        await setting.prover.prove(bytes(1024 * 1024 + 1))

    assert verified() == before


async def test_too_much_at_once_is_unavailable(setting: Setting) -> None:
    """Said quickly, and for what is over the bound alone."""
    prover = BundleProver(setting.trust, setting.clock, max_pending=2)
    bundles = [render_key_bundle(Envelope(STATEMENT, b"%d" % n), "") for n in range(5)]
    results = await asyncio.gather(
        *(prover.prove(bundle) for bundle in bundles), return_exceptions=True
    )
    kinds = [type(result) for result in results]

    assert kinds == [Rejected, Rejected, Unavailable, Unavailable, Unavailable]
    assert (await prover.prove(BUNDLE)).signed_at
    prover.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Two threads."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


async def test_a_cancelled_caller_leaves_the_work(threads: ThreadPoolExecutor) -> None:
    """The next one to ask gets the result of the same work."""
    cache: OnceCache[str, str] = OnceCache(threads, max_bytes=9, max_pending=1)
    go, runs = threading.Event(), []

    def work() -> str:
        go.wait()
        runs.append(1)
        return "done"

    first = asyncio.ensure_future(cache.do("key", work, size=1))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.ensure_future(cache.do("key", work, size=1))
    await asyncio.sleep(0)
    go.set()

    assert first.cancelled()
    assert await second == "done"
    assert runs == [1]
    assert cache.get("key") == "done"


async def test_memory_is_bounded_by_bytes(threads: ThreadPoolExecutor) -> None:
    """The oldest goes first, and what is larger than all of it is not kept."""
    cache: OnceCache[str, str] = OnceCache(threads, max_bytes=10, max_pending=9)
    for key, size in (("a", 4), ("b", 4), ("c", 4), ("large", 11)):
        assert await cache.do(key, key.upper, size=size) == key.upper()

    kept = {key: cache.get(key) for key in ("a", "b", "c", "large")}

    assert kept == {"a": None, "b": "B", "c": "C", "large": None}


async def test_that_there_was_no_memory_is_not_the_bundles_fault(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It denies now; the next time there is some."""
    with monkeypatch.context() as patched:
        patched.setattr(judging, "prove_keyless", _exhausted)
        with pytest.raises(Unavailable, match="memory"):
            await setting.prover.prove(BUNDLE)

    assert (await setting.prover.prove(BUNDLE)).subjects


def _exhausted(*_: object) -> None:
    raise MemoryError
