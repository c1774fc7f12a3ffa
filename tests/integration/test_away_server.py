"""The API server or its etcd goes away and comes back: no wrong verdict, one line each.

Two replicas look on: a keen one, to which seconds of silence are too long, and a patient
one, as the defaults are. What both must show, before, meanwhile as far as somebody asks,
and after: the signed ConfigMap is admitted, and the one that nobody signed is not.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import resources as stored
from tests.support.apiserver import ApiServer
from tests.support.away import (
    SIGNED,
    UNSIGNED,
    USER,
    Away,
    Log,
    config_map,
    judged,
    plain,
    tells,
    trusted,
)
from tests.support.lines import events
from tests.support.serving import Serving, serving
from tools import controlplane
from tools.controlplane import ControlPlane, Options
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

UNSEEN = "a change that comes without any evidence"
LOST = "has lost sight of its policies"
BLIND = "has not read its policies yet and admits nothing"
MANY = 501  # policies: one more than a page of a list
ENOUGH = 20  # verdicts of each sort, from all clients together
TOLD: dict[str, object] = {
    "protected_namespaces": "away",
    "cluster_name": "test",
    "cluster__request_s": 2,
}
KEEN = {**TOLD, "cluster__watch_s": 1, "cluster__stale_s": 4}
PATIENT = {**TOLD, "cluster__watch_s": 2, "cluster__stale_s": 60}
DANA_LEFT = stored.revocation({"kind": "person", "value": "dana", "reason": "left"})
LISTS: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "users": [USER], "verbs": ["list"]},
        {"level": "None"},
    ],
}


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("away")


@pytest.fixture(scope="module", name="flags")
def _flags(folder: Path) -> dict[str, str]:
    """Return what the API server is told at its next start."""
    (folder / "policy.json").write_text(json.dumps(LISTS))
    return {
        "audit-policy-file": str(folder / "policy.json"),
        "audit-log-path": str(folder / "audit.log"),
    }


@pytest.fixture(scope="module", name="away")
def _away(flags: dict[str, str]) -> Iterator[Away]:
    """Run a control plane of our own: all of it goes away."""
    with controlplane.running(Options(apiserver_flags=flags)) as plane:
        yield Away.founded(plane)


@pytest.fixture(scope="module", name="plane")
def _plane(away: Away) -> ControlPlane:
    return away.plane


@pytest.fixture(scope="module", name="keen")
def _keen(plane: ControlPlane, folder: Path) -> Iterator[Serving]:
    (folder / "keen").mkdir()
    with serving(plane, folder / "keen", plane.user(USER), **KEEN) as served:
        served.ready()
        yield served


@pytest.fixture(scope="module", name="patient")
def _patient(away: Away, keen: Serving, folder: Path) -> Iterator[Serving]:
    """Start the one that the API server asks."""
    del keen
    plane = away.plane
    (folder / "patient").mkdir()
    with serving(plane, folder / "patient", plane.user(USER), **PATIENT) as served:
        served.ready()
        away.register(served)
        yield served


@pytest.fixture(autouse=True)
def _calm(keen: Serving, patient: Serving) -> None:
    """Begin with replicas that have got over what the test before did to them."""
    for one in (keen, patient):
        until(Log(one, whole=True).unsettled, what=f"a settled replica ({one.log})")
        one.ready()
        until(Log(one, whole=True).unready, what=f"its word in the log ({one.log})")


def lists(folder: Path) -> Counter[str]:
    """Return how often each kind was listed whole: by path of its first pages."""
    found = (one["requestURI"] for one in events(folder / "audit.log")[0])
    return Counter(
        uri.partition("?")[0]
        for uri in found
        if "limit=1&" not in f"{uri}&"
        and "continue=" not in uri
        and "/namespaces/" not in uri  # of a live look, before a denial
    )


def test_the_api_server_is_killed_and_comes_back_under_load(
    away: Away, patient: Serving, folder: Path
) -> None:
    """Who waits long enough denies for no reason of its own; and lists but once more."""
    before, log = lists(folder), Log(patient)
    with away.load() as tally:
        until(lambda: tally.more(Counter(), ENOUGH), what="verdicts before")
        away.plane.stop_apiserver(grace_s=0)
        assert judged(patient, SIGNED) == ""
        assert UNSEEN in judged(patient, UNSIGNED)
        until(lambda: "" if log.names() else "nothing yet", what="a line")
        away.plane.start_apiserver()
        then = tally.seen.copy()
        until(lambda: tally.more(then, ENOUGH), what="verdicts after")

    tally.right()
    log.becomes("api_server_away", "api_server_back")
    assert log.lines()[0]["error"].startswith("the API server broke off at /")
    assert log.lines()[1]["away_s"] > 0
    again = lists(folder) - before
    assert max(again.values(), default=0) <= 2, again  # of two replicas


def test_a_replica_that_starts_while_the_api_server_is_away(
    away: Away, patient: Serving, folder: Path
) -> None:
    """Is not ready, denies what was signed, too, and becomes ready by itself."""
    plane = away.plane
    (folder / "early").mkdir()
    plane.stop_apiserver(grace_s=0)
    with serving(plane, folder / "early", plane.user(USER), **PATIENT) as early:
        log = Log(early, whole=True)
        for name in (SIGNED, UNSIGNED):
            assert BLIND in judged(early, name)
        status, text = early.get("/readyz")
        assert status == 503
        assert "no first list of Revocation yet" in text

        plane.start_apiserver()
        early.ready()
        tells(early, SIGNED, "")
        tells(early, UNSIGNED, UNSEEN)
        down = {"api_server_away", "not_ready", "api_server_back", "ready"}
        log.becomes("spool_listening", "listening", *down)
    tells(patient, SIGNED, "")


def test_etcd_stands_still_and_goes_on(
    away: Away, keen: Serving, patient: Serving, folder: Path
) -> None:
    """The API server opens and ends watches as ever: nobody may take that for news.

    Seen to fail where the opening and the end of a watch were words of the server: the
    keen replica stayed ready for ever.
    """
    before, log, calm = lists(folder), Log(keen), Log(patient)
    away.freeze("etcd")
    try:
        until(
            lambda: "" if keen.get("/readyz")[0] == 503 else "ready",
            what="a replica that doubts",
        )
        for name in (SIGNED, UNSIGNED):
            tells(keen, name, LOST)
        assert judged(patient, SIGNED) == ""
        assert UNSEEN in judged(patient, UNSIGNED)
        log.becomes("api_server_away", "not_ready")
    finally:
        away.thaw("etcd")

    keen.ready()
    for one in (keen, patient):
        tells(one, SIGNED, "")
        tells(one, UNSIGNED, UNSEEN)
    log.becomes("api_server_away", "not_ready", "api_server_back", "ready")
    calm.becomes("api_server_away", "api_server_back")
    assert not lists(folder) - before  # nothing was missed, so nothing is listed


def test_etcd_is_killed_and_comes_back(
    away: Away, keen: Serving, patient: Serving
) -> None:
    """What is withdrawn as soon as it is there again counts at once."""
    log, calm, plane = Log(keen), Log(patient), away.plane
    plane.ledger.stop("etcd", grace_s=0)
    until(
        lambda: "" if keen.get("/readyz")[0] == 503 else "ready",
        what="a replica that doubts",
    )
    tells(keen, SIGNED, LOST)
    assert judged(patient, SIGNED) == ""
    assert UNSEEN in judged(patient, UNSIGNED)

    plane.start_etcd()
    with away.changed(DANA_LEFT):
        for one in (keen, patient):
            tells(one, SIGNED, "revoked")
            tells(one, UNSIGNED, UNSEEN)
    tells(keen, SIGNED, "")
    log.becomes("api_server_away", "not_ready", "api_server_back", "ready")
    calm.becomes("api_server_away", "api_server_back")


@pytest.mark.parametrize(
    ("root", "told"),
    [
        pytest.param(trusted(stored.public_pem()), [], id="somebody else's key"),
        pytest.param(
            trusted(stored.public_pem(), valid={"until": "2025-01-01T00:00:00Z"}),
            [],
            id="a key whose time is over",
        ),
        pytest.param(
            trusted("garbage"), ["resource_invalid"], id="a key that nobody can read"
        ),
    ],
)
def test_trust_that_is_none(
    away: Away, keen: Serving, patient: Serving, root: Any, told: list[str]
) -> None:
    """Counts from then on: no older state is kept, since it may be what was withdrawn."""
    log = Log(patient)
    with away.instead(root):
        for one in (keen, patient):
            tells(one, SIGNED, "(policy payments)")
            assert UNSEEN in judged(one, UNSIGNED)
            assert one.get("/readyz")[0] == 200
    tells(patient, SIGNED, "")
    tells(patient, UNSIGNED, UNSEEN)
    away.register(patient)
    log.becomes(*told)


def test_more_policies_than_a_page(away: Away, patient: Serving, folder: Path) -> None:
    """A replica that starts has them all, and judges by the last of them."""
    del patient
    (folder / "late").mkdir()
    with closing(ApiServer(away.plane.admin)) as api:
        for number in range(MANY):
            protect = {"namespaces": [f"many-{number}"]}
            api.create(plain(stored.policy(f"many-{number}", protect=protect)))
    with serving(away.plane, folder / "late", away.plane.user(USER), **PATIENT) as late:
        late.ready()
        tells(late, SIGNED, "")
        tells(late, UNSIGNED, UNSEEN)
        for number in (0, MANY - 1):
            assert judged(late, UNSIGNED, f"many-{number}")
        assert judged(late, UNSIGNED, f"many-{MANY}") == ""
        assert late.metric('countersign_policies{state="invalid"}') == MANY


def test_history_is_compacted_and_no_bookmark_comes(
    away: Away, keen: Serving, patient: Serving, flags: dict[str, str]
) -> None:
    """Without its cache the server forgets what etcd does, and says so: 410 Gone."""
    flags |= {"watch-cache": "false", "etcd-compaction-interval": "1s"}
    away.plane.restart_apiserver()
    log = Log(keen)
    noise = {**config_map("noise"), "metadata": {"name": "n", "namespace": "default"}}
    with closing(ApiServer(away.plane.admin)) as api:

        def remembered() -> str:
            """Have the server store something, so that there is more to forget."""
            api.apply({**noise, "data": {"seen": str(len(log.lines()))}})
            return "" if "listed_again" in log.names() else f"saw {log.names()}"

        until(remembered, what="history that is gone")
    with away.changed(DANA_LEFT):
        for one in (keen, patient):
            tells(one, SIGNED, "revoked")
            tells(one, UNSIGNED, UNSEEN)
    for one in (keen, patient):
        tells(one, SIGNED, "")
    told = {one["event"] for one in log.lines() if one["level"] != "info"}
    assert told <= {"not_ready"}, log.lines()  # where it takes longer than it waits
