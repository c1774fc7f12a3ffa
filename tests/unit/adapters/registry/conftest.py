"""A quirky registry, and ways to ask it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from countersign.adapters.registry.registries import Registries
from countersign.adapters.registry.settings import LOOPBACK, Settings
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Pinned
from tests.support.quirky import Quirky, quirky

Opened: TypeAlias = Callable[..., Registries]


@pytest.fixture(name="registry")
async def _registry(tmp_path: Path) -> AsyncIterator[Quirky]:
    async with quirky(tmp_path) as registry:
        yield registry


@pytest.fixture(name="opened")
async def _opened(registry: Quirky) -> AsyncIterator[Opened]:
    """Make clients of the quirky registry, with other settings where given."""
    made: list[Registries] = []

    def opened(**told: Any) -> Registries:
        usual: dict[str, Any] = {"ca_file": registry.authority, "networks": LOOPBACK}
        made.append(Registries(Settings(**{**usual, **told})))
        return made[-1]

    yield opened
    for one in made:
        await one.close()


@pytest.fixture(name="about")
def _about(registry: Quirky, opened: Opened) -> Callable[..., Any]:
    """Ask for what lies beside an image."""

    async def about(image: Digest, **told: Any) -> Attached:
        return await opened(**told).about(Pinned(registry.repository, image))

    return about
