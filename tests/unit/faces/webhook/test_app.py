"""Exact paths; HTTP 200 for whatever is judged; doubt denies, and says so."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from countersign.core.errors import Unavailable
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Verdict
from countersign.faces.webhook.app import Health, make_app
from countersign.faces.webhook.load import Load
from countersign.faces.webhook.validate import MAX_BODY, Validate
from countersign.usecases.judged import Judged
from tests.support import resources
from tests.support.webhook import body

JSON = {"Content-Type": "application/json"}
Client = TestClient[Any, Any]
Judge = Callable[[AdmissionRequest, float], Awaitable[Verdict]]


class Engine:
    """Answers as it was told to; keeps the seconds it was given."""

    def __init__(self) -> None:
        self.given: list[float] = []
        self.judge: Judge = self.admit

    async def __call__(self, request: AdmissionRequest, within_s: float) -> Judged:
        """Judge."""
        self.given.append(within_s)
        return Judged(verdict=await self.judge(request, within_s))

    async def admit(self, request: AdmissionRequest, within_s: float) -> Verdict:
        """Say that nothing is asked."""
        del request, within_s
        return Verdict.out_of_scope()


@pytest.fixture(name="engine")
def _engine() -> Engine:
    return Engine()


@pytest.fixture(name="health")
def _health() -> Health:
    return Health(lambda: ())


@pytest.fixture(name="client")
async def _client(engine: Engine, health: Health) -> AsyncIterator[Client]:
    load = Load(in_flight=2, body_bytes=2 * MAX_BODY)
    clock = asyncio.get_running_loop().time
    validate = Validate(
        engine, cluster="prod-eu", load=load, deadline_s=8.0, monotonic=clock
    )
    server = TestServer(make_app(validate, health), auto_decompress=False)
    async with TestClient(server) as client:
        yield client


async def ask(client: Client, data: bytes | None = None, **options: Any) -> Any:
    """Post a review; return the response part of the answer."""
    options = {"headers": JSON, **options}
    path = options.pop("path", "/validate")
    answer = await client.post(path, data=io.BytesIO(data or body()), **options)
    assert answer.status == 200, await answer.text()
    said = await answer.json()
    assert said["kind"] == "AdmissionReview"
    return said["response"]


async def test_answers_with_the_uid_of_the_request(client: Client) -> None:
    """The API server refuses an answer to another question."""
    response = await ask(client, body(uid="one"))

    assert response["uid"] == "one"
    assert response["allowed"] is True


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 404),
        ("POST", "/validate/", 404),
        ("POST", "/validate/x", 404),
        ("POST", "/Validate", 404),
        ("POST", "/mutate", 404),
        ("GET", "/validate", 405),
        ("PUT", "/validate", 405),
        ("HEAD", "/validate", 405),
        ("POST", "/healthz", 405),
        ("HEAD", "/readyz", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/favicon.ico", 404),
    ],
)
async def test_refuses_other_paths_and_methods(
    client: Client, method: str, path: str, status: int
) -> None:
    """An unknown path never answers with a verdict."""
    answer = await client.request(method, path, data=body(), headers=JSON)

    assert answer.status == status
    assert "allowed" not in await answer.text()


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        pytest.param({"Content-Type": "text/plain"}, body(), 415, id="no JSON"),
        pytest.param(
            {"Content-Type": "application/json-patch+json"}, body(), 415, id="a patch"
        ),
        pytest.param(
            {**JSON, "Content-Encoding": "gzip"}, body(), 415, id="compressed"
        ),
        pytest.param(JSON, b"garbage", 400, id="garbage"),
        pytest.param(JSON, b"", 400, id="nothing"),
        pytest.param(JSON, body(operation="WISH"), 400, id="no operation"),
        pytest.param(JSON, b" " * (MAX_BODY + 1), 413, id="a body above 8 MiB"),
    ],
)
async def test_refuses_what_is_no_review(
    client: Client, headers: dict[str, str], data: bytes, status: int
) -> None:
    """The API server makes a refusal of it, as the registration says Fail."""
    answer = await client.post("/validate", data=io.BytesIO(data), headers=headers)

    assert answer.status == status
    assert "allowed" not in await answer.text()


async def test_a_charset_is_no_other_content_type(client: Client) -> None:
    """Proxies add one."""
    response = await ask(
        client, headers={"Content-Type": "application/json; charset=utf-8"}
    )

    assert response["allowed"] is True


async def test_takes_bodies_of_eight_mebibytes(client: Client) -> None:
    """An object and its old state, with all their metadata."""
    data = body()
    data += b" " * (MAX_BODY - len(data))

    assert (await ask(client, data))["allowed"] is True


async def test_refuses_an_endless_body_of_no_stated_length(client: Client) -> None:
    """Chunked bodies are bounded, too."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 2):
            yield b" " * 65536

    answer = await client.post("/validate", data=endless(), headers=JSON)

    assert answer.status == 413


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        pytest.param("?timeout=10s", 8.0, id="80 % of what the server waits"),
        pytest.param("?timeout=500ms", 0.4, id="however short"),
        pytest.param("?timeout=1h", 24.0, id="no webhook has more than 30 s"),
        pytest.param("", 8.0, id="our own where none is named"),
        pytest.param("?timeout=soon", 8.0, id="our own where it is no duration"),
    ],
)
async def test_leaves_the_server_time_to_read_the_answer(
    client: Client, engine: Engine, query: str, seconds: float
) -> None:
    """Then a denial explains what a timeout would not."""
    await ask(client, path=f"/validate{query}")

    assert engine.given == [pytest.approx(seconds, abs=0.1)]


