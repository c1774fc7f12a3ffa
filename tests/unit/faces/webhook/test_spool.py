"""The recorder's listener: exact paths, plain questions."""

import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from countersign.core.errors import Unavailable
from countersign.faces.webhook.spool import RECORDER, make_spool_app

Client = TestClient[Any, Any]
OURS = "0" * 32


@dataclass
class Spool:
    """Remembers what it was asked; may be down."""

    down: bool = False
    asked: list[tuple[Mapping[str, int], int]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)

    async def batch(self, positions: Mapping[str, int], limit: int) -> bytes:
        """Return something."""
        if self.down:
            raise Unavailable("the disk is gone")
        self.asked.append((positions, limit))
        return b"{}"

    async def acknowledge(self, spool: str, sequence: int) -> bool:
        """Remember."""
        if self.down:
            raise Unavailable("the disk is gone")
        self.acknowledged.append(sequence)
        return spool == OURS


@pytest.fixture(name="spool")
def _spool() -> Spool:
    return Spool()


@pytest.fixture(name="shown")
def _shown() -> list[str]:
    """Return the common names that the client's certificate has."""
    return [RECORDER]


@pytest.fixture(name="client")
async def _client(
    spool: Spool, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Client]:
    def certificate(self: web.Request, name: str, default: Any = None) -> Any:
        del self, default
        assert name == "peercert"
        return {"subject": tuple((("commonName", each),) for each in shown)}

    monkeypatch.setattr(web.Request, "get_extra_info", certificate)
    async with TestClient(TestServer(make_spool_app(spool))) as client:
        yield client


async def test_reads_after_positions(client: Client, spool: Spool) -> None:
    """Of each spool that the recorder knows."""
    positions = json.dumps({OURS: 3})
    answer = await client.get("/spool", params={"positions": positions, "limit": "7"})

    assert answer.status == 200
    assert spool.asked == [({OURS: 3}, 7)]


@pytest.mark.parametrize(
    "query",
    [
        {"positions": "[]"},
        {"positions": "x"},
        {"positions": '{"a": -1}'},
        {"positions": '{"a": true}'},
        {"positions": '{"a": "1"}'},
        {"positions": '{"a": 1, "a": 2}'},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"limit": "²"},
    ],
    ids=str,
)
async def test_refuses_other_questions(
    client: Client, spool: Spool, query: dict[str, str]
) -> None:
    """And asks the spool nothing."""
    answer = await client.get("/spool", params=query)

    assert answer.status == 400
    assert spool.asked == []


@pytest.mark.parametrize(
    ("body", "status", "acknowledged"),
    [
        ({"spool": OURS, "sequence": 3}, 204, [3]),
        ({"spool": "1" * 32, "sequence": 3}, 404, [3]),
        ({"spool": OURS, "sequence": "3"}, 400, []),
        ({"spool": OURS}, 400, []),
        ({"sequence": 3}, 400, []),
        ([], 400, []),
        ("x" * 2000, 413, []),
    ],
    ids=str,
)
async def test_takes_acknowledgements(
    client: Client, spool: Spool, body: Any, status: int, acknowledged: list[int]
) -> None:
    """Of this spool; another one is not here any more."""
    data = io.BytesIO(json.dumps(body).encode())
    answer = await client.post("/spool/ack", data=data)

    assert answer.status == status
    assert spool.acknowledged == acknowledged


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/spool", 405),
        ("GET", "/spool/ack", 405),
        ("GET", "/", 404),
        ("GET", "/validate", 404),
        ("POST", "/validate", 404),
        ("GET", "/metrics", 404),
    ],
)
async def test_answers_nothing_else(
    client: Client, method: str, path: str, status: int
) -> None:
    """Exact paths."""
    assert (await client.request(method, path)).status == status


async def test_a_disk_that_is_gone_is_told(client: Client, spool: Spool) -> None:
    """The recorder comes again."""
    spool.down = True
    read = await client.get("/spool")
    told = await client.post("/spool/ack", json={"spool": OURS, "sequence": 1})

    assert (read.status, told.status) == (503, 503)


@pytest.mark.parametrize(
    "shown",
    [[], ["somebody"], [RECORDER, "somebody"], [f"{RECORDER}.example"]],
    ids=str,
)
async def test_nobody_else_is_answered(
    client: Client, spool: Spool, shown: list[str]
) -> None:
    """Whatever else the same authority certifies."""
    del shown
    read = await client.get("/spool")
    told = await client.post("/spool/ack", json={"spool": OURS, "sequence": 1})

    assert (read.status, told.status) == (403, 403)
    assert (spool.asked, spool.acknowledged) == ([], [])
