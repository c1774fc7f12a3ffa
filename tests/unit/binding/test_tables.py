"""The generated type table, and what is read from it."""

import hashlib
import json
from pathlib import Path

import pytest

from countersign import binding
from countersign.binding.defaults import DEFAULTS
from countersign.binding.scalars import SCALARS
from countersign.binding.tables import (
    KINDS,
    MINOR,
    TYPES,
    Kind,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
    parse_shape,
    supported,
)
from tests.support.trees import tree
from tools.gen.gotypes import KINDS as GENERATED
from tools.gen.gotypes import render

DATA = Path(binding.__file__).parent / "data"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("int", Scalar(pointer=False, name="int")),
        ("*bool", Scalar(pointer=True, name="bool")),
        ("core/v1.Pod", Structure(pointer=False, type="core/v1.Pod")),
        (
            "[]core/v1.Volume",
            ListOf(pointer=False, item=Structure(pointer=False, type="core/v1.Volume")),
        ),
        (
            "*map[string][]string",
            MapOf(
                pointer=True,
                item=ListOf(pointer=False, item=Scalar(pointer=False, name="string")),
            ),
        ),
    ],
)
def test_reads_shapes_as_go_writes_them(text: str, shape: Shape) -> None:
    """A pointer, a list, a map, a struct, a value."""
    assert parse_shape(text) == shape


def test_knows_what_the_server_knows_about_kinds() -> None:
    """Spot checks; discovery of the real server checks them all."""
    assert set(KINDS) == set(GENERATED)
    assert KINDS["v1/Namespace"] == Kind(
        "core/v1.Namespace", namespaced=False, status=True
    )
    assert KINDS["v1/Secret"] == Kind("core/v1.Secret", namespaced=True, status=False)
    assert supported(tree("Pod"))
    assert not supported(tree("Pod", "v2"))


def test_every_type_is_complete() -> None:
    """No struct is named without being there, and no value without a normal form."""
    for fields in TYPES.values():
        for shape in fields.values():
            below = shape
            while isinstance(below, ListOf | MapOf):
                below = below.item
            if isinstance(below, Structure):
                assert below.type in TYPES
            else:
                assert below.name in SCALARS
    assert DEFAULTS.keys() <= TYPES.keys()


def test_the_file_is_what_its_name_says() -> None:
    """Its minor and its digest, and in the form that the generator writes."""
    (file,) = DATA.glob("types-*.json")
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]

    assert file.name == f"types-{MINOR}-{digest}.json"
    assert render(json.loads(content)) == content