async def test_a_verdict_that_does_not_come_is_a_denial(
    client: Client, engine: Engine
) -> None:
    """A slow dependency must not end in an admission."""

    async def never(request: AdmissionRequest, within_s: float) -> Verdict:
        del request, within_s
        await asyncio.Event().wait()
        raise AssertionError

    engine.judge = never

    response = await ask(client, path="/validate?timeout=10ms")

    assert response["allowed"] is False
    assert "no verdict in time" in response["status"]["message"]


@pytest.mark.parametrize(
    "fault", [RuntimeError("boom"), Unavailable("boom"), RecursionError("boom")]
)
async def test_a_fault_of_ours_is_a_denial_and_tells_nothing(
    client: Client,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
) -> None:
    """The requester learns no internals; whoever reads the log does."""

    async def fail(request: AdmissionRequest, within_s: float) -> Verdict:
        del request, within_s
        raise fault

    engine.judge = fail

    response = await ask(client)

    assert response["allowed"] is False
    assert "boom" not in json.dumps(response)
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.getMessage() == "review_failed"


class Held:
    """An engine that holds what it is asked until it is told to go on."""

    def __init__(self, engine: Engine, count: int) -> None:
        self.full, self.free = asyncio.Barrier(count + 1), asyncio.Event()
        self._engine = engine
        engine.judge = self.wait

    async def wait(self, request: AdmissionRequest, within_s: float) -> Verdict:
        """Wait with the others."""
        if not self.free.is_set():
            await self.full.wait()
            await self.free.wait()
        return await self._engine.admit(request, within_s)


async def test_what_cannot_be_judged_at_once_waits_its_turn(
    client: Client, engine: Engine
) -> None:
    """A burst is no reason to deny what must be admitted."""
    held = Held(engine, 2)
    first = [asyncio.create_task(ask(client)) for _ in range(2)]
    await held.full.wait()
    rest = [asyncio.create_task(ask(client)) for _ in range(20)]
    held.free.set()

    answers = await asyncio.gather(*first, *rest)

    assert [answer["allowed"] for answer in answers] == [True] * 22


async def test_sheds_what_had_no_turn_in_time(client: Client, engine: Engine) -> None:
    """With a denial that says so, while there is still time to say it."""
    held = Held(engine, 2)
    first = [asyncio.create_task(ask(client)) for _ in range(2)]
    await held.full.wait()

    shed = await ask(client, path="/validate?timeout=50ms")
    held.free.set()

    assert shed["allowed"] is False
    assert "too many requests at once" in shed["status"]["message"]
    assert all(response["allowed"] for response in await asyncio.gather(*first))
    assert (await ask(client))["allowed"] is True


