"""Docker's configuration and its helpers, read as docker reads them."""

import asyncio
import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.registry import helpers
from countersign.adapters.registry.challenges import Challenge, parse_challenges
from countersign.adapters.registry.credentials import (
    Credential,
    DockerConfig,
    default_config,
)
from countersign.core.errors import Unavailable

DANA = Credential("dana", "word")


def auth(user: str = "dana", password: str = DANA.password) -> dict[str, str]:
    """Return an entry as ``docker login`` writes it."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def config(folder: Path, tree: Any, *, run: bool = False) -> DockerConfig:
    """Write a configuration."""
    file = folder / "config.json"
    file.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return DockerConfig(file, helpers=run)


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("ghcr.io/org", "ghcr.io"),
        ("registry:5000", "registry:5000"),
        ("https://registry:5000/v1/", "registry:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
    ],
)
async def test_keys_are_read_as_docker_reads_them(
    tmp_path: Path, key: str, host: str
) -> None:
    """Hosts, old addresses, and docker's own name for its registry."""
    assert await config(tmp_path, {"auths": {key: auth()}}).of(host) == DANA


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("ghcr.io", "evil.ghcr.io"),
        ("ghcr.io", "ghcr.io.evil"),
        ("ghcr.io:443", "ghcr.io"),
        ("registry:5000", "registry"),
        ("registry", "registry:5000"),
        ("docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "index.docker.io.evil"),
        ("https://evil@ghcr.io", "evil"),
        ("*.io", "ghcr.io"),
    ],
)
async def test_credentials_are_of_one_host(tmp_path: Path, key: str, host: str) -> None:
    """A name that is like another is another."""
    assert await config(tmp_path, {"auths": {key: auth()}}).of(host) is None


async def test_the_very_key_comes_first(tmp_path: Path) -> None:
    """Before an old form of it."""
    auths = {"https://ghcr.io/": auth("old"), "ghcr.io": auth()}
    assert await config(tmp_path, {"auths": auths}).of("ghcr.io") == DANA


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"username": "dana", "password": "word"}, DANA),
        (auth("dana", "wo:rd"), Credential("dana", "wo:rd")),
        (auth("dana", "word\x00\x00"), DANA),
        ({**auth(), "email": "d@example.org"}, DANA),
        (
            {**auth("00", ""), "identitytoken": "t"},
            Credential("00", identity_token="t"),
        ),
        ({}, None),
    ],
)
async def test_forms_of_an_entry(
    tmp_path: Path, entry: dict[str, str], expected: Credential | None
) -> None:
    """As decodeAuth of docker has them."""
    assert await config(tmp_path, {"auths": {"h": entry}}).of("h") == expected


@pytest.mark.parametrize(
    "told",
    [
        "{",
        "[]",
        '{"auths": 3}',
        '{"auths": {"h": {"auth": "s3cret"}}}',
        '{"auths": {"h": {"auth": "czNjcmV0"}}}',
        '{"auths": {"h": {"auth": 7}}, "a": "s3cret"}',
        " " * (2 << 20),
    ],
    ids=str.strip,
)
async def test_what_is_no_configuration(tmp_path: Path, told: str) -> None:
    """It could hold credentials: nobody is asked without them. Nothing of it is told."""
    with pytest.raises(Unavailable) as refusal:
        await config(tmp_path, told).of("h")
    assert "s3cret" not in f"{refusal.value}{refusal.value.__cause__}"
    with pytest.raises(Unavailable):
        await DockerConfig(tmp_path / "none").of("h")


async def test_a_configuration_that_changes(tmp_path: Path) -> None:
    """A mounted Secret is replaced while we run."""
    mine = config(tmp_path, {"auths": {"h": auth("then")}})
    assert await mine.of("h") == Credential("then", "word")
    other = tmp_path / "new"
    other.write_text(json.dumps({"auths": {"h": auth()}}))
    other.replace(tmp_path / "config.json")
    assert await mine.of("h") == DANA


