"""Large repositories: a range of ten thousand commits is read in seconds."""

import time
from collections.abc import Iterator
from pathlib import Path

from countersign.adapters.git import MAX_COMMITS, GitRepository
from countersign.core.types.evidence import Lines
from countersign.provenance.derive import derive
from countersign.provenance.registry import known_agents
from tests.support.git import GitFolder

FILES = 500
LINES = 20
PATIENCE_S = 30  # of the processor; it takes about four on a machine of today


def stream(commits: int) -> Iterator[bytes]:
    """Yield a history for ``git fast-import``: each commit writes a file anew.

    Every third is an assistant's.
    """
    for number in range(1, commits + 1):
        mark = "\n\nCo-authored-by: Claude <noreply@anthropic.com>\n"
        message = f"Change {number}{mark if number % 3 == 0 else ''}".encode()
        text = "".join(f"{line} of {number}\n" for line in range(LINES)).encode()
        path = f"src/d{number % 50}/f{number % FILES}.go".encode()
        yield b"commit refs/heads/main\ncommitter Dev <dev@example.com> "
        yield b"%d +0000\n" % (1_700_000_000 + number)
        yield b"data %d\n%s\n" % (len(message), message)
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(text), text)


def test_ten_thousand_commits_take_seconds(tmp_path: Path) -> None:
    """All of them read, judged, and every line of the end traced to its commit."""
    folder = GitFolder.init(tmp_path)
    folder.git("fast-import", "--quiet", stdin=b"".join(stream(MAX_COMMITS)))
    began = time.process_time()

    found = derive(GitRepository(tmp_path).history("main"), known_agents())

    assert time.process_time() - began < PATIENCE_S
    assert len(found.commits) == MAX_COMMITS
    assert found.marked == MAX_COMMITS // 3
    last = range(MAX_COMMITS - FILES + 1, MAX_COMMITS + 1)
    assisted = LINES * sum(number % 3 == 0 for number in last)
    assert found.lines == Lines(ai=assisted, unknown=FILES * LINES - assisted)
