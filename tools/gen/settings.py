"""The page of settings, and the environment that the chart may set."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from countersign.config import OperateSettings, Settings, paths, variable
from tools.gen import Generator

FILE = "docs/settings.md"
_INTRODUCTION = """\
<!-- Generated from countersign.config by `make gen`. -->

# Settings

How a process runs. What is asked of changes is not here: that is a ProtectionPolicy.

Each setting is taken from its option, else its variable, else the file given with
`--config`, else its default. The option of `listen.port` is `--listen-port`.
"""
_PROCESSES: Mapping[str, type[BaseModel]] = {
    "serve": Settings,
    "operate": OperateSettings,
}


def _field(group: type[BaseModel], path: str) -> FieldInfo:
    *outer, last = path.split(".")
    for name in outer:
        inner = group.model_fields[name].annotation
        assert isinstance(inner, type)  # noqa: S101 - `paths` walked here
        group = inner
    return group.model_fields[last]


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "**required**"
    return f"`{value}`" if value not in (None, ()) else "none"


def _table(model: type[BaseModel]) -> list[str]:
    rows = ["| setting | variable | default | what it is |", "|---|---|---|---|"]
    for path in paths(model):
        field = _field(model, path)
        cells = (f"`{path}`", f"`{variable(path)}`", _default(field))
        rows.append(f"| {' | '.join(cells)} | {field.description} |")
    return rows


def _make() -> Mapping[str, bytes]:
    lines = [_INTRODUCTION]
    for command, model in _PROCESSES.items():
        lines += [f"## `countersign {command}`\n", *_table(model), ""]
    return {FILE: ("\n".join(lines).rstrip() + "\n").encode()}


SETTINGS = Generator(name="settings", owns=FILE, make=_make)
