"""Record what the spools hold: take it, keep it, and only then let them forget it.

Whatever fails on the way is tried again from the last position that is recorded: an
entry may be told twice, and is kept once (:meth:`countersign.ports.Intake.add`).
"""

from dataclasses import dataclass

from countersign.ports import Intake, Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What one look at a spool came to.

    Attributes:
        spool: Its id.
        recorded: Entries that were not recorded before.
        missing: Sequences before and between these that nobody told: they went to
            another store, or were lost.
        position: The last sequence recorded.
        lost: How many decisions this spool could not keep, ever.
        more: There is more to take at once.
    """

    spool: str
    recorded: int
    missing: int
    position: int
    lost: int
    more: bool


class SpoolRecorder:
    """Records the spool of one replica.

    Args:
        spool: Of the replica; may be another one after it was started anew.
        archive: Where everything is kept.
    """

    def __init__(self, spool: Spool, archive: Intake) -> None:
        self._spool = spool
        self._archive = archive
        self._told: tuple[str, int, int] | None = None

    async def pull(self) -> Pulled:
        """Record the next entries of the spool, then acknowledge them.

        Raises:
            Unavailable: replica or store did not answer; nothing is acknowledged that
                is not recorded.
            Malformed: the replica answered something else.
        """
        positions = await self._archive.positions()
        batch = await self._spool.read(positions)
        before = positions.get(batch.spool, 0)
        new = [e.sequence for e in batch.entries if e.sequence > before]
        position = max(new, default=before)
        state = (batch.spool, position, batch.lost)
        if new or state != self._told:
            await self._archive.add(batch)
            if position:
                # also what a predecessor of ours recorded and could not acknowledge
                await self._spool.acknowledge(batch.spool, position)
            self._told = state
        return Pulled(
            spool=batch.spool,
            recorded=len(new),
            missing=position - before - len(new),
            position=position,
            lost=batch.lost,
            more=batch.more,
        )
