"""What is stopped, and what is left alone."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.controlplane.processes import Ledger, Started

_SHELL = "/bin/sh"
_ENDED_S = 30
_CHECKOUT = Path(__file__).parents[4]


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "processes.json")
    yield ledger
    ledger.stop_all(grace_s=0)


def start(ledger: Ledger, folder: Path, script: str, *, name: str = "one") -> Started:
    """Start a shell that runs `script`; return when that has opened the pipe ``ready``."""
    ready = folder / "ready"
    if not ready.exists():
        os.mkfifo(ready)
    started = ledger.start(
        name,
        [_SHELL, "-c", script],
        log=folder / f"{name}.log",
        environment={"PATH": os.environ["PATH"], "ready": str(ready)},
    )
    ready.read_text()
    return started


SLEEP = 'echo > "$ready"; exec sleep infinity'


def test_stops_what_it_started(ledger: Ledger, tmp_path: Path) -> None:
    """And knows before and after whether that runs."""
    started = start(ledger, tmp_path, SLEEP)

    assert started.is_alive()
    assert ledger.alive("one")

    ledger.stop("one")

    assert not started.is_alive()
    assert not ledger.alive("one")
    assert ledger.entries == []


def test_gives_time_to_end_in_order(ledger: Ledger, tmp_path: Path) -> None:
    """SIGTERM comes first."""
    script = """trap 'echo ended in order; exit' TERM; echo > "$ready"; while :; do wait; done"""
    start(ledger, tmp_path, script)

    ledger.stop("one")

    assert (tmp_path / "one.log").read_text() == "ended in order\n"


def test_kills_what_does_not_end(ledger: Ledger, tmp_path: Path) -> None:
    """A server that hangs must not outlive its test."""
    started = start(ledger, tmp_path, f"trap '' TERM; {SLEEP}")

    ledger.stop("one", grace_s=0.05)

    assert not started.is_alive()


def test_stops_the_children_too(ledger: Ledger, tmp_path: Path) -> None:
    """They are of the same process group; one that will not end is killed."""
    script = """(trap '' TERM; echo > "$ready.child"; exec sleep infinity) &
    echo $! > "$ready.pid"; read _ < "$ready.child"; echo > "$ready"; wait"""
    os.mkfifo(tmp_path / "ready.child")  # the child says when it is deaf to SIGTERM
    start(ledger, tmp_path, script)
    child = int((tmp_path / "ready.pid").read_text())
    descriptor = os.pidfd_open(child)

    ledger.stop("one")

    ended, _, _ = select.select([descriptor], [], [], _ENDED_S)
    os.close(descriptor)
    assert ended


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"began": 1}, id="another process with the same number"),
        pytest.param({"boot": "before"}, id="before the machine was started again"),
    ],
)
def test_leaves_alone_what_it_did_not_start(
    ledger: Ledger, tmp_path: Path, other: dict[str, object]
) -> None:
    """Numbers of processes come round again."""
    started = start(ledger, tmp_path, SLEEP)
    file = tmp_path / "processes.json"
    mine = file.read_text()
    (entry,) = json.loads(mine)
    file.write_text(json.dumps([{**entry, **other}]))

    ledger.stop_all()

    assert started.is_alive()
    file.write_text(mine)  # for the fixture to stop it


def test_stops_nothing_when_the_record_is_damaged(tmp_path: Path) -> None:
    """It says so, and leaves the record to be looked at."""
    file = tmp_path / "processes.json"
    file.write_text("[{")

    with pytest.raises(ValueError, match="Expecting"):
        Ledger(file).stop_all()

    assert file.read_text() == "[{"


def test_another_program_can_stop_them(ledger: Ledger, tmp_path: Path) -> None:
    """The file is all it needs: so does `make down`."""
    started = start(ledger, tmp_path, SLEEP)
    program = (
        "import sys; from pathlib import Path;"
        "from tools.controlplane.processes import Ledger;"
        "Ledger(Path(sys.argv[1])).stop_all()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "processes.json")]

    subprocess.run(command, check=True, cwd=_CHECKOUT)

    assert not started.is_alive()


def test_an_ended_process_is_not_alive(ledger: Ledger, tmp_path: Path) -> None:
    """Not even while nobody has asked for its exit code."""
    started = start(ledger, tmp_path, 'echo > "$ready"')
    descriptor = os.pidfd_open(started.pid)
    select.select([descriptor], [], [], _ENDED_S)
    os.close(descriptor)

    assert not started.is_alive()
    assert [one.name for one in ledger.entries] == ["one"]


def test_stops_all_the_youngest_first(ledger: Ledger, tmp_path: Path) -> None:
    """An API server must not see its etcd go."""
    farewell = """trap 'echo {} >> "$ready.log"; exit' TERM; echo > "$ready"; while :; do wait; done"""
    for name in ("etcd", "apiserver"):
        start(ledger, tmp_path, farewell.format(name), name=name)

    ledger.stop_all()

    assert (tmp_path / "ready.log").read_text() == "apiserver\netcd\n"


def test_a_program_that_is_not_there_is_an_error(
    ledger: Ledger, tmp_path: Path
) -> None:
    """At once, and without an entry."""
    with pytest.raises(FileNotFoundError):
        ledger.start("none", [tmp_path / "none"], log=tmp_path / "log")

    assert ledger.entries == []


_OWNER = """
import shutil, signal, sys
from pathlib import Path
from tools.controlplane.guard import Guard
from tools.controlplane.processes import Ledger
folder = Path(sys.argv[1])
guard = Guard(folder, folder / "processes.json")
one = Ledger(folder / "processes.json").start("one", [shutil.which('sleep'), "infinity"], log=folder / "log")
print(guard._pid, one.pid, flush=True)
signal.pause()
"""


def test_the_guard_cleans_up_after_a_killed_owner(tmp_path: Path) -> None:
    """SIGKILL leaves the owner no time for anything."""
    folder = tmp_path / "plane"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(folder)],
        cwd=_CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        (started,) = Ledger(folder / "processes.json").entries
        ends = [os.pidfd_open(pid) for pid in pids]
        owner.send_signal(signal.SIGKILL)

    for end in ends:
        assert select.select([end], [], [], _ENDED_S)[0]
        os.close(end)
    assert not started.is_alive()
    assert not folder.exists()
