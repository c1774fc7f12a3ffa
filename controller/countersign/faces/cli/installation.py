"""An installation, looked at as its user: objects, registration, recorder."""

from dataclasses import dataclass, replace
from pathlib import Path

from countersign.adapters.books import LOADED, bind_books
from countersign.adapters.cluster.client import connect
from countersign.adapters.cluster.rules import Reading, read_installation
from countersign.core.errors import CountersignError
from countersign.core.types.survey import Survey
from countersign.faces.cli.cluster import REQUEST_S, Where
from countersign.faces.cli.recorder import open_records
from countersign.faces.cli.session import Session
from countersign.ports import MAX_FOUND, Query, Recorder
from countersign.usecases.coverage import registration
from countersign.usecases.survey import Material, items
from countersign.wire.resources.kinds import POLICY


@dataclass(frozen=True, slots=True)
class Look:
    """Where to look, and as whom.

    Attributes:
        session: Of the command.
        where: The cluster.
        url: Of the recorder; None: by a port-forward.
        ca: Of the recorder; None: of the cluster's ConfigMap.
        own_namespace: Where countersign runs.
    """

    session: Session
    where: Where
    url: str | None
    ca: Path | None
    own_namespace: str

    async def survey(self) -> Survey:
        """Look at everything; only a cluster that cannot be reached is an error.

        Raises:
            Misconfigured: the kubeconfig is not usable.
        """
        async with connect(
            kubeconfig=self.where.kubeconfig,
            context=self.where.context,
            request_s=REQUEST_S,
        ) as server:
            found = self._of(await read_installation(server))
        return await self._with_records(found)

    def _of(self, seen: Reading) -> Survey:
        now = self.session.now()
        books = bind_books(lambda kind: seen.trees.get(kind, ()), ())
        material = Material(
            trees=seen.trees,
            whole=all(kind in seen.trees for kind in LOADED),
            policies={policy.name: policy for policy in books.policies.policies},
            expiry=books.expiry,
            problems={(p.kind, p.name): p.problems for p in books.problems},
            sent=registration(seen.registered, self.own_namespace)
            if seen.asked
            else None,
            own_namespace=self.own_namespace,
            at=now,
        )
        unseen = seen.unseen
        if POLICY in seen.trees and not seen.trees[POLICY]:
            unseen = (*unseen, "there is no ProtectionPolicy: nothing is protected")
        return Survey(at=now, items=items(material), unseen=unseen)

    async def _with_records(self, found: Survey) -> Survey:
        """Ask the recorder; what it does not say is named."""
        try:
            async with open_records(
                self.session, self.url, self.ca, self.where
            ) as records:
                return await self._asked(found, records)
        except CountersignError as error:
            return _missing(found, f"recorder: {error}")

    async def _asked(self, found: Survey, records: Recorder) -> Survey:
        try:
            found = replace(found, recording=await records.status())
        except CountersignError as error:
            found = _missing(found, f"spools of the recorder: {error}")
        try:
            debts = await records.find(Query(debts=True, limit=MAX_FOUND))
        except CountersignError as error:
            return _missing(found, f"review debts: {error}")
        return replace(found, debts=debts)


def _missing(found: Survey, what: str) -> Survey:
    return replace(found, unseen=(*found.unseen, what))
