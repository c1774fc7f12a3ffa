"""How many lines of a range are whose, at its end.

A line is as its commit is, or as a record of that commit calls it, whichever is worse.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from countersign.core.types.evidence import Assistance
from countersign.provenance.commits import History
from countersign.provenance.lines import Run, blame
from countersign.provenance.records import Attested


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is claimed of the lines of one commit.

    Attributes:
        whole: Of all of them.
        lines: Of some of them.
    """

    whole: Assistance
    lines: frozenset[Attested]


def count(
    history: History, claimed: Sequence[Claimed]
) -> dict[str, Counter[Assistance]]:
    """Return for each path how many of its lines are in which state.

    Args:
        history: What was replayed; generated files are left out.
        claimed: For each commit of it.
    """
    indexed = [_by_path(each.lines) for each in claimed]
    found: dict[str, Counter[Assistance]] = {}
    for path, runs in blame(history).items():
        counter: Counter[Assistance] = Counter()
        for run in runs:
            if run.commit is not None:
                records = indexed[run.commit].get(run.path, ())
                counter.update(_states(run, claimed[run.commit].whole, records))
        if counter.total() and path not in history.generated:
            found[path] = counter
    return found


def _by_path(lines: frozenset[Attested]) -> Mapping[str, list[Attested]]:
    found: dict[str, list[Attested]] = defaultdict(list)
    for line in sorted(lines):
        found[line.path].append(line)
    return found


def _states(
    run: Run, whole: Assistance, records: Sequence[Attested]
) -> Counter[Assistance]:
    """Return the states of a run's lines: the worse of the two claims for each."""
    end = run.start + run.count
    near = [one for one in records if one.start < end and one.end >= run.start]
    if not near or whole is Assistance.AI:
        return Counter({whole: run.count})
    # between two neighbouring edges of records nothing changes
    edges = {run.start, end}
    edges |= {edge for one in near for edge in (one.start, one.end + 1)}
    inner = sorted(edge for edge in edges if run.start <= edge <= end)
    counter: Counter[Assistance] = Counter()
    for start, stop in pairwise(inner):
        here = (one.claims for one in near if one.start <= start <= one.end)
        counter[max(whole, *here, whole)] += stop - start
    return counter
