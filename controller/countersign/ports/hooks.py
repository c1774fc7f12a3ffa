"""Where git looks for the hooks of a repository."""

from pathlib import Path
from typing import Protocol


class HookPlace(Protocol):
    """The folder of a repository's hooks, and what its configuration says of notes."""

    @property
    def folder(self) -> Path:
        """Return the folder; it may not be there yet."""
        ...

    @property
    def shared(self) -> bool:
        """Tell whether other repositories use the same folder."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file of the folder, None if there is none.

        What is no plain file reads as empty: it is somebody's, whatever it is.
        """
        ...

    def write(self, name: str, script: bytes) -> None:
        """Write a program, at once and whole.

        Raises:
            Unavailable: the folder cannot be written to.
        """
        ...

    def keep(self, name: str, other: str) -> None:
        """Give a file another name; its first may be gone with that, or not.

        Raises:
            Malformed: there is a file of the other name.
            Unavailable: the folder cannot be written to.
        """
        ...

    def rename(self, name: str, other: str) -> None:
        """Rename a file of the folder; what `other` was is gone.

        Raises:
            Unavailable: the folder cannot be written to.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a file of the folder.

        Raises:
            Unavailable: the folder cannot be written to.
        """
        ...

    def printed(self, script: bytes) -> tuple[str, ...]:
        """Run a program here, and return the lines that it prints.

        Raises:
            Unavailable: there is no shell.
        """
        ...

    def carries(self, notes: str) -> bool:
        """Tell whether git copies the ref `notes` when commits are rewritten."""
        ...

    def carry(self, notes: str) -> None:
        """Have git copy the ref `notes`, where it does not yet.

        Raises:
            Malformed: git refused to write its configuration.
        """
        ...

    def restore(self, leftovers: tuple[str, ...]) -> None:
        """Take back what `carry` configured, and remove what hooks left behind.

        Args:
            leftovers: Names of files in the repository's own folders.

        Raises:
            Malformed: git refused to write its configuration.
        """
        ...
