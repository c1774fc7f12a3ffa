"""The recorder's service: who is let in, what is said, and how much is taken."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web

from countersign.adapters.audit.store import archive
from countersign.adapters.recorder.reviews import Caller
from countersign.core.errors import Misconfigured, Unavailable
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Batch, Decision, Entry, Sighting
from countersign.faces.recorder.access import Access
from countersign.faces.recorder.app import Service, make_app
from countersign.faces.recorder.tls import Doorway
from tests.support.decisions import NOON, denied
from tests.support.webhook import write_certificate

_LOST = f"{7:026d}"
_CLUSTER = ""


@dataclass
class People:
    """The API server, as far as it knows people. Set facts; every question is kept."""

    tokens: dict[str, Caller] = field(default_factory=dict)
    rights: set[tuple[str, str, str]] = field(default_factory=set)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False

    async def authenticate(self, token: str) -> Caller | None:
        """Return whose token it is."""
        if self.down:
            raise Unavailable("no answer")
        return self.tokens.get(token)

    async def allowed(
        self, caller: Caller, verb: str, namespace: str, name: str = ""
    ) -> bool:
        """Tell whether somebody may, there or everywhere."""
        del name
        if self.down:
            raise Unavailable("no answer")
        self.asked.append((caller.name, verb, namespace))
        wanted = {(who, verb, namespace) for who in (caller.name, *caller.groups)}
        return bool(self.rights & (wanted | {(w, v, _CLUSTER) for w, v, _ in wanted}))


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.present = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the present."""
        return self.present


@dataclass
class Running:
    """A service that listens."""

    url: str
    people: People
    doorway: Doorway
    clock: Clock
    folder: Path
    ours: trustme.CA

    @asynccontextmanager
    async def session(
        self, certificate: trustme.LeafCert | None = None
    ) -> AsyncIterator[aiohttp.ClientSession]:
        """Connect, with or without a client certificate."""
        context = ssl.create_default_context()
        self.ours.configure_trust(context)
        if certificate is not None:
            certificate.configure_cert(context)
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(self.url, connector=connector) as session:
            yield session

    async def ask(
        self,
        path: str,
        token: str = "",
        certificate: trustme.LeafCert | None = None,
        method: str = "GET",
        **more: Any,
    ) -> tuple[int, Any]:
        """Ask once; return status and what was said."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            self.session(certificate) as session,
            session.request(method, path, headers=headers, **more) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text


@pytest.fixture(name="running")
async def _running(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service over three decisions, one of which is known by its id alone."""
    ours = trustme.CA()
    doorway = Doorway(*write_certificate(ours, tmp_path))
    people, clock = People(), Clock()
    cluster = ObjectRef("", "Namespace", "", "payments")
    kept: tuple[Decision | Sighting, ...] = (
        denied(1),
        denied(2, object=cluster),
        Sighting(id=_LOST, at=NOON, requester="lee"),
    )
    entries = tuple(Entry(n, one) for n, one in enumerate(kept, 1))
    async with archive(tmp_path / "audit.db") as store:
        await store.add(Batch(spool="0" * 32, entries=entries, lost=0, more=False))
        access = Access(people, doorway, clock)
        service = Service(
            store, access, status=lambda: {"spools": []}, trouble=lambda: ()
        )
        runner = web.AppRunner(make_app(service), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=doorway.listening)
        await site.start()
        url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield Running(url, people, doorway, clock, tmp_path, ours)
        await runner.cleanup()


def pem(authority: trustme.CA) -> str:
    """Return an authority as the ConfigMap has it."""
    return authority.cert_pem.bytes().decode()


def person(authority: trustme.CA, name: str, group: str = "devs") -> trustme.LeafCert:
    """Return a user's client certificate."""
    return authority.issue_cert(
        f"{name}@users", common_name=name, organization_name=group
    )


ONE = f"/v1/decisions/{denied(1).id}"
NONE = f"/v1/decisions/{'Z' * 26}"


async def test_a_certificate_says_who_it_is_and_in_which_groups(
    running: Running,
) -> None:
    """As the API server reads it: common name and organization."""
    users = trustme.CA()
    running.doorway.trust(pem(users))
    running.people.rights = {("devs", "get", "payments")}

    status, seen = await running.ask(ONE, certificate=person(users, "dana"))

    assert status == 200
    assert seen["decision"]["object"]["name"] == "ledger-1"
    assert running.people.asked == [("dana", "get", "payments")]
    status, _ = await running.ask(ONE, certificate=person(users, "lee", "others"))
    assert status == 403


async def test_the_authority_of_certificates_is_replaced_while_it_listens(
    running: Running,
) -> None:
    """Python only adds authorities; seen to fail where the context stayed the same."""
    before, after = trustme.CA(), trustme.CA()
    running.people.rights = {("dana", "get", _CLUSTER)}
    old, new = person(before, "dana"), person(after, "dana")
    with pytest.raises(aiohttp.ClientError):
        await running.ask(ONE, certificate=old)
    running.doorway.trust(pem(before))
    async with running.session(old) as session:
        async with session.get(ONE) as answer:
            assert answer.status == 200

        running.doorway.trust(pem(after))

        async with session.get(ONE) as answer:  # the same connection
            assert answer.status == 401
    with pytest.raises(aiohttp.ClientError):
        await running.ask(ONE, certificate=old)
    assert (await running.ask(ONE, certificate=new))[0] == 200


