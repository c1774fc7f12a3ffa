"""Custom resources: what their definitions say, and what holds without any."""

import copy
from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.custom.definition import compile_definition
from countersign.binding.custom.schema import compile_schema
from countersign.binding.custom.versions import converted_from
from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.binding.match import match, same, state_digest
from countersign.binding.tree import ABSENT, find
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Difference, GroupKind
from countersign.core.types.doors import Doors
from tests.support.trees import having, ref, tree

Tree = dict[str, Any]

WIDGET = GroupKind("shop.example", "Widget")
SPEC: Tree = {
    "size": {"type": "integer", "default": 1},
    "note": {"type": "string", "nullable": True},
    "colour": {"type": "string"},
    "free": {"x-kubernetes-preserve-unknown-fields": True},
    "parts": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "count": {"type": "integer", "default": 2},
                "label": {"type": "string"},
            },
        },
    },
    "sizes": {
        "type": "object",
        "additionalProperties": {"type": "number", "default": 3},
    },
    "pod": {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True,
    },
}


def version(name: str = "v1", **fields: Any) -> Tree:
    """Return one version of the definition."""
    spec = {"type": "object", "properties": SPEC | fields.pop("spec", {})}
    schema = {"type": "object", "properties": {"spec": spec}}
    return {
        "name": name,
        "served": True,
        "storage": name == "v1",
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        **fields,
    }


def definition(*versions: Tree, **fields: Any) -> Tree:
    """Return a definition as the server shows it."""
    names = {"kind": "Widget", "plural": "widgets"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": names,
            "versions": [*versions] or [version()],
            **fields,
        },
        "status": {"acceptedNames": names, "storedVersions": ["v1"]},
    }


def kinds(*versions: Tree, **fields: Any) -> Kinds:
    """Return the kinds of a cluster that has the definition."""
    return Kinds(compile_definition(definition(*versions, **fields)))


def widget(api: str = "v1", **spec: Any) -> Tree:
    """Return a custom resource."""
    return tree("Widget", f"shop.example/{api}", spec=spec)


def differences(
    signed: Tree, seen: Tree, known: Kinds | None = None
) -> tuple[Difference, ...]:
    """Compare an object with what was signed."""
    facts = ClusterFacts(kinds=known or kinds())
    return match(canonical(signed).tree, seen, identity=ref(seen), facts=facts)


@pytest.mark.parametrize(
    ("signed", "seen"),
    [
        pytest.param({}, {"size": 1}, id="default"),
        pytest.param({"size": None}, {"size": 1}, id="null for a default"),
        pytest.param({"colour": None}, {"size": 1}, id="null for nothing"),
        pytest.param({"note": None}, {"size": 1, "note": None}, id="null, allowed"),
        pytest.param({"stray": None}, {"size": 1}, id="null, unknown"),
        pytest.param({"size": 1.0}, {"size": 1}, id="1.0"),
        pytest.param(
            {"parts": [{}, {"count": None}]},
            {"size": 1, "parts": [{"count": 2}, {"count": 2}]},
            id="default in a list",
        ),
        pytest.param(
            {"note": None, "parts": [{"label": None}]},
            {"size": 1, "note": None, "parts": [{"count": 2}]},
            id="null in a list",
        ),
        pytest.param(
            {"sizes": {"a": None}},
            {"size": 1, "sizes": {"a": 3}},
            id="null in a map",
        ),
        pytest.param(
            {"pod": {"kind": "P", "metadata": {"creationTimestamp": None}, "x": None}},
            {"size": 1, "pod": {"kind": "P", "metadata": {}, "x": None}},
            id="embedded",
        ),
    ],
)
def test_equals_what_the_server_makes_of_it(signed: Tree, seen: Tree) -> None:
    """On both sides alike."""
    assert differences(widget(**signed), widget(**seen)) == ()


@pytest.mark.parametrize(
    ("signed", "seen", "path"),
    [
        pytest.param({}, {"size": 2}, "/spec/size", id="no default"),
        pytest.param({"stray": 1}, {"size": 1}, "/spec/stray", id="dropped"),
        pytest.param({}, {"size": 1, "note": None}, "/spec/note", id="null, allowed"),
        pytest.param({"free": 1}, {"size": 1, "free": True}, "/spec/free", id="true"),
        pytest.param({"free": {}}, {"size": 1}, "/spec/free", id="empty"),
        pytest.param(
            {"free": {}}, {"size": 1, "free": {"a": None}}, "/spec/free/a", id="null"
        ),
        pytest.param({"free": 80}, {"size": 1, "free": "80"}, "/spec/free", id="text"),
    ],
)
def test_differs_from_all_else(signed: Tree, seen: Tree, path: str) -> None:
    """In free JSON even null and empty count."""
    (found,) = differences(widget(**signed), widget(**seen))

    assert found.path == path


@pytest.mark.parametrize("subresource", [True, False])
def test_status_is_a_field_where_it_is_no_subresource(subresource: bool) -> None:  # noqa: FBT001
    """There the server stores what is written."""
    known = kinds(version(subresources={"status": {}} if subresource else {}))
    seen = {**widget(size=1), "status": {"ready": True}}

    found = differences(widget(), seen, known)

    assert bool(found) is not subresource


def test_a_definition_of_old_drops_nothing() -> None:
    """Nor a null."""
    known = kinds(preserveUnknownFields=True)
    seen = widget(size=1, stray=1, colour=None)

    assert differences(widget(stray=1, colour=None), seen, known) == ()
    assert differences(widget(stray=1), seen, known)


