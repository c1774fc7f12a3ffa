"""Who is asked, who is shown what, and who is never asked at all."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from countersign.adapters.registry.addresses import refused
from countersign.adapters.registry.answers import Request
from countersign.adapters.registry.credentials import Credential
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Pinned
from tests.support import quirky_answers as answers
from tests.support.quirky import NAME, Quirky
from tests.unit.adapters.registry.conftest import Opened

About = Callable[..., Awaitable[Attached]]

SIGNED = b'{"a bundle": 1}'
ROBOT = Credential("robot", "s3cret-word")
BASIC = "Basic " + base64.b64encode(b"robot:s3cret-word").decode()


@dataclass
class Known:
    """Credentials of some hosts."""

    by_host: dict[str, Credential]
    asked: list[str] = field(default_factory=list)

    async def of(self, host: str) -> Credential | None:
        """Return those of a host."""
        self.asked.append(host)
        return self.by_host.get(host)


@dataclass
class Gate:
    """Lets in who shows the last token; makes tokens, and remembers for what."""

    realm: str
    life_s: int = 300
    scopes: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    tokens: int = 0
    revoked: bool = False

    async def __call__(
        self, request: web.Request, honest: web.Response
    ) -> web.StreamResponse:
        """Ask everybody for a token."""
        if request.path == "/token":
            self.scopes += request.query.getall("scope", [])
            self.shown.append(request.headers.get("Authorization", ""))
            self.tokens, self.revoked = self.tokens + 1, False
            return web.json_response(
                {"token": f"token{self.tokens}", "expires_in": self.life_s}
            )
        good = request.headers.get("Authorization") == f"Bearer token{self.tokens}"
        if good and not self.revoked:
            return honest
        asked = (
            f'Bearer realm="{self.realm}",service="here",'
            f'scope="repository:{NAME}:pull,push,delete registry:catalog:*"'
        )
        return web.Response(status=401, headers={"WWW-Authenticate": asked})


# tokens


async def test_a_token_is_for_pulling_from_one_repository(
    registry: Quirky, opened: Opened
) -> None:
    """Whatever the registry offers; it is asked for once, and shown from then on."""
    image = Pinned(registry.repository, registry.image())
    registry.referrer(image.digest, SIGNED)
    gate = registry.quirks[""] = Gate(f"https://{registry.host}/token")
    credentials = Known({registry.host: ROBOT})
    client = opened(credentials=credentials)

    for _ in range(3):
        assert (await client.about(image)).bundles == (SIGNED,)
    assert gate.scopes == [f"repository:{NAME}:pull"]
    assert gate.shown == [BASIC]
    shown = {one.authorization for one in registry.seen if one.path.startswith("/v2/")}
    assert shown == {"", "Bearer token1"}


async def test_pushing_has_a_token_of_its_own(registry: Quirky, opened: Opened) -> None:
    """What only reads never holds one that could write."""
    image = Pinned(registry.repository, registry.image())
    gate = registry.quirks[""] = Gate(f"https://{registry.host}/token")
    client = opened()
    await client.attach(image, bundles=[], intents=[b"an intent"])
    gate.tokens += 1
    await client.about(image)
    assert gate.scopes == [f"repository:{NAME}:{to}" for to in ("pull,push", "pull")]
    assert gate.shown == ["", ""]


async def test_a_token_that_ran_out_is_made_anew(
    registry: Quirky, opened: Opened
) -> None:
    """Once for all who find that out at the same time."""
    image = Pinned(registry.repository, registry.image())
    registry.referrer(image.digest, SIGNED)
    gate = registry.quirks[""] = Gate(f"https://{registry.host}/token")
    client = opened()
    await client.about(image)
    gate.revoked = True

    found = await asyncio.gather(*(client.about(image) for _ in range(8)))
    assert {one.bundles for one in found} == {(SIGNED,)}
    assert gate.tokens == 2


async def test_a_registry_that_asks_without_end(registry: Quirky, about: About) -> None:
    """It is told who we are, and not again."""
    image = registry.image()
    gate = Gate(f"https://{registry.host}/token")

    async def never(request: web.Request, honest: web.Response) -> web.StreamResponse:
        gate.revoked = request.path != "/token"
        return await gate(request, honest)

    registry.quirks[""] = never
    with pytest.raises(Unavailable, match="refuses to pull"):
        await about(image)
    assert len(registry.seen) == 3


@pytest.mark.parametrize(
    "realm",
    [
        "https://{elsewhere}/token",
        "http://{host}/token",
        "https://auth.docker.io/token",
        "https://{host}@{elsewhere}/token",
        "https://u:p@{host}/token",
        "https://:p@{host}/token",
        "file:///etc/passwd",
        "//{host}/token",
        "/token",
        "",
        "https://[",
        "https://169.254.169.254/token",
    ],
)
async def test_nobody_else_makes_the_tokens(
    registry: Quirky, opened: Opened, realm: str
) -> None:
    """He would see the credentials."""
    image = Pinned(registry.repository, registry.image())
    told = realm.format(host=registry.host, elsewhere=registry.elsewhere)
    registry.quirks[""] = Gate(told)
    client = opened(credentials=Known({registry.host: ROBOT}))

    with pytest.raises(Unavailable, match="not known to do so") as refusal:
        await client.about(image)
    assert "s3cret" not in str(refusal.value)
    assert len(registry.seen) == 1


async def test_but_who_is_known_to_does(registry: Quirky, opened: Opened) -> None:
    """By name and port; nobody else's registry gains anything by that."""
    image = Pinned(registry.repository, registry.image())
    gate = registry.quirks[""] = Gate(f"https://{registry.elsewhere}/token")
    known = {registry.host: frozenset({registry.elsewhere})}
    credentials = Known({registry.host: ROBOT})
    await opened(token_hosts=known, credentials=credentials).about(image)

    assert gate.shown == [BASIC]
    assert credentials.asked == [registry.host]
    others = {"docker.io": frozenset({registry.elsewhere})}
    stranger = opened(token_hosts=others, credentials=credentials)
    with pytest.raises(Unavailable):
        await stranger.about(image)


