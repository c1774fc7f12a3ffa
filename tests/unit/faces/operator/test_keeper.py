"""What is said of our objects, and that it is said once."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.binding.registration import webhook_configuration
from countersign.core.errors import Unavailable
from countersign.faces.operator.keeper import Keeper
from countersign.wire.resources.bundleset import render_bundle_set
from tests.support import resources as stored
from tests.support.written import FakeServer, path_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OWN = "countersign"


@dataclass
class Clock:
    """A present that is set."""

    at: datetime = NOON

    def now(self) -> datetime:
        """Return it."""
        return self.at


def registered(*protected: str) -> Any:
    """Return the registration."""
    return webhook_configuration(
        name="countersign",
        protected=protected or ("payments",),
        own_namespace=OWN,
        client_config={"url": "https://127.0.0.1:1/validate"},
    )


def a_set(**metadata: Any) -> Any:
    """Return a BundleSet of a payments' ConfigMap."""
    intent = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"payments"}}'
    tree: Any = render_bundle_set("release", [b"{}"], [intent], "payments")
    tree["metadata"].update(uid="1", generation=1, **metadata)
    return tree


def whole() -> FakeServer:
    """Return a server with everything that a policy needs."""
    server = FakeServer()
    for tree in (
        stored.policy(),
        stored.roster(),
        stored.sigstore_root(),
        registered(),
    ):
        server.store(tree)
    return server


def keeper(server: FakeServer, at: datetime = NOON) -> Keeper:
    """Return a keeper that has not looked yet."""
    return Keeper(server, Clock(at), OWN)


async def test_a_policy_that_is_whole_is_ready_and_covered() -> None:
    """And so is what it names."""
    server = whole()

    assert await keeper(server).keep() == 3
    for tree in (stored.policy(), stored.roster(), stored.sigstore_root()):
        assert server.condition(tree)["status"] == "True"
    assert server.condition(stored.policy(), "Covered")["status"] == "True"
    assert server.kept[path_of(stored.policy())]["status"]["observedGeneration"] == 1


@pytest.mark.parametrize(
    ("without", "field"),
    [
        (stored.roster(), "spec.roster: no Roster 'platform'"),
        (stored.sigstore_root(), "spec.provenance: no TrustRoot 'public-good'"),
    ],
    ids=["roster", "trust root"],
)
async def test_a_policy_is_not_ready_before_all_it_names_is_there(
    without: Any, field: str
) -> None:
    """It says which field, and what to do; and follows what comes and goes."""
    server, clock = whole(), Clock()
    server.remove(without)
    keeping = Keeper(server, clock, OWN)
    await keeping.keep()
    said = server.condition(stored.policy())

    assert (said["status"], said["reason"]) == ("False", "Invalid")
    assert field in said["message"]
    assert "create or mend it" in said["message"]
    assert server.kept[path_of(stored.policy())]["status"]["invalidFields"]

    server.store(without)
    clock.at += timedelta(minutes=1)
    await keeping.keep()
    said = server.condition(stored.policy())
    assert (said["status"], said["lastTransitionTime"]) == (
        "True",
        "2026-11-22T12:01:00Z",
    )
    assert server.kept[path_of(stored.policy())]["status"]["invalidFields"] == []


async def test_names_every_field_that_is_not_understood() -> None:
    """By its path, as a denial does."""
    server = whole()
    server.store(
        stored.policy(enforcment="audit", protect={"namespaces": ["x"], "y": 1})
    )
    await keeper(server).keep()
    status = server.kept[path_of(stored.policy())]["status"]

    assert sorted(status["invalidFields"]) == [
        "spec.enforcment: unknown field",
        "spec.protect.y: unknown field",
    ]
    assert server.condition(stored.policy(), "Covered")["reason"] == "Invalid"


async def test_an_edited_registration_shows() -> None:
    """With what is missing and how to mend it."""
    server = whole()
    await keeper(server).keep()
    server.store(registered("ledger"))
    assert await keeper(server).keep() == 1
    said = server.condition(stored.policy(), "Covered")

    assert said["status"] == "False"
    assert "namespace payments is not sent" in said["message"]
    assert "--set 'protectedNamespaces={ledger,payments}'" in said["message"]


async def test_counts_people_and_those_who_have_left() -> None:
    """The second changes with the time alone."""
    server = whole()
    until = {"valid": {"until": "2026-11-22T18:00:00Z"}}
    server.store(stored.roster(stored.person(), stored.person("lee", **until)))
    await keeper(server).keep()
    status = server.kept[path_of(stored.roster())]["status"]
    assert (status["persons"], status["ended"]) == (2, [])

    await keeper(server, NOON + timedelta(days=1)).keep()
    status = server.kept[path_of(stored.roster())]["status"]
    assert (status["persons"], status["ended"]) == (2, ["lee"])


