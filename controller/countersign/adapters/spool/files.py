"""The small files of a spool's folder, and writes that are whole or raise OSError."""

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path

from countersign.core.errors import Misconfigured

_ID_DIGITS = 32


def hold(path: Path) -> int:
    """Lock a file for this process, until the descriptor is closed.

    Raises:
        Misconfigured: another process holds it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise Misconfigured(
            f"expected a spool folder of this process alone, saw {path.parent} in use "
            "by another; give each replica its own"
        ) from error
    return fd


def spool_id(path: Path) -> str:
    """Return the id of the spool in a folder, made if it has none."""
    with suppress(FileNotFoundError):
        known = (path / "id").read_text().strip()
        if len(known) == _ID_DIGITS and not known.strip("0123456789abcdef"):
            return known
    made = secrets.token_hex(_ID_DIGITS // 2)
    _replace(path / "id", f"{made}\n".encode())
    return made


def read_count(path: Path) -> int:
    """Return a number that is kept in a file, 0 without one."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _replace(path: Path, content: bytes) -> None:
    """Write a file that is either the old or the new one, whatever happens."""
    made = path.with_suffix(".new")
    with made.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
    sync_folder(path.parent)


def overwrite(path: Path, content: bytes) -> None:
    """Write a file in its place, which a full disk lets happen too."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, content, 0)
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`."""
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
