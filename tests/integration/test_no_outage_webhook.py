"""Replicas of the webhook come, go and die under load: nothing is lost, nothing slips by.

Real processes as the rendered Deployment starts them, the real API server, and a
balancer in place of the Service.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.support.balanced import Balancer, Loop, balancer
from tests.support.chart import NAMESPACE, config_map
from tests.support.crowd import Ask, asked, crowd
from tests.support.fleet import Fleet, Replica, fleet, registered
from tests.support.gate import Gate
from tools.stack.ready import until

_MANY = 520  # in flight at once


@pytest.fixture(scope="module", name="loop")
def _loop() -> Iterator[Loop]:
    with Loop() as loop:
        yield loop


@pytest.fixture(scope="module", name="service")
def _service(loop: Loop) -> Iterator[Balancer]:
    with balancer(loop) as service:
        yield service


@pytest.fixture(name="replicas")
def _replicas(gate: Gate, service: Balancer, tmp_path: Path) -> Iterator[Fleet]:
    """Two replicas behind the service, which the API server asks."""
    with fleet(gate.stack, tmp_path) as made:
        for replica in (made.start(), made.start()):
            replica.ready()
        service.endpoints = tuple(one.port for one in made.running)
        with registered(gate.stack, service.port):
            yield made


@pytest.fixture(name="asks")
def _asks(gate: Gate, replicas: Fleet) -> list[Ask]:
    """What must be admitted and what must be denied, and how that is said.

    Each is a dry run: it gets the same verdict, and leaves nothing behind.
    """
    assert replicas.running
    signed = yaml.safe_load(gate.approved(config_map("crowd")))
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps?dryRun=All"
    other = {**signed, "data": {"region": "us-east-1"}}
    bare = config_map("crowd-bare")
    admitted, *denied = (
        Ask("POST", path, json.dumps(tree).encode()) for tree in (signed, other, bare)
    )
    admin = gate.stack.plane.admin
    assert asked(admin, admitted) == (201, "")
    said = [asked(admin, one) for one in denied]
    assert all(status == 403 and "countersign.dev" in text for status, text in said)
    return [
        admitted,
        *(replace(one, said=text) for one, (_, text) in zip(denied, said, strict=True)),
    ]


def _is_asked(replica: Replica) -> bool:
    return bool(replica.said("admission_reviewed"))


def stopping(replica: Replica) -> None:
    """Wait until a replica has heard the signal."""
    until(lambda: "" if replica.said("stopping") else "not yet", what="the signal")


def test_a_rolling_update_under_load_loses_nothing(
    gate: Gate, loop: Loop, service: Balancer, replicas: Fleet, asks: list[Ask]
) -> None:
    """Each replica in turn: a new one, then SIGTERM, then out of the endpoints.

    In this order, since the kubelet does not wait for the endpoints: what still comes
    to a replica that stops is answered.
    """
    with crowd(loop, gate.stack.plane.admin, asks, _MANY) as people:
        people.all_in_flight()
        for old in tuple(replicas.running):
            new = replicas.start()
            new.ready()
            service.endpoints = (*service.endpoints, new.port)
            people.answered(100)
            replicas.terminate(old)
            stopping(old)
            service.endpoints = tuple(p for p in service.endpoints if p != old.port)
            replicas.gone(old)
        people.answered(100)

    assert not people.seen.lost
    assert not people.seen.wrong
    assert people.seen.right[True] > 0 < people.seen.right[False]
    for old in replicas.running[:2]:
        assert [len(old.said(event)) for event in ("stopping", "stopped")] == [1, 1]


def test_a_replica_that_is_killed_takes_down_only_what_it_held(
    gate: Gate, loop: Loop, service: Balancer, replicas: Fleet, asks: list[Ask]
) -> None:
    """SIGKILL under load: what it held fails closed, and is right when asked again.

    The API server asks a webhook once; ``failurePolicy: Fail`` makes a refusal of no
    answer, with a status that clients try again on. Nothing else is lost, since the
    endpoint goes out, and the other replica has heard nothing of it.
    """
    killed, other = replicas.running
    admin = gate.stack.plane.admin
    with crowd(loop, admin, asks, _MANY) as people:
        people.all_in_flight()
        people.answered(_MANY)  # from here on both hold their share
        replicas.kill(killed)
        service.endpoints = (other.port,)  # as soon as the kubelet sees it
        before = len(people.seen.lost)
        people.answered(2 * _MANY)  # all that stood between, and as many after it
        settled = len(people.seen.lost)
        people.answered(100)

    assert not people.seen.wrong
    assert before <= settled <= _MANY, "at most what was in flight"
    assert len(people.seen.lost) == settled, "once it is out, nothing is lost any more"
    assert people.seen.lost, "expected it to have held something"
    assert all(text.startswith("Internal error occurred") for text in people.seen.lost)
    for ask in asks:
        assert asked(admin, ask)[1] == ask.said
    told = (gate.stack.plane.folder / "logs" / "kube-apiserver.log").read_text()
    assert "failing closed" in told
    assert len(other.said("not_ready")) <= 1, "before it was ready"
    assert not other.said("review_failed")
