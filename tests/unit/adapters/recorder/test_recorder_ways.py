"""The recorder's ways: to spools, to the API server, and people's ways to it."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from countersign.adapters.recorder.client import open_recorder
from countersign.adapters.recorder.portforward import command, forwarded
from countersign.adapters.recorder.reviews import Caller, Reviews
from countersign.adapters.recorder.spools import MAX_POSITIONS, Access, replicas
from countersign.core.errors import Malformed, Misconfigured, Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.ports import Query, Spool

Answer = Callable[[web.Request], web.StreamResponse]


# the API server


class Server:
    """An API server that knows one token and one right. Counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Tree] = []
        self.status: Tree = {}
        self.failing: Exception | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the authority of client certificates."""
        del path, query
        return {"data": {"client-ca-file": "PEM"}}

    async def create(self, path: str, tree: Tree) -> Tree:
        """Answer a review."""
        del path
        self.asked.append(tree)
        if self.failing:
            raise self.failing
        return {**tree, "status": self.status}


def known(**user: Any) -> Tree:
    """Return the status of a good token."""
    return {"authenticated": True, "user": {"username": "dana", **user}}


async def test_a_token_is_asked_about_once_in_a_while() -> None:
    """And again when that has passed: a token that was taken back is gone."""
    server, present = Server(), [0.0]
    server.status = known(uid="1", groups=["g"], extra={"b": ["2"], "a": ["1"]})
    reviews = Reviews(server, monotonic=lambda: present[0])
    dana = Caller("dana", "1", ("g",), (("a", ("1",)), ("b", ("2",))))

    assert [await reviews.authenticate("t") for _ in range(3)] == [dana] * 3
    assert len(server.asked) == 1
    server.status = {"authenticated": False}
    assert await reviews.authenticate("t") == dana
    present[0] = 11.0
    assert await reviews.authenticate("t") is None
    assert await reviews.authenticate("") is None
    assert await reviews.authenticate("x" * 20_000) is None
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"authenticated": False, "user": {"username": "dana"}},
        {"authenticated": "true", "user": {"username": "dana"}},
        {"authenticated": True},
        {"authenticated": True, "user": {"username": ""}},
        {"authenticated": True, "user": {"username": 7}},
    ],
)
async def test_anything_but_a_name_is_nobody(status: Tree) -> None:
    """Doubt lets nobody in."""
    server = Server()
    server.status = status

    assert await Reviews(server).authenticate("t") is None


async def test_rights_are_asked_for_with_all_that_is_known_of_somebody() -> None:
    """Authorizers look at groups and extra, too."""
    server = Server()
    server.status = {"allowed": True}
    reviews = Reviews(server)
    dana = Caller("dana", "1", ("g",), (("a", ("1",)),))

    assert await reviews.allowed(dana, "get", "payments", "ID")
    assert server.asked[0]["spec"] == {
        "user": "dana",
        "uid": "1",
        "groups": ["g"],
        "extra": {"a": ["1"]},
        "resourceAttributes": {
            "group": "countersign.dev",
            "resource": "decisions",
            "verb": "get",
            "namespace": "payments",
            "name": "ID",
        },
    }
    server.status = {"allowed": False}
    assert not await reviews.allowed(dana, "get", "ledger", "ID")
    assert not await reviews.allowed(Caller("dana"), "get", "payments", "ID")
    server.status = {"allowed": True, "denied": True}
    assert not await reviews.allowed(dana, "list", "payments")


@pytest.mark.parametrize("failure", [Unavailable("down"), Rejected("forbidden")])
async def test_no_answer_about_somebody_is_no_answer(failure: Exception) -> None:
    """And is not remembered."""
    server = Server()
    server.failing = failure
    reviews = Reviews(server)
    with pytest.raises(Unavailable):
        await reviews.authenticate("t")
    with pytest.raises(Unavailable):
        await reviews.allowed(Caller("dana"), "get", "payments")

    server.failing, server.status = None, known()
    assert await reviews.authenticate("t") == Caller("dana")


# servers that are not what they should be


@asynccontextmanager
async def listening(
    folder: Path, answer: Answer, *, name: str = "countersign-serve"
) -> AsyncIterator[str]:
    """Answer every request over TLS in some way; give the address."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.crt")
    mine = authority.issue_cert("me@here", common_name="countersign-recorder")
    mine.private_key_and_cert_chain_pem.write_to_path(folder / "me.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, "127.0.0.1").configure_cert(context)

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def spool(folder: Path, url: str) -> AsyncIterator[Spool]:
    """Return the only spool at an address."""
    access = Access(
        server_name="countersign-serve",
        ca_file=folder / "ca.crt",
        certificate_file=folder / "me.pem",
        key_file=folder / "me.pem",
        request_s=10,
    )
    async with replicas((url,), access) as found:
        spools, trouble = await found.look()
        assert not trouble
        yield spools[url]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(web.Response(status=403, text="no"), Unavailable, id="refused"),
        pytest.param(web.Response(text="hello"), Malformed, id="no JSON"),
        pytest.param(web.json_response({"spool": "x"}), Malformed, id="no batch"),
        pytest.param(web.Response(body=b"1" * (17 << 20)), Malformed, id="too long"),
    ],
)
async def test_a_replica_that_answers_nonsense(
    tmp_path: Path, answer: web.Response, error: type[Exception]
) -> None:
    """Is told of, and nothing is taken."""
    async with (
        listening(tmp_path, lambda _: answer) as url,
        spool(tmp_path, url) as one,
    ):
        with pytest.raises(error):
            await one.read({})


