"""Where settings come from: flag > ``COUNTERSIGN_*`` > file > default."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from countersign.config.shared import Group

PREFIX = "COUNTERSIGN_"

S = TypeVar("S", bound=Group)


def load(
    model: type[S],
    *,
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    file: Path | None = None,
) -> S:
    """Merge flags, environment and file over the defaults.

    Args:
        model: Of which process.
        flags: By path, such as ``listen.port``; None: not given.
        environment: ``COUNTERSIGN_LISTEN_PORT`` and the like; other names, with the
            prefix too, belong to other commands and are left alone.
        file: YAML with the fields of `model`.

    Raises:
        ValueError: something is missing, unknown or does not fit; one line for each.
        OSError: `file` cannot be read.
    """
    merged: dict[str, Any] = _read(file) if file else {}
    for path in paths(model):
        name = variable(path)
        if name in environment:
            _put(merged, path, environment[name])
    for path, value in flags.items():
        if value is not None:
            _put(merged, path, value)
    try:
        return model.model_validate(merged)
    except ValidationError as error:
        raise ValueError("\n".join(_lines(error))) from error


def paths(group: type[BaseModel], prefix: str = "") -> list[str]:
    """Return the path of every setting, ``listen.port`` for instance."""
    found = []
    for name, field in group.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Group):
            found += paths(inner, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}")
    return found


def variable(path: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + path.replace(".", "_").upper()


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: expected YAML: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file}: expected a mapping of settings")  # noqa: TRY004
    return content


def _put(merged: dict[str, Any], path: str, value: object) -> None:
    *groups, last = path.split(".")
    for group in groups:
        inner = merged.setdefault(group, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{group}: expected a mapping, saw {inner!r}")  # noqa: TRY004
        merged = inner
    merged[last] = value


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for detail in error.errors(include_url=False):
        path = ".".join(str(step) for step in detail["loc"])
        seen = "" if detail["type"] == "missing" else f", saw {detail['input']!r}"
        lines.append(f"{path} ({variable(path)}): {detail['msg']}{seen}")
    return lines
