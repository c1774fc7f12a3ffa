"""Denied, and kept: the same denial has one id, and no disk changes a verdict."""

import base64
import http.client
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from countersign.adapters.spool.frames import frame
from countersign.binding.registration import webhook_configuration
from countersign.config import variable
from countersign.core.types.change import Base, ObjectChange
from countersign.core.types.decision import Batch, Decision, Outcome, Sighting
from tests.support import resources as stored
from tests.support.serving import Serving, serving
from tests.support.spooled import Recorder
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

_ROOT = Path(__file__).parents[2]
_NAME, _USER = "countersign-test", "countersign-serve"
_SPACE, _LENIENT = "guarded", "warned"
_OPENED = {"cluster__watch_s": 1.0, "cluster__stale_s": 3.0}
_DECISION = re.compile(r"decision ([0-9A-HJKMNP-TV-Z]{26})")


@dataclass(frozen=True)
class Replica:
    """A webhook with a spool, and the recorder's way to it."""

    serving: Serving
    recorder: Recorder

    def pull(self) -> Batch:
        """Return all that its spool holds."""
        return self.recorder.pull(self.serving.log, self.serving.authority)

    def kept(self, count: int = 1) -> list[Decision | Sighting]:
        """Return what its spool holds, once so many have reached the disk."""

        def fewer() -> str:
            seen = len(self.pull().entries)
            return "" if seen >= count else f"only {seen}"

        until(fewer, what=f"{count} decisions")
        return [entry.kept for entry in self.pull().entries]

    def acknowledge(self, spool: str, sequence: int) -> None:
        """Say that everything up to a sequence is recorded."""
        said = {"spool": spool, "sequence": sequence}
        status, _ = self.recorder.ask(
            self.serving.log, self.serving.authority, "POST", "/spool/ack", said
        )
        assert status == 204


