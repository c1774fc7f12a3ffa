"""Pointers with wildcards: the places they stand for, and no others."""

from typing import Any

import pytest

from countersign.binding.places import fields_of, places_in
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.operators import Field, Operator, Writes

TREE: Any = {
    "metadata": {"annotations": {"a.b/c": "1", "countersign.dev/signed": "2"}},
    "data": {"a": "1", "b/c": "2", "*": "3"},
    "rules": [{"host": "x", "port": 1}, {"port": 2}],
    "deep": [{"a": [1, 2]}, [3]],
}


@pytest.mark.parametrize(
    ("field", "places"),
    [
        ("/data", ["/data"]),
        ("/data/a", ["/data/a"]),
        ("/data/b~1c", ["/data/b~1c"]),
        ("/data/absent", []),
        ("/data/a/below", []),
        ("/data/*", ["/data/a", "/data/b~1c", "/data/*"]),
        ("/rules/1", ["/rules/1"]),
        ("/rules/2", []),
        ("/rules/*/host", ["/rules/0/host"]),
        ("/rules/*/port", ["/rules/0/port", "/rules/1/port"]),
        ("/deep/*/*/*", ["/deep/0/a/0", "/deep/0/a/1"]),
        ("/data/a/*", []),
        ("/metadata/annotations/*", ["/metadata/annotations/a.b~1c"]),
    ],
)
def test_a_field_stands_for_what_is_there(field: str, places: list[str]) -> None:
    """A wildcard for any one token; what it is not written for, for itself."""
    assert [*places_in(TREE, Field(field))] == places


def test_fields_are_of_a_kind() -> None:
    """Group and kind, over all operators, each once and sorted."""

    def operator(*written: tuple[str, str, str]) -> Operator:
        return Operator(
            user="system:serviceaccount:ops:writer",
            writes=tuple(
                Writes(group=group, kind=kind, fields=(Field(path),))
                for group, kind, path in written
            ),
        )

    several = [
        operator(("", "ConfigMap", "/data/b"), ("", "Secret", "/data/c")),
        operator(("", "ConfigMap", "/data/a"), ("", "ConfigMap", "/data/b")),
        operator(("shop.example", "ConfigMap", "/data/d")),
    ]

    assert fields_of(several, GroupKind("", "ConfigMap")) == (
        Field("/data/a"),
        Field("/data/b"),
    )
    assert fields_of(several, GroupKind("apps", "Secret")) == ()
