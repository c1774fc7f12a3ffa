"""Custom resources as the real API server reads them, whatever their schema says.

Schemas are drawn at random. What the server makes of
an object must equal the intent that was signed without any schema; where it answers a
changed object otherwise, that must be noticed, and where it does not, nothing is.
"""

import os
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from random import Random
from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.custom.definition import compile_definition
from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import Kinds
from countersign.binding.match import match
from countersign.binding.normal_form import normal_form
from countersign.binding.tree import without_nulls
from countersign.core.types.artifacts import Difference
from tests.support import schemas
from tests.support.apiserver import APPLY_PATCH, ApiServer, Refused, Tree
from tests.support.judge import identity, lasting
from tools.stack.ready import until

FULL = os.environ.get("COUNTERSIGN_SWEEP") == "full"
DEFINITIONS = 120 if FULL else 24
OBJECTS = 60 if FULL else 8  # of a schema
CHANGES = 20 if FULL else 6  # of an object


@pytest.fixture(scope="module", name="drawn")
def _drawn(server: ApiServer) -> Iterator[list[Tree]]:
    """Definitions that are served, as the server shows them."""
    rng = Random(os.environ.get("COUNTERSIGN_SEED", "1"))  # noqa: S311 - drawn to be drawn again
    trees = [schemas.definition(rng, index) for index in range(DEFINITIONS)]
    for tree in trees:
        server.create(tree)
    until(lambda: _unserved(server, trees), what="every definition")
    yield [server.get(tree) for tree in trees]
    for tree in trees:
        server.delete(tree)


def _unserved(server: ApiServer, trees: list[Tree]) -> str:
    for tree in trees:
        plural = tree["spec"]["names"]["plural"]
        try:
            server.request("GET", f"/apis/{schemas.GROUP}/v1/{plural}?limit=1")
        except (Refused, ValueError) as error:  # a page that says 404
            return str(error)
    return ""


def differences(manifest: Tree, observed: Tree, kinds: Kinds) -> tuple[Difference, ...]:
    """Compare what the server shows with the intent of a manifest."""
    return match(
        canonical(manifest).tree,
        observed,
        identity=identity(observed),
        facts=ClusterFacts(kinds=kinds),
    )


def test_the_server_makes_of_an_object_what_its_schema_says(
    server: ApiServer, drawn: list[Tree]
) -> None:
    """Defaults, nulls, kept and dropped fields, objects in objects: and each change."""
    kinds = Kinds(kind for tree in drawn for kind in compile_definition(tree))
    seen: Counter[str] = Counter()
    for index, defined in enumerate(drawn):
        rng = Random(index)  # noqa: S311 - drawn to be drawn again
        for _ in range(OBJECTS):
            manifest = schemas.manifest(rng, defined)
            answer = _answer(server, manifest)
            if answer is None:
                seen["refused"] += 1
                continue
            seen[_judged(server, manifest, answer, kinds)] += 1
            for other in schemas.changed(rng, manifest, CHANGES):
                seen[_judged_change(server, manifest, answer, other, kinds)] += 1
    assert seen["equal"] > DEFINITIONS * OBJECTS / 8, seen
    assert seen["dropped"] > 0, seen
    assert seen["noticed"] > DEFINITIONS * OBJECTS / 4, seen
    assert seen["the same"] > 0, seen


def _answer(server: ApiServer, manifest: Tree, **query: str) -> Tree | None:
    try:
        return server.create(manifest, dryRun="All", fieldValidation="Ignore", **query)
    except Refused as error:
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return None


def _judged(server: ApiServer, manifest: Tree, answer: Tree, kinds: Kinds) -> str:
    """Compare an object with what became of it; say what was found."""
    found = differences(manifest, answer, kinds)
    form = normal_form(answer, kinds=kinds)
    for name in form.keys() - {"apiVersion", "kind", "metadata"}:
        assert form[name] == answer[name], (manifest, answer)
    if not found:
        applied = _applied(server, manifest)
        assert applied is None or not differences(manifest, applied, kinds), applied
        return "equal"
    assert all(one.seen is None for one in found), (manifest, answer, found)
    assert _is_strictly_refused(server, manifest), (manifest, answer, found)
    return "dropped"


def _applied(server: ApiServer, manifest: Tree) -> Tree | None:
    try:
        return server.patch(
            manifest,
            manifest,
            APPLY_PATCH,
            dryRun="All",
            fieldManager="test",
            force="true",
        )
    except Refused:
        return None  # it wants all fields in the schema, and no null


def _is_strictly_refused(server: ApiServer, manifest: Tree) -> bool:
    try:
        server.create(manifest, dryRun="All", fieldValidation="Strict")
    except Refused as error:
        return "unknown field" in str(error)
    return False


def _judged_change(
    server: ApiServer, manifest: Tree, answer: Tree, other: Tree, kinds: Kinds
) -> str:
    """Submit a changed object; it must differ from the intent just if its state does."""
    became = _answer(server, other)
    if became is None:
        return "refused"
    if differences(manifest, answer, kinds):
        return "dropped"
    changed = _state(became, kinds) != _state(answer, kinds)
    found = differences(manifest, became, kinds)
    if changed and not found:  # as if `kubectl apply` had sent it, which drops nulls
        sent = _answer(server, without_nulls(manifest))
        assert sent is not None, (manifest, other)
        assert _state(sent, kinds) == _state(became, kinds), (manifest, other, became)
        return "without its nulls"
    assert bool(found) is changed, (manifest, other, became, found)
    return "noticed" if changed else "the same"


def _state(answer: Tree, kinds: Kinds) -> Any:
    """Return what the server said, told apart as JSON is: true is not 1."""
    kept = lasting(answer)
    kind = kinds.of(answer)
    if not kind.status and "status" in answer:
        kept["status"] = answer["status"]
    return _typed(kept)


def _typed(tree: Any) -> Any:
    match tree:
        case dict():
            return {key: _typed(item) for key, item in tree.items()}
        case list():
            return [_typed(item) for item in tree]
        case bool():
            return ("bool", tree)
        case _:
            return tree
