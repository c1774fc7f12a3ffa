"""BundleSets are written as they are read, found by what they speak of, and bounded."""

import random
from dataclasses import replace

import pytest

from countersign.core.errors import Malformed, OverLimit
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.change import Access, Deletion, NamespaceWindow, Operation
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope
from countersign.wire.resources import objects
from countersign.wire.resources.bundleset import MAX_OBJECT, render_bundle_set
from countersign.wire.resources.bundleset_about import about, intent_ref
from countersign.wire.resources.read import name_of
from countersign.wire.signoff import render_sign_off
from tests.support.claims import SIGN_OFF

INTENT = (
    b'{"apiVersion":"apps/v1","kind":"Deployment",'
    b'"metadata":{"name":"ledger","namespace":"payments"}}'
)
LEDGER = ObjectRef("apps", "Deployment", "payments", "ledger")
POD = ObjectRef("", "Pod", "payments", "ledger-x")


def noise(size: int, seed: int) -> bytes:
    """Return bytes that do not shrink."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - no secret


def test_what_is_written_can_be_read() -> None:
    """Admission, the watch and whoever writes have one form."""
    tree = render_bundle_set("payments/Ledger", [b"{}", b"[]", b"{}"], [INTENT], "x")

    objects.refuse_invalid(tree)
    assert objects.bundle_set(tree) == ((b"{}", b"[]"), (INTENT,))
    assert name_of(tree).startswith("payments-ledger-")


def test_the_same_evidence_is_the_same_object() -> None:
    """And other evidence another one."""
    first = render_bundle_set("a", [b"1"], [], "x")

    assert first == render_bundle_set("a", [b"1"], [], "x")
    assert first["metadata"] != render_bundle_set("a", [b"2"], [], "x")["metadata"]


@pytest.mark.parametrize(
    ("bundles", "intents", "said"),
    [
        pytest.param(257, 0, "256 bundles", id="bundles"),
        pytest.param(1, 257, "256 intents", id="intents"),
    ],
)
def test_too_many_are_refused(bundles: int, intents: int, said: str) -> None:
    """The message says what to do."""
    with pytest.raises(OverLimit, match=f"at most {said}.*sign fewer"):
        render_bundle_set(
            "a",
            [b"%d" % n for n in range(bundles)],
            [INTENT + b" " * n for n in range(intents)],
            "x",
        )


def test_what_etcd_would_not_take_is_refused() -> None:
    """And what fits is read."""
    fitting = [noise(1 << 18, n) for n in range(3)]
    tree = render_bundle_set("a", fitting, [], "x")

    assert objects.bundle_set(tree)[0] == tuple(fitting)
    with pytest.raises(OverLimit, match=str(MAX_OBJECT)):
        render_bundle_set("a", [noise(1 << 18, n) for n in range(5)], [], "x")
    with pytest.raises(OverLimit, match="1048576 bytes in each"):
        render_bundle_set("a", [bytes((1 << 20) + 1)], [], "x")
    with pytest.raises(OverLimit, match="4194304 bytes in all"):
        render_bundle_set("a", [bytes([n]) * (1 << 20) for n in range(5)], [], "x")


def test_nothing_is_no_set() -> None:
    """An intent alone says nothing."""
    with pytest.raises(Malformed):
        render_bundle_set("a", [], [INTENT], "x")


def test_a_set_speaks_of_intents_and_of_what_was_signed() -> None:
    """Objects by either, namespaces by windows; nothing has to be proven for that."""
    changes = (
        Deletion(object=LEDGER, uid="1"),
        Access(object=POD, uid="2", subresource="exec", operation=Operation.CONNECT),
        NamespaceWindow(namespace="payments"),
    )
    payload = render_sign_off(replace(SIGN_OFF, changes=changes))
    bundle = render_key_bundle(Envelope(payload, b"never checked"), "nobody")
    found = about([bundle], [INTENT])

    assert found.refs == {LEDGER, POD}
    assert found.namespaces == {"payments"}


@pytest.mark.parametrize(
    "junk",
    [b"", b"[]", b"{}", b'{"kind": 1, "metadata": {}}', b'{"metadata": []}', b"\xff"],
)
def test_junk_speaks_of_nothing(junk: bytes) -> None:
    """It is never found."""
    assert about([junk], [junk]).refs == frozenset()
    assert intent_ref(junk) is None