async def test_an_identity_token_is_posted(registry: Quirky, opened: Opened) -> None:
    """As OAuth2 has it; never in an address."""
    image = Pinned(registry.repository, registry.image())
    gate = Gate(f"https://{registry.host}/token")
    posted: list[dict[str, list[str]]] = []

    async def watched(request: web.Request, honest: web.Response) -> web.StreamResponse:
        if request.path == "/token":
            posted.append(parse_qs((await request.read()).decode()))
        return await gate(request, honest)

    registry.quirks[""] = watched
    mine = Known({registry.host: Credential(identity_token="s3cret-token")})
    await opened(credentials=mine).about(image)
    assert posted[0]["refresh_token"] == ["s3cret-token"]
    assert posted[0]["scope"] == [f"repository:{NAME}:pull"]
    assert all("s3cret" not in one.path for one in registry.seen)


@pytest.mark.parametrize(
    "quirk",
    [
        pytest.param(answers.status(401), id="no access"),
        pytest.param(answers.status(403), id="no access for whom it knows"),
        pytest.param(answers.status(500), id="an error of its own"),
        pytest.param(answers.instead(b"<html>", "text/html"), id="a page"),
        pytest.param(answers.instead(b"{}", "application/json"), id="no token"),
        pytest.param(
            answers.instead(b'{"token": "a\\r\\nb: c"}', "application/json"),
            id="a token with another header in it",
        ),
        pytest.param(
            answers.instead(b'{"token": 1}', "application/json"), id="a number"
        ),
        pytest.param(
            answers.instead(b'{"token": "' + b"a" * 70_000 + b'"}', "application/json"),
            id="a huge token",
        ),
        pytest.param(
            answers.redirect(lambda _: "https://127.0.0.2/token"), id="elsewhere"
        ),
        pytest.param(answers.silent, id="not a word"),
    ],
)
async def test_without_a_token_there_is_no_answer(
    registry: Quirky, about: About, quirk: Callable[..., Awaitable[web.StreamResponse]]
) -> None:
    """Whatever was answered instead."""
    image = registry.image()
    gate = Gate(f"https://{registry.host}/token")

    async def broken(request: web.Request, honest: web.Response) -> web.StreamResponse:
        answer = quirk if request.path == "/token" else gate
        return await answer(request, honest)

    registry.quirks[""] = broken
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await about(image, request_s=0.3)


async def test_a_password_goes_to_its_registry_only(
    registry: Quirky, opened: Opened
) -> None:
    """And to nobody who has none."""
    image = Pinned(registry.repository, registry.image())

    async def basic(request: web.Request, honest: web.Response) -> web.StreamResponse:
        if request.headers.get("Authorization") == BASIC:
            return honest
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    registry.quirks[""] = basic
    await opened(credentials=Known({registry.host: ROBOT})).about(image)
    with pytest.raises(Unavailable, match="asks for credentials") as refusal:
        await opened(credentials=Known({"another": ROBOT})).about(image)
    assert "s3cret" not in str(refusal.value)
    assert "s3cret" not in repr(ROBOT)


# redirects


async def test_blobs_may_lie_elsewhere(registry: Quirky, opened: Opened) -> None:
    """Who keeps them is not told who we are."""
    image = Pinned(registry.repository, registry.image())
    registry.referrer(image.digest, SIGNED)
    gate = Gate(f"https://{registry.host}/token")

    async def away(request: web.Request, honest: web.Response) -> web.StreamResponse:
        if request.host == registry.elsewhere:
            return honest
        if "/blobs/" in request.path:
            to = f"https://{registry.elsewhere}{request.path}?signed=%2Fx%2B"
            return web.Response(status=307, headers={"Location": to})
        return await gate(request, honest)

    registry.quirks[""] = away
    found = await opened(credentials=Known({registry.host: ROBOT})).about(image)
    assert found.bundles == (SIGNED,)
    there = [one for one in registry.seen if one.host == registry.elsewhere]
    assert [one.authorization for one in there] == [""]
    assert urlsplit(there[0].path).query == "signed=%2Fx%2B"


