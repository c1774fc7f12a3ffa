"""The hooks of a repository on disk, found as git itself finds them."""

import os
import subprocess
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import NamedTemporaryFile

from countersign.adapters.git_command import git, git_line
from countersign.core.errors import Malformed, Unavailable

_REWRITE = "notes.rewriteRef"
_OURS = "countersign.rewriteRef"  # says that the value above is ours to take away
_SHARED = frozenset({"global", "system"})


class GitHooks:
    """The hooks of the repository that holds a path.

    ``core.hooksPath`` is respected; work trees of one repository share their hooks.
    husky's generated folder is left alone: it calls what stands in the folder above.

    Attributes:
        folder: Where git, or husky for it, looks.
        shared: Whether ``core.hooksPath`` holds for more than this repository, or leads
            out of it.
    """

    def __init__(self, path: Path) -> None:
        """Find the hooks.

        Raises:
            Malformed: there is no repository.
            Unavailable: there is no git.
        """
        git(path, "rev-parse", "--git-dir")  # says why not, where there is none
        inside = git_line(path, "rev-parse", "--show-toplevel")
        self._top = Path(inside or git_line(path, "rev-parse", "--absolute-git-dir"))
        common = git_line(self._top, "rev-parse", "--git-common-dir")
        self._common = self._top / common
        # that of a hook: where core.hooksPath is empty, git runs `/commit-msg`
        hook = git_line(self._top, "rev-parse", "--git-path", "hooks/commit-msg")
        folder = (self._top / hook).parent
        husky = folder.name == "_" and (folder / "h").exists()
        self.folder = folder.parent if husky else folder
        scope = git_line(self._top, "config", "--show-scope", "--get", "core.hooksPath")
        self.shared = scope.partition("\t")[0] in _SHARED or not self._within()

    def read(self, name: str) -> bytes | None:
        """Return a file of the folder, None if there is none."""
        file = self.folder / name
        if not os.path.lexists(file):
            return None
        if file.is_symlink() or not file.is_file():
            return b""
        try:
            return file.read_bytes()
        except OSError as error:
            raise Unavailable(f"expected to read {file}, saw {error}") from error

    def write(self, name: str, script: bytes) -> None:
        """Write a program, at once and whole: a commit may be under way."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, delete=False) as file:
                written = Path(file.name)
                try:
                    file.write(script)
                    file.flush()
                    written.chmod(0o755)
                    written.replace(self.folder / name)
                except OSError:
                    written.unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise Unavailable(f"expected to write {name}, saw {error}") from error

    def keep(self, name: str, other: str) -> None:
        """Give a file another name, which nobody has taken meanwhile."""
        file, kept = self.folder / name, self.folder / other
        try:
            os.link(file, kept, follow_symlinks=False)
        except FileExistsError as error:
            raise Malformed(f"expected no {other}, saw one: run it again") from error
        except OSError:  # a file system without links
            self.rename(name, other)

    def rename(self, name: str, other: str) -> None:
        """Rename a file of the folder."""
        try:
            (self.folder / name).replace(self.folder / other)
        except OSError as error:
            raise Unavailable(f"expected to rename {name}, saw {error}") from error

    def remove(self, name: str) -> None:
        """Remove a file of the folder, and the folder with the last."""
        try:
            (self.folder / name).unlink()
        except OSError as error:
            raise Unavailable(f"expected to remove {name}, saw {error}") from error
        with suppress(OSError):  # it is not empty
            self.folder.rmdir()

    def printed(self, script: bytes) -> tuple[str, ...]:
        """Run a program as git would, and return the lines that it prints."""
        try:
            done = subprocess.run(
                ["sh", "-s"],  # noqa: S607 - as in the first line of each hook
                check=False,
                input=script,
                capture_output=True,
            )
        except OSError as error:
            raise Unavailable(f"expected a shell, saw {error}") from error
        return tuple(done.stdout.decode(errors="replace").splitlines())

    def carries(self, notes: str) -> bool:
        """Tell whether git copies the ref `notes` when commits are rewritten."""
        globs = git_line(self._top, "config", "--get-all", _REWRITE).splitlines()
        return any(fnmatchcase(notes, glob) for glob in globs)

    def carry(self, notes: str) -> None:
        """Have git copy the ref `notes`, where it does not yet."""
        if not self.carries(notes):
            git(self._top, "config", self._scope, "--add", _REWRITE, notes)
            git(self._top, "config", self._scope, _OURS, notes)

    def restore(self, leftovers: tuple[str, ...]) -> None:
        """Take back what `carry` configured, and remove what hooks left behind."""
        if notes := git_line(self._top, "config", self._scope, "--get", _OURS):
            value = f"^{notes}$"
            with suppress(Malformed):  # somebody took it away before
                git(self._top, "config", self._scope, "--unset", _REWRITE, value)
            git(self._top, "config", self._scope, "--unset", _OURS)
        for own in (self._common, *self._common.glob("worktrees/*")):
            for name in leftovers:
                (own / name).unlink(missing_ok=True)

    def _within(self) -> bool:
        """Tell whether the folder, links followed, is in the repository."""
        real = self.folder.resolve()
        homes = (self._top, self._common)
        return any(real.is_relative_to(home.resolve()) for home in homes)

    @property
    def _scope(self) -> str:
        return "--global" if self.shared else "--local"
