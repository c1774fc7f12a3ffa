"""What a client of registries is told, and its bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from countersign.adapters.registry.credentials import Anonymous, Credentials

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

TOKEN_HOSTS: Mapping[str, frozenset[str]] = {
    "docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How registries are reached.

    Attributes:
        credentials: Of each registry.
        ca_file: Authorities besides the system's, PEM; None: only the system's.
        networks: Addresses that may be reached although they are refused otherwise:
            `LOOPBACK` in tests.
        plain: ``host:port`` of registries that are asked without TLS; only on loopback.
        token_hosts: By registry, as images name it: hosts besides its own that may issue
            its tokens, and are shown its credentials.
        request_s: Seconds for one request, its answer and its redirects read.
        visit_s: Seconds for all requests about one image.
        at_once: Requests about one image at a time.
    """

    credentials: Credentials = field(default_factory=Anonymous)
    ca_file: Path | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    plain: frozenset[str] = frozenset()
    token_hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    request_s: float = 10.0
    visit_s: float = 30.0
    at_once: int = 8
