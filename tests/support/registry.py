"""Real registries on loopback: CNCF distribution and go-containerregistry's.

Distribution has no referrers API, so clients fall back to tags; the other one has. Both
stand behind a front of ours (TLS, a list of what was asked, delays); distribution asks
for credentials itself, for the other one the front does.
"""

import base64
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import trustme
import yaml

from tests.support.registry_access import PASSWORD, USER, Access, Auth
from tests.support.registry_front import HOST, STORAGE, Asked, Front
from tests.support.started import place, until_said
from tools.controlplane.binaries import ensure
from tools.controlplane.programs import CRANE_REGISTRY, REGISTRY

_LISTENS = re.compile(r"listening on (127\.0\.0\.1:\d+)")


class Kind(StrEnum):
    """Which registry."""

    DISTRIBUTION = "distribution"
    GGCR = "ggcr"


class Registry:
    """A registry that runs.

    Attributes:
        host: Host and port, as images name it.
        user: Who may use it, if anybody must be known.
        password: Theirs.
        authority: PEM of who signed its certificate, a file.
        docker_config: The folder of a ``config.json`` with the credentials, as
            ``DOCKER_CONFIG`` names it.
        access: Issues tokens.
    """

    user, password = USER, PASSWORD

    def __init__(self, folder: Path, front: Front, access: Access) -> None:
        self.host = front.address
        self.access = access
        self.authority = folder / "ca.pem"
        self.docker_config = folder / "docker"
        self._front = front
        self.docker_config.mkdir()
        shown = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        auths = {} if access.auth is Auth.NONE else {self.host: {"auth": shown}}
        self.docker_config_file.write_text(json.dumps({"auths": auths}))

    @property
    def docker_config_file(self) -> Path:
        """The file itself."""
        return self.docker_config / "config.json"

    @property
    def environment(self) -> dict[str, str]:
        """What crane and cosign need to know of it."""
        return {
            "DOCKER_CONFIG": str(self.docker_config),
            "SSL_CERT_FILE": str(self.authority),
        }

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Everything that was asked since the last `forget`."""
        return tuple(self._front.asked)

    def forget(self) -> None:
        """Begin `asked` anew."""
        self._front.asked.clear()

    @property
    def delay_s(self) -> float:
        """How long each answer is held back, in seconds."""
        return self._front.delay_s

    @delay_s.setter
    def delay_s(self, value: float) -> None:
        self._front.delay_s = value

    @property
    def redirects(self) -> bool:
        """Whether blobs are read at another host, which asks for no credentials."""
        return self._front.redirects

    @redirects.setter
    def redirects(self, value: bool) -> None:
        self._front.redirects = value

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections while the block lasts; what is stored stays."""
        self._front.stop()
        try:
            yield
        finally:
            self._front.start()


@contextmanager
def running_registry(
    kind: Kind | str = Kind.DISTRIBUTION,
    *,
    tls: bool = True,
    auth: Auth | str | None = None,
    delay_s: float = 0.0,
    referrers: bool = True,
) -> Iterator[Registry]:
    """Run a registry while the block lasts.

    Args:
        kind: Which.
        tls: Whether it speaks TLS, by a certificate of an authority of its own.
        auth: How it knows its user; None lets anybody in.
        delay_s: How long each answer is held back, in seconds.
        referrers: Whether there is a referrers API; distribution never has one.
    """
    kind, access = Kind(kind), _access(Kind(kind), Auth(auth or Auth.NONE))
    with place("registry") as here:
        folder = here.folder
        command = (
            _distribution(folder, access)
            if kind is Kind.DISTRIBUTION
            else _ggcr(referrers=referrers)
        )
        listening = _LISTENS.search(until_said(here.start(kind, command), "listening"))
        assert listening
        front = Front(listening[1], access, _tls(folder) if tls else None)
        front.start()
        front.delay_s = delay_s
        try:
            yield Registry(folder, front, access)
        finally:
            front.close()


def _access(kind: Kind, auth: Auth) -> Access:
    return Access(auth, enforces=kind is Kind.GGCR)


def _ggcr(*, referrers: bool) -> list[str | Path]:
    program = ensure([CRANE_REGISTRY])[CRANE_REGISTRY.name]
    return [program, "-address", f"{HOST}:0", f"-referrers={str(referrers).lower()}"]


def _distribution(folder: Path, access: Access) -> list[str | Path]:
    """Return the command of one that keeps what it has in memory, its files written."""
    config = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"inmemory": {}, "delete": {"enabled": True}},
        "http": {"addr": f"{HOST}:0", "draintimeout": "0s"},
        **access.distribution(folder),
    }
    file = folder / "registry.yaml"
    file.write_text(yaml.safe_dump(config))
    return [ensure([REGISTRY])[REGISTRY.name], "serve", file]


def _tls(folder: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, STORAGE).configure_cert(context)
    return context
