"""What two definitions have in common is not walked, and what differs always is."""

import copy
from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.defaults import DEFAULTS
from countersign.binding.match import match
from countersign.binding.normal_form import normal_form
from countersign.binding.shared import without_shared
from countersign.binding.tables import TYPES
from countersign.binding.tree import find, put
from countersign.core.types.artifacts import Difference
from tests.support.trees import ref

Tree = dict[str, Any]

SCHEMA = "/spec/versions/0/schema/openAPIV3Schema"


def definition() -> Tree:
    """Return a definition with free JSON in its schema."""
    spec = {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "default": 1, "enum": [1, 2]},
            "on": {"type": "boolean", "default": True},
        },
    }
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [version],
        },
    }


def differences(observed: Tree) -> tuple[Difference, ...]:
    """Compare what was signed with an object."""
    return match(canonical(definition()).tree, observed, identity=ref(observed))


def test_is_left_out_of_both() -> None:
    """And of nothing else, and the objects stay as they were."""
    one, other = definition(), normal_form(definition())
    before = copy.deepcopy(one)

    ours, theirs = without_shared(one, other)

    assert "schema" not in find(ours, "/spec/versions/0")
    assert "schema" not in find(theirs, "/spec/versions/0")
    assert one == before
    assert differences(other) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/properties/spec/properties/size/default", True, id="true for 1"),
        pytest.param("/properties/spec/properties/on/default", 1, id="1 for true"),
        pytest.param("/properties/spec/properties/size/default", 2, id="another"),
        pytest.param("/properties/spec/nullable", True, id="one more"),
        pytest.param("/properties/spec/properties/size/enum", [True, 2], id="listed"),
    ],
)
def test_a_difference_is_found_below(path: str, value: Any) -> None:
    """Python holds true for 1; JSON does not."""
    observed = normal_form(definition())
    put(observed, SCHEMA + path, value)

    assert [one.path for one in differences(observed)]


def test_versions_are_compared_by_place() -> None:
    """One version more is one version more."""
    observed = normal_form(definition())
    observed["spec"]["versions"].append(copy.deepcopy(observed["spec"]["versions"][0]))

    assert differences(observed)


def test_another_spelling_is_still_equal() -> None:
    """1.0 is 1: the bytes say no, the walk says yes."""
    observed = normal_form(definition())
    put(observed, f"{SCHEMA}/properties/spec/properties/size/default", 1.0)

    assert differences(observed) == ()


def test_no_default_is_filled_in_below_a_schema() -> None:
    """Else equal bytes would not be equal forms."""
    reached, rest = set[str](), ["apiextensions/v1.CustomResourceValidation"]
    while rest:
        name = rest.pop()
        reached.add(name)
        texts = " ".join(map(str, TYPES[name].values()))
        rest += [one for one in TYPES if f"'{one}'" in texts and one not in reached]

    assert "apiextensions/v1.JSONSchemaProps" in reached
    assert reached.isdisjoint(DEFAULTS)
