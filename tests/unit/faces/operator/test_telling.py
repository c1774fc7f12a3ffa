"""Events: each once, and of the newest as well."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from countersign.adapters.cluster.events import Events
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.decision import Recorded
from countersign.faces.operator.telling import MAX_REMINDED, Teller
from countersign.usecases.debts import Debts
from tests.support.owed import broken_glass

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Noon:
    """A present that stands still."""

    def now(self) -> datetime:
        """Return it."""
        return NOON


class FakeServer:
    """Keeps what it is given, unless it is away."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.away = False

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Know nothing."""
        del query
        raise Unavailable(path)

    async def create(self, path: str, tree: Tree) -> Tree:
        """Keep it."""
        if self.away:
            raise Unavailable(path)
        self.notes.append(str(tree["note"]))
        return tree


def owed(minutes: int) -> Recorded:
    """Return what is owed since so many minutes before noon."""
    made = broken_glass(NOON - timedelta(minutes=minutes))
    decision = replace(made, id=f"{minutes:026d}")
    return Recorded(
        decision=decision,
        first=decision.at,
        last=decision.at,
        count=1,
        requesters=(decision.requester.name,),
    )


async def test_who_owes_hundreds_hears_of_the_next_one() -> None:
    """A bounded number at each look. Fault seen caught: always the same hundred."""
    server = FakeServer()
    teller = Teller(Events(server, "operate"), Noon())
    debts = Debts(open=tuple(map(owed, range(MAX_REMINDED + 10))))

    await teller.owed(debts)
    first = len(server.notes)
    await teller.owed(debts)
    await teller.owed(debts)

    assert first == MAX_REMINDED
    assert len(server.notes) == len({*server.notes}) == MAX_REMINDED + 10
    assert f"{0:026d}" in server.notes[-1]


async def test_what_could_not_be_told_is_told_later() -> None:
    """A server that is away is not asked for ever in one look."""
    server = FakeServer()
    teller = Teller(Events(server, "operate"), Noon())
    debts = Debts(open=(owed(1),))

    server.away = True
    await teller.owed(debts)
    server.away = False
    await teller.owed(debts)
    await teller.owed(debts)

    assert len(server.notes) == 1