async def test_follows_no_replica_elsewhere(tmp_path: Path) -> None:
    """Whoever it points to was not chosen by anybody."""
    paths: list[str] = []

    def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with listening(tmp_path, answer) as url, spool(tmp_path, url) as one:
        with pytest.raises(Unavailable, match="answered 307"):
            await one.read({})

    assert paths == ["/spool"]


async def test_asks_for_less_of_a_replica_that_has_too_much(tmp_path: Path) -> None:
    """So that one large decision does not stop all behind it."""
    limits: list[int] = []

    def answer(request: web.Request) -> web.Response:
        limits.append(int(request.query["limit"]))
        return web.Response(body=b"1" * (17 << 20))

    async with listening(tmp_path, answer) as url, spool(tmp_path, url) as one:
        for _ in range(3):
            with pytest.raises(Malformed):
                await one.read({})

    assert limits == [256, 128, 64]


async def test_names_as_many_positions_as_a_request_has_room_for(
    tmp_path: Path,
) -> None:
    """The first ones: after years of restarts there are thousands of spools."""
    seen: list[dict[str, int]] = []

    def answer(request: web.Request) -> web.Response:
        seen.append(json.loads(request.query["positions"]))
        return web.json_response(
            {"spool": "0" * 32, "entries": [], "lost": 0, "more": False}
        )

    positions = {f"{n:032x}": 2**53 - n for n in range(5000)}
    async with listening(tmp_path, answer) as url, spool(tmp_path, url) as one:
        await one.read(positions)

    assert list(seen[0].items()) == list(positions.items())[:MAX_POSITIONS]


async def test_a_replica_must_have_the_name_of_one(tmp_path: Path) -> None:
    """Not any certificate of that authority: clients have some, too."""
    answer = web.Response()
    async with (
        listening(tmp_path, lambda _: answer, name="elsewhere") as url,
        spool(tmp_path, url) as one,
    ):
        with pytest.raises(Unavailable, match="no way to"):
            await one.read({})


async def test_a_certificate_for_the_spools_is_loaded_again(tmp_path: Path) -> None:
    """A broken one is told of, and the last good one stays."""
    answer = web.json_response(
        {"spool": "0" * 32, "entries": [], "lost": 0, "more": False}
    )
    async with listening(tmp_path, lambda _: answer) as url:
        access = Access(
            server_name="countersign-serve",
            ca_file=tmp_path / "ca.crt",
            certificate_file=tmp_path / "me.pem",
            key_file=tmp_path / "me.pem",
            request_s=10,
        )
        async with replicas((url, "https://nowhere.invalid:1"), access) as found:
            spools, trouble = await found.look()
            assert [*spools] == [url]
            assert len(trouble) == 1
            write(tmp_path / "me.pem", b"garbage")
            spools, trouble = await found.look()
            assert len(trouble) == 2
            await spools[url].read({})
        with pytest.raises(Misconfigured, match="no usable client certificate"):
            async with replicas((url,), access):
                pass


def write(file: Path, data: bytes) -> None:
    """Replace a file."""
    file.write_bytes(data)


# people's way


