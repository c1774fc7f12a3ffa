"""Reading what ``-f`` names: files, folders, globs and ``-``."""

import glob
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from countersign.core.errors import Malformed, Unavailable
from countersign.faces.cli.session import NoInput

STDIN = "-"
MAX_FILE = 8 * 1024 * 1024  # bytes; the readers of manifests and bundles take less
_SUFFIXES = frozenset({".json", ".yaml", ".yml"})


def read_inputs(
    names: Sequence[str], *, recursive: bool = False
) -> list[tuple[str, bytes]]:
    """Return name and content of each file, in the order given.

    Folders give their ``.yaml``, ``.yml`` and ``.json`` files, sorted, those of folders
    below them only if `recursive`, as kubectl does. Patterns give what they match,
    sorted.

    Raises:
        NoInput: there is no file.
        Unavailable: one cannot be read.
    """
    found = [pair for name in names for pair in _read(name, recursive=recursive)]
    if not found:
        raise NoInput(f"expected files, saw none in {', '.join(names) or 'nothing'}")
    return found


def is_input(name: str) -> bool:
    """Tell whether `read_inputs` would find something there."""
    return name == STDIN or Path(name).exists() or bool(glob.glob(name))  # noqa: PTH207


def read_file(path: str, limit: int = MAX_FILE) -> bytes:
    """Return the content of a file, or of standard input for ``-``.

    Raises:
        Malformed: it is larger than `limit` bytes.
        Unavailable: it cannot be read.
    """
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(path).open("rb") as stream:
                data = stream.read(limit + 1)
    except OSError as error:
        raise Unavailable(f"could not read {path}: {error.strerror}") from error
    if len(data) > limit:
        raise Malformed(f"{path}: expected at most {limit} bytes, saw more")
    return data


def write_result(out: Path | None, content: bytes) -> None:
    """Write a result to a file, or to standard output.

    Raises:
        Unavailable: it cannot be written.
    """
    if out is None:
        click.echo(content, nl=False)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"could not write {out}: {error.strerror}") from error


def _read(name: str, *, recursive: bool = False) -> Iterator[tuple[str, bytes]]:
    path = Path(name)
    if name == STDIN or path.is_file():
        yield name, read_file(name)
    elif path.is_dir():
        # as kubectl walks: links to folders are not followed
        for file in sorted(path.rglob("*") if recursive else path.iterdir()):
            if file.suffix in _SUFFIXES and file.is_file():
                yield str(file), read_file(str(file))
    elif matches := sorted(glob.glob(name)):  # noqa: PTH207 - absolute patterns too
        for match in matches:
            yield from _read(match, recursive=recursive)
    elif not glob.has_magic(name):
        raise NoInput(f"expected a file or folder, saw no {name}")
