"""The oracle is the real API server: where a table of ours and it disagree, it is right.

Each manifest of the corpus (``normal_form/*.yaml``) is submitted in every way there is,
and what the server makes of it must equal the signed intent. Then each is changed in
one place, thousands of times: where the server's answer changes, the change must be
noticed; where it does not (a default spelled out, a null, an empty list), not.
"""

import copy
import random
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from countersign.binding.normal_form import normal_form, written_form
from countersign.binding.tables import KINDS
from countersign.binding.tree import ABSENT, differences, find
from countersign.core.errors import Malformed
from countersign.wire.manifests import parse_manifests
from tests.support.apiserver import (
    APPLY_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    ApiServer,
    Refused,
    Tree,
)
from tests.support.judge import Judge, lasting
from tests.support.minors import drops, kept_by, minor_of, writes_default
from tests.support.mutations import Step, stepped, steps

CORPUS = Path(__file__).parent / "normal_form"
MANIFESTS: tuple[Tree, ...] = tuple(
    manifest
    for file in sorted(CORPUS.glob("*.yaml"))
    for manifest in parse_manifests(file.read_bytes())
)
MUTANTS_EACH = 120  # of a manifest; half a minute for all

# What every minor drops in silence, since a feature gate is off or compatibility asks for
# it. The object then is not what was signed, and that is what we say.
DROPPED = (
    "/bindMountOptions",
    "/dataSource",
    "/dataSourceRef",
    "/defaultUser",
    "/deprecatedTopology",
    "/emptyDir/mode",
    "/evictionResponders",
    "/grpc/mode",
    "/lifecycle",
    "/protocol",
    "/scheduling",
    "/schedulingGroup",
    "/user",
)


def title(manifest: Tree) -> str:
    """Name a manifest in the test's id."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']}-{metadata.get('name', 'generated')}"


@pytest.fixture(scope="module", name="minor")
def _minor(server: ApiServer) -> str:
    return minor_of(server)


@pytest.fixture(name="placed")
def _placed(
    namespace: str, server: ApiServer, minor: str, request: pytest.FixtureRequest
) -> Iterator[Tree]:
    """A manifest of the corpus in a place of its own, removed afterwards.

    As far as this minor keeps it: what it drops is denied, and tested by the mutants.
    """
    manifest = kept_by(minor, request.param)
    if KINDS[f"{manifest['apiVersion']}/{manifest['kind']}"].namespaced:
        manifest["metadata"]["namespace"] = namespace
    if "name" in manifest["metadata"]:
        server.delete(manifest)
    yield manifest
    if "name" in manifest["metadata"]:
        server.delete(manifest)


@pytest.mark.parametrize("placed", MANIFESTS, ids=title, indirect=True)
def test_equals_its_intent_however_it_is_submitted(
    placed: Tree, server: ApiServer, judge: Judge, minor: str
) -> None:
    """Create, server-side apply, both kinds of patch, replace: the same object."""
    tried = server.create(placed, dryRun="All", fieldValidation="Strict")
    assert judge.differences(placed, tried, dry_run=True) == ()

    made = server.create(placed)
    assert judge.differences(placed, made) == ()
    assert_has_its_defaults(made, minor)

    if "name" not in placed["metadata"]:
        server.delete(made)
        return
    for way in (APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH, "PUT"):
        states = update(server, placed, way)
        if states is None:
            assert way != APPLY_PATCH or placed["kind"] == "Pod"
        else:
            old, new = states
            assert judge.differences(placed, new, old=old) == (), way
            assert_has_its_defaults(new, minor)


def update(server: ApiServer, manifest: Tree, way: str) -> tuple[Tree, Tree] | None:
    """Bring an object to its manifest; return it before and after.

    None if the server refuses: a Pod cannot be replaced without what the server put
    into it. Server-side apply is open to all else.

    The controllers write too. Where one was faster the server says conflict and we look
    again, so that "before" is what the server started from.
    """
    for _ in range(10):
        old = server.get(manifest)
        new = copy.deepcopy(manifest) if way in (APPLY_PATCH, "PUT") else said(manifest)
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        try:
            if way == "PUT":
                return old, server.replace(new)
            if way == APPLY_PATCH:
                return old, server.apply(new)
            return old, server.patch(manifest, new, way)
        except Refused as error:
            if error.code == HTTPStatus.UNPROCESSABLE_ENTITY:
                return None
            if error.code != HTTPStatus.CONFLICT:
                raise
    pytest.fail("the controllers never came to rest")


def said(tree: Any) -> Any:
    """Return a copy without nulls: in a patch they would delete."""
    if isinstance(tree, dict):
        return {key: said(value) for key, value in tree.items() if value is not None}
    return [said(item) for item in tree] if isinstance(tree, list) else tree


def assert_has_its_defaults(emitted: Tree, minor: str) -> None:
    """What the server emits has all defaults: ours change nothing in it.

    But for a Job's own labels, which are defaulted before the template has its own, and
    for defaults that this minor does not have yet.
    """
    written, form = written_form(emitted), normal_form(emitted)
    if emitted["kind"] == "Job":
        for tree in (written, form):
            tree["metadata"].pop("labels", None)
    more = [path for path, _, _ in differences(written, form)]

    assert [p for p in more if writes_default(minor, emitted["kind"], p)] == []


@pytest.mark.parametrize("placed", MANIFESTS, ids=title, indirect=True)
def test_notices_exactly_the_changes_that_the_server_makes(
    placed: Tree, server: ApiServer, judge: Judge, minor: str
) -> None:
    """Every accepted mutant equals its own intent, and another's only if it is the same."""
    base = server.create(placed, dryRun="All")
    live, same = judge.facts(base), lasting(base)
    possible = steps(placed)
    chance = random.Random(title(placed))  # noqa: S311 - repeatable on purpose
    seen: Counter[str] = Counter()
    for what in chance.sample(possible, min(MUTANTS_EACH, len(possible))):
        mutant = stepped(placed, what)
        try:
            made = server.create(mutant, dryRun="All")
        except Refused:
            seen["refused"] += 1
            continue
        if what[1] is ABSENT and find(placed, what[0]) is None:
            continue  # a null is nothing as well: kubectl drops it before it sends
        changed = lasting(made) != same
        found = judge.differences(placed, made, dry_run=True, live=live)
        assert bool(found) is changed, (what, found)
        seen["changed" if changed else "unchanged"] += 1
        seen["own"] += equals_its_own(judge, mutant, made, what, minor)

    assert seen["changed"] > 0
    assert seen["own"] > 0


def equals_its_own(
    judge: Judge, mutant: Tree, made: Tree, what: Step, minor: str
) -> bool:
    """Check a mutant against its own intent; False where it has none."""
    try:
        found = judge.differences(mutant, made, dry_run=True)
    except Malformed:  # a manifest that nobody could sign
        return False
    unexplained = [
        d
        for d in found
        if not (_explained(d.path, d.seen) or drops(minor, mutant, d.path))
    ]

    assert not unexplained, what
    return True


def _explained(path: str, seen: str | None) -> bool:
    """Tell whether the server drops this field, or shows a dry-run's dummy port."""
    gone = any(f"{dropped}/" in f"{path}/" for dropped in DROPPED)
    return gone or (path.lower().endswith("nodeport") and int(seen or 0) < 100)
