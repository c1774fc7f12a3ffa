"""Tables of several minors: read as one, and asked what an older server does not know."""

from itertools import pairwise

import pytest

from countersign.binding.minors import MINORS, unknown_to
from countersign.binding.tables import KINDS, TABLES, TYPES, parse_shape
from countersign.binding.typefiles import TypeTable, patched
from countersign.core.errors import Malformed
from tests.support.trees import Tree
from tools.controlplane import supported
from tools.gen.gotypes import difference


def pod(**spec: object) -> Tree:
    """Return a Pod."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def test_there_is_a_table_of_each_minor_that_is_tested() -> None:
    """What `make test-matrix` starts is what objects are read by."""
    assert supported.minors() == MINORS


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.minor)
def test_no_field_ever_changed_what_it_holds(table: TypeTable) -> None:
    """All tables are read as one: that is right as long as none contradicts another.

    If this fails, a newer table would misread the objects of an older server: then the
    type needs a table for each minor, and readers need to say which server it was.
    """
    for name, fields in table.types.items():
        assert TYPES[name].items() >= {
            (field, parse_shape(text)) for field, text in fields.items()
        }
    for key, described in table.kinds.items():
        kind = KINDS[key]
        assert (kind.type, kind.namespaced, kind.resource, kind.listed) == (
            described["type"],
            described["namespaced"],
            described["resource"],
            described["listed"],
        )
        if kind.status != described["status"]:  # came with the field itself
            assert kind.status
            assert "status" not in table.types[kind.type]


def test_minors_differ_and_each_is_restored_from_the_next() -> None:
    """Else the files would say nothing; a patch is what makes the older of the newer."""
    for newer, older in pairwise(TABLES):
        whole = {"kinds": older.kinds, "types": older.types}
        other = {"kinds": newer.kinds, "types": newer.types}
        patch = difference(other, whole)

        assert patch["types"]
        assert patched(other, patch) == whole


def test_names_the_fields_that_an_older_server_drops() -> None:
    """In lists, maps and structs; at each minor those that it lacks."""
    mount = {"name": "v", "mountPath": "/v", "bindMountOptions": ["noexec"]}
    manifest = pod(
        workloadRef={"name": "w"},
        containers=[{"name": "c", "volumeMounts": [mount]}],
    )
    options = "/spec/containers/0/volumeMounts/0/bindMountOptions"

    assert unknown_to("1.37", manifest) == ("/spec/workloadRef",)
    assert unknown_to("1.36", manifest) == ("/spec/workloadRef", options)
    assert unknown_to("1.35", manifest) == (options,)
    assert unknown_to("1.34", manifest) == ("/spec/workloadRef", options)


def test_names_what_nobody_knows_and_passes_over_what_is_null_or_wrong() -> None:
    """A misspelling is unknown to each; a null says nothing."""
    manifest = pod(container=[], schedulingGroup=None, containers="c")

    assert unknown_to("1.34", manifest) == ("/spec/container",)


def test_looks_into_alternatives() -> None:
    """Below ``items`` of a schema, whichever form it has."""
    definition: Tree = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "versions": [
                {"schema": {"openAPIV3Schema": {"items": [{"tpye": "string"}, {}]}}},
                {"schema": {"openAPIV3Schema": {"additionalProperties": True}}},
                {"schema": {"openAPIV3Schema": {"items": "wrong"}}},
            ]
        },
    }
    where = "/spec/versions/0/schema/openAPIV3Schema/items/0/tpye"

    assert unknown_to("1.37", definition) == (where,)


def test_an_unserved_version_is_unknown_as_a_whole() -> None:
    """1.34 serves no stable version of this kind."""
    policy: Tree = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
    }

    assert unknown_to("1.34", policy) == ("",)
    assert unknown_to("1.36", policy) == ()


@pytest.mark.parametrize(("asked", "answers"), [("1.30", "1.34"), ("1.99", "1.37")])
def test_the_nearest_table_answers_for_other_minors(asked: str, answers: str) -> None:
    """A server that is newer than all tables knows at least what the newest one does."""
    manifest = pod(workloadRef={"name": "w"}, schedulingGroup={})

    assert unknown_to(asked, manifest) == unknown_to(answers, manifest)


def test_refuses_what_is_no_minor() -> None:
    """Instead of answering for another."""
    with pytest.raises(Malformed, match="minor"):
        unknown_to("latest", pod())
