"""What is said of a registry that is not reached: whoever applies reads it."""

import socket

import pytest

from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Pinned
from tests.unit.adapters.registry.conftest import Opened


async def test_a_registry_that_is_away_is_said_to_be(opened: Opened) -> None:
    """In words, with no number of the system's and no name of a function."""
    with socket.socket() as silent:  # bound, and nobody listens
        silent.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable) as caught:
            await opened().about(Pinned(f"{host}/a", Digest.sha256(b"")))
    assert str(caught.value) == f"no way to registry {host}: connection refused"


async def test_an_address_that_no_registry_may_have_is_said(opened: Opened) -> None:
    """Waiting does not help there."""
    with pytest.raises(
        Unavailable, match=r"169\.254\.169\.254 may not be a registry's"
    ):
        await opened().about(Pinned("169.254.169.254/a", Digest.sha256(b"")))