def kubeconfig(folder: Path, user: dict[str, Any]) -> Path:
    """Write a kubeconfig of somebody."""
    file = folder / "kubeconfig"
    one = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    told = {
        "current-context": "c",
        "clusters": [one],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    file.write_text(json.dumps(told))
    return file


async def find(folder: Path, url: str, user: dict[str, Any]) -> None:
    """Search a recorder for everything."""
    async with open_recorder(
        url=url, ca=folder / "ca.crt", kubeconfig=kubeconfig(folder, user), context=None
    ) as records:
        await records.find(Query())


@pytest.mark.parametrize(
    ("answer", "error", "hint"),
    [
        (web.json_response({"error": "why"}, status=403), Rejected, "why"),
        (web.json_response({"error": "why"}, status=401), Rejected, "why"),
        (web.json_response({"error": "why"}, status=503), Unavailable, "why"),
        (web.Response(status=502, text="<html>"), Unavailable, "is it one"),
        (web.json_response([]), Unavailable, "a JSON object"),
        (web.json_response({"decisions": 7}), Unavailable, "a list"),
        (web.json_response({"decisions": [{}]}), Unavailable, "a decision"),
    ],
)
async def test_an_answer_of_a_recorder_is_told_as_what_it_is(
    tmp_path: Path, answer: web.Response, error: type[Exception], hint: str
) -> None:
    """A refusal in its own words; nonsense as such."""
    async with listening(tmp_path, lambda _: answer) as url:
        with pytest.raises(error, match=hint):
            await find(tmp_path, url, {"token": "t"})


async def test_credentials_go_nowhere_else(tmp_path: Path) -> None:
    """Not where a recorder points to, and a password to no recorder at all."""
    seen: list[str | None] = []

    def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        elsewhere = {"Location": str(request.url.with_path("/elsewhere"))}
        return web.json_response({"error": "there"}, status=307, headers=elsewhere)

    async with listening(tmp_path, answer) as url:
        for user in ({"token": "t"}, {"username": "u", "password": "p"}):
            with pytest.raises(Unavailable, match="there"):
                await find(tmp_path, url, user)

    assert seen == ["Bearer t", None]


# the tunnel


def fake_kubectl(folder: Path, script: str) -> str:
    """Write a program that stands for kubectl."""
    file = folder / "kubectl"
    file.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\n{script}\n")
    file.chmod(0o755)
    return str(file)


def gone(folder: Path) -> bool:
    """Tell whether the program has ended."""
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_tunnel_is_there_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    """Its port is read, its chatter swallowed, and it is ended, whatever happens."""
    lines = "echo 'Forwarding from 127.0.0.1:40123 -> 8445'"
    noise = "while :; do echo Handling connection for 40123; done"
    kubectl = fake_kubectl(tmp_path, f"{lines}\n{noise}")

    async def fail() -> None:
        async with forwarded(kubeconfig=None, context=None, kubectl=kubectl) as port:
            raise KeyError(port)

    with pytest.raises(KeyError, match="40123"):
        await fail()
    assert gone(tmp_path)


async def test_a_tunnel_that_ends_at_once_is_told_in_kubectls_words(
    tmp_path: Path,
) -> None:
    """And leaves nothing behind."""
    kubectl = fake_kubectl(tmp_path, "echo error: no pods >&2; exit 1")

    with pytest.raises(Unavailable, match="error: no pods; give the recorder"):
        async with forwarded(kubeconfig=None, context=None, kubectl=kubectl):
            pass
    assert gone(tmp_path)


async def test_a_right_that_lacks_for_the_tunnel_is_named(tmp_path: Path) -> None:
    """By the Role that holds it."""
    kubectl = fake_kubectl(tmp_path, "echo 'Error (Forbidden): no' >&2; exit 1")

    with pytest.raises(Unavailable, match="the Role countersign-recorder-forward"):
        async with forwarded(kubeconfig=None, context=None, kubectl=kubectl):
            pass


def test_the_tunnel_is_the_users_and_on_loopback_only() -> None:
    """As kubectl would be called by hand."""
    assert command(Path("/k"), "c") == [
        "--kubeconfig=/k",
        "--context=c",
        "port-forward",
        "service/countersign-recorder",
        ":443",
        "--namespace=countersign",
        "--address=127.0.0.1",
    ]
    assert "--context" not in " ".join(command(None, None))


async def test_many_questions_at_once_wait_for_each_other() -> None:
    """A crowd does not reach the API server as one."""
    server, running, most = Server(), [0], [0]
    server.status = known()
    real = server.create

    async def slow(path: str, tree: Tree) -> Tree:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0)
        running[0] -= 1
        return await real(path, tree)

    server.create = slow  # type: ignore[method-assign]  # it takes a while
    reviews = Reviews(server)

    await asyncio.gather(*(reviews.authenticate(str(n)) for n in range(100)))

    assert most[0] == 8
