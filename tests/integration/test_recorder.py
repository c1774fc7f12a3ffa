"""The recorder as a process, on the real server: nothing lost, nothing twice, no secret.

Replicas are real spools behind their real listener; one test has real webhooks.
"""

import asyncio
import json
import re
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from countersign.adapters.recorder.client import open_recorder
from countersign.adapters.recorder.portforward import forwarded
from countersign.core.errors import Misconfigured, Rejected, Unavailable
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Decision, Recorded
from countersign.ports import Query, Records
from tests.support.decisions import denied
from tests.support.operating import Operating, operating
from tests.support.replicas import Certificates, Replica, replica
from tests.support.serving import Serving, serving
from tests.support.spooled import port_of
from tests.support.webhook import body
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

_ROOT = Path(__file__).parents[2]
_USER = "countersign-operate"
_NOWHERE = ObjectRef("", "Namespace", "", "payments")
_UNKNOWN = "Z" * 26


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run a control plane with our roles, and two people."""
    with controlplane.running() as plane:
        for file in ("crds", "roles.yaml"):
            plane.kubectl("apply", "-f", _ROOT / "manifests" / file).check()
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all").check()
        bind(plane, "clusterrolebinding", _USER, _USER, f"--user={_USER}")
        for name in ("payments", "ledger"):
            plane.create_namespace(name)
        bind(
            plane,
            "rolebinding",
            "dana",
            "countersign-signer",
            "--user=dana",
            "--group=auditors",
            "--serviceaccount=payments:robot",
            "-npayments",
        )
        plane.kubectl("create", "serviceaccount", "robot", "-npayments").check()
        plane.kubectl("create", "serviceaccount", "other", "-npayments").check()
        bind(plane, "clusterrolebinding", "ada", "countersign-viewer", "--user=ada")
        yield plane


def bind(plane: ControlPlane, sort: str, name: str, role: str, *whom: str) -> None:
    """Give a ClusterRole to somebody."""
    plane.kubectl("create", sort, name, f"--clusterrole={role}", *whom).check()


@dataclass(frozen=True)
class Field:
    """Where a recorder runs, and what it records."""

    plane: ControlPlane
    certificates: Certificates
    folder: Path
    stack: ExitStack

    def replica(self, name: str) -> Replica:
        """Start a replica."""
        return self.stack.enter_context(
            replica(self.folder / f"spool-{name}", self.certificates)
        )

    def start(self, name: str, *replicas: Replica, **settings: Any) -> Operating:
        """Start a recorder of `replicas`, on the database of the one before."""
        folder = self.folder / name
        folder.mkdir()
        told: dict[str, Any] = {
            **self.certificates.settings(*replicas),
            "records__database": self.folder / "audit.db",
            **settings,
        }
        kubeconfig = self.plane.user(_USER)
        started = self.stack.enter_context(
            operating(self.plane, folder, kubeconfig, **told)
        )
        until(lambda: unready(started), what=f"the recorder (log: {started.log})")
        return started

    def stop(self, name: str, *, grace_s: float = 10.0) -> None:
        """Stop a recorder; with 0 seconds it is killed."""
        self.plane.ledger.stop(f"operate-{name}", grace_s=grace_s)

    def pid(self, name: str) -> int:
        """Return the process of a recorder."""
        entries = self.plane.ledger.entries
        return next(one.pid for one in entries if one.name == f"operate-{name}")


def unready(started: Operating) -> str:
    """Return why a recorder is not ready."""
    status, text = started.get("/readyz")
    return "" if status == 200 else text


@pytest.fixture(name="field")
def _field(plane: ControlPlane, tmp_path: Path) -> Iterator[Field]:
    with ExitStack() as stack:
        yield Field(plane, Certificates(tmp_path), tmp_path, stack)


@asynccontextmanager
async def reading(
    plane: ControlPlane, started: Operating, who: str | Path, **known: Any
) -> AsyncIterator[Records]:
    """Read a recorder as somebody."""
    kubeconfig = plane.user(who, **known) if isinstance(who, str) else who
    async with open_recorder(
        url=f"https://127.0.0.1:{started.port}",
        ca=started.log.parent / "ca.crt",
        kubeconfig=kubeconfig,
        context=None,
    ) as records:
        yield records


async def recorded(plane: ControlPlane, started: Operating) -> dict[str, Recorded]:
    """Return all that is recorded, by id."""
    async with reading(plane, started, "ada") as records:
        found = await records.find(Query(limit=1000))
    return {one.decision.id: one for one in found}


async def all_named(
    plane: ControlPlane, started: Operating, count: int
) -> dict[str, Recorded]:
    """Return all that is recorded, once it is so many."""
    found: dict[str, Recorded] = {}

    def missing() -> str:
        found.update(asyncio.run(recorded(plane, started)))
        return "" if len(found) >= count else f"{len(found)} of {count}"

    await asyncio.to_thread(until, missing, what="the decisions")
    return found


async def all_of(
    plane: ControlPlane, started: Operating, count: int
) -> dict[int, Recorded]:
    """Return the same by the number of each."""
    found = await all_named(plane, started, count)
    return {int(id_): one for id_, one in found.items()}


def with_token(plane: ControlPlane, account: str, folder: Path, **more: Any) -> Path:
    """Return a kubeconfig with the token of a service account."""
    made = plane.kubectl("create", "token", account, "-npayments").check()
    config = json.loads(plane.admin.read_text())
    config["users"][0]["user"] = {"token": made.stdout.strip(), **more}
    file = folder / f"{account}.kubeconfig"
    file.write_text(json.dumps(config))
    return file


def many(count: int, first: int = 0) -> list[Decision]:
    """Return some denials, each with something to carry."""
    return [denied(n, bundles=(f"bundle {n}".encode(),)) for n in range(first, count)]


async def test_shows_decisions_to_those_who_may(field: Field, tmp_path: Path) -> None:
    """By certificate and by token, by name and by group; in their namespace only."""
    plane, one = field.plane, field.replica("one")
    one.keep([*many(2), denied(2, object=_NOWHERE)])
    started = field.start("first", one)
    await all_of(plane, started, 3)
    ledger = denied(3, object=ObjectRef("", "ConfigMap", "ledger", "routes"))
    one.keep([ledger])
    await all_of(plane, started, 4)

    robot = with_token(plane, "robot", tmp_path)
    people: list[tuple[str | Path, dict[str, Any]]] = [
        ("dana", {}),
        ("lee", {"groups": ["auditors"]}),
        (robot, {}),
    ]
    for who, known in people:
        async with reading(plane, started, who, **known) as records:
            whole = await records.get(denied(1).id)
            assert whole is not None
            assert whole.decision == many(2)[1]
            listed = await records.find(Query(namespace="payments"))
            assert [int(r.decision.id) for r in listed] == [0, 1]
            for other in (ledger.id, denied(2).id):
                with pytest.raises(Rejected, match="the right to get decisions"):
                    await records.get(other)
            for query in (Query(), Query(namespace="ledger"), Query(namespace="")):
                with pytest.raises(Rejected, match="ClusterRole countersign-viewer"):
                    await records.find(query)
    async with reading(plane, started, "ada") as records:
        assert await records.get(_UNKNOWN) is None
        assert (await records.get(ledger.id)) is not None


async def test_a_stranger_is_told_the_right_and_nothing_else(
    field: Field, tmp_path: Path
) -> None:
    """Whether there is such a decision is not told: the same words, letter by letter."""
    plane, one = field.plane, field.replica("one")
    one.keep([denied(1)])
    started = field.start("first", one)
    await all_of(plane, started, 1)

    said = []
    async with reading(plane, started, with_token(plane, "other", tmp_path)) as records:
        for which in (denied(1).id, _UNKNOWN):
            with pytest.raises(Rejected) as refused:
                await records.get(which)
            said.append(str(refused.value))
        with pytest.raises(Rejected) as refused:
            await records.find(Query(namespace="payments"))
    assert said[0] == said[1]
    assert 'user "system:serviceaccount:payments:other"' in said[0]
    assert "get decisions.countersign.dev" in said[0]
    assert "ClusterRole countersign-signer" in said[0]
    assert 'list decisions.countersign.dev in namespace "payments"' in str(
        refused.value
    )
    for path in ("/v1/decisions", f"/v1/decisions/{denied(1).id}", "/v1/status"):
        status, text = started.get(path)
        assert status == 401
        assert "expected a bearer token" in json.loads(text)["error"]


async def test_credentials_that_are_none_are_refused(
    field: Field, tmp_path: Path
) -> None:
    """A token of nobody, a password; and none is sent to who is not the recorder."""
    plane = field.plane
    started = field.start("first")
    for user in ({"token": "garbage"}, {"username": "dana", "password": "x"}):
        config = json.loads(plane.admin.read_text())
        config["users"][0]["user"] = user
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(config))
        async with reading(plane, started, file) as records:
            with pytest.raises(Rejected, match="expected a bearer token"):
                await records.find(Query())

    robot = with_token(plane, "robot", tmp_path)
    async with open_recorder(
        url=f"https://127.0.0.1:{started.port}",
        ca=plane.ca_file,
        kubeconfig=robot,
        context=None,
    ) as records:
        with pytest.raises(Unavailable, match="not who it should be"):
            await records.find(Query())
    for url in (
        f"http://127.0.0.1:{started.port}",
        "https://",
        "https://u@h:1",
        "https://h/x",
    ):
        with pytest.raises(Misconfigured, match="expected https://host:port"):
            async with open_recorder(url=url, ca=None, kubeconfig=robot, context=None):
                pass


async def test_killed_between_pull_and_acknowledgement(field: Field) -> None:
    """What it has is told again, and is there once; what it has not, comes."""
    plane, one = field.plane, field.replica("one")
    one.keep(many(300))
    one.deaf = True
    field.start("first", one)
    assert await asyncio.to_thread(one.deafened.wait, 30)
    assert one.reached == 0
    field.stop("first", grace_s=0)
    one.keep(many(310, 300))
    one.deaf = False

    again = field.start("second", one)
    found = await all_of(plane, again, 310)

    assert found.keys() == set(range(310))
    assert {one.count for one in found.values()} == {1}
    until(lambda: "" if one.reached == 310 else "no", what="the acknowledgement")


async def test_killed_at_any_moment(field: Field) -> None:
    """Again and again, while decisions are made: every one is recorded once."""
    plane, one = field.plane, field.replica("one")
    for turn in range(4):
        name = f"turn-{turn}"
        field.start(name, one)
        one.keep(many(300 * (turn + 1), 300 * turn))
        field.stop(name, grace_s=0)

    last = field.start("last", one)
    until(lambda: "" if one.reached == 1200 else "no", what="all of it")
    async with reading(plane, last, "ada") as records:
        whole = [await records.get(denied(n).id) for n in range(0, 1200, 97)]

    assert all(one is not None and one.count == 1 for one in whole)
    assert [one.decision for one in whole if one] == many(1200)[::97]


async def test_a_full_disk_is_not_acknowledged(field: Field) -> None:
    """And told; once there is room everything is recorded, without a restart."""
    plane, one = field.plane, field.replica("one")
    started = field.start("first", one)
    one.keep(many(1))
    await all_of(plane, started, 1)
    until(lambda: "" if one.reached == 1 else "no", what="the acknowledgement")

    pid = field.pid("first")
    files = (f for f in field.folder.iterdir() if f.name.startswith("audit.db"))
    largest = max(file.stat().st_size for file in files)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    one.keep(many(200, 1))

    def untold() -> str:
        said = started.log.read_text()
        return "" if "the audit store failed" in said else "not told yet"

    until(untold, what="the full disk")
    assert one.reached == 1
    assert len(await recorded(plane, started)) == 1

    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    found = await all_of(plane, started, 200)

    assert {one.count for one in found.values()} == {1}
    until(lambda: "" if one.reached == 200 else "no", what="the acknowledgement")


async def test_a_replica_that_hangs_holds_up_no_other(field: Field) -> None:
    """It is told of, with what is known of each; and what it held comes later."""
    plane = field.plane
    slow, quick = field.replica("slow"), field.replica("quick")
    slow.hanging = True
    slow.keep(many(5))
    quick.keep(many(10, 5))
    started = field.start("first", slow, quick, spools__request_s=1)

    assert (await all_of(plane, started, 5)).keys() == set(range(5, 10))
    until(
        lambda: "" if "in time" in started.log.read_text() else "not told",
        what="the slow one",
    )
    slow.hanging = False
    assert len(await all_of(plane, started, 10)) == 10


async def test_webhooks_do_not_mind_a_recorder_that_is_gone(
    field: Field, tmp_path: Path
) -> None:
    """The same words in the same time with and without; then everything is there."""
    plane, folder = field.plane, tmp_path / "webhook"
    folder.mkdir()
    told: dict[str, object] = {
        "protected_namespaces": "payments",
        "spool__directory": tmp_path / "spool",
        "spool__host": "127.0.0.1",
        "spool__port": 0,
        "spool__client_ca_file": tmp_path / "spool-ca.crt",
    }
    with serving(plane, folder, plane.admin, **told) as webhook:
        webhook.ready()
        (folder / "ca.crt").write_bytes(webhook.authority)
        spools: dict[str, object] = {
            "spools__sources": f"https://127.0.0.1:{port_of(webhook.log)}",
            "spools__server_name": "localhost",
            "spools__ca_file": folder / "ca.crt",
        }
        before = [deny(webhook, n) for n in range(20)]
        first = field.start("first", **spools)
        found = await all_named(plane, first, 20)
        field.stop("first", grace_s=0)
        after = [deny(webhook, n) for n in range(25)]
        second = field.start("second", **spools)
        again = await all_named(plane, second, 25)

    assert after[:20] == before
    assert {named(text) for text in before} == found.keys()
    assert {named(text) for text in after} == again.keys()
    twice = {named(text) for text in before}
    assert {id_: r.count for id_, r in again.items()} == {
        id_: 2 if id_ in twice else 1 for id_ in again
    }


def deny(webhook: Serving, number: int) -> str:
    """Ask for a ConfigMap; return why it is denied."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"routes-{number}", "namespace": "payments"},
    }
    sent = body(object=manifest, name=f"routes-{number}")
    status, text = webhook.request("POST", "/validate", sent)
    assert status == 200
    answer = json.loads(text)["response"]
    assert not answer["allowed"]
    return str(answer["status"]["message"])


def named(denial: str) -> str:
    """Return the decision that a denial names."""
    found = re.search(r"decision ([0-9A-Z]{26})", denial)
    assert found, denial
    return found[1]


def test_a_tunnel_that_cannot_stand_says_why(plane: ControlPlane) -> None:
    """There are no Pods here: kubectl says so itself, and is gone afterwards."""
    kubectl = str(plane.binaries["kubectl"])

    async def open_one() -> None:
        async with forwarded(kubeconfig=plane.admin, context=None, kubectl=kubectl):
            pass

    with pytest.raises(Unavailable, match=r"countersign.*not found.*--recorder URL"):
        asyncio.run(open_one())
    with pytest.raises(Misconfigured, match="expected kubectl in PATH"):
        asyncio.run(missing())


async def missing() -> None:
    """Open a tunnel with a program that is not there."""
    async with forwarded(kubeconfig=None, context=None, kubectl="no-such-kubectl"):
        pass