async def test_refuses_bodies_that_do_not_fit_beside_those_in_flight(
    client: Client, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Unread, with a status: memory ends before the places do."""
    held = Held(engine, 2)

    async def unsized() -> AsyncIterator[bytes]:
        yield body()

    first = [
        asyncio.create_task(client.post("/validate", data=unsized(), headers=JSON))
        for _ in range(2)
    ]
    await held.full.wait()

    refused = await client.post("/validate?timeout=50ms", data=unsized(), headers=JSON)
    held.free.set()

    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert [answer.status for answer in await asyncio.gather(*first)] == [200, 200]
    assert [r.getMessage() for r in caplog.records].count("overloaded") == 1


async def test_does_not_wait_for_a_body_beyond_the_deadline(client: Client) -> None:
    """A connection that says nothing holds no place for long."""
    never = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield body()[:10]
        await never.wait()

    answer = await client.post("/validate?timeout=10ms", data=stalled(), headers=JSON)

    assert answer.status == 408


async def test_ready_says_what_is_missing(client: Client, health: Health) -> None:
    """Health is about the loop, readiness about what is known."""
    ready = await client.get("/readyz")
    assert (ready.status, await ready.text()) == (200, "ready\n")

    health.trouble = lambda: ("no first list of Roster yet",)
    unready = await client.get("/readyz")
    assert (unready.status, await unready.text()) == (
        503,
        "no first list of Roster yet\n",
    )
    assert (await client.get("/healthz")).status == 200
    assert (await ask(client))["allowed"] is True  # the engine decides, not readiness


async def test_a_fault_in_finding_out_is_no_readiness(
    client: Client, health: Health
) -> None:
    """One object that nobody foresaw must not end the process."""

    def fail() -> tuple[str, ...]:
        raise RecursionError("too deep")

    health.trouble = fail
    answer = await client.get("/readyz")

    assert answer.status == 503
    assert "RecursionError" in await answer.text()


async def test_a_draining_replica_still_answers_and_lets_go(
    client: Client, health: Health
) -> None:
    """No call is lost while others learn that it stops."""
    health.draining = True

    answer = await client.post("/validate", data=body(), headers=JSON)

    assert answer.status == 200
    assert answer.headers["Connection"] == "close"
    assert (await client.get("/readyz")).status == 503


async def test_metrics_count_outcomes(client: Client) -> None:
    """What alerts are made of."""

    async def count() -> float:
        page: ClientResponse = await client.get("/metrics")
        for line in (await page.text()).splitlines():
            if line.startswith('countersign_reviews_total{outcome="outOfScope"}'):
                return float(line.split()[-1])
        return 0.0

    before = await count()
    await ask(client)

    assert await count() == before + 1


async def test_one_line_for_each_admission_and_nothing_of_the_object(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Bodies are never logged: they may be Secrets."""
    caplog.set_level(logging.DEBUG)

    await ask(client, body(dryRun=True))

    (record,) = [r for r in caplog.records if r.name.startswith("countersign")]
    assert record.getMessage() == "admission_reviewed"
    line = vars(record)
    assert (line["namespace"], line["kind"], line["allowed"]) == (
        "payments",
        "ConfigMap",
        True,
    )
    assert line["dry_run"] is True
    assert "eu-central-1" not in str(line)


async def test_tells_nothing_of_what_it_is_made_of(client: Client) -> None:
    """Versions of libraries are for attackers."""
    for path in ("/healthz", "/nowhere"):
        answer = await client.get(path)
        assert answer.headers["Server"] == "countersign"


async def test_a_misspelt_policy_is_not_written(client: Client, engine: Engine) -> None:
    """Every problem is named with its path; the engine is not even asked."""
    policy = resources.policy(signOf={}, enforcement="warm")
    response = await ask(client, own(policy))

    assert response["allowed"] is False
    assert response["status"]["message"] == (
        "ProtectionPolicy/payments: not accepted, since nobody could read it later\n"
        "  spec.enforcement: expected 'deny', 'warn' or 'audit', saw \"warm\"\n"
        "  spec.signOf: unknown field\n"
        "  next: correct it and apply again"
    )
    assert engine.given == []


async def test_a_policy_that_can_be_read_is_left_to_rbac(client: Client) -> None:
    """And so is taking one away."""
    assert (await ask(client, own(resources.policy())))["allowed"] is True
    gone = own(resources.policy(signOf={}), operation="DELETE", object=None)
    assert (await ask(client, gone))["allowed"] is True


def own(tree: dict[str, Any], **request: Any) -> bytes:
    """Return a review of an object of ours."""
    kind = {"group": "countersign.dev", "version": "v1alpha1"}
    return body(
        **{
            "kind": {**kind, "kind": tree["kind"]},
            "resource": {**kind, "resource": "protectionpolicies"},
            "name": tree["metadata"]["name"],
            "namespace": "",
            "object": tree,
            **request,
        }
    )
