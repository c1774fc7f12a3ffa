"""Nothing but what was signed comes in: attacks by the thousand, none admitted.

Every kind that lives in a namespace is signed, through the real command line, and sent
through the real server and the real webhook: changed in one place, in several, moved to
another name, another namespace, another kind. A dry run gets the same verdict as a
write, which keeps this quick. What is admitted must be what was signed.

Faults this was seen to catch: an empty string in a map dropped by value; a volume
accepted for its name; a list compared up to the shorter one's end.
"""

import copy
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countersign.binding.tables import KINDS
from tests.support.apiserver import (
    STRATEGIC_PATCH,
    ApiServer,
    Refused,
    Tree,
)
from tests.support.attacks import (
    Attacker,
    Fate,
    Signed,
    attacked,
    attacks,
    fate_of,
)
from tests.support.corpus import by_kind
from tests.support.gate import Gate, documents, written
from tests.support.judge import lasting
from tests.support.trees import having
from tools.stack.people import DANA

NAMESPACE = "orders"  # its policy asks for a sign-off and for nothing else
ELSEWHERE = "payments"
FULL = os.environ.get("COUNTERSIGN_SWEEP") == "full"
SEED = int(os.environ.get("COUNTERSIGN_SEED", "20261123"))
EACH = 2000 if FULL else 14  # attacks on an object
TOGETHER = 3  # changes in one attack, at most
EXAMPLES = 1000 if FULL else 100

# Nobody signs for these: they are noise, and not registered.
UNSIGNED = frozenset(
    {"v1/Event", "events.k8s.io/v1/Event", "coordination.k8s.io/v1/Lease"}
)


@pytest.fixture(scope="module", name="attacker")
def _attacker(gate: Gate) -> Iterator[Attacker]:
    """The cluster's administrator: no right is missing."""
    with closing(ApiServer(gate.stack.plane.admin)) as server:
        yield Attacker(server)


@pytest.fixture(scope="module", name="everybody")
def _everybody(gate: Gate, attacker: Attacker) -> tuple[Signed | str, ...]:
    """Objects of every kind that lives in a namespace, signed; or why they are denied."""
    return tuple(everybody(gate, attacker))


@pytest.fixture(scope="module", name="population")
def _population(everybody: tuple[Signed | str, ...]) -> tuple[Signed, ...]:
    """Those that are admitted."""
    return tuple(each for each in everybody if isinstance(each, Signed))


def everybody(gate: Gate, attacker: Attacker) -> Iterator[Signed | str]:
    """Sign what the server serves, and send it."""
    trees = [
        named(tree)
        for kind, found in sorted(by_kind(NAMESPACE).items())
        if KINDS[kind].namespaced and kind not in UNSIGNED
        for tree in found
        if tree["metadata"]["namespace"] == NAMESPACE and serves(attacker, tree)
    ]
    signed = documents(gate.sign(written(trees), by=DANA))
    for tree in signed:
        try:
            made = attacker.server.create(tree, dryRun="All")
        except Refused as error:
            yield f"{tree['kind']}/{tree['metadata']['name']}: {error}"
        else:
            yield Signed(tree, lasting(made))


def named(tree: Tree) -> Tree:
    """Give an object a name that no other test has."""
    metadata = tree["metadata"]
    metadata["name"] = f"sound-{metadata['name']}"
    metadata.pop("generateName", None)
    return tree


def serves(attacker: Attacker, tree: Tree) -> bool:
    """Tell whether the server knows a kind at all."""
    try:
        attacker.server.collection(tree)
    except (Refused, KeyError):
        return False
    return True


def test_what_is_signed_is_admitted(everybody: tuple[Signed | str, ...]) -> None:
    """Of every kind: else nothing below would show anything about it."""
    assert [each for each in everybody if isinstance(each, str)] == []


def test_there_is_one_of_every_kind(population: tuple[Signed, ...]) -> None:
    """What is not signed here is not attacked here."""
    kinds = {f"{each.tree['apiVersion']}/{each.tree['kind']}" for each in population}

    assert len(kinds) >= 25
    assert len(population) >= 60


