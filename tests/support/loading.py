"""Changes that must be denied, sent all the time, while something happens to the gate."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from tests.support.direct import Direct

_DECISION = re.compile(r"\bdecision ([0-9A-Z]{26})")


@dataclass(slots=True)
class Seen:
    """What became of the changes.

    Attributes:
        denied: Decisions that denials named.
        admitted: Changes that nobody had signed, and that passed.
        failed: What the API server said where the webhook did not answer it.
        unnamed: Denials without a decision.
    """

    denied: list[str] = field(default_factory=list)
    admitted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)


class Load:
    """One client for each namespace, until the block ends.

    Args:
        kubeconfig: Of who sends.
        folder: For files.
        namespaces: Protected ones.
        pause_s: Of each client between two changes.
    """

    def __init__(
        self,
        kubeconfig: Path,
        folder: Path,
        namespaces: tuple[str, ...],
        *,
        pause_s: float = 0.02,
    ) -> None:
        self.seen: dict[str, Seen] = {name: Seen() for name in namespaces}
        self._kubeconfig = kubeconfig
        self._folder = folder
        self._pause_s = pause_s
        self._over = Event()
        self._pool = ThreadPoolExecutor(len(namespaces))
        self._clients: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._clients = [self._pool.submit(self._send, name) for name in self.seen]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._pool.shutdown()
        for client in self._clients:
            client.result()

    @property
    def count(self) -> int:
        """How many denials there were."""
        return sum(len(seen.denied) for seen in self.seen.values())

    def all(self, what: str) -> list[str]:
        """Return an attribute of all `Seen` together."""
        return [one for seen in self.seen.values() for one in getattr(seen, what)]

    def _send(self, namespace: str) -> None:
        seen, number = self.seen[namespace], 0
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        with closing(Direct(self._kubeconfig, self._folder)) as direct:
            while not self._over.wait(self._pause_s):
                number += 1
                name = f"{id(self):x}-{number}"
                done = direct.ask("POST", path, {"metadata": {"name": name}})
                said = str(done.body.get("message"))
                if done.code < HTTPStatus.BAD_REQUEST:
                    seen.admitted.append(name)
                elif "denied the request" not in said:
                    seen.failed.append(said)
                elif found := _DECISION.search(said):
                    seen.denied.append(found[1])
                else:
                    seen.unnamed.append(said)
