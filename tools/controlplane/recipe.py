"""What a build of a program is made of, and whether one made before is still it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.controlplane.programs import Program
from tools.controlplane.supported import Pins

# `require path version`, alone or as a line of a block; comments follow the version.
_REQUIREMENT = re.compile(r"^\s*(?:require\s+)?(\S+\.\S+)\s+(v\d\S*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that decides what comes out of a build, but for the version of Go.

    Attributes:
        ldflags: The linker's flags.
        sources: The digest of our own sources, empty if there are none.
        modules: The modules that are linked in, path to version.
    """

    ldflags: str
    sources: str
    modules: Mapping[str, str] = field(default_factory=dict)

    def is_current(self, program: Program, pins: Pins, go_mod: str) -> bool:
        """Tell whether a build of `program` now would make the same.

        A requirement of `go_mod` that is not linked into the program does not count,
        and go.sum does not either: it vouches for versions that go.mod has chosen.

        Args:
            program: What the recipe was for.
            pins: Those of now.
            go_mod: The text of the module's go.mod now.
        """
        now = dict(_REQUIREMENT.findall(go_mod))
        unmoved = all(
            now.get(path) == version for path, version in self.modules.items()
        )
        fresh = recipe(program, pins)
        return unmoved and (self.ldflags, self.sources) == (
            fresh.ldflags,
            fresh.sources,
        )


def recipe(program: Program, pins: Pins) -> Recipe:
    """Return the recipe of `program` as the files stand now, its modules not known yet."""
    return Recipe(
        ldflags=program.ldflags(pins), sources=_digest_of_sources(program, pins)
    )


def _digest_of_sources(program: Program, pins: Pins) -> str:
    module = program.module(pins)
    if module is None or not program.package.startswith("./"):
        return ""
    digest = hashlib.sha256()
    for file in sorted((module / program.package).glob("*.go")):
        digest.update(f"{file.name}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def modules_in(build_info: str) -> dict[str, str]:
    """Return the modules that `go version -m` lists, path to version.

    The main module has no version and is left out: its part is `Recipe.sources`.
    """
    rows = (line.split() for line in build_info.splitlines())
    return {row[1]: row[2] for row in rows if row[:1] == ["dep"] and len(row) > 2}  # noqa: PLR2004


def go_mod(module: Path) -> str:
    """Return the text of the go.mod in the folder `module`."""
    return (module / "go.mod").read_text(encoding="utf-8")