async def test_says_when_trust_ends_and_what_was_withdrawn() -> None:
    """The earliest day on which somebody must have acted."""
    server = whole()
    key = {
        "name": "k",
        "pem": stored.public_pem(),
        "valid": {"until": "2027-01-01T00:00:00Z"},
    }
    server.store(stored.trust_root(keys=[key]))
    gone = [{"kind": "person", "value": name} for name in ("a", "b", "c")]
    server.store(stored.revocation(*gone))
    await keeper(server).keep()

    root = server.kept[path_of(stored.trust_root())]["status"]
    assert root["expires"] == "2027-01-01T00:00:00Z"
    assert server.kept[path_of(stored.revocation())]["status"]["entries"] == 3
    assert "expires" not in server.kept[path_of(stored.sigstore_root())]["status"]


async def test_a_bundle_set_says_what_it_speaks_of() -> None:
    """Claimed, not proven: it says that, too."""
    server, tree = FakeServer(), a_set()
    server.store(tree)

    assert await keeper(server).keep_set(tree)
    status = server.kept[path_of(tree)]["status"]
    assert (status["bundles"], status["objects"]) == (1, ["payments/ConfigMap/a"])
    assert server.condition(tree)["status"] == "True"


async def test_a_bundle_set_under_another_name_is_not_ready() -> None:
    """It was never found under that name by anybody who looked twice."""
    server, tree = FakeServer(), a_set(name="release")
    server.store(tree)
    await keeper(server).keep_set(tree)

    assert server.condition(tree)["status"] == "False"
    assert "metadata.name: expected to end with" in server.condition(tree)["message"]


async def test_old_news_of_a_bundle_set_writes_nothing() -> None:
    """What we are told of may be from before we wrote; or gone by now."""
    server, tree = FakeServer(), a_set()
    server.store(tree)
    assert await keeper(server).keep_set(tree)

    later = keeper(server, NOON + timedelta(hours=1))
    assert not await later.keep_set(tree)
    server.down = True  # what is said already need not even be asked about
    assert not await later.keep_set(server.kept[path_of(tree)])
    server.down = False
    server.remove(tree)
    assert not await later.keep_set(tree)
    assert len(server.writes) == 1


async def test_kinds_may_come_later() -> None:
    """Before their CRDs are there, there is nothing to say."""
    server = FakeServer(served=set())

    assert await keeper(server).keep() == 0


async def test_knows_nothing_before_the_first_look_and_keeps_what_it_knew() -> None:
    """Doubt is an error; a later silence of the server is not forgetting."""
    server = whole()
    keeping = keeper(server)
    with pytest.raises(Unavailable):
        keeping.snapshot()
    await keeping.keep()
    server.down = True

    with pytest.raises(Unavailable):
        await keeping.keep()
    assert [p.name for p in keeping.snapshot().policies] == ["payments"]
    assert [r.name for r in keeping.roots()] == ["public-good"]


some = st.sets(
    st.sampled_from(range(8)),
).map(
    lambda chosen: [
        tree
        for at, tree in enumerate(
            (
                stored.policy(),
                stored.policy("ledger", enforcment="audit"),
                stored.policy("orders", roster="nobody"),
                stored.roster(),
                stored.roster(stored.person(), stored.person(), name="twice"),
                stored.sigstore_root(),
                stored.revocation({"kind": "bundle", "value": "x"}),
                registered(),
            )
        )
        if at in chosen
    ]
)


@given(some, some)
def test_what_was_said_is_not_said_again(first: list[Any], then: list[Any]) -> None:
    """Whatever is stored, and whatever stood there before: one look, then peace."""

    async def look() -> None:
        server = FakeServer()
        for trees in (first, then):
            for path in set(server.kept) - {path_of(tree) for tree in trees}:
                del server.kept[path]
            for tree in trees:
                said = server.kept.get(path_of(tree), {}).get("status")
                server.store(tree if said is None else {**tree, "status": said})
            await keeper(server).keep()
            written = len(server.writes)
            for hours in (0, 1, 24):
                assert await keeper(server, NOON + timedelta(hours=hours)).keep() == 0
            assert len(server.writes) == written

    asyncio.run(look())


@pytest.mark.parametrize(
    ("days", "status", "reason"),
    [(31, "True", "Current"), (29, "False", "LeaveSoon")],
)
async def test_who_leaves_soon_shows_before_a_slot_stays_open(
    days: int, status: str, reason: str
) -> None:
    """It moves with the time alone, once; and the roster is as Ready as it was."""
    server, clock = whole(), Clock()
    end = (NOON + timedelta(days=days)).isoformat()
    server.store(stored.roster(stored.person(valid={"until": end})))
    keeping = Keeper(server, clock, OWN)
    await keeping.keep()
    said = server.condition(stored.roster(), "Current")

    assert (said["status"], said["reason"]) == (status, reason)
    assert server.condition(stored.roster())["status"] == "True"
    clock.at += timedelta(hours=1)
    assert await keeping.keep() == 0
    clock.at += timedelta(days=2)
    assert await keeping.keep() == int(status == "True")
    moved = server.condition(stored.roster(), "Current")
    assert moved["status"] == "False"
    since = said["lastTransitionTime"]
    assert (moved["lastTransitionTime"] == since) == (status == "False")
