"""Files that are computed from other sources and kept in the repository.

``python -m tools.gen`` writes them, ``python -m tools.gen --check`` tells whether they
are up to date. To add a family of files, write a module with a :class:`Generator` and
name it in `GENERATORS` of ``tools/gen/__main__.py``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Generator:
    """A family of generated files.

    Attributes:
        name: For messages.
        owns: Glob, relative to the repository, of every file of the family: what
            matches and is no longer made is removed.
        make: Returns the present content by path relative to the repository.
    """

    name: str
    owns: str
    make: Callable[[], Mapping[str, bytes]]
