"""Who stands for what runs: the live objects, and what the recorder knows of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from countersign.core.errors import CountersignError, Malformed
from countersign.core.types.decision import Recorded
from countersign.faces.cli.cluster import Where
from countersign.faces.cli.engine import Sources, list_sets, open_bench
from countersign.faces.cli.images import at_hand
from countersign.faces.cli.recorder import open_records
from countersign.faces.cli.session import Session
from countersign.ports import MAX_FOUND, Query
from countersign.usecases.running import Seen, Standing, protected


async def look(
    session: Session,
    found: Sources,
    namespaces: tuple[str, ...],
    past: "History",
    cluster: str | None,
) -> list[Seen]:
    """Look at what runs in `namespaces`; empty: in all that a policy protects.

    Raises:
        Malformed: `cluster` is None, and the past names none or several.
        Misconfigured: the kubeconfig is not usable.
        Unavailable: rules or live objects cannot be read.
    """
    async with (
        at_hand(session, found.registry) as hand,
        open_bench(
            session,
            found,
            cluster_name=cluster or "",
            images=None if hand is None else hand.remembered,
        ) as bench,
    ):
        policies = bench.rules.snapshot().policies
        places = namespaces or await protected(bench.state, policies)
        await list_sets(bench, places)
        recorded = await past.of(places)
        standing = Standing(
            bench.state,
            bench.prover,
            bench.sets,
            cluster or _called(recorded),
            bench.settings,
            images=bench.images,
        )
        return [
            await standing.look(place, policies, recorded.get(place, ()))
            for place in places
        ]


def _called(recorded: Mapping[str, tuple[Recorded, ...]]) -> str:
    """Return the cluster's name, as its decisions have it.

    Raises:
        Malformed: nothing is recorded, or under several names.
    """
    names = {one.decision.cluster for each in recorded.values() for one in each}
    if len(names) != 1:
        seen = ", ".join(sorted(names)) or "none recorded"
        raise Malformed(
            f"expected the cluster's name, saw {seen}: sign-offs are bound to it, so "
            "give --cluster NAME"
        )
    return names.pop()


class History:
    """Recorded admissions, where a recorder is there to be asked."""

    def __init__(
        self, session: Session, url: str | None, ca: Path | None, where: Where
    ) -> None:
        self._session = session
        self._url = url
        self._ca = ca
        self._where = where

    async def of(self, places: Iterable[str]) -> dict[str, tuple[Recorded, ...]]:
        """Return the decisions of each namespace; what cannot be had is said."""
        found: dict[str, tuple[Recorded, ...]] = {}
        try:
            async with open_records(
                self._session, self._url, self._ca, self._where
            ) as records:
                for place in places:
                    query = Query(namespace=place, limit=MAX_FOUND)
                    found[place] = await records.find(query)
        except CountersignError as error:
            click.echo(f"since when is not known: {error}", err=True)
        return found
