"""From an object as the server stores it to its spec, or to what is wrong with it."""

import json
from collections.abc import Iterable
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.wire.resources.fields import Strict
from countersign.wire.resources.kinds import API_VERSION, Kind
from countersign.wire.resources.later import not_yet

MAX_PROBLEMS = 16  # named of one object; the rest is counted
_TOP = {"apiVersion", "kind", "metadata", "spec", "status"}
_TAGS = {"word", "list"}  # of our unions: no part of a field's path
_MAX_SEEN = 80  # characters quoted of what was found

Spec = TypeVar("Spec", bound=Strict)


class Invalid(Malformed):
    """An object of ours that does not say what it may.

    Attributes:
        problems: Path, expected, seen; a line each, never empty.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def name_of(tree: Tree) -> str:
    """Return ``metadata.name``, ``""`` where there is none yet."""
    metadata = tree.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def read(tree: Tree, kind: Kind, spec: type[Spec]) -> Spec:
    """Parse the spec of an object.

    Args:
        tree: The whole object. Its metadata and status are the server's business.
        kind: What it must be.
        spec: `kind.spec`, for the type.

    Raises:
        Invalid: another kind or version, an unknown or missing field, a value that
            does not fit, or a field that this version cannot honour.
    """
    problems = [
        f"{field}: expected {wanted}, saw {_quoted(tree.get(field))}"
        for field, wanted in (("apiVersion", API_VERSION), ("kind", kind.name))
        if tree.get(field) != wanted
    ]
    problems += [f"{field}: unknown field" for field in sorted(tree.keys() - _TOP)]
    try:
        # JSON mode: strict about types, and lists are lists
        parsed = spec.model_validate_json(_json(tree.get("spec")))
    except ValidationError as error:
        problems += [_problem(detail) for detail in error.errors()]
        raise Invalid(_bounded(problems)) from error
    problems += not_yet(parsed)
    if problems:
        raise Invalid(_bounded(problems))
    return parsed


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise Invalid((f"spec: expected JSON: {error}",)) from error


def _bounded(problems: list[str]) -> list[str]:
    more = len(problems) - MAX_PROBLEMS
    return problems if more <= 0 else [*problems[:MAX_PROBLEMS], f"and {more} more"]


def _problem(detail: ErrorDetails) -> str:
    path = "spec"
    for step in detail["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in _TAGS:
            path += f".{step}"
    return f"{path}: {_said(detail)}"


def _said(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx") or {}
    seen = _quoted(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            return "unknown field"
        case "missing":
            return "required, and not there"
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            return f"expected {context['expected']}, saw {seen}"
        case "string_pattern_mismatch":
            return f"expected text of the form {context['pattern']}, saw {seen}"
        case _:
            said = detail["msg"].replace("Input should be", "expected", 1)
            return f"{said[:1].lower()}{said[1:]}, saw {seen}"


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return json.dumps(str(value)[:_MAX_SEEN])
