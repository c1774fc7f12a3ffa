"""A process that keeps decisions until it is killed: ``python -m tests.support.keeping``.

It prints the number of each one that it was told is kept, and counts the rest.
"""

import asyncio
import os
import resource
import sys
from pathlib import Path

from countersign.adapters.spool.journal import SpoolJournal
from tests.support.decisions import denied


async def keep(folder: Path, first: int, count: int) -> None:
    """Keep `count` decisions from number `first` on, four at a time."""
    journal = SpoolJournal(folder, limit=256 << 20)
    refused = 0
    for start in range(first, first + count, 4):
        numbers = range(start, min(start + 4, first + count))
        kept = await asyncio.gather(*(journal.keep(denied(n)) for n in numbers))
        for number, done in zip(numbers, kept, strict=True):
            refused += not done
            if done:
                print(number, flush=True)  # noqa: T201 - that is its answer
    journal.close()
    print(f"refused {refused}", flush=True)  # noqa: T201 - the same


if __name__ == "__main__":
    _folder, _first, _count, _limit, _user = sys.argv[1:]
    if int(_limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(_limit), int(_limit)))
    if int(_user) and os.geteuid() == 0:  # root may write everywhere
        os.setuid(int(_user))
    asyncio.run(keep(Path(_folder), int(_first), int(_count)))
