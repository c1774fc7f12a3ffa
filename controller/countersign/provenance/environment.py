"""What a process can see of the assistant that started it: more of `provenance.agents`.

Only what an assistant sets for the commands that *it* runs: what its editor sets in every
terminal, for people too, says nothing about who commits. The section ``environment``:

``variables``
  Names of variables that it sets, to whatever but an empty or a negative value.
``values``
  Names of variables that others set, too, with the part of the value that is its own.
``processes``
  Names of its program, as the system lists those that a process descends from.
``models``
  Names of variables that say which model it was told to use.

No part of `Registry.digest`: nothing is concluded from these but what a hook writes.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from countersign.core.errors import Malformed

# They become words of a shell script: nothing in them may mean anything to a shell.
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Linux keeps 15 characters of a program's name.
_PROCESS = re.compile(r"[a-z][a-z0-9-]{0,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the commands of one assistant see.

    Attributes:
        agent: Its canonical name.
        variables: Any of them is enough.
        values: Pairs of a variable and a part of its value; any of them is enough.
        processes: The same.
        models: The first one that is set counts.
    """

    agent: str
    variables: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    processes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = (*self.variables, *self.models, *(name for name, _ in self.values))
        for pattern, words in (
            (_VALUE, (self.agent, *(value for _, value in self.values))),
            (_VARIABLE, names),
            (_PROCESS, self.processes),
        ):
            for word in words:
                if not pattern.fullmatch(word):
                    raise Malformed(
                        f"expected {pattern.pattern} in the environment of "
                        f"{self.agent}, saw {word!r}"
                    )


@cache
def known_surroundings() -> tuple[Surroundings, ...]:
    """Return those of all assistants that show themselves, sorted by name."""
    folder = resources.files("countersign.provenance.agents")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    read = [
        (entry.name.removesuffix(".toml"), tomllib.loads(entry.read_text("utf-8")))
        for entry in entries
        if entry.name.endswith(".toml")
    ]
    return tuple(
        _surroundings(name, fields["environment"])
        for name, fields in read
        if "environment" in fields
    )


def _surroundings(agent: str, section: dict[str, Any]) -> Surroundings:
    values = section.pop("values", {})
    return Surroundings(
        agent=agent,
        values=tuple(sorted(values.items())),
        **{key: tuple(words) for key, words in section.items()},
    )