@pytest.mark.parametrize("where", ["manifests/", "referrers/", ".att"])
async def test_nothing_else_may(registry: Quirky, about: About, where: str) -> None:
    """What a registry says, it says itself."""
    image = registry.image()
    registry.quirks[
        f"{registry.host}/v2/{NAME}/{where}".replace("/.", "/manifests/")
    ] = answers.redirect(lambda request: f"https://{registry.elsewhere}{request.path}")
    if where == ".att":
        registry.quirks.clear()
        registry.quirks[where] = answers.redirect(lambda _: "/elsewhere")
    with pytest.raises(Unavailable, match="must answer itself"):
        await about(image)
    assert {one.host for one in registry.seen} == {registry.host}


@pytest.mark.parametrize(
    "to",
    [
        "http://{elsewhere}{path}",
        "https://u:p@{elsewhere}{path}",
        "https://:p@{elsewhere}{path}",
        "file:///etc/passwd",
        "ftp://{elsewhere}/x",
        "",
        "https://",
        "https://[::",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/latest",
        "https://[::ffff:169.254.169.254]/latest",
        "https://2852039166/latest",
        "https://0.0.0.0/",
        "https://{host}{path}",
    ],
)
async def test_where_redirects_never_lead(
    registry: Quirky, about: About, to: str
) -> None:
    """Not to another scheme, not inside, and not in circles."""
    image = registry.image()
    registry.referrer(image, SIGNED)
    registry.quirks["blobs/"] = answers.redirect(
        lambda request: to.format(
            host=registry.host, elsewhere=registry.elsewhere, path=request.path
        )
    )
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await about(image)
    assert {one.host for one in registry.seen} == {registry.host}


# addresses


async def test_loopback_is_refused_unless_allowed(
    registry: Quirky, about: About
) -> None:
    """By number and by name: the address is judged when connecting."""
    image = registry.image()
    with pytest.raises(Unavailable, match="may not be a registry's address"):
        await about(image, networks=())
    assert registry.seen == []


async def test_a_name_that_leads_inside_is_refused(
    registry: Quirky, opened: Opened
) -> None:
    """``localhost`` is the one that every machine has."""
    port = registry.host.partition(":")[2]
    inside = Pinned(f"localhost:{port}/{NAME}", registry.image())
    with pytest.raises(Unavailable, match="may not be a registry's address"):
        await opened(networks=()).about(inside)
    assert registry.seen == []


async def test_without_tls_there_is_only_loopback(opened: Opened) -> None:
    """Whatever is allowed otherwise."""
    image = Digest.sha256(b"")
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    client = opened(plain=frozenset({"192.0.2.1:5000"}), networks=everything)
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="may not be"):
            await client.about(Pinned("192.0.2.1:5000/a", image))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104 - refused
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "ff02::1",
        "fec0::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9:fe:a9fe::",
        "64:ff9b:1:0:a9:fea9:fe00:0",
        "fd00:c1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:1::1",
    ],
)
def test_no_registry_is_there(address: str) -> None:
    """The machine itself, its link, and what a cloud tells its machines."""
    assert refused(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "192.168.1.1", "172.16.0.1", "140.82.121.33"),
        *("2a00::1", "fd12::1", "64:ff9b::8c52:7921", "64:ff9b:1::8c52:7921"),
    ],
)
def test_a_registry_may_be_there(address: str) -> None:
    """Private networks have registries, too."""
    assert not refused(ip_address(address))
    assert not refused(ip_address("127.0.0.1"), (ip_network("127.0.0.0/8"),))


@given(st.ip_addresses(v=4))
def test_no_disguise_opens_a_refused_address(address: object) -> None:
    """Whatever is refused as IPv4 is refused wherever it hides in IPv6."""
    four = ip_address(str(address))
    for prefix in (
        "::ffff:0:0",
        "::",
        "64:ff9b::",
        "64:ff9b:1::",
        "64:ff9b:1:ffff::",
        "::ffff:0:0:0",
    ):
        hidden = ip_address(int(ip_address(prefix)) + int(four))
        assert refused(hidden) or not refused(four)
    six = ip_address((0x2002 << 112) + (int(four) << 80) + 1)
    assert refused(six) or not refused(four)


def test_nothing_that_is_written_down_holds_a_secret() -> None:
    """Requests stand in tracebacks and debuggers' output."""
    request = Request(
        url=URL("https://registry"),
        headers={},
        authorization="Bearer s3cret",
        body=b"refresh_token=s3cret",
        limit=1,
    )
    assert "s3cret" not in f"{request!r} {request} {ROBOT!r}"
