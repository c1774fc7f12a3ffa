"""The programs that were downloaded or built before, outside the repository.

A slot is an executable with a record beside it that says where it came from. It is
current while its version fits the pins and, if it was built, its recipe still holds.
Slots are replaced by renaming, so that a program that runs is never written to.
"""

import fcntl
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tools.controlplane.programs import Program
from tools.controlplane.progress import Progress
from tools.controlplane.recipe import Recipe, go_mod
from tools.controlplane.supported import Pins, Version

_PARTIAL = ".partial-"


def root(environment: Mapping[str, str]) -> Path:
    """Return the folder of all versions: under ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "countersign" / "controlplane"


def this_platform() -> str:
    """Name the system and processor: a home may be shared by machines that differ."""
    return f"{platform.system()}-{platform.machine()}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where the program beside it came from.

    Attributes:
        origin: How it was had.
        version: Of the program.
        platform: The system and processor that it runs on.
        recipe: Of a build; None for a download.
    """

    origin: Literal["download", "build"]
    version: str
    platform: str
    recipe: Recipe | None = None

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Read a record.

        Raises:
            ValueError: It is none.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            recipe = fields.pop("recipe")
            return cls(**fields, recipe=Recipe(**recipe) if recipe else None)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a record of a cached program") from error

    def render(self) -> str:
        """Return what `parse` reads."""
        return json.dumps(asdict(self), indent=1)


class Cache:
    """The slots for one set of pins."""

    def __init__(self, root: Path, pins: Pins) -> None:
        self.root = root
        self._pins = pins

    def slot(self, program: Program) -> Path:
        """Return where `program` is kept, whether it is there or not."""
        return self.root / program.folder(self._pins) / program.name

    def find(self, program: Program) -> Path | str:
        """Return the executable, or say why there is none that is current."""
        slot = self.slot(program)
        try:
            record = Record.parse(_record_of(slot).read_text("utf-8"))
        except FileNotFoundError:
            return "not there"
        except (OSError, ValueError):
            return "its record is damaged"
        return self._why_not(slot, record, program) or slot

    def _why_not(self, slot: Path, record: Record, program: Program) -> str:
        if not os.access(slot, os.X_OK):
            return "no executable there"
        if record.platform != this_platform():
            return f"made for {record.platform}"
        version = Version.first_in(record.version)
        if version is None or not program.fits(version, self._pins):
            return f"of version {record.version}"
        module = program.module(self._pins)
        if record.recipe is None or module is None:
            return ""
        current = record.recipe.is_current(program, self._pins, go_mod(module))
        return "" if current else "built from other sources or requirements"

    @contextmanager
    def partial(self, program: Program) -> Iterator[Path]:
        """Give a place to write `program` to; what is left there at the end is removed.

        It is in the slot's folder, so that `keep` can rename it. Only inside `locked`.
        """
        folder = self.slot(program).parent
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=folder) as place:
            yield Path(place) / program.name

    def keep(self, program: Program, made: Path, record: Record) -> Path:
        """Move `made` into its slot and return that.

        The record comes second: interrupted in between, the new program is beside the
        old record or none, and so at worst is made again.
        """
        slot = self.slot(program)
        made.chmod(0o755)
        written = made.with_suffix(".json")
        written.write_text(record.render(), encoding="utf-8")
        made.replace(slot)
        written.replace(_record_of(slot))
        return slot

    @contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Let one run at a time fill the cache. The kernel frees it with the process."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.say("another run is preparing the programs: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            for left_by_a_killed_run in self.root.glob(f"*/{_PARTIAL}*"):
                shutil.rmtree(left_by_a_killed_run)
            yield


def _record_of(slot: Path) -> Path:
    return slot.with_name(f"{slot.name}.json")
