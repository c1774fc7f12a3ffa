"""Measures one server with one file of reviews."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.load import Job
from tests.bench.servers import Server

_CHECKOUT = Path(__file__).parents[2]
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run showed.

    Attributes:
        cpu_ms: Of the server, for one request: all of the process's threads.
        p50_ms, p95_ms, p99_ms: Latency as the client sees it.
        rps: Requests a second, with this many connections.
        rss_mb: Memory of the server at the end, MiB.
        requests: How many were asked.
        client_busy: Of one core, that the load generator used.
    """

    cpu_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    rps: float
    rss_mb: float
    requests: int
    client_busy: float


def measure(server: Server, job: Job) -> Measured:
    """Ask `server` what `job` says, from another process.

    Raises:
        RuntimeError: an answer was no admission.
    """
    before = server.cpu_s
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
        cwd=_CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    used = server.cpu_s - before
    answer: dict[str, Any] = json.loads(done.stdout)
    if answer["denied"]:
        raise RuntimeError(f"{answer['denied']} not admitted: {answer['sample']}")
    latencies: list[float] = answer["latencies_ms"]
    return Measured(
        cpu_ms=used * 1000 / len(latencies),
        **percentiles(latencies),
        rps=len(latencies) / answer["wall_s"],
        rss_mb=server.rss_mb,
        requests=len(latencies),
        client_busy=answer["busy"],
    )


def percentiles(latencies_ms: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 by name."""
    cuts = statistics.quantiles(latencies_ms, n=100, method="inclusive")
    return {"p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98]}