def test_where_docker_keeps_it() -> None:
    """Where it is told to, or at home."""
    assert default_config({"DOCKER_CONFIG": "/a"}) == Path("/a/config.json")
    assert default_config({"HOME": "/b"}) == Path("/b/.docker/config.json")
    assert default_config({}).name == "config.json"


# helpers


def helper(folder: Path, script: str) -> None:
    """Write a helper named ``test``."""
    file = folder / "docker-credential-test"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture(name="programs")
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


async def test_a_helper_is_asked_for_the_key(programs: Path) -> None:
    """That of the registry before that of all; the key on standard input."""
    helper(
        programs,
        'read -r key; printf \'{"ServerURL":"x","Username":"%s","Secret":"word"}\' "$key"',
    )
    told = {"credHelpers": {"ghcr.io": "test"}, "credsStore": "test"}
    mine = config(programs, told, run=True)
    assert await mine.of("ghcr.io") == Credential("ghcr.io", "word")
    assert await mine.of("docker.io") == Credential(
        "https://index.docker.io/v1/", "word"
    )


async def test_a_helper_may_have_a_token_or_nothing(programs: Path) -> None:
    """As docker's own tell it."""
    mine = config(programs, {"credsStore": "test", "auths": {"h": auth()}}, run=True)
    helper(programs, 'echo \'{"Username":"<token>","Secret":"t"}\'')
    assert await mine.of("h") == Credential(identity_token="t")
    helper(programs, "echo credentials not found in native keychain; exit 1")
    assert await mine.of("h") is None


@pytest.mark.parametrize(
    "script",
    [
        "echo s3cret; exit 1",
        "echo s3cret",
        "yes s3cret",
        "echo '{\"Username\": 3}'",
        "exec sleep 1000",
    ],
)
async def test_a_helper_that_fails(
    programs: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """In its time, and without telling what it said."""
    monkeypatch.setattr(helpers, "HELPER_S", 0.5)
    helper(programs, script)
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable) as refusal:
            await config(programs, {"credsStore": "test"}, run=True).of("h")
    assert "s3cret" not in f"{refusal.value}{refusal.value.__cause__}"


@pytest.mark.parametrize("name", ["none-such", "../x", "a b", "-x", "x" * 99])
async def test_a_helper_that_is_none(tmp_path: Path, name: str) -> None:
    """Its name is no path."""
    with pytest.raises(Unavailable):
        await config(tmp_path, {"credsStore": name}, run=True).of("h")


async def test_nobody_runs_helpers_in_a_cluster(programs: Path) -> None:
    """There it is a file and nothing else."""
    helper(programs, f"touch {programs}/ran")
    mine = config(programs, {"credsStore": "test", "auths": {"h": auth()}})
    assert await mine.of("h") == DANA
    assert not (programs / "ran").exists()


# challenges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            'Bearer realm="https://a/t",service="x y",scope="r:a:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://a/t",
                        "service": "x y",
                        "scope": "r:a:pull,push",
                    },
                )
            ],
        ),
        ("Basic realm=foo", [("basic", {"realm": "foo"})]),
        ("Negotiate, Basic realm=a", [("negotiate", {}), ("basic", {"realm": "a"})]),
        ('Bearer realm="a\\"b"', [("bearer", {"realm": 'a"b'})]),
        ('Bearer realm="a", REALM="b"', [("bearer", {"realm": "a"})]),
        ("", []),
        ("=", []),
        ('Bearer realm="a', [("bearer", {})]),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """RFC 9110, 11.6.1; what cannot be read is left out."""
    wanted = tuple(Challenge(scheme, named) for scheme, named in expected)
    assert parse_challenges([header]) == wanted


@given(st.lists(st.text(alphabet='Bearer realm="\\, =x', max_size=200), max_size=9))
def test_no_challenge_breaks_the_reader(headers: list[str]) -> None:
    """Whatever a registry says."""
    for one in parse_challenges(headers):
        assert one.scheme == one.scheme.lower()
