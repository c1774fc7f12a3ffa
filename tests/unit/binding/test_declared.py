"""What a policy says of operators: children of theirs, and what they may write."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.declared import claimed, claims, way_of, writes
from countersign.binding.deletions import Owner
from countersign.binding.derivations.kin import Kin
from countersign.binding.tree import ABSENT
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.operators import (
    Children,
    Derive,
    Field,
    Link,
    Operator,
    Writes,
)
from countersign.core.types.request import (
    AdmissionRequest,
    Requester,
    Resource,
    Verb,
)
from tests.support.trees import Tree, having, ref, tree

USER = "system:serviceaccount:ops:shop"
BY_KEY = "shop.example/of"
OWNER = tree("Shop", "shop.example/v1", spec={"data": {"a": "1"}, "size": 3})


def children(link: Link = Link.NAME, **fields: Any) -> Children:
    """Return a rule by which ConfigMaps come from Shops."""
    key = BY_KEY if link is Link.ANNOTATION else ""
    said = {"derive": (Derive(source="/spec/data", target="/data"),), **fields}
    return Children(
        group="",
        kind="ConfigMap",
        owner_group="shop.example",
        owner_version="v1",
        owner_kind="Shop",
        link=link,
        key=key,
        **said,
    )


def made(child: Tree, rule: Children, owner: Tree = OWNER) -> Any:
    """Return the child as it should be."""
    way = way_of(Operator(user=USER, children=(rule,)), rule)
    return way.derive(Kin(owner=owner, child=child))


def test_a_child_says_whose_it_is() -> None:
    """By its controller, an annotation or its name; else it is nobody's."""
    shop = Owner("v1", GroupKind("shop.example", "Shop"), "it", "")
    said = {
        "apiVersion": "shop.example/v1",
        "kind": "Shop",
        "name": "it",
        "uid": "u",
        "controller": True,
    }
    owned = tree("ConfigMap", metadata={"ownerReferences": [said]})
    marked = tree("ConfigMap", metadata={"annotations": {BY_KEY: "it"}})
    by_reference = children(Link.OWNER_REFERENCE)

    assert claimed(children(Link.NAME), tree("ConfigMap")) == shop
    assert claimed(children(Link.ANNOTATION), marked) == shop
    assert claimed(by_reference, owned) == replace(shop, uid="u")
    for key, value in {
        "apiVersion": "shop.example/v2",
        "kind": "Other",
        "controller": False,
    }.items():
        other = having(owned, "/metadata/ownerReferences", [{**said, key: value}])
        assert claimed(by_reference, other) is None
    assert claimed(by_reference, tree("ConfigMap")) is None
    assert claimed(children(Link.ANNOTATION), tree("ConfigMap")) is None
    nameless = having(tree("ConfigMap"), "/metadata/name", ABSENT)
    assert claimed(children(Link.NAME), nameless) is None


def test_a_rule_is_for_one_kind_of_children() -> None:
    """Group and kind."""
    operator = Operator(user=USER, children=(children(), children(Link.ANNOTATION)))
    kind = GroupKind("", "ConfigMap")

    (claim,) = claims(operator, tree("ConfigMap"), kind)
    assert (claim.operator, claim.children) == (operator, children())
    assert not [*claims(operator, tree("ConfigMap"), GroupKind("", "Secret"))]
    assert not [*claims(operator, tree("ConfigMap"), GroupKind("x", "ConfigMap"))]


def test_only_the_operator_makes_them() -> None:
    """In the version that the rule names."""
    way = way_of(Operator(user=USER, children=(children(),)), children())

    assert (way.actors, way.version) == (frozenset({USER}), "v1")
    assert way.rule == "operator-configmap"


def test_what_is_derived_is_the_owners() -> None:
    """Whatever the child says; what nobody speaks of is not there."""
    child = tree("ConfigMap", data={"a": "2", "b": "3"}, immutable=True)
    labelled = having(child, "/metadata/labels", {"x": "y"})

    assert made(labelled, children()) == tree("ConfigMap", data={"a": "1"})


def test_what_the_owner_does_not_have_is_taken_away_again() -> None:
    """A part of a part: the later word holds."""
    rule = children(
        derive=(
            Derive(source="/spec/data", target="/data"),
            Derive(source="/spec/missing", target="/data/a"),
        )
    )

    assert made(tree("ConfigMap", data={"a": "1"}), rule)["data"] == {}


def test_what_is_free_is_the_childs() -> None:
    """There or not, also within what is derived."""
    rule = children(free=(Field("/data/a"), Field("/binaryData/*")))

    assert "a" not in made(tree("ConfigMap"), rule)["data"]
    child = tree("ConfigMap", data={"a": "x"}, binaryData={"b": "eA==", "c": ""})
    assert made(child, rule) == child


def test_a_child_is_marked_with_its_owner() -> None:
    """With the owner's name, and with nothing else."""
    marks = {BY_KEY: "other", "x": "y"}
    child = tree("ConfigMap", metadata={"annotations": marks})

    found = made(child, children(Link.ANNOTATION))["metadata"]
    assert found["annotations"] == {BY_KEY: "it"}


def test_a_trusted_child_is_anything_but_signed() -> None:
    """Our own annotations nobody may make up; the child itself is not changed."""
    rule = children(trusted=True, derive=())
    marks = {"countersign.dev/signed": "1", "x": "y"}
    child = tree("ConfigMap", metadata={"annotations": marks}, data={"a": "5"})

    found = made(child, rule)
    assert found == having(child, "/metadata/annotations", {"x": "y"})
    assert child["metadata"]["annotations"] == marks


def test_a_secret_is_made_as_intents_hold_it() -> None:
    """Masked, since it is compared as one."""
    found = made(tree("Secret", data={"a": "eA=="}), children(trusted=True))

    assert found["data"]["a"].startswith("hmac-sha256:")


def update(old: Tree | None, new: Tree | None, user: str = USER) -> AdmissionRequest:
    """Return an UPDATE by an operator."""
    return AdmissionRequest(
        uid="1",
        verb=Verb.UPDATE,
        resource=Resource("", "v1", "configmaps"),
        ref=ref(tree("ConfigMap")),
        version="v1",
        object=new,
        old=old,
        options=None,
        requester=Requester(user),
    )


@pytest.mark.parametrize(
    ("data", "may"),
    [
        ({"a": "1"}, True),
        ({"a": "1", "b": "2"}, True),
        ({"a": "1", "c": "2"}, False),
        ({"c": "2"}, False),
        (None, False),
    ],
)
def test_an_operator_writes_where_it_may_and_nowhere_else(
    *, data: dict[str, str] | None, may: bool
) -> None:
    """All that it changes; nobody else does; and nothing is no writing."""
    fields = (Field("/data/a"), Field("/data/b"))
    written = Writes(group="", kind="ConfigMap", fields=fields)
    operator = Operator(user=USER, writes=(written,))
    old = tree("ConfigMap", data={"z": "0"})
    new = old if data is None else tree("ConfigMap", data={"z": "0", **data})

    assert writes([operator], update(old, new)) is may
    assert not writes([operator], update(old, new, "system:serviceaccount:ops:other"))
    assert not writes([operator], update(None, new))
    assert not writes([operator], update(old, None))
    assert not writes([], update(old, new))
