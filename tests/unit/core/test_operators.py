"""Operators as a policy names them: where they may write, and what they may be."""

from typing import Any

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.operators import (
    Children,
    Derive,
    Field,
    Link,
    Operator,
    Writes,
)

USER = "system:serviceaccount:cert-manager:cert-manager"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "spec",
        "/",
        "/spec//x",
        "/spec/~2",
        "/*",
        "/kind",
        "/apiVersion",
        "/status",
        "/status/conditions",
        "/status/loadBalancer/ingress",
        "/metadata",
        "/metadata/name",
        "/metadata/namespace",
        "/metadata/ownerReferences",
        "/metadata/labels",
        "/metadata/annotations",
        "/metadata/annotations/a/b",
        "/metadata/finalizers/0",
        "/metadata/annotations/countersign.dev~1bundles",
    ],
)
def test_some_places_no_operator_may_write(path: str) -> None:
    """What an object is, whose it is, and what speaks for it."""
    with pytest.raises(Malformed):
        Field(path)


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("/spec/caBundle", "/spec/caBundle"),
        ("/spec/caBundle", "/spec/caBundle/deeper"),
        ("/webhooks/*/clientConfig/caBundle", "/webhooks/7/clientConfig/caBundle"),
        ("/metadata/labels/*", "/metadata/labels/app"),
        ("/metadata/annotations/*", "/metadata/annotations/acme.example~1x"),
        ("/metadata/finalizers", "/metadata/finalizers/0"),
    ],
)
def test_a_field_holds_what_lies_at_and_below_it(field: str, path: str) -> None:
    """A star is one token, and no more."""
    assert Field(field).holds(path)


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("/spec/caBundle", "/spec"),
        ("/spec/caBundle", "/spec/caBundles"),
        ("/webhooks/*/clientConfig/caBundle", "/webhooks/7/clientConfig/url"),
        ("/metadata/labels/*", "/metadata/labels"),
        ("/metadata/annotations/*", "/metadata/annotations/countersign.dev~1intent"),
        ("/metadata/annotations/*", "/metadata/annotations/countersign.dev"),
    ],
)
def test_and_nothing_else(field: str, path: str) -> None:
    """Neither above it nor beside it, and never our own annotations."""
    assert not Field(field).holds(path)


@pytest.mark.parametrize(
    "user",
    ["cert-manager", "system:admin", "system:serviceaccount:x", f"{USER}:x", ""],
)
def test_an_operator_is_a_service_account(user: str) -> None:
    """Of a person or a certificate nobody can say who may become it."""
    with pytest.raises(Malformed):
        Operator(user=user)


def test_it_runs_where_its_account_is() -> None:
    """Which must be protected as well."""
    assert Operator(user=USER).namespace == "cert-manager"


@pytest.mark.parametrize(
    ("paths", "children", "only"),
    [
        pytest.param(("/status/loadBalancer",), (), True, id="addresses"),
        pytest.param(("/status/loadBalancer", "/spec/x"), (), False, id="and more"),
        pytest.param((), (), False, id="nothing"),
        pytest.param(
            ("/status/loadBalancer",),
            (
                Children(
                    group="",
                    kind="Secret",
                    owner_group="x",
                    owner_version="v1",
                    owner_kind="Order",
                    trusted=True,
                ),
            ),
            False,
            id="and children",
        ),
    ],
)
def test_a_clouds_controller_writes_addresses_alone(
    paths: tuple[str, ...], children: tuple[Children, ...], *, only: bool
) -> None:
    """Of a status the one part that is not free."""
    fields = tuple(map(Field, paths))
    writes = (Writes(group="", kind="Service", fields=fields),)

    operator = Operator(user=USER, writes=writes, children=children)
    assert operator.only_addresses is only


def test_of_children_something_must_be_said() -> None:
    """An empty rule would be taken for a strict one, and admit nothing."""
    kinds: dict[str, Any] = {
        "group": "",
        "kind": "Secret",
        "owner_group": "x",
        "owner_version": "v1",
        "owner_kind": "Order",
    }
    with pytest.raises(Malformed):
        Children(**kinds)
    with pytest.raises(Malformed):
        Children(trusted=True, link=Link.ANNOTATION, **kinds)
    with pytest.raises(Malformed):
        Children(trusted=True, key="x", **kinds)
    with pytest.raises(Malformed):
        Derive(source="spec", target="/spec")
    assert Children(trusted=True, **kinds).link is Link.OWNER_REFERENCE
