"""Waits until a server says that it is ready: by asking it, never by counting time."""

import http.client
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from tools.controlplane.errors import NotReady
from tools.controlplane.servers import LOOPBACK

_PAUSE_S = 0.05  # between two questions
_ANSWER_S = 5
_TAIL = 15  # lines of a log that usually hold the reason


class Asker:
    """Asks a server on loopback over HTTPS, as a user with a client certificate."""

    def __init__(self, authority: Path, certificate: Path, key: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(certificate, key)

    def get(self, port: int, path: str) -> str:
        """Return what is wrong with the answer to a GET of `path`; nothing if it is 200."""
        connection = http.client.HTTPSConnection(
            LOOPBACK, port, context=self._context, timeout=_ANSWER_S
        )
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"{path}: {error}"
        finally:
            connection.close()
        if answer.status == http.client.OK:
            return ""
        return f"{path}: {answer.status} {body[-400:].decode(errors='replace')}"


def wait(
    wrong: Callable[[], str],
    *,
    alive: Callable[[], bool],
    name: str,
    log: Path,
    deadline_s: float,
) -> None:
    """Return as soon as `wrong` finds nothing wrong any more.

    Args:
        wrong: Asks the server; returns what is wrong, empty if nothing is.
        alive: Whether its process runs still.
        name: Of the server.
        log: What it prints; the end of it is in the message.
        deadline_s: How long it may take.

    Raises:
        NotReady: The process ended, or the time did.
    """
    end = time.monotonic() + deadline_s
    while True:
        reason = wrong()
        if not alive():
            raise NotReady(f"{name} ended by itself; {tail(log)}")
        if not reason:
            return
        if time.monotonic() > end:
            raise NotReady(
                f"{name} is not ready after {deadline_s:g} s ({reason}); {tail(log)}"
            )
        time.sleep(_PAUSE_S)


def tail(log: Path) -> str:
    """Return the last lines of `log`."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log"
    return "\n  ".join(["the end of its log:", *lines[-_TAIL:]])
