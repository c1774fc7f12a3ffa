"""Looks whether the gate still stands: its registration, and a denial that must come.

It detects, and prevents nothing: where neither files of the API server nor policies
guard the registration, somebody has to look at these metrics.
"""

import asyncio
import logging
from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Protocol

from countersign.adapters.cluster.source import NotThere
from countersign.binding.registration import denied_by_us
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.policy import Enforcement
from countersign.faces.operator.loops import News
from countersign.faces.operator.telling import Teller
from countersign.ports import PolicyBook
from countersign.telemetry import GATE
from countersign.usecases.coverage import NAME, registration

logger = logging.getLogger(__name__)

PROBE = "countersign-probe"
"""Name of the ConfigMap that nobody ever lets in."""

_CONFIGURATION = (
    f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{NAME}"
)
_MANAGER = "countersign-watchdog"


class Check(StrEnum):
    """What is looked at."""

    REGISTRATION = "registration"
    PROBE = "probe"


class Seen(Enum):
    """What became of a change that must be denied."""

    SHUT = "shut"
    OPEN = "open"
    UNKNOWN = "unknown"


class Server(Protocol):
    """The API server, as far as the watchdog needs it; `ApiServer` is one."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`; raise NotThere or Unavailable."""
        ...

    async def apply(
        self, path: str, tree: Tree, *, manager: str, dry_run: bool = False
    ) -> Tree:
        """Apply `tree` server-side; raise as `get`, or Rejected."""
        ...


class Watchdog:
    """Tells when the gate is open.

    Args:
        server: The API server.
        policies: What is protected.
        teller: Tells people.
        own_namespace: Where countersign runs.
        every_s: Between two looks, in seconds.
    """

    def __init__(
        self,
        server: Server,
        policies: PolicyBook,
        teller: Teller,
        own_namespace: str,
        every_s: float,
    ) -> None:
        self._server = server
        self._policies = policies
        self._teller = teller
        self._own = own_namespace
        self._every_s = every_s

    async def run(self, news: News) -> None:
        """Look, and look again.

        Raises:
            Unavailable: nobody answers.
        """
        await news.read.wait()
        while True:
            seen = {name: await self._ask(name) for name in self._protected()}
            faults = await self._registration()
            if faults is None:  # in files of the API server, if it asks us all the same
                shut = bool(seen) and set(seen.values()) == {Seen.SHUT}
                faults = () if shut else (f"no ValidatingWebhookConfiguration {NAME}",)
            await self._say(Check.REGISTRATION, faults)
            await self._say(
                Check.PROBE,
                tuple(
                    f"namespace {name} admits what nobody signed"
                    for name, how in seen.items()
                    if how is Seen.OPEN
                ),
            )
            await asyncio.sleep(self._every_s)

    async def _registration(self) -> tuple[str, ...] | None:
        """Return where the registration is not what it would be; None: there is none."""
        try:
            live = await self._server.get(_CONFIGURATION)
        except NotThere:
            return None
        return registration(live, self._own).faults

    def _protected(self) -> tuple[str, ...]:
        """Return the namespaces where something must be denied, by exact name."""
        names = {
            name
            for policy in self._policies.snapshot().policies
            if policy.enforcement is Enforcement.DENY
            for name in policy.scope.namespaces
            if "*" not in name
        }
        return tuple(sorted(names))

    async def _ask(self, namespace: str) -> Seen:
        tree: Tree = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": PROBE, "namespace": namespace},
        }
        path = f"/api/v1/namespaces/{namespace}/configmaps/{PROBE}"
        try:
            await self._server.apply(path, tree, manager=_MANAGER, dry_run=True)
        except NotThere:
            return Seen.UNKNOWN  # no such namespace yet
        except (Rejected, Unavailable) as error:
            said = str(error)
            if denied_by_us(said):
                return Seen.SHUT
            logger.warning("probe_unanswered", extra={"error": said})
            return Seen.UNKNOWN
        return Seen.OPEN

    async def _say(self, check: Check, faults: tuple[str, ...]) -> None:
        GATE.labels(check.value).set(0 if faults else 1)
        if faults:
            logger.error("gate_open", extra={"check": check.value, "faults": [*faults]})
            await self._teller.open(check.value, faults)