async def test_a_certificate_that_ends_while_connected_counts_no_more(
    running: Running,
) -> None:
    """A connection may be kept open for as long as its owner likes."""
    users = trustme.CA()
    running.doorway.trust(pem(users))
    running.people.rights = {("dana", "get", _CLUSTER)}
    async with running.session(person(users, "dana")) as session:
        async with session.get(ONE) as answer:
            assert answer.status == 200
        running.clock.present += timedelta(days=365 * 1000)
        async with session.get(ONE) as answer:
            assert answer.status == 401


async def test_our_own_certificate_is_replaced_while_it_listens(
    running: Running,
) -> None:
    """A broken one is not taken, and does not end anything."""
    ours = trustme.CA()
    write_certificate(ours, running.folder)
    running.doorway.refresh()
    running.ours = ours
    assert (await running.ask("/healthz"))[0] == 200

    spoil(running.folder / "tls.crt")
    running.doorway.refresh()
    assert (await running.ask("/healthz"))[0] == 200
    with pytest.raises(Misconfigured, match="no usable certificate"):
        Doorway(running.folder / "tls.crt", running.folder / "tls.key")


def spoil(file: Path) -> None:
    """Cut a file in half."""
    file.write_bytes(file.read_bytes()[:100])


async def test_nothing_is_told_before_it_is_known_who_asks(running: Running) -> None:
    """Whatever is asked, and however wrongly."""
    running.people.tokens = {"good": Caller("dana")}
    for path in (ONE, NONE, "/v1/decisions?limit=0", "/v1/decisions/x", "/v1/status"):
        for token in ("", "bad"):
            status, said = await running.ask(path, token)
            assert status == 401
            assert said["error"].startswith("expected a bearer token")
    assert running.people.asked == []


async def test_what_one_may_not_see_and_what_is_not_there_look_the_same(
    running: Running,
) -> None:
    """Of another namespace, of the cluster, lost, or none; a right elsewhere or none."""
    running.people.tokens = {"t": Caller("lee")}
    running.people.rights = {("lee", "get", "ledger"), ("lee", "list", "payments")}
    paths = (ONE, NONE, f"/v1/decisions/{denied(2).id}", f"/v1/decisions/{_LOST}")

    answers = [await running.ask(path, "t") for path in paths]

    assert answers == [answers[0]] * len(paths)
    assert answers[0][0] == 403
    assert "payments" not in answers[0][1]["error"]
    assert len(running.people.asked) == len(paths)  # one question each: as quick


async def test_who_may_everywhere_is_told_that_there_is_none(running: Running) -> None:
    """And sees what nobody knows the namespace of."""
    running.people.tokens = {"t": Caller("ada")}
    running.people.rights = {("ada", "get", _CLUSTER)}

    assert (await running.ask(NONE, "t"))[0] == 404
    status, lost = await running.ask(f"/v1/decisions/{_LOST}", "t")
    assert status == 200
    assert "lost" in lost["decision"]["message"]


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("limit=0", "a limit of 1 to 1000"),
        ("limit=1001", "a limit of 1 to 1000"),
        ("limit=ten", "a limit of 1 to 1000"),
        ("outcome=maybe", "allowed, warned, denied"),
        ("since=yesterday", "expected a time"),
        ("debts=1", "true or false"),
        ("namspace=payments", "saw 'namspace'"),
        ("namespace=payments&namespace=ledger", "saw it twice"),
        ("name=" + "x" * 254, "at most 253"),
        ("name=%00", "at most 253"),
    ],
)
async def test_parameters_without_sense_are_refused(
    running: Running, query: str, hint: str
) -> None:
    """Above all two namespaces: the right to one is not the right to the other."""
    running.people.tokens = {"t": Caller("ada")}
    running.people.rights = {("ada", "list", _CLUSTER)}

    status, said = await running.ask(f"/v1/decisions?{query}", "t")

    assert status == 400
    assert hint in said["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_only_reads(running: Running, method: str) -> None:
    """Whoever asks."""
    running.people.tokens = {"t": Caller("ada")}
    running.people.rights = {("ada", verb, _CLUSTER) for verb in ("get", "list")}

    for path in (ONE, "/v1/decisions", "/v1/status"):
        status, _ = await running.ask(path, "t", method=method)
        assert status == 405
    status, said = await running.ask(ONE, "t", data=b"{}")
    assert (status, said) == (400, {"error": "expected no body"})
    assert (await running.ask(ONE, "t", method="HEAD"))[0] == 200


async def test_an_api_server_that_is_gone_lets_nobody_in(running: Running) -> None:
    """Neither a token that was good, nor a certificate that still is."""
    users = trustme.CA()
    running.doorway.trust(pem(users))
    running.people.tokens = {"t": Caller("ada")}
    running.people.rights = {("ada", "get", _CLUSTER)}
    running.people.down = True

    for given in ({"token": "t"}, {"certificate": person(users, "ada")}):
        status, said = await running.ask(ONE, **given)
        assert status == 503
        assert "could not find out who may see this" in said["error"]


async def test_many_at_once_are_sent_away(running: Running) -> None:
    """A crowd without credentials costs the API server nothing either."""
    gate = asyncio.Event()

    async def wait(token: str) -> Caller | None:
        del token
        await gate.wait()
        return None

    running.people.authenticate = wait  # type: ignore[method-assign]  # it hangs
    async with running.session() as session, asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(_status(session, ONE, {"Authorization": "Bearer x"}))
            for _ in range(80)
        ]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        gate.set()
    assert {task.result() for task in done} == {503}
    assert {task.result() for task in asked} == {503, 401}


async def _status(
    session: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> int:
    async with session.get(path, headers=headers) as answer:
        return answer.status