def test_an_intent_needs_no_definition() -> None:
    """And is the same whatever a cluster says."""
    signed = canonical(widget(stray=None, free={"a": 1}), kinds=kinds())

    assert signed == canonical(widget(stray=None, free={"a": 1}))
    assert signed.tree["spec"] == {"stray": None, "free": {"a": 1}}


def test_where_it_lives_is_known_or_assumed() -> None:
    """By its definition; else a namespace that is given is meant."""
    placeless = having(widget(), "/metadata", {"name": "it"})
    cluster = kinds(scope="Cluster")

    def place(**given: Any) -> Any:
        return find(canonical(placeless, **given).tree, "/metadata/namespace")

    assert place() is ABSENT
    assert place(namespace="here") == "here"
    assert place(namespace="here", kinds=cluster) is ABSENT
    with pytest.raises(Malformed, match="expected a namespace"):
        canonical(placeless, kinds=kinds())
    assert (
        find(canonical(widget(), kinds=cluster).tree, "/metadata/namespace") is ABSENT
    )


def test_what_no_definition_serves_is_not_known() -> None:
    """Nor is a kind of a built-in group, whatever a definition says."""
    assert not BUILT_IN.known(widget())
    assert not kinds().known(widget("v2"))
    for group in ("apps", "networking.k8s.io"):
        known = kinds(group=group)
        assert not known.known(tree("Widget", f"{group}/v1"))
    with pytest.raises(Malformed, match="unsupported kind"):
        canonical(tree("Widget", "apps/v1"))


def test_names_that_were_not_accepted_serve_nothing() -> None:
    """Another definition has them."""
    refused = definition()
    refused["status"]["acceptedNames"] = {"kind": "", "plural": ""}

    assert compile_definition(refused) == ()


def test_versions_that_hold_the_same_may_be_written_in_any() -> None:
    """What people read of a field does not matter."""
    said = {"colour": {"type": "string", "description": "of the rainbow"}}
    alike = kinds(version(), version("v2", spec=said))
    apart = kinds(version(), version("v2", spec={"more": {"type": "string"}}))
    typed = kinds(
        version(spec={"free": {"default": 1, **SPEC["free"]}}),
        version("v2", spec={"free": {"default": True, **SPEC["free"]}}),
    )

    assert converted_from(widget("v2"), alike, Doors()) == ""
    assert converted_from(widget("v1"), apart, Doors()) == ""
    assert converted_from(widget("v2"), apart, Doors()) == "shop.example/v1"
    assert converted_from(widget("v2"), typed, Doors()) == "shop.example/v1"


def test_a_webhook_that_converts_is_trusted_by_name() -> None:
    """In no version is it believed otherwise."""
    known = kinds(version(), version("v2"), conversion={"strategy": "Webhook"})
    trusting = Doors(conversions=frozenset({WIDGET}))

    for api in ("v1", "v2"):
        assert converted_from(widget(api), known, Doors()) == "shop.example/v1"
        assert converted_from(widget(api), known, trusting) == ""


def test_an_intent_of_another_version_equals_nothing() -> None:
    """Though both hold the same."""
    known = kinds(version(), version("v2"))

    (found,) = differences(widget("v2"), widget("v1", size=1), known)

    assert found.path == "/apiVersion"


def test_the_state_follows_the_definition() -> None:
    """A default that is spelled out is the same state, until the default changes."""
    silent, spelled = widget(), widget(size=1)
    other = kinds(version(spec={"size": {"type": "integer", "default": 3}}))

    assert same(silent, spelled, kinds())
    assert not same(silent, spelled, other)
    assert state_digest(silent, kinds=kinds()) == state_digest(spelled, kinds=kinds())
    assert state_digest(silent, kinds=other) != state_digest(spelled, kinds=other)


def test_nothing_is_changed_in_place() -> None:
    """Neither the object nor the default, which is filled in again and again."""
    known = kinds(version(spec={"map": {"type": "object", "default": {"a": [1]}}}))
    seen = widget(size=1, map={"a": [1]})
    before = copy.deepcopy(seen)

    assert differences(widget(), seen, known) == ()
    assert differences(widget(), seen, known) == ()
    assert seen == before


def test_a_number_that_was_scaled_may_stay_where_nothing_says_it() -> None:
    """As it was before, and no other; what the intent says wins."""
    scale = {"specReplicasPath": ".spec.size"}
    known = kinds(version(subresources={"scale": scale}))

    def found(signed: Tree, seen: int, old: int) -> tuple[Difference, ...]:
        facts = ClusterFacts(kinds=known)
        intent, observed = canonical(signed).tree, widget(size=seen)
        before = widget(size=old)
        return match(intent, observed, identity=ref(observed), old=before, facts=facts)

    assert found(widget(), 5, 5) == ()
    assert found(widget(), 5, 4)
    assert found(widget(size=1), 5, 5)


@pytest.mark.parametrize("scalar", ["boolean", "integer", "number", "string"])
def test_what_a_scalar_is_called_changes_nothing(scalar: str) -> None:
    """Versions that differ in it alone hold the same."""
    assert compile_schema({"type": scalar}) == compile_schema({"type": "string"})
    assert compile_schema({"type": scalar}).quiet
    assert not compile_schema({"type": "object"}).quiet
