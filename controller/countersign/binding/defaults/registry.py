"""Where the defaulting functions of all API groups meet."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from countersign.binding.tables import TYPES
from countersign.binding.tree import Struct
from countersign.core.errors import Misconfigured

Default: TypeAlias = Callable[[Struct], None]

_REGISTERED: dict[str, Default] = {}
DEFAULTS: Mapping[str, Default] = _REGISTERED
"""By Go type: a function that fills in, in place, what is absent in a normal form."""


def default_of(*types: str) -> Callable[[Default], Default]:
    """Register a defaulting function for one or several Go types.

    Raises:
        Misconfigured: no supported kind reaches the type: the rule would be dead.
    """

    def register(function: Default) -> Default:
        for name in types:
            if name not in TYPES or name in _REGISTERED:
                raise Misconfigured(f"{name}: expected a type of the table, once")
            _REGISTERED[name] = function
        return function

    return register


def scalars_of(type_name: str, **values: str | int | bool) -> None:
    """Register a type whose absent fields get fixed scalars."""

    @default_of(type_name)
    def fill(form: Struct) -> None:
        for field, value in values.items():
            form.setdefault(field, value)
