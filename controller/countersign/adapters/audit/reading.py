"""What is read from the audit store, inside one transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, select

from countersign.adapters.audit.rows import (
    instant,
    micros,
    placeholder,
    restore,
    unpack,
)
from countersign.adapters.audit.tables import (
    APPROVERS,
    BLOBS,
    CARRIED,
    DECISIONS,
    POSITIONS,
    REQUESTERS,
    REVIEWS,
)
from countersign.core.types.decision import Recorded, Review
from countersign.ports import MAX_FOUND, Query


def positions(connection: Connection) -> Mapping[str, int]:
    """Return the last sequence of each spool, the one heard last first."""
    asked = select(POSITIONS.c.spool, POSITIONS.c.sequence)
    found = connection.execute(asked.order_by(POSITIONS.c.heard.desc()))
    return {row.spool: row.sequence for row in found}


def lost(connection: Connection) -> Mapping[str, int]:
    """Return how many decisions each spool could not keep."""
    found = connection.execute(select(POSITIONS.c.spool, POSITIONS.c.lost))
    return {row.spool: row.lost for row in found}


def get(connection: Connection, identity: str) -> Recorded | None:
    """Return one decision whole.

    Raises:
        Malformed: its rows are not what was stored.
    """
    row = connection.execute(
        select(DECISIONS).where(DECISIONS.c.id == identity)
    ).first()
    if row is None:
        return None
    carried = connection.execute(
        select(BLOBS)
        .join(CARRIED, CARRIED.c.bundle == BLOBS.c.digest)
        .where(CARRIED.c.decision == identity)
        .order_by(CARRIED.c.place)
    )
    bundles = [unpack(blob.digest, blob.data) for blob in carried]
    intent = None
    if row.intent is not None:
        kept = select(BLOBS).where(BLOBS.c.digest == row.intent)
        blob = connection.execute(kept).one()
        intent = unpack(blob.digest, blob.data)
    around = _Around(connection, [identity])
    return around.recorded(row, intent, bundles)


def find(connection: Connection, query: Query) -> tuple[Recorded, ...]:
    """Return decisions without their intents and bundles, the newest first.

    Raises:
        Malformed: a row is not what was stored.
    """
    found = connection.execute(_asked(query)).all()
    around = _Around(connection, [row.id for row in found])
    return tuple(around.recorded(row, None, []) for row in found)


def _asked(query: Query) -> Select[Any]:
    asked = select(DECISIONS)
    for column, value in (
        (DECISIONS.c.namespace, query.namespace),
        (DECISIONS.c.kind, query.kind or None),
        (DECISIONS.c.name, query.name or None),
        (DECISIONS.c.outcome, query.outcome and query.outcome.value),
    ):
        if value is not None:
            asked = asked.where(column == value)
    if query.person:
        theirs = select(APPROVERS.c.decision).where(APPROVERS.c.person == query.person)
        asked = asked.where(DECISIONS.c.id.in_(theirs))
    if query.since is not None:
        asked = asked.where(DECISIONS.c.last >= micros(query.since))
    if query.until is not None:
        asked = asked.where(DECISIONS.c.last <= micros(query.until))
    if query.debts:
        reviewed = select(REVIEWS.c.decision)
        asked = asked.where(
            DECISIONS.c.review_due.is_not(None), DECISIONS.c.id.not_in(reviewed)
        )
    newest = asked.order_by(DECISIONS.c.last.desc(), DECISIONS.c.id)
    return newest.limit(max(1, min(query.limit, MAX_FOUND)))


class _Around:
    """What other tables say of some decisions, asked for once."""

    def __init__(self, connection: Connection, wanted: Collection[str]) -> None:
        self._requesters: dict[str, list[str]] = defaultdict(list)
        asked = select(REQUESTERS).where(REQUESTERS.c.decision.in_(wanted))
        for row in connection.execute(asked):
            self._requesters[row.decision].append(row.name)
        done = select(REVIEWS).where(REVIEWS.c.decision.in_(wanted))
        self._reviews = {
            row.decision: Review(
                at=instant(row.at), persons=tuple(orjson.loads(row.persons))
            )
            for row in connection.execute(done)
        }

    def recorded(
        self, row: Row[Any], intent: bytes | None, bundles: list[bytes]
    ) -> Recorded:
        first = instant(row.first)
        if row.document is None:
            decision = placeholder(row.id, first, row.requester)
        else:
            decision = restore(row.document, intent, bundles)
        return Recorded(
            decision=decision,
            first=first,
            last=instant(row.last),
            count=row.times,
            requesters=tuple(sorted(self._requesters[row.id])),
            reviewed=self._reviews.get(row.id),
        )
