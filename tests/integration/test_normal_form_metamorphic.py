"""What means the same gets the same verdict, however it is written and sent.

Each manifest of every kind is respelt: keys in another order, quantities, times and
bytes in another spelling, defaults written out. The server takes all for the same
object; so must we, whichever of the two was signed.
"""

import copy
import itertools
import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.match import same
from countersign.binding.normal_form import SERVER_OWNED
from countersign.binding.tables import (
    KINDS,
    TYPES,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
    kind_of,
)
from tests.support.apiserver import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    ApiServer,
    Refused,
    Tree,
)
from tests.support.corpus import by_kind
from tests.support.judge import Judge
from tests.support.minors import kept_by, minor_of

_SPELT = {"Gi": 2**30, "Mi": 2**20, "Ki": 2**10, "k": 10**3, "M": 10**6, "G": 10**9}


@pytest.fixture(scope="module", name="shown")
def _shown(server: ApiServer, namespace: str) -> Mapping[str, tuple[Tree, Tree]]:
    """Every manifest that the server serves, and what it makes of it, by a title."""
    found, minor = {}, minor_of(server)
    for whole in itertools.chain(*by_kind(namespace).values()):
        manifest = kept_by(minor, whole)
        try:
            seen = server.create(manifest, dryRun="All")
        except (Refused, KeyError):  # a version that is not served by default
            continue
        title = f"{manifest['apiVersion']}/{manifest['kind']}"
        found[f"{title} {manifest['metadata']['name']}"] = manifest, seen
    return found


def respelt(tree: Tree) -> Tree:
    """Write a manifest otherwise: keys backwards, scalars in another spelling."""
    shape = Structure(pointer=False, type=kind_of(tree).type)
    written: Tree = _respelt(tree, shape)
    return written


def _respelt(value: Any, shape: Shape) -> Any:
    match value, shape:
        case dict(), Structure(type=name):
            fields = TYPES[name]
            return {
                k: _respelt(value[k], fields[k]) if k in fields else value[k]
                for k in reversed(value)
            }
        case list(), ListOf(item=item):
            return [_respelt(each, item) for each in value]
        case dict(), MapOf(item=item):
            return {k: _respelt(value[k], item) for k in reversed(value)}
        case str(), Scalar(name=name):
            return _spelt(value, name)
        case _:
            return value


def _spelt(text: str, name: str) -> str:
    """Write one scalar otherwise; the server must read the same."""
    if name == "bytes" and len(text) > 2:
        return f"{text[:2]}\n{text[2:]}"
    if name in ("quantity", "milliQuantity"):
        if text.endswith("m"):
            return f"{int(text[:-1]) / 1000:.3f}"
        for suffix, factor in _SPELT.items():
            number = text.removesuffix(suffix)
            # of one unit there may be a rule that says how it is written: divisors
            if number != text and number.isdecimal() and number != "1":
                return str(int(number) * factor)
    if name in ("time", "microTime") and text.endswith("Z"):
        return text.replace("Z", "+00:00")
    return text


def explicit(seen: Tree) -> Tree:
    """Return what the server shows as a manifest: every default written out."""
    written = copy.deepcopy(seen)
    if kind_of(seen).status:
        written.pop("status", None)
    for field in SERVER_OWNED:
        written["metadata"].pop(field, None)
    return written


def test_another_spelling_is_the_same_change(
    shown: Mapping[str, tuple[Tree, Tree]], server: ApiServer, judge: Judge
) -> None:
    """Signed in one spelling, sent in the other: both ways round."""
    assert len(shown) > 90
    for title, (manifest, seen) in shown.items():
        other = respelt(manifest)
        made = server.create(other, dryRun="All")

        assert judge.differences(manifest, made, dry_run=True) == (), title
        assert judge.differences(other, seen, dry_run=True) == (), title


def test_the_order_of_keys_is_not_signed(
    shown: Mapping[str, tuple[Tree, Tree]],
) -> None:
    """The digest is over canonical JSON."""
    for title, (manifest, _) in shown.items():
        backwards = json.loads(
            json.dumps(manifest), object_pairs_hook=lambda pairs: dict(pairs[::-1])
        )
        salt = bytes(32)

        assert canonical(backwards, salt=salt) == canonical(manifest, salt=salt), title


def test_written_out_defaults_are_the_same_change(
    shown: Mapping[str, tuple[Tree, Tree]], server: ApiServer, judge: Judge
) -> None:
    """A manifest taken from the server, with all it filled in, or the bare one."""
    tried = 0
    for title, (manifest, seen) in shown.items():
        full = explicit(seen)
        try:
            made = server.create(full, dryRun="All")
        except Refused:  # what it allocated to one object it gives to no other
            continue
        tried += 1

        assert judge.differences(full, made, dry_run=True) == (), title
        assert judge.differences(manifest, made, dry_run=True) == (), title

    assert tried > 80


@pytest.mark.parametrize(
    "way", [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH, "PUT"]
)
@pytest.mark.parametrize("kind", ["ConfigMap", "PodTemplate", "Role", "Service"])
def test_a_change_is_the_same_by_every_way(
    shown: Mapping[str, tuple[Tree, Tree]],
    server: ApiServer,
    judge: Judge,
    way: str,
    kind: str,
) -> None:
    """The same new state, signed once, by each kind of request; another one is not."""
    first = copy.deepcopy(next(m for m, _ in shown.values() if m["kind"] == kind))
    first["metadata"]["name"] = f"way-{uuid.uuid4().hex[:8]}"
    wanted = copy.deepcopy(first)
    wanted["metadata"]["labels"] = {"now": "signed"}
    old = server.create(first)
    new = _submitted(server, wanted, way)
    forged = copy.deepcopy(new)
    forged["metadata"]["labels"]["more"] = "x"

    assert judge.differences(wanted, new, old=old) == ()
    assert [d.path for d in judge.differences(wanted, forged, old=old)] != []
    server.delete(first)


def _submitted(server: ApiServer, wanted: Tree, way: str) -> Tree:
    if way == "PUT":
        return server.replace(wanted)
    if way == APPLY_PATCH:
        return server.apply(wanted)
    if way == JSON_PATCH:
        labels = wanted["metadata"]["labels"]
        change = [{"op": "add", "path": "/metadata/labels", "value": labels}]
        return server.patch(wanted, change, way)
    return server.patch(wanted, {"metadata": {"labels": {"now": "signed"}}}, way)


def test_another_version_of_the_request_hides_nothing(
    server: ApiServer, judge: Judge, namespace: str
) -> None:
    """A write through autoscaling/v1 that changes an autoscaler is seen as a change."""
    manifest = next(
        m
        for m in by_kind(namespace)["autoscaling/v2/HorizontalPodAutoscaler"]
        if m["metadata"]["name"] == "full"
    )
    server.create(manifest)
    older = {**manifest, "apiVersion": "autoscaling/v1"}
    old = server.get(older)
    kept = server.patch(older, {"metadata": {"labels": {}}}, MERGE_PATCH)
    new = server.patch(older, {"spec": {"maxReplicas": 90}}, MERGE_PATCH)

    assert same(old, kept)
    assert not same(old, new)
    assert judge.differences(manifest, server.get(manifest)) != ()
    server.delete(manifest)


def test_no_kind_is_missing(shown: Mapping[str, tuple[Tree, Tree]]) -> None:
    """Every kind of the table that the server serves was respelt."""
    kinds = {title.partition(" ")[0] for title in shown}

    assert kinds <= KINDS.keys()
    assert len(kinds) >= 55  # 1.34 has fewer than 1.37
