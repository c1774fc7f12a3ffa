"""What is written into the audit store, inside a transaction that somebody else ends."""

from collections.abc import Iterable

import orjson
from sqlalchemy import Connection, Table, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_if_absent

from countersign.adapters.audit import rows
from countersign.adapters.audit.rows import Blob, Row, micros
from countersign.adapters.audit.tables import (
    APPROVERS,
    BLOBS,
    CARRIED,
    DECISIONS,
    POSITIONS,
    REQUESTERS,
    REVIEWS,
)
from countersign.core.types.decision import Batch, Decision, Review, Sighting

MAX_REQUESTERS = 32  # of one decision: the first ones; a loop has one, a crowd is none


def add(connection: Connection, batch: Batch) -> None:
    """Record the entries after the spool's position, and the new position."""
    known = connection.scalar(
        select(POSITIONS.c.sequence).where(POSITIONS.c.spool == batch.spool)
    )
    reached = known or 0
    for entry in batch.entries:
        if entry.sequence <= reached:
            continue
        reached = entry.sequence
        if isinstance(entry.kept, Decision):
            _decided(connection, entry.kept)
        else:
            _seen(connection, entry.kept)
    newest = select(func.coalesce(func.max(POSITIONS.c.heard), 0)).scalar_subquery()
    where: Row = {"sequence": reached, "lost": batch.lost}
    if known is None:
        row = {"spool": batch.spool, **where, "heard": newest + 1}
        connection.execute(insert(POSITIONS).values(row))
    else:
        connection.execute(
            update(POSITIONS)
            .where(POSITIONS.c.spool == batch.spool)
            .values({**where, "heard": newest + 1})
        )


def review(connection: Connection, decision: str, done: Review) -> None:
    """Note a review; the first one stays."""
    row = {
        "decision": decision,
        "at": micros(done.at),
        "persons": orjson.dumps(done.persons).decode(),
    }
    _put(connection, REVIEWS, [row])


def _decided(connection: Connection, decision: Decision) -> None:
    known = connection.execute(
        select(DECISIONS.c.document.is_(None).label("lost")).where(
            DECISIONS.c.id == decision.id
        )
    ).first()
    if known is None or known.lost:
        intent, bundles = rows.intent_of(decision), rows.bundles_of(decision)
        _store(connection, (*bundles, *((intent,) if intent else ())))
        told = rows.particulars(decision, intent)
        if known is None:
            at = micros(decision.at)
            times: Row = {"id": decision.id, "first": at, "last": at, "times": 0}
            connection.execute(insert(DECISIONS).values({**times, **told}))
        else:
            connection.execute(
                update(DECISIONS).where(DECISIONS.c.id == decision.id).values(told)
            )
        _attach(connection, decision, bundles)
    seen = Sighting(id=decision.id, at=decision.at, requester=decision.requester.name)
    _again(connection, seen)


def _seen(connection: Connection, sighting: Sighting) -> None:
    at = micros(sighting.at)
    times: Row = {"id": sighting.id, "first": at, "last": at, "times": 0}
    _put(connection, DECISIONS, [{**times, **rows.no_particulars(sighting)}])
    _again(connection, sighting)


def _again(connection: Connection, sighting: Sighting) -> None:
    """Count a decision once more."""
    at, mine = micros(sighting.at), REQUESTERS.c.decision == sighting.id
    connection.execute(
        update(DECISIONS)
        .where(DECISIONS.c.id == sighting.id)
        .values(
            {
                "times": DECISIONS.c.times + 1,
                "first": func.min(DECISIONS.c.first, at),
                "last": func.max(DECISIONS.c.last, at),
            }
        )
    )
    asked = connection.scalar(select(func.count()).where(mine))
    if (asked or 0) < MAX_REQUESTERS:
        row: Row = {"decision": sighting.id, "name": sighting.requester}
        _put(connection, REQUESTERS, [row])


def _store(connection: Connection, blobs: tuple[Blob, ...]) -> None:
    """Keep what is not kept already; packing costs more than asking."""
    names = {blob.digest for blob in blobs}
    there = connection.scalars(
        select(BLOBS.c.digest).where(BLOBS.c.digest.in_(names))
    ).all()
    new = {blob.digest: blob for blob in blobs if blob.digest not in there}
    _put(connection, BLOBS, [blob.row() for blob in new.values()])


def _attach(
    connection: Connection, decision: Decision, bundles: tuple[Blob, ...]
) -> None:
    """Write what hangs on a decision."""
    carried: Iterable[Row] = (
        {"decision": decision.id, "place": place, "bundle": blob.digest}
        for place, blob in enumerate(bundles)
    )
    _put(connection, CARRIED, carried)
    names = ("policy", "role", "person", "bundle")
    said: Iterable[Row] = (
        {"decision": decision.id, **dict(zip(names, row, strict=True))}
        for row in rows.approvers(decision)
    )
    _put(connection, APPROVERS, said)


def _put(connection: Connection, table: Table, new: Iterable[Row]) -> None:
    """Insert rows; one that is there stays as it is."""
    if values := list(new):
        connection.execute(insert_if_absent(table).on_conflict_do_nothing(), values)