def test_one_change_after_the_signature(
    population: tuple[Signed, ...], attacker: Attacker
) -> None:
    """Any leaf, any field of the type table, any list: denied, or nothing was changed."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    fates: Counter[Fate] = Counter()
    admitted = []
    for signed in population:
        possible = attacks(signed)
        for move in chance.sample(possible, min(EACH, len(possible))):
            fate = attacker.sends(attacked(signed, [move]), signed)
            fates[fate] += 1
            if fate is Fate.ADMITTED:
                admitted.append(f"{signed.name} {move[0]}: {move[1]!r}")
    sys.stdout.write(f"seed {SEED}: {dict(fates)}\n")

    assert admitted == []
    assert fates[Fate.DENIED] > len(population)


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_several_changes_at_once(
    population: tuple[Signed, ...], attacker: Attacker, data: st.DataObject
) -> None:
    """Changes that hide one another: a default beside what depends on it."""
    signed = data.draw(st.sampled_from(population), label="signed")
    moves = data.draw(
        st.lists(st.sampled_from(attacks(signed)), min_size=2, max_size=TOGETHER)
    )

    assert attacker.sends(attacked(signed, moves), signed) is not Fate.ADMITTED


@pytest.mark.parametrize("what", ["name", "generated", "namespace", "annotations"])
def test_evidence_is_replayed(
    population: tuple[Signed, ...], attacker: Attacker, what: str
) -> None:
    """On another name, in another namespace, without the intent: for every kind."""
    fates = {
        each.name: attacker.sends(replayed(each.tree, what)) for each in population
    }

    assert [name for name, fate in fates.items() if fate is Fate.ADMITTED] == []
    assert Counter(fates.values())[Fate.DENIED] > len(population) // 2


def replayed(tree: Tree, what: str) -> Tree:
    """Move the evidence of an object to another place."""
    moved = copy.deepcopy(tree)
    metadata = moved["metadata"]
    match what:
        case "name":
            metadata["name"] += "-2"
        case "generated":
            metadata["generateName"] = metadata.pop("name") + "-"
        case "namespace":
            metadata["namespace"] = ELSEWHERE
        case _:
            metadata["annotations"] = {}
    return moved


def test_evidence_is_lent_to_another_kind(
    population: tuple[Signed, ...], attacker: Attacker
) -> None:
    """Each object carries the evidence of its neighbour, under the neighbour's name."""
    admitted = []
    for donor, thief in zip(population, population[1:] + population[:1], strict=True):
        tree = copy.deepcopy(thief.tree)
        tree["metadata"] |= {
            key: donor.tree["metadata"][key] for key in ("name", "annotations")
        }
        if attacker.sends(tree, donor) is Fate.ADMITTED:
            admitted.append((donor.name, thief.name))

    assert admitted == []


# The named regressions: ways that opened other people's locks.


