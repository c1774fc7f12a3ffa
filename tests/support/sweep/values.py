"""Plausible values for any field: by its name, by its enum, by its type."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from countersign.binding.tables import (
    TYPES,
    Either,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
)
from tests.support.sweep.schemas import Schemas

_FILE = Path(__file__).with_name("values.yaml")
_DEPTH = 6  # of required structs in required structs

ZEROS: Mapping[str, Any] = {
    "any": {},
    "bool": False,
    "bytes": "",
    "duration": "0s",
    "float": 0,
    "int": 0,
    "intOrString": 0,
    "milliQuantity": "0",
    "quantity": "0",
    "string": "",
}


@dataclass(frozen=True, slots=True)
class Values:
    """What to try.

    Attributes:
        schemas: Of the server.
        fields: Values by ``TYPE.FIELD``, or by ``.FIELD`` for all types.
        types: One value of a type that its required fields alone do not make valid.
        beside: What must stand beside ``TYPE.FIELD``; null: must not.
        scalars: Values by the name of a scalar.
    """

    schemas: Schemas
    fields: Mapping[str, list[Any]]
    types: Mapping[str, Any]
    beside: Mapping[str, Mapping[str, Any]]
    scalars: Mapping[str, list[Any]]

    @classmethod
    def read(cls, schemas: Schemas) -> Self:
        """Return those of the file beside this module, with the server's enums."""
        return cls(schemas, **yaml.safe_load(_FILE.read_text()))

    def zeros(self, shape: Shape) -> Iterator[Any]:
        """Yield what says nothing: Go's zero, the empty, a map of a null."""
        match shape:
            case Scalar(name=name):
                yield from ([ZEROS[name]] if name in ZEROS else [])
            case Structure():
                yield {}
            case ListOf():
                yield []
            case MapOf():
                yield {}
                yield {"added": None}
            case Either(shapes=shapes):
                for each in shapes:
                    yield from self.zeros(each)

    def plausible(
        self, owner: str, field: str, shape: Shape, depth: int = _DEPTH
    ) -> Iterator[Any]:
        """Yield values that say something."""
        key = f"{owner}.{field}"
        named = self.fields.get(key, self.fields.get(f".{field}"))
        if named is not None:
            yield from named
            return
        match shape:
            case Scalar(name=name):
                yield from self.schemas.enums.get(key, self.scalars.get(name, ()))
            case Either(shapes=shapes):
                for each in shapes:
                    yield from self.plausible(owner, field, each, depth)
            case Structure(type=type_name):
                yield self.least(type_name, depth)
            case ListOf(item=item):
                for value in self.plausible(owner, f"{field}[]", item, depth):
                    yield [value]
            case MapOf(item=item):
                for value in self.plausible(owner, f"{field}[]", item, depth):
                    yield {"added": value}

    def least(self, type_name: str, depth: int = _DEPTH) -> Any:
        """Return a struct with what must be in it."""
        if type_name in self.types:
            return self.types[type_name]
        fields = TYPES[type_name]
        return {
            name: value
            for name in self.schemas.required.get(type_name, ())
            if name in fields and depth
            for value in list(self.plausible(type_name, name, fields[name], depth - 1))[
                :1
            ]
        }
