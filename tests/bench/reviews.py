"""The AdmissionReviews that are measured: asked by a real API server, about real apply.

A webhook that only writes down what it is asked stands beside countersign for a moment.
Of each signed review there are many that no cache knows: the same bundles with other
white space in them, so that all of the proof has to be done again.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from countersign.binding.registration import webhook_configuration
from countersign.wire.annotations import BUNDLES, Carried, read_annotations
from countersign.wire.annotations import render_annotations as render
from tests.bench.servers import Server
from tests.support import chart
from tests.support.gate import Gate
from tools.sigstore import Rekor
from tools.stack import policies
from tools.stack.people import CI, DANA
from tools.stack.ready import until
from tools.stack.stack import Stack
from tools.stack.webhook import OWN_NAMESPACE

Tree = dict[str, Any]

SCHEMES = ("key", "keyless-v1", "keyless-v2-tsa")
_RECORDER = "bench-recorder"
_SPACES = (" ", "\t")


@dataclass(frozen=True, slots=True)
class Reviews:
    """Files of AdmissionReviews, one a line.

    Attributes:
        out_of_scope: Creation of a signed Deployment where nothing is protected.
        no_change: An update of it that changes nothing.
        warm: Its creation where it is protected; one line.
        cold: For each scheme creations that nobody has seen before.
    """

    out_of_scope: Path
    no_change: Path
    warm: Path
    cold: dict[str, Path]


def capture(gate: Gate, recorder: Server, log: Path, *, each: int) -> Reviews:
    """Apply signed Deployments, and return what the API server asked about them.

    Args:
        gate: The stack.
        recorder: Writes what it is asked to `log`.
        log: As far as it is written.
        each: How many cold reviews of a scheme are made.
    """
    _register(gate, recorder, log)
    signed = {scheme: _signed(gate, scheme) for scheme in SCHEMES}
    for text in signed.values():
        done = gate.kubectl("create", "-f", "-", stdin=text)
        assert done.admitted, done.out
    key = signed["key"]
    until(lambda: _replaced(gate, "bench-key"), what="an update that changes nothing")
    outside = key.replace("namespace: payments", f"namespace: {policies.OPEN}")
    gate.stack.plane.kubectl(
        "create", "-n", policies.OPEN, "-f", "-", stdin=outside
    ).check()
    asked = _deployments(log)
    folder = gate.folder
    return Reviews(
        out_of_scope=_write(
            folder / "out-of-scope", [asked["CREATE", policies.OPEN, "bench-key"]]
        ),
        no_change=_write(
            folder / "no-change", [asked["UPDATE", chart.NAMESPACE, "bench-key"]]
        ),
        warm=_write(folder / "warm", [asked["CREATE", chart.NAMESPACE, "bench-key"]]),
        cold={
            scheme: _write(
                folder / f"cold-{scheme}",
                list(
                    _unseen(asked["CREATE", chart.NAMESPACE, f"bench-{scheme}"], each)
                ),
            )
            for scheme in SCHEMES
        },
    )


def _signed(gate: Gate, scheme: str) -> str:
    """Return a Deployment with provenance and sign-off, signed in one of three ways."""
    stack, folder = gate.stack, gate.folder
    manifest = gate.write(chart.deployment(f"bench-{scheme}", replicas=2))
    attested, signed = folder / "attested.yaml", folder / "signed.yaml"
    ways = {CI: ("--key", stack.key(CI)), DANA: ("--key", stack.key(DANA))}
    if scheme != "key":
        ways = {who: ("--identity-token", stack.token(who)) for who in ways}
    config: tuple[str | Path, ...] = ()
    if scheme.endswith(Rekor.V1):
        config = ("--signing-config", _old_log_only(stack, folder / "v1.json"))
    made = gate.cli(
        "attest",
        f"{stack.history.baseline}..{stack.history.head}",
        *("--repo", stack.history.path, "-f", manifest, "--image", chart.PINNED),
        *("--carrier", "annotations", "--out", attested),
        *ways[CI],
        *config,
    )
    assert made.code == 0, made.err
    done = gate.cli(
        "sign-off",
        *("-f", attested, "--out", signed),
        *("--answers", stack.folder / "people" / "answers.yaml"),
        *ways[DANA],
        *config,
    )
    assert done.code == 0, done.err
    return signed.read_text()


def _replaced(gate: Gate, name: str) -> str:
    """Replace a live object by itself; return what went otherwise.

    Its controller may write to it at the same time, until the rollout has begun.
    """
    read = gate.stack.plane.kubectl(
        *("get", "deployment", name, "-n", chart.NAMESPACE, "-o", "json")
    )
    done = gate.kubectl("replace", "-f", "-", stdin=read.stdout)
    return "" if done.doors == {"unchanged"} else f"{done.doors} {done.out}"


def _old_log_only(stack: Stack, file: Path) -> Path:
    """Write a signing config that offers a log of the first version, and no stamps."""
    path = Path(stack.environment["COUNTERSIGN_SIGNING_CONFIG"])
    offered = json.loads(path.read_text())
    logs = [log for log in offered["rekorTlogUrls"] if log["majorApiVersion"] == 1]
    kept = {k: v for k, v in offered.items() if not k.startswith("tsa")}
    file.write_text(json.dumps({**kept, "rekorTlogUrls": logs}))
    return file


def _register(gate: Gate, recorder: Server, log: Path) -> None:
    """Have the API server ask the recorder, too; return when it does."""
    configuration = webhook_configuration(
        name=_RECORDER,
        protected=(chart.NAMESPACE, policies.OPEN),
        own_namespace=OWN_NAMESPACE,
        client_config={
            "url": f"https://127.0.0.1:{recorder.port}/validate",
            "caBundle": base64.b64encode(recorder.authority.read_bytes()).decode(),
        },
    )
    plane = gate.stack.plane
    plane.kubectl("apply", "-f", "-", stdin=configuration).check()
    probe = ("create", "configmap", "probe", "--dry-run=server", "-n", policies.OPEN)

    def unasked() -> str:
        plane.kubectl(*probe).check()
        return "" if log.exists() and log.stat().st_size else "not asked"

    until(unasked, what="the API server to ask the recorder")


def _deployments(log: Path) -> dict[tuple[str, str, str], bytes]:
    """Return the last review of each Deployment, by operation, namespace and name."""
    found: dict[tuple[str, str, str], bytes] = {}
    # the last line may be on its way
    for line in log.read_bytes().rpartition(b"\n")[0].splitlines():
        request = orjson.loads(line)["request"]
        if request["kind"]["kind"] == "Deployment" and "subResource" not in request:
            place = (request["operation"], request["namespace"], request["name"])
            found[place] = line
    return found


def _unseen(body: bytes, number: int) -> Iterator[bytes]:
    """Yield reviews whose bundles have the same proof and other bytes."""
    for index in range(number):
        review: Tree = orjson.loads(body)
        annotations = review["request"]["object"]["metadata"]["annotations"]
        carried = read_annotations(annotations)
        blank = "".join(_SPACES[int(bit)] for bit in f"{index:016b}").encode()
        bundles = tuple(b"{" + blank + raw[1:] for raw in carried.bundles)
        annotations[BUNDLES] = render(Carried(bundles))[BUNDLES]
        yield orjson.dumps(review)


def _write(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines))
    return path