def pod(name: str, **spec: Any) -> Tree:
    """Return a Pod of one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "main", "image": "nginx:1"}], **spec},
    }


def sign(gate: Gate, *trees: Tree) -> list[Tree]:
    """Return objects with a sign-off each."""
    return documents(gate.sign(written(trees), by=DANA))


BURSTABLE = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
RESIZED = {"requests": {"cpu": "1500m"}}
EVIL = {"name": "kube-api-access-evil", "hostPath": {"path": "/"}}
SECOND = {"name": "main2", "image": "nginx:1"}
POD = pod("regression", nodeSelector={"disk": "ssd"}, tolerations=[{"key": "a"}])
CONFIG: Tree = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "regression", "namespace": NAMESPACE},
    "data": {"status-page": "on", "empty": ""},
}
REVISION: Tree = {
    "apiVersion": "apps/v1",
    "kind": "ControllerRevision",
    "metadata": {"name": "regression", "namespace": NAMESPACE},
    "revision": 1,
    "data": {"on": True, "count": 1, "none": None, "list": [1, 1]},
}


@pytest.fixture(scope="module", name="known")
def _known(gate: Gate) -> dict[str, Tree]:
    """The three objects below, signed, by kind."""
    return {tree["kind"]: tree for tree in sign(gate, CONFIG, POD, REVISION)}


@pytest.mark.parametrize(
    ("tree", "path", "value"),
    [
        pytest.param(CONFIG, "/data/status-page", "off", id="a key named status"),
        pytest.param(CONFIG, "/data/status-more", "x", id="an added key named status"),
        pytest.param(CONFIG, "/data/empty", "x", id="an empty value filled"),
        pytest.param(CONFIG, "/data/added", "", id="an added empty value"),
        pytest.param(CONFIG, "/immutable", True, id="immutable"),
        pytest.param(POD, "/spec/serviceAccountName", "legacy", id="another account"),
        pytest.param(
            POD, "/spec/serviceAccount", "legacy", id="the account's old name"
        ),
        pytest.param(POD, "/spec/volumes", [EVIL], id="a volume named as the token's"),
        pytest.param(POD, "/spec/nodeSelector/k", "", id="an empty node selector"),
        pytest.param(POD, "/spec/nodeSelector/disk", "", id="an emptied selector"),
        pytest.param(POD, "/spec/containers/1", SECOND, id="a second container"),
        pytest.param(
            POD, "/spec/tolerations", [{"key": "a"}] * 2, id="a toleration twice"
        ),
        pytest.param(POD, "/spec/priority", 7, id="a priority"),
        pytest.param(POD, "/spec/nodeName", "n1", id="a node"),
        pytest.param(REVISION, "/data/on", 1, id="1 for true in free JSON"),
        pytest.param(REVISION, "/data/count", True, id="true for 1"),
        pytest.param(REVISION, "/data/count", 1.5, id="1.5 for 1"),
        pytest.param(REVISION, "/data/none", 0, id="0 for null"),
        pytest.param(REVISION, "/data/more", None, id="an added null"),
        pytest.param(REVISION, "/data/list", [1], id="a list item once"),
    ],
)
def test_named_regressions(
    known: dict[str, Tree], attacker: Attacker, tree: Tree, path: str, value: Any
) -> None:
    """What passes under lists of ignored fields, or under comparison by Python."""
    signed = known[tree["kind"]]
    forged = copy.deepcopy(signed)
    if path == "/spec/containers/1":
        forged["spec"]["containers"].append(value)
    else:
        forged = having(forged, path, value)

    assert attacker.sends(signed) is Fate.ADMITTED
    assert attacker.sends(forged) in (Fate.DENIED, Fate.REFUSED)


def test_a_number_spelt_otherwise_is_the_same(
    known: dict[str, Tree], attacker: Attacker
) -> None:
    """1.0 is 1: denying it would be a false alarm."""
    signed = known["ControllerRevision"]

    assert attacker.sends(having(signed, "/data/count", 1.0)) is Fate.ADMITTED


def test_unknown_fields_never_come_in(
    population: tuple[Signed, ...], attacker: Attacker
) -> None:
    """The server drops them in silence if it is told to; what is left was signed."""
    lenient = {"fieldValidation": "Ignore"}
    fates = Counter(
        attacker.sends(having(each.tree, "/unknown", {"a": 1}), each, **lenient)
        for each in population
    )

    assert fates[Fate.ADMITTED] == 0


@pytest.fixture(scope="module", name="live")
def _live(gate: Gate, attacker: Attacker) -> Iterator[Tree]:
    """A signed Pod that is there, to be changed by its side doors."""
    requests = {"name": "main", "image": "nginx:1", "resources": BURSTABLE}
    signed = sign(gate, pod("side-doors", containers=[requests]))[0]
    yield attacker.server.create(signed)
    with pytest.raises(Refused):  # a deletion is a change, too
        attacker.server.delete(signed)


@pytest.mark.parametrize(
    ("subresource", "patch"),
    [
        ("status", {"metadata": {"labels": {"app": "other"}}}),
        ("status", {"metadata": {"annotations": {"note": "x"}}}),
        (
            "ephemeralcontainers",
            {"spec": {"ephemeralContainers": [{"name": "d", "image": "busybox:1"}]}},
        ),
        (
            "resize",
            {"spec": {"containers": [{"name": "main", "resources": RESIZED}]}},
        ),
        ("", {"metadata": {"labels": {"app": "other"}}}),
        ("", {"metadata": {"finalizers": ["x.example/hold"]}}),
        ("", {"spec": {"containers": [{"name": "main", "image": "nginx:2"}]}}),
    ],
)
@pytest.mark.parametrize("dry_run", [(), ("All",)], ids=["write", "dry-run"])
def test_side_doors_of_a_live_object(
    attacker: Attacker,
    live: Tree,
    subresource: str,
    patch: Tree,
    dry_run: Sequence[str],
) -> None:
    """Subresources and patches of what was admitted; a dry run is judged the same."""
    path = attacker.server.path(live) + (f"/{subresource}" if subresource else "")
    query = {"dryRun": dry_run[0]} if dry_run else {}
    with pytest.raises(Refused) as refused:
        attacker.server.request(
            "PATCH", path, patch, content_type=STRATEGIC_PATCH, **query
        )

    assert fate_of(refused.value) is Fate.DENIED


def test_a_revision_that_no_controller_wrote(attacker: Attacker) -> None:
    """From it a StatefulSet would be rolled back to what nobody signed."""
    forged = copy.deepcopy(REVISION)
    forged["metadata"]["labels"] = {"app": "db"}

    assert attacker.sends(forged) is Fate.DENIED
