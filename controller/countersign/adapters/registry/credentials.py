"""Who we are to a registry: credentials, each bound to one host.

Nothing here is logged, and no error or representation holds a secret.
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import Field

from countersign.adapters.registry.helpers import Helped, ask_helper
from countersign.core.errors import Malformed, Unavailable
from countersign.wire.shapes import Shape, shaped
from countersign.wire.strict_json import parse_json

DOCKER_HUB = "docker.io"
HUB_KEY = "https://index.docker.io/v1/"  # what docker calls its own registry

_MAX_CONFIG = 1 << 20  # bytes; a Secret holds no more
_TOKEN_USER = "<token>"  # noqa: S105 - how helpers say that the secret is a token


@dataclass(frozen=True, slots=True)
class Credential:
    """What is shown to one registry, or to who issues its tokens.

    Attributes:
        user: Name, or ``""``.
        password: Goes with the name, or ``""``.
        identity_token: An OAuth2 refresh token instead of both, or ``""``.
    """

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    def basic(self) -> str:
        """Return the header's value of HTTP's Basic scheme (RFC 7617)."""
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


class Credentials(Protocol):
    """Credentials by registry host."""

    async def of(self, host: str) -> Credential | None:
        """Return what to show to a registry, or None: nothing.

        Args:
            host: As images name it: ``docker.io``, ``ghcr.io``, ``registry:5000``.

        Raises:
            Unavailable: there may be some, and they could not be read.
        """
        ...


class Anonymous:
    """No credentials."""

    async def of(self, host: str) -> Credential | None:
        """Return None."""
        del host
        return None


class _Auth(Shape):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""

    def value(self) -> Credential | None:
        """Return the credential, or None: the entry is empty.

        Raises:
            Malformed: it cannot be decoded.

        Source:
            docker/cli cli/config/configfile, decodeAuth.
        """
        user, password = self.username, self.password
        if self.auth:
            try:
                pair = base64.b64decode(self.auth, validate=True).decode()
            except (binascii.Error, ValueError):
                raise Malformed("expected base64 in auth") from None
            user, colon, password = pair.partition(":")
            password = password.strip("\x00")
            if not colon or not user:
                raise Malformed("expected USER:PASSWORD in auth")
        if self.identitytoken:
            return Credential(user=user, identity_token=self.identitytoken)
        return Credential(user, password) if user else None


class _Config(Shape):
    auths: dict[str, _Auth] | None = None
    creds_store: str = ""
    cred_helpers: dict[str, str] | None = Field(default=None)


class DockerConfig:
    """A docker configuration file, read again whenever it changes.

    Args:
        path: ``config.json``, or a Secret's ``.dockerconfigjson``, mounted.
        helpers: Programs that it names may be run: for people, never in ``serve``.

    Source:
        docker/cli cli/config/configfile, GetAuthConfig; credentials, fileStore.Get and
        ConvertToHostname.
    """

    def __init__(self, path: Path, *, helpers: bool = False) -> None:
        self._path = path
        self._helpers = helpers
        self._seen: tuple[int, int, int] | None = None
        self._config = _Config()

    async def of(self, host: str) -> Credential | None:
        """Return what the file has for a registry; see `Credentials`."""
        config = await asyncio.to_thread(self._read)
        key = HUB_KEY if host == DOCKER_HUB else host
        helper = (config.cred_helpers or {}).get(key) or config.creds_store
        if helper and self._helpers:
            return _helped(await ask_helper(helper, key))
        try:
            return _told(config.auths or {}, key)
        except Malformed as error:
            raise Unavailable(f"{self._path}, auths, {key}: {error}") from None

    def _read(self) -> _Config:
        """Return what the file holds.

        Raises:
            Unavailable: it cannot be read, or is no docker configuration. The message
                holds nothing of it.
        """
        try:
            now = self._path.stat()
            stamp = (now.st_ino, now.st_mtime_ns, now.st_size)
            if stamp != self._seen:
                with self._path.open("rb") as file:
                    raw = file.read(_MAX_CONFIG + 1)
                tree = parse_json(raw, limit=_MAX_CONFIG)
                self._config = shaped(_Config, tree, "docker configuration")
                self._seen = stamp
        except (OSError, Malformed) as error:
            why = error.strerror if isinstance(error, OSError) else "it is malformed"
            raise Unavailable(
                f"expected a docker configuration in {self._path}: {why}"
            ) from None
        return self._config


def default_config(environment: Mapping[str, str]) -> Path:
    """Return where docker and cosign look for their configuration.

    Args:
        environment: Of the process.
    """
    if folder := environment.get("DOCKER_CONFIG"):
        return Path(folder) / "config.json"
    home = environment.get("HOME")
    return (Path(home) if home else Path.home()) / ".docker" / "config.json"


def _told(auths: Mapping[str, _Auth], key: str) -> Credential | None:
    """Return the entry under the very key, else under an old form of it."""
    if key in auths:
        return auths[key].value()
    for name in sorted(auths):
        if key == _hostname(name):
            return auths[name].value()
    return None


def _hostname(key: str) -> str:
    """Return the host of a key, as docker's ConvertToHostname does."""
    if "://" in key:
        try:
            parts = urlsplit(key)
            if parts.hostname:
                return parts.netloc.rpartition("@")[2]
        except ValueError:
            return ""
    return key.partition("/")[0]


def _helped(answer: Helped | None) -> Credential | None:
    if answer is None:
        return None
    if answer.username == _TOKEN_USER:
        return Credential(identity_token=answer.secret)
    return Credential(answer.username, answer.secret)
