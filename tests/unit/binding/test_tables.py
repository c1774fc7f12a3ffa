"""The generated type table, and what is read from it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from countersign import binding
from countersign.binding.defaults import DEFAULTS
from countersign.binding.minors import MINORS
from countersign.binding.scalars import SCALARS, ZEROS
from countersign.binding.tables import (
    KINDS,
    TYPES,
    Either,
    Kind,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
    parse_shape,
    shape_of,
    stored,
    supported,
)
from countersign.core.errors import Malformed
from tests.support.trees import tree
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
    assert KINDS["v1/Namespace"] == Kind(
        "core/v1.Namespace",
        namespaced=False,
        status=True,
        resource="namespaces",
        listed=True,
    )
    secret, review = KINDS["v1/Secret"], KINDS["authentication.k8s.io/v1/TokenReview"]
    assert (secret.namespaced, secret.status, secret.listed) == (True, False, True)
    assert (review.namespaced, review.listed) == (False, False)
    assert not KINDS["autoscaling/v1/Scale"].resource
    assert supported(tree("Pod"))
    assert not supported(tree("Pod", "v2"))


def test_lists_what_is_stored_in_its_one_stable_version() -> None:
    """No kind twice, none that is answered only, none that is off by default."""
    found = [(group, kind) for group, _, kind, _ in stored()]

    assert len(found) == len(set(found))
    assert {("", "Pod"), ("autoscaling", "HorizontalPodAutoscaler")} <= set(found)
    assert ("authentication.k8s.io", "TokenReview") not in found


def test_every_type_is_complete() -> None:
    """No struct is named without being there, and no value without a normal form."""
    for fields in TYPES.values():
        for shape in fields.values():
            for below in innermost(shape):
                if isinstance(below, Structure):
                    assert below.type in TYPES
                else:
                    assert below.name in SCALARS
                    assert below.name in ZEROS
    assert DEFAULTS.keys() <= TYPES.keys()


def innermost(shape: Shape) -> Iterator[Scalar | Structure]:
    """Yield what lists, maps and alternatives are made of."""
    match shape:
        case ListOf(item=item) | MapOf(item=item):
            yield from innermost(item)
        case Either(shapes=shapes):
            for each in shapes:
                yield from innermost(each)
        case _:
            yield shape


def test_tells_apart_what_a_field_can_hold() -> None:
    """A schema or a bool, a schema or a list of them."""
    fields = TYPES["apiextensions/v1.JSONSchemaProps"]
    schema = Structure(pointer=False, type="apiextensions/v1.JSONSchemaProps")
    either, items = fields["additionalProperties"], fields["items"]
    value = False
    assert isinstance(either, Either)
    assert isinstance(items, Either)

    assert either.pointer
    assert shape_of({}, either) == shape_of({}, items) == schema
    assert shape_of(value, either) == Scalar(pointer=False, name="bool")
    assert shape_of([], items) == ListOf(pointer=False, item=schema)
    with pytest.raises(Malformed):
        shape_of("true", either)
    with pytest.raises(Malformed):
        shape_of(value, items)


def test_files_are_what_their_names_say() -> None:
    """Their minors and digests, and in the form that the generator writes."""
    found = sorted(DATA.glob("types-*.json"), reverse=True)

    assert [file.name[:10] for file in found] == [f"types-{m}" for m in MINORS]
    for file in found:
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        read = json.loads(content)
        assert file.name == f"types-{read['minor']}-{digest}.json"
        assert render(read) == content
