"""What evidence beside images costs: cold, from registries that are far; warm; at once.

The registry is a real one that speaks TLS and wants a token, with a front that holds
each answer back; client and memory are those of ``serve``. What is proven is proven by a
stand-in: what proofs cost is measured elsewhere.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countersign.adapters.attached.evidence import Bounds, KeptEvidence
from countersign.adapters.registry.credentials import DockerConfig
from countersign.adapters.registry.registries import Registries
from countersign.adapters.registry.settings import LOOPBACK, Settings
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Pinned
from countersign.wire.annotations import read_annotations
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope
from tests.support import a
from tests.support.images import ImageWorld, looking, pinned
from tests.support.proving import STATEMENT
from tests.support.pushed import push
from tests.support.registry import Kind, Registry, running_registry
from tests.support.registry_access import Auth
from tests.support.world import Tree, create

Json = dict[str, Any]

AWAY_MS = (0, 20, 200)
AT_ONCE = 50
DIGESTS = 10_000
_TURNS = 5
_CACHE = 64 << 20  # bytes, the default of serve
_BUNDLE = 12 << 10  # bytes, as keyless bundles have


def image_evidence() -> Json:
    """Measure, and return the numbers."""
    with running_registry(Kind.DISTRIBUTION, auth=Auth.TOKEN) as registry:
        image = push(registry, "acme/ledger").pinned
        found = asyncio.run(_judged(registry, image))
    return {**found, "digests": asyncio.run(_digests())}


@dataclass
class Counted:
    """Registries, with the looks at images counted."""

    to: Registries
    looks: list[Pinned] = field(default_factory=list)

    async def about(self, image: Pinned) -> Attached:
        """Count, and ask."""
        self.looks.append(image)
        return await self.to.about(image)

    async def blob(self, image: Pinned, digest: Digest, *, limit: int) -> bytes | None:
        """Ask."""
        return await self.to.blob(image, digest, limit=limit)


async def _judged(registry: Registry, image: str) -> Json:
    world = ImageWorld(policies=(looking(f"{registry.host}/*/*"),))
    tree = _deployment(image, "ledger")
    async with _opened(registry) as counted:
        await _attach(world, tree, counted.to)
    cold = {}
    for away in AWAY_MS:
        registry.delay_s = away / 1000
        took = []
        for _ in range(_TURNS):
            async with _opened(registry) as counted:
                world.kept = KeptEvidence(counted, Bounds())
                registry.forget()
                took.append(await _time(world, tree))
        cold[str(away)] = {
            "p50_ms": round(statistics.median(took), 1),
            "max_ms": round(max(took), 1),
            "requests": len(registry.asked),
        }
    async with _opened(registry) as counted:
        world.kept = KeptEvidence(counted, Bounds())
        await _time(world, tree)
        registry.forget()
        warm = [await _time(world, tree) for _ in range(20 * _TURNS)]
        assert not registry.asked
    async with _opened(registry) as counted:
        world.kept = KeptEvidence(counted, Bounds())
        began = time.perf_counter()
        verdicts = await asyncio.gather(
            *(world.judge(create(tree)) for _ in range(AT_ONCE))
        )
        whole = (time.perf_counter() - began) * 1000
        assert all(verdict.allowed for verdict in verdicts)
        fetches = len(counted.looks)
    return {
        "cold": cold,
        "warm": {"p50_ms": round(statistics.median(warm), 2), "requests": 0},
        "at_once": {
            "number": AT_ONCE,
            "away_ms": AWAY_MS[-1],
            "fetches": fetches,
            "all_ms": round(whole, 1),
        },
    }


async def _digests() -> Json:
    """Look at many images, each with evidence of its own."""
    world = ImageWorld()
    world.kept = KeptEvidence(world.registries, Bounds(cache_bytes=_CACHE, rate=1e9))
    before = _rss_mib()
    for number in range(DIGESTS):
        image = Pinned("ghcr.io/acme/ledger", a.digest(f"image {number}"))
        bundle = number.to_bytes(4, "big") * (_BUNDLE // 4)
        world.registries.held = {image: Attached(bundles=(bundle,))}
        await world.kept.about(image)
        world.registries.asked.clear()
    return {
        "number": DIGESTS,
        "seen_mib": round(DIGESTS * _BUNDLE / 2**20, 1),
        "kept_mib": round(world.kept.size / 2**20, 1),
        "rss_mib": round(_rss_mib() - before, 1),
    }


@asynccontextmanager
async def _opened(registry: Registry) -> AsyncIterator[Counted]:
    settings = Settings(
        credentials=DockerConfig(registry.docker_config_file),
        ca_file=registry.authority,
        networks=LOOPBACK,
    )
    async with Registries(settings) as client:
        yield Counted(client)


async def _attach(world: ImageWorld, tree: Tree, client: Registries) -> None:
    """Push what approves an object, as ``sign-off --carrier oci`` does."""
    carried = read_annotations(world.signed(tree)["metadata"]["annotations"])
    assert carried.intent is not None
    bundles = []
    for number, raw in enumerate(carried.bundles):
        real = render_key_bundle(Envelope(STATEMENT, b"%d" % number), "key")
        world.prover.known[real] = world.prover.known[raw]
        bundles.append(real)
    for image in pinned(tree):
        await client.attach(image, bundles=bundles, intents=[carried.intent])


async def _time(world: ImageWorld, tree: Tree) -> float:
    began = time.perf_counter()
    verdict = await world.judge(create(tree))
    took = (time.perf_counter() - began) * 1000
    assert verdict.allowed, verdict.findings
    return took


def _deployment(image: str, name: str) -> Tree:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": a.NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    }


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20
