"""kopf starts where the operator runs: in a Pod, as a user without a name.

Seen to fail without an identity of our own, as it did in a cluster with nodes.
"""

import asyncio
import getpass
import threading

import pytest

from countersign.adapters.cluster.client import Credentials
from countersign.faces.operator.watching import watch

PATIENCE_S = 30.0


def _nameless() -> str:
    raise KeyError("getpwuid(): uid not found: 65532")


async def test_starts_as_a_user_that_the_system_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It gets as far as asking for credentials."""
    monkeypatch.setattr(getpass, "getuser", _nameless)
    asked = threading.Event()

    async def login() -> Credentials:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    work = asyncio.create_task(watch(login, lambda *_: None))
    started = asyncio.create_task(asyncio.to_thread(asked.wait, PATIENCE_S))
    await asyncio.wait([work, started], return_when=asyncio.FIRST_COMPLETED)

    assert asked.is_set()
    assert not work.done()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
