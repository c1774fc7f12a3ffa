"""Processes that are started, remembered in a file, and stopped: those and no others.

The file survives the program that wrote it. So `make down` can stop what `make up`
started, and a guard what a killed test run left. A process is known by its number
*and* the moment it began, since numbers come round again.
"""

import json
import os
import select
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STATE, _STARTED = 0, 19  # fields of /proc/PID/stat after the name: 3 and 22 of proc(5)
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_KILLED_S = 10.0  # what the kernel needs at most to end a process that is killed
GRACE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process that was started, leader of a session and a process group of its own.

    Attributes:
        name: What people call it; unique among the running ones of a ledger.
        pid: Its number, and that of its group.
        began: When, in clock ticks since the machine's start.
        boot: The machine's start.
    """

    name: str
    pid: int
    began: int
    boot: str

    def is_alive(self) -> bool:
        """Tell whether it runs still: it, not another one with the same number."""
        fields = _stat(self.pid)
        return (
            bool(fields)
            and fields[_STATE] not in "ZX"
            and int(fields[_STARTED]) == self.began
            and self.boot == _boot()
        )


class Ledger:
    """The processes of one control plane, or of one stack, in the file at `file`.

    One program at a time writes it. A process is in the file from just after its start
    until it is known to be gone.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def entries(self) -> list[Started]:
        """All that were started and not stopped since, in that order."""
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [Started(**row) for row in rows]

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> Started:
        """Start `command` in the background, out of reach of the terminal's Ctrl-C.

        Args:
            name: Not one of a running entry.
            command: The absolute path of an executable, and its arguments.
            log: The file that both its outputs are appended to, mode 0600.
            environment: All of its environment; that of this process if None.

        Raises:
            OSError: It cannot be started.
        """
        words = [str(word) for word in command]
        pid = os.posix_spawn(
            words[0],
            words,
            os.environ if environment is None else environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), _APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGXFSZ],
        )
        began = int(_stat(pid)[_STARTED])  # ours and not waited for: it is there
        started = Started(name=name, pid=pid, began=began, boot=_boot())
        self._write([*self.entries, started])
        return started

    def alive(self, name: str) -> bool:
        """Tell whether the process called `name` runs."""
        return any(one.is_alive() for one in self.entries if one.name == name)

    def stop(self, name: str, *, grace_s: float = GRACE_S) -> None:
        """Stop the process called `name`, if it runs, and all of its group.

        Args:
            name: Of an entry, or of none.
            grace_s: How long it may take to end by itself after SIGTERM; 0 kills at once.
        """
        for one in self.entries:
            if one.name == name:
                _stop(one, grace_s)
        self._write([one for one in self.entries if one.name != name])

    def stop_all(self, *, grace_s: float = GRACE_S) -> None:
        """Stop all processes, the youngest first."""
        for one in reversed(self.entries):
            self.stop(one.name, grace_s=grace_s)

    def _write(self, entries: Sequence[Started]) -> None:
        beside = self._file.with_name(f"{self._file.name}.new")
        beside.write_text(
            json.dumps([asdict(one) for one in entries], indent=1), "utf-8"
        )
        beside.replace(self._file)


class _Poll(Protocol):
    """What `select.poll` returns, which has no type to name at run time."""

    def poll(self, timeout_ms: float, /) -> list[tuple[int, int]]:
        """Wait until the process ended; return nothing if the time ended first."""


def _stop(one: Started, grace_s: float) -> None:
    with _handle(one.pid) as ended:
        # The handle is open: from here on the number cannot become another process's.
        if ended is not None and one.is_alive():
            if grace_s:
                os.killpg(one.pid, signal.SIGTERM)
                ended.poll(grace_s * 1000)
            with suppress(ProcessLookupError):  # none of the group is left
                os.killpg(one.pid, signal.SIGKILL)
            ended.poll(_KILLED_S * 1000)
    with suppress(ChildProcessError):  # not a child of this process, or reaped
        os.waitpid(one.pid, os.WNOHANG)


@contextmanager
def _handle(pid: int) -> Iterator[_Poll | None]:
    """Give something that can be polled for the end of `pid`, None if there is none."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        yield ended
    finally:
        os.close(descriptor)


def _stat(pid: int) -> list[str]:
    """Return the fields after the name in /proc/PID/stat, none if it is gone."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return line.rpartition(")")[2].split()


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()
