"""The serving certificate is replaced under load, and never by half."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientSession, TCPConnector, web

from countersign.adapters.certificate_files import RENEWED
from countersign.core.errors import Misconfigured
from countersign.faces.webhook.app import Health, make_app
from countersign.faces.webhook.load import Load
from countersign.faces.webhook.tls import ServingCertificate
from countersign.faces.webhook.validate import MAX_BODY, Validate
from countersign.telemetry import CERTIFICATE_EXPIRY
from tests.support.webhook import body, write_certificate


@pytest.fixture(name="authority")
def _authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="files")
def _files(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    return write_certificate(authority, tmp_path)


def shown_by(context: ssl.SSLContext, authority: trustme.CA) -> int:
    """Shake hands in memory; return the serial number of the certificate shown."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    certificate = client.getpeercert()
    assert certificate is not None
    return int(str(certificate["serialNumber"]), 16)


def test_serves_what_was_last_written(
    authority: trustme.CA, files: tuple[Path, Path]
) -> None:
    """The context is the same object throughout: the listener need not know."""
    certificate = ServingCertificate(*files, client_ca_file=None)
    context, first = certificate.context, shown_by(certificate.context, authority)

    assert not certificate.refresh()
    write_certificate(authority, files[0].parent)
    assert certificate.refresh()

    assert certificate.context is context
    assert shown_by(context, authority) != first
    assert CERTIFICATE_EXPIRY.collect()


@pytest.mark.parametrize("broken", ["key", "garbage", "gone"])
def test_half_a_change_leaves_the_last_good_pair(
    authority: trustme.CA, files: tuple[Path, Path], broken: str
) -> None:
    """Seen to catch: a new certificate served with the old key."""
    certificate, key = files
    serving = ServingCertificate(certificate, key, client_ca_file=None)
    first = shown_by(serving.context, authority)
    good = key.read_bytes()

    write_certificate(authority, certificate.parent)
    if broken == "gone":
        key.unlink()
    else:
        key.write_bytes(good if broken == "key" else b"garbage")

    assert not serving.refresh()
    assert shown_by(serving.context, authority) == first

    write_certificate(authority, certificate.parent)
    assert serving.refresh()
    assert shown_by(serving.context, authority) != first


def test_refuses_to_start_without_a_pair(
    authority: trustme.CA, files: tuple[Path, Path], tmp_path: Path
) -> None:
    """What cannot be served is said at once."""
    other = tmp_path / "other"
    other.mkdir()
    _, key = write_certificate(authority, other)
    for pair in ((files[0], key), (files[0], tmp_path / "none"), (key, key)):
        with pytest.raises(Misconfigured, match="no usable certificate"):
            ServingCertificate(*pair, client_ca_file=None)


async def test_asks_the_api_server_for_its_certificate_and_nobody_else(
    authority: trustme.CA, files: tuple[Path, Path], tmp_path: Path
) -> None:
    """Probes and Prometheus have none; verdicts are for the API server alone."""
    clients = trustme.CA()
    trusted = tmp_path / "clients.crt"
    clients.cert_pem.write_to_path(str(trusted))
    certificate = ServingCertificate(*files, client_ca_file=trusted)

    async def never(*_: object) -> None:
        raise AssertionError("asked the engine")

    validate = Validate(
        never,  # type: ignore[arg-type]  # it must not be asked
        cluster="test",
        load=Load(in_flight=1, body_bytes=MAX_BODY),
        deadline_s=1.0,
        monotonic=asyncio.get_running_loop().time,
        certified=True,
    )
    runner = web.AppRunner(make_app(validate, Health(lambda: ())))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    headers = {"Content-Type": "application/json"}

    async def ask(context: ssl.SSLContext) -> tuple[int, int]:
        async with ClientSession(connector=TCPConnector(ssl=context)) as session:
            async with session.get(f"{url}/readyz") as ready:
                pass
            post = session.post(f"{url}/validate", data=body(), headers=headers)
            async with post as answer:
                return ready.status, answer.status

    without, with_own = ssl.create_default_context(), ssl.create_default_context()
    for context in (without, with_own):
        authority.configure_trust(context)
    clients.issue_cert("api-server").configure_cert(with_own)
    try:
        assert await ask(without) == (200, 403)
        assert await ask(with_own) == (200, 200)
    finally:
        await runner.cleanup()


async def test_what_the_operator_renews_is_taken_up_and_no_call_is_lost(
    authority: trustme.CA, files: tuple[Path, Path]
) -> None:
    """Connections that stand and new ones, while the pair beside changes under them.

    Fault seen caught: only the first pair looked at when files are looked at again.
    """
    certificate = ServingCertificate(*files, client_ca_file=None)
    first, seen = shown_by(certificate.context, authority), set[int]()
    app = web.Application()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.context).start()
    url = f"https://localhost:{runner.addresses[0][1]}/"
    context = ssl.create_default_context()
    authority.configure_trust(context)
    renewed = files[0].parent.with_name(files[0].parent.name + RENEWED)
    renewed.mkdir()
    keeping = ClientSession(connector=TCPConnector(ssl=context))

    async def calls() -> list[int]:
        async def once() -> int:
            connector = TCPConnector(ssl=context, force_close=True)
            async with (
                ClientSession(connector=connector) as session,
                session.get(url) as answer,
            ):
                return answer.status

        async def kept() -> int:
            async with keeping.get(url) as answer:
                return answer.status

        return await asyncio.gather(
            *(once() for _ in range(8)), *(kept() for _ in "ab")
        )

    try:
        for _ in range(6):
            asked = asyncio.create_task(calls())
            write_certificate(authority, renewed)
            assert certificate.refresh()
            assert set(await asked) == {200}
            seen.add(shown_by(certificate.context, authority))
        assert len(seen) == 6
        assert first not in seen
        (renewed / files[0].name).unlink()
        assert certificate.refresh()
        assert shown_by(certificate.context, authority) == first
        assert set(await calls()) == {200}
    finally:
        await keeping.close()
        await runner.cleanup()
