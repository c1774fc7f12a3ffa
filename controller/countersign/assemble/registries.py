"""The registries of whoever runs a command, with that user's own credentials."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from countersign.adapters.attached.evidence import Bounds, KeptEvidence
from countersign.adapters.registry.credentials import (
    Anonymous,
    Credentials,
    DockerConfig,
    default_config,
)
from countersign.adapters.registry.registries import Registries as _Registries
from countersign.adapters.registry.settings import LOOPBACK, TOKEN_HOSTS, Settings
from countersign.ports import ImageEvidence, ImageStore, RememberedEvidence


class Registries(ImageEvidence, ImageStore, Protocol):
    """What lies beside images, and where evidence is put."""


@asynccontextmanager
async def registries(
    *, environ: Mapping[str, str], authority: Path | None, plain: Collection[str] = ()
) -> AsyncIterator[Registries]:
    """Open the registries that a person names.

    Loopback is allowed, since it is that person's own machine; link-local and metadata
    addresses are not, whatever a name resolves to.

    Args:
        environ: ``DOCKER_CONFIG`` says where the docker configuration is, and ``HOME``
            otherwise; its credential helpers are run.
        authority: PEM of who signed a registry's certificate, besides those that the
            machine trusts (``SSL_CERT_FILE``, as for cosign and crane).
        plain: ``HOST:PORT`` of registries without TLS, on loopback only.

    Raises:
        Misconfigured: `authority` cannot be read.
    """
    settings = Settings(
        credentials=_credentials(environ),
        ca_file=authority,
        networks=LOOPBACK,
        plain=frozenset(plain),
        token_hosts=TOKEN_HOSTS,
    )
    async with _Registries(settings) as opened:
        yield opened


@asynccontextmanager
async def remembering(opened: Registries) -> AsyncIterator[RememberedEvidence]:
    """Ask each registry once about the same, as the webhook does."""
    kept = KeptEvidence(opened, Bounds())
    try:
        yield kept
    finally:
        await kept.close()


def _credentials(environ: Mapping[str, str]) -> Credentials:
    """Return those of docker's configuration; none where there is no such file."""
    file = default_config(environ)
    return DockerConfig(file, helpers=True) if file.exists() else Anonymous()