@dataclass(frozen=True)
class Start:
    """Starts replicas, each with a folder of its own for what it says."""

    plane: ControlPlane
    kubeconfig: Path
    folder: Path

    @contextmanager
    def __call__(self, name: str, spool: Path, **more: object) -> Iterator[Replica]:
        """Run a replica that keeps decisions in `spool`, and register it."""
        folder = self.folder / name
        folder.mkdir()
        recorder = Recorder(folder)
        told = recorder.settings(spool, **_OPENED, **more)
        with serving(self.plane, folder, self.kubeconfig, **told) as served:
            served.ready()
            register(self.plane, served)
            yield Replica(served, recorder)


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run a control plane with a protected namespace and a policy for it."""
    with controlplane.running() as plane:
        for file in ("crds", "roles.yaml"):
            plane.kubectl("apply", "-f", _ROOT / "manifests" / file).check()
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all").check()
        for space in (_SPACE, _LENIENT):
            plane.kubectl("create", "namespace", space).check()
        bind = ("create", "clusterrolebinding", _USER, f"--clusterrole={_USER}")
        plane.kubectl(*bind, f"--user={_USER}").check()
        policies = (
            stored.policy(protect={"namespaces": [_SPACE]}),
            stored.policy(
                "lenient", protect={"namespaces": [_LENIENT]}, enforcement="warn"
            ),
        )
        for tree in (stored.roster(), stored.sigstore_root(), *policies):
            del tree["metadata"]["uid"], tree["metadata"]["generation"]
            plane.kubectl("create", "-f", "-", stdin=tree).check()
        yield plane


@pytest.fixture(scope="module", name="kubeconfig")
def _kubeconfig(plane: ControlPlane) -> Path:
    """Return how the webhook reaches the API server: with its own role."""
    return plane.user(_USER)


@pytest.fixture(name="start")
def _start(plane: ControlPlane, kubeconfig: Path, tmp_path: Path) -> Iterator[Start]:
    yield Start(plane, kubeconfig, tmp_path)
    gone = ("delete", "validatingwebhookconfiguration", _NAME, "--ignore-not-found")
    plane.kubectl(*gone).check()


def register(plane: ControlPlane, served: Serving) -> None:
    """Register a webhook; return when it is the one that the API server asks."""
    tree = webhook_configuration(
        name=_NAME,
        protected=(_SPACE, _LENIENT),
        own_namespace="countersign",
        client_config={
            "url": f"{served.url}/validate",
            "caBundle": base64.b64encode(served.authority).decode(),
        },
    )
    plane.kubectl("apply", "-f", "-", stdin=tree).check()

    def unasked() -> str:
        before = served.log.read_text().count("admission_reviewed")
        seen = create(plane, "probe", "--dry-run=server")
        asked = served.log.read_text().count("admission_reviewed") > before
        return "" if asked and "countersign.dev" in seen else seen or "admitted"

    until(unasked, what="the webhook")


def create(plane: ControlPlane, name: str, *flags: str) -> str:
    """Create a ConfigMap in the protected namespace; return why that fails."""
    more = ("-n", _SPACE, "--from-literal=primary=eu", *flags)
    return plane.kubectl("create", "configmap", name, *more).stderr


def named(denial: str) -> str:
    """Return the id that a denial names."""
    found = _DECISION.search(denial)
    assert found, denial
    return found[1]


def test_the_same_denial_has_one_id_everywhere(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    """At two replicas, and after a restart of one; another denial has another."""
    with start("one", tmp_path / "spool-one") as one:
        first = named(create(plane, "routes"))
        assert named(create(plane, "routes")) == first
        assert named(create(plane, "others")) != first
        decision, again, _ = one.kept(3)
    with start("two", tmp_path / "spool-two"):
        elsewhere = named(create(plane, "routes"))
    with start("one-again", tmp_path / "spool-one") as one:
        afterwards = named(create(plane, "routes"))
        one.kept(4)
        batch = one.pull()

    assert first == elsewhere == afterwards
    assert isinstance(decision, Decision)
    assert isinstance(again, Sighting)
    assert decision.id == again.id == first
    assert [entry.sequence for entry in batch.entries] == [1, 2, 3, 4]
    assert batch.lost == 0


def test_a_decision_says_what_to_sign(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    """The intent of the object, and the message as the person read it."""
    with start("one", tmp_path / "spool") as one:
        said = create(plane, "routes")
        (kept, *_) = one.kept()

    assert isinstance(kept, Decision)
    assert kept.outcome is Outcome.DENIED
    assert kept.message in said
    assert kept.proposal is not None
    assert isinstance(kept.proposal.change, ObjectChange)
    assert kept.proposal.change.base is Base.ABSENT
    assert kept.proposal.intent is not None
    assert kept.proposal.intent.tree["data"] == {"primary": "eu"}


def test_a_dry_run_leaves_no_record(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    """Its denial names no decision, and the spool has none."""
    with start("one", tmp_path / "spool") as one:
        said = create(plane, "routes", "--dry-run=server")
        named(create(plane, "others"))
        kept = one.kept()

    assert "countersign.dev" in said
    assert not _DECISION.search(said)
    assert "--decision" not in said
    assert [each.object.name for each in kept if isinstance(each, Decision)] == [
        "others"
    ]


def test_a_full_folder_changes_no_verdict(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    """It denies and admits as before; what is lost is counted and told."""
    spool = tmp_path / "spool"
    spool.mkdir()
    whole = b"".join(frame(n, b" " * 4000) for n in range(1, 300))
    (spool / f"{1:020d}.log").write_bytes(whole)
    with start("one", spool, spool__max_mib=1) as one:
        said = create(plane, "routes")
        plane.kubectl("create", "configmap", "x", "-n", _LENIENT).check()
        lost = one.serving.metric('countersign_spool_lost_total{cause="full"}')
        log = one.serving.log.read_text()

    assert "a change that comes without any evidence" in said
    assert not _DECISION.search(said)
    assert lost == 2
    assert log.count("spool_failing") == 1


@pytest.mark.parametrize(
    "stranger",
    [
        pytest.param({"name": "somebody"}, id="another name of the same authority"),
        pytest.param({"authority": trustme.CA()}, id="the name by another authority"),
        pytest.param({"name": None}, id="no certificate"),
    ],
)
def test_nobody_but_the_recorder_reads_decisions(
    start: Start, tmp_path: Path, stranger: dict[str, Any]
) -> None:
    """Neither decisions, nor acknowledgements."""
    with start("one", tmp_path / "spool") as one:
        given = {"authority": one.recorder.authority, **stranger}
        other = Recorder(tmp_path, **given)
        for method, path in (("GET", "/spool"), ("POST", "/spool/ack")):
            try:
                status, _ = other.ask(
                    one.serving.log, one.serving.authority, method, path, {}
                )
            except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
                continue  # the handshake ends it
            assert status == 403


def test_a_second_process_with_the_same_folder_does_not_start(
    start: Start, tmp_path: Path
) -> None:
    """Each replica has a folder of its own."""
    with start("one", tmp_path / "spool") as one:
        command = [sys.executable, "-m", "countersign", "serve"]
        told = one.recorder.settings(tmp_path / "spool", cluster_name="test")
        told["listen__certificate_file"] = tmp_path / "one" / "tls.crt"
        told["listen__key_file"] = tmp_path / "one" / "tls.key"
        names = {variable(k.replace("__", ".")): str(v) for k, v in told.items()}
        done = subprocess.run(
            command,
            env={**os.environ, **names},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert "a spool folder of this process alone" in done.stdout + done.stderr


def test_a_replica_that_stops_waits_for_the_recorder(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    """What it decided last is pulled before the folder goes with its Pod."""
    with ExitStack() as running, ThreadPoolExecutor(1) as elsewhere:
        again = start("one", tmp_path / "spool", spool__handover_s=20.0)
        one = running.enter_context(again)
        create(plane, "routes")
        one.kept()
        spool = one.pull().spool
        one.acknowledge(spool, 1)
        create(plane, "others")
        stopped = elsewhere.submit(running.close)
        last = one.kept(2)[-1]
        one.acknowledge(spool, 2)
        stopped.result(timeout=60)

    assert isinstance(last, Decision)
    assert last.object.name == "others"
