"""``make bench``: what a review costs, beside what it costs to answer at all.

Everything is real: control plane, API server's own AdmissionReviews, ``countersign
serve`` in a process of its own, TLS with keep-alive. CPU is what the kernel counted for
the server's process; latency is what the client saw. The floor is measured in the same
run, before and after, since a machine is never the same twice.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.image_evidence import image_evidence
from tests.bench.load import Job
from tests.bench.matching import matching
from tests.bench.measure import Measured, measure, percentiles
from tests.bench.reviews import SCHEMES, Reviews, capture
from tests.bench.servers import Server, countersign, floor
from tests.bench.table import show
from tests.support import chart
from tests.support.apiserver import ApiServer
from tests.support.gate import AUDIT_LOG, Gate, documents
from tools import controlplane
from tools.controlplane import Options
from tools.stack import policies, webhook
from tools.stack.build import build
from tools.stack.stack import Stack

Json = dict[str, Any]

CONNECTIONS = (1, 8, 32)
_SHOWN = 8  # connections of which the numbers of a case are taken
_RESULTS = Path(__file__).parents[2] / "bench" / "results.json"
_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the results; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="a run (3)")
    parser.add_argument(
        "--cold", type=int, default=200, help="cold reviews a run (200)"
    )
    parser.add_argument("--creates", type=int, default=300, help="objects made (300)")
    parser.add_argument("--out", type=Path, default=_RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder:
        results = run(Path(folder), options)
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2) + "\n")
    show(results)
    return 0


def run(folder: Path, options: argparse.Namespace) -> Json:
    """Raise the stack in `folder` and return the results."""
    policy = folder / "audit.json"
    policy.write_text(json.dumps(_AUDIT))
    audit = folder / AUDIT_LOG
    flags = {"audit-policy-file": str(policy), "audit-log-path": str(audit)}
    _say("a control plane, countersign, people who sign")
    with controlplane.running(
        Options(cluster=policies.CLUSTER, apiserver_flags=flags)
    ) as plane:
        stack = build(plane, plane.folder / "run", say=lambda _: None)
        gate = Gate(stack, folder, audit)
        log = folder / "asked"
        _say("reviews, from the API server")
        with floor(plane, folder / "recorder", record=log) as recorder:
            reviews = capture(gate, recorder, log, each=options.cold * len(CONNECTIONS))
            plane.kubectl(
                "delete", "validatingwebhookconfiguration", "bench-recorder"
            ).check()
        ready_s = _restart(stack)
        with floor(plane, folder / "floor") as trivial:
            measured = _cases(trivial, countersign(stack), reviews, options)
        _say("evidence beside images")
        beside = image_evidence()
        _say("the API server, with and without")
        return {
            "machine": _machine(),
            **measured,
            "api_server": _api_server(gate, options.creates),
            "start": {"ready_s": round(ready_s, 2)},
            "match": matching(),
            "image_evidence": beside,
        }


def _restart(stack: Stack) -> float:
    """Start the webhook anew; return the seconds until it is ready."""
    stack.plane.ledger.stop(webhook.NAME)
    shutil.rmtree(stack.folder / "webhook")  # what it spooled, too
    began = time.perf_counter()
    webhook.serve(stack)
    return time.perf_counter() - began


def _cases(
    trivial: Server, ours: Server, reviews: Reviews, options: argparse.Namespace
) -> Json:
    """Measure all cases, and the floor before and after."""
    kept = {
        "out-of-scope": reviews.out_of_scope,
        "no-change": reviews.no_change,
        "signed-warm": reviews.warm,
    }
    floors = [_round(trivial, reviews.warm, options)]
    cases = {}
    for name, bodies in kept.items():
        _say(name)
        cases[name] = _round(ours, bodies, options)
    for scheme in SCHEMES:
        _say(f"signed-cold-{scheme}")
        cases[f"signed-cold-{scheme}"] = {
            connections: measure(
                ours,
                Job(
                    port=ours.port,
                    authority=str(ours.authority),
                    bodies=str(reviews.cold[scheme]),
                    connections=connections,
                    skip=turn * options.cold,
                    requests=options.cold,
                ),
            )
            for turn, connections in enumerate(CONNECTIONS)
        }
    floors.append(_round(trivial, reviews.warm, options))
    base = {c: (floors[0][c].cpu_ms + floors[1][c].cpu_ms) / 2 for c in CONNECTIONS}
    return {
        "floor": _written(floors[0], base),
        "cases": {name: _written(runs, base) for name, runs in cases.items()},
    }


def _round(
    server: Server, bodies: Path, options: argparse.Namespace
) -> dict[int, Measured]:
    """Ask for a while with each number of connections; the first of all warms up."""
    found = {}
    for connections in (CONNECTIONS[0], *CONNECTIONS):
        job = Job(
            port=server.port,
            authority=str(server.authority),
            bodies=str(bodies),
            connections=connections,
            seconds=options.seconds,
        )
        found[connections] = measure(server, job)
    return found


def _written(runs: dict[int, Measured], floor_ms: dict[int, float]) -> Json:
    """Write the numbers of a case: those of `_SHOWN` connections, then all."""

    def one(connections: int) -> Json:
        found = asdict(runs[connections])
        numbers = {k: round(v, 3) for k, v in found.items() if k != "requests"}
        ratio = runs[connections].cpu_ms / floor_ms[connections]
        return {
            "cpu_ratio": round(ratio, 2),
            **numbers,
            "requests": found["requests"],
        }

    return {**one(_SHOWN), "connections": {str(c): one(c) for c in runs}}


def _api_server(gate: Gate, number: int) -> Json:
    """Create ConfigMaps one after the other, where nobody is asked and where we are."""
    manifest = chart.config_map("bench")
    manifest["metadata"] = {
        "generateName": "bench-",
        "namespace": chart.NAMESPACE,
    }
    (signed,) = documents(gate.approved(manifest))
    took: dict[str, list[float]] = {"none": [], "with": []}
    places = {"none": policies.OPEN, "with": chart.NAMESPACE}
    with closing(ApiServer(gate.stack.plane.admin)) as server:
        for turn in range(number + 1):
            for name, namespace in places.items():
                tree = {
                    **signed,
                    "metadata": {**signed["metadata"], "namespace": namespace},
                }
                path = f"/api/v1/namespaces/{namespace}/configmaps"
                began = time.perf_counter()
                server.request("POST", path, tree)
                if turn:  # the first one warms up
                    took[name].append((time.perf_counter() - began) * 1000)
    return {
        name: {
            **{key: round(value, 2) for key, value in percentiles(each).items()},
            "rps": round(1000 * len(each) / sum(each), 1),
        }
        for name, each in took.items()
    }


def _machine() -> Json:
    """Describe the machine; no names."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _say(step: str) -> None:
    sys.stderr.write(f"· {step}\n")


if __name__ == "__main__":
    sys.exit(main())
