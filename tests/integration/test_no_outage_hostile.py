"""Connections that hang, bodies that are huge, certificates and clocks that are wrong.

One replica, real, behind the real API server: what must be denied is, what must be
admitted is, and the log says in one line what was the matter.
"""

import http
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.support.balanced import LOOPBACK, Balancer, Loop, balancer
from tests.support.chart import NAMESPACE, config_map
from tests.support.crowd import Ask, asked, crowd
from tests.support.fleet import Fleet, Replica, fleet, registered
from tests.support.gate import Gate
from tests.support.shortlived import Issuer
from tools.stack.ready import until

_SKEW = Path(__file__).parents[1] / "support" / "skewed_clock.c"
_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_HEAD = b"POST /validate?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_LARGE = b"Content-Length: 8000000\r\n\r\n{"
_EACH = 80  # connections of each kind that hang
_DAY_S = 86400


@pytest.fixture(scope="module", name="loop")
def _loop() -> Iterator[Loop]:
    with Loop() as loop:
        yield loop


@pytest.fixture(scope="module", name="service")
def _service(loop: Loop) -> Iterator[Balancer]:
    with balancer(loop) as service:
        yield service


@pytest.fixture(scope="module", name="replicas")
def _replicas(
    gate: Gate, service: Balancer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("hostile")
    with fleet(gate.stack, folder) as made, registered(gate.stack, service.port):
        yield made


@pytest.fixture(scope="module", name="replica")
def _replica(replicas: Fleet) -> Replica:
    replica = replicas.start()
    replica.ready()
    return replica


@pytest.fixture(name="asks")
def _asks(gate: Gate, loop: Loop, service: Balancer, replica: Replica) -> list[Ask]:
    """What must be admitted, and what must be denied, and how that is said."""
    loop.run(service.move(replica.port))
    signed = yaml.safe_load(gate.approved(config_map("hostile")))
    other = {**signed, "data": {"region": "us-east-1"}}
    admitted, denied = (
        Ask("POST", f"{_PATH}?dryRun=All", json.dumps(tree).encode())
        for tree in (signed, other)
    )
    admin = gate.stack.plane.admin
    assert asked(admin, admitted) == (201, "")
    status, said = asked(admin, denied)
    assert status == 403, said
    return [admitted, replace(denied, said=said)]


def hang(port: int, authority: bytes, held: ExitStack) -> None:
    """Open connections that hang, each kind in another way, and leave them so."""
    context = ssl.create_default_context(cadata=authority.decode())

    def plain() -> socket.socket:
        return held.enter_context(socket.create_connection((LOOPBACK, port), 10))

    def shaken() -> ssl.SSLSocket:
        wire = context.wrap_socket(plain(), server_hostname=LOOPBACK)
        return held.enter_context(wire)

    for _ in range(_EACH):
        plain()  # not even a handshake
        plain().sendall(b"\x16\x03\x01")  # half a record of one
        shaken()  # and not a word
        shaken().sendall(_HEAD)  # half a head
        shaken().sendall(_HEAD + _LARGE)  # a body that never comes
    deaf = shaken()
    deaf.settimeout(0.5)
    try:
        while True:  # asks and asks, and never reads
            deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 64)
    except (TimeoutError, ssl.SSLWantWriteError):
        pass


def test_connections_that_hang_starve_nobody(
    gate: Gate, loop: Loop, replica: Replica, asks: list[Ask]
) -> None:
    """Hundreds hold nothing but their own connection, and not that for long.

    Fault seen caught: eight announced bodies of 8 MB, and everybody else was refused.
    """
    with ExitStack() as held:
        hang(replica.port, replica.authority, held)
        with crowd(loop, gate.stack.plane.admin, asks, 8) as people:
            people.answered(40)
            until(
                lambda: "" if replica.said("connections_cut") else "none",
                what="those who are late to be cut off",
            )

    assert not people.seen.lost
    assert not people.seen.wrong
    assert people.seen.right[True] > 0 < people.seen.right[False]
    assert replica.said("body_late")
    assert {one["why"] for one in replica.said("connections_cut")} == {"late"}
    assert not replica.said("overloaded")


def test_huge_bodies_all_at_once_stay_within_the_memory_of_the_chart(
    gate: Gate, loop: Loop, replica: Replica, asks: list[Ask]
) -> None:
    """As large as etcd takes them, and more than fit at once: the others wait."""
    large = {**config_map("hostile-large"), "data": {"blob": "x" * 1_000_000}}
    denied = Ask("POST", f"{_PATH}?dryRun=All", json.dumps(large).encode())
    status, said = asked(gate.stack.plane.admin, denied)
    assert status == 403, said

    huge = [replace(denied, said=said), *asks]
    with crowd(loop, gate.stack.plane.admin, huge, 90) as people:
        people.answered(90)

    assert not people.seen.lost
    assert not people.seen.wrong
    assert replica.peak_mib < 512, "the chart's limit"


def test_certificates_of_seconds_are_replaced_under_load(
    gate: Gate, loop: Loop, service: Balancer, replicas: Fleet, asks: list[Ask]
) -> None:
    """No handshake fails, and none ends at one that has ended."""
    issuer, admin = Issuer(), gate.stack.plane.admin
    replica = replicas.start()
    replica.ready()
    renewed = replica.tls.with_name(f"{replica.tls.name}-renewed")

    def loaded(count: int) -> None:
        until(
            lambda: (
                f"{n}" if (n := len(replica.said("certificate_loaded"))) < count else ""
            ),
            what=f"{count} certificates",
        )

    with registered(gate.stack, service.port, authority=issuer.pem):
        loop.run(service.move(replica.port))
        with crowd(loop, admin, asks, 16) as people:
            people.answered(16)
            for number in range(1, 5):
                issuer.write(replica.tls, timedelta(minutes=2))
                loaded(number)
                people.answered(32)
            issuer.write(renewed, timedelta(seconds=9))  # it comes, and gives way again
            loaded(6)
            people.answered(32)
        assert not people.seen.lost
        assert not people.seen.wrong

        ask = asks[0]
        issuer.write(renewed, timedelta(seconds=-1))
        issuer.write(replica.tls, timedelta(seconds=-1))
        loaded(7)
        loop.run(service.move(replica.port))
        until(
            lambda: (
                "" if "expired" in (seen := asked(admin, ask)[1]) else f"saw {seen}"
            ),
            what="the end of the last certificate to be seen",
        )
        issuer.write(replica.tls, timedelta(minutes=2))
        until(lambda: asked(admin, ask)[1], what="the next certificate")
    assert len(replica.said("certificate_expired")) == 1
    replicas.kill(replica)


@contextmanager
def skewed(replicas: Fleet, by_s: int) -> Iterator[Replica]:
    """Run a replica whose wall clock is wrong by so many seconds."""
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("a C compiler makes the wrong clock")
    shim = replicas.folder / "skewed.so"
    made = (compiler, "-shared", "-fPIC", "-o", shim, _SKEW, "-ldl")
    subprocess.run(made, check=True)
    replica = replicas.start(environment={"LD_PRELOAD": str(shim), "SKEW_S": str(by_s)})
    try:
        yield replica
    finally:
        replicas.kill(replica)


@pytest.mark.parametrize(
    "clock",
    [
        # to a clock that is behind, the API server's certificate has not begun
        pytest.param(
            (-20 * _DAY_S, "no first list", "has not read its policies"), id="behind"
        ),
        pytest.param(
            (20 * _DAY_S, "the clock here is", "ahead of the API"), id="ahead"
        ),
    ],
)
def test_a_replica_whose_clock_is_wrong_admits_nothing(
    loop: Loop,
    service: Balancer,
    replicas: Fleet,
    asks: list[Ask],
    clock: tuple[int, str, str],
) -> None:
    """Not ready: no endpoint. Asked all the same, it denies what it cannot judge.

    A clock that is behind would make good again what has expired.
    """
    admin, (by_s, told, denial) = replicas.stack.plane.admin, clock
    with skewed(replicas, by_s) as wrong:
        until(
            lambda: "" if told in (seen := wrong.get("/readyz")[1]) else seen,
            what="the clock to be doubted",
        )
        loop.run(service.move(wrong.port))
        for ask in asks:
            status, said = asked(admin, ask)
            assert status >= http.HTTPStatus.BAD_REQUEST, ask
            assert denial in said
        assert len(wrong.said("not_ready")) == 1
        assert len(wrong.said("clocks_differ")) == (by_s > 0)
        assert not wrong.said("ready")
