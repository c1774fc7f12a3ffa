"""What is kept of a judgement, and under which id.

Seen to fail: with the process's salt left out, with the plain object kept, with the
requester or the time in an id, with a dry run kept, and with the latest of several due
dates.
"""

import asyncio
import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.binding.canonical import canonical
from countersign.core.types.artifacts import Digest, Tree
from countersign.core.types.change import (
    Access,
    Base,
    Deletion,
    ObjectChange,
    Operation,
)
from countersign.core.types.decision import Decision, Outcome
from countersign.core.types.policy import BreakGlass, Enforcement
from countersign.core.types.request import (
    AdmissionRequest,
    Requester,
    Resource,
    Verb,
)
from countersign.core.types.verdict import Basis, Door, Reason, Verdict
from countersign.usecases.judged import Judged
from countersign.usecases.record import MAX_BUNDLES, decision_of
from countersign.wire.decision import parse_kept, render_decision
from tests.support import a
from tests.support.world import (
    SALT,
    World,
    controller,
    create,
    delete,
    node,
    ref_of,
    request,
    stored,
    update,
)

OTHER_SALT = bytes(32)
GLASS = BreakGlass(
    role="on-call",
    max_validity=timedelta(hours=4),
    review_within=timedelta(hours=72),
)


def config(value: str = "b", **metadata: Any) -> Tree:
    """Return a ConfigMap."""
    place = {"name": "settings", "namespace": a.NAMESPACE, **metadata}
    data: Tree = {"a": value}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": data}


def made(
    judged: Judged, asked: AdmissionRequest, salt: bytes = SALT, at: Any = a.NOON
) -> Decision | None:
    """Return what is kept of a judgement."""
    return decision_of(judged, asked, cluster=a.CLUSTER, at=at, salt=salt)


async def recorded(
    world: World, asked: AdmissionRequest, salt: bytes = SALT
) -> Decision | None:
    """Judge a request, and return what is kept of that."""
    return made(await world.reviewer().judge(asked), asked, salt)


async def denied(world: World, asked: AdmissionRequest, salt: bytes = SALT) -> Decision:
    """Return what is kept of a denial."""
    found = await recorded(world, asked, salt)
    assert found is not None
    assert found.outcome is Outcome.DENIED
    assert parse_kept(render_decision(found)) == found
    return found


@pytest.fixture(name="world")
def _world() -> World:
    return World()


# What is worth keeping ---------------------------------------------------------------


async def test_a_dry_run_leaves_nothing(world: World) -> None:
    """The webhook promises that."""
    assert await recorded(world, create(config(), dry_run=True)) is None


async def test_what_no_policy_is_about_leaves_nothing(world: World) -> None:
    """It is not ours."""
    assert await recorded(world, create(config(namespace="sandbox"))) is None


async def test_what_changes_nothing_leaves_nothing(world: World) -> None:
    """A controller that applies the same every minute is no news."""
    old = stored(config())

    assert await recorded(world, update(old, old)) is None


@pytest.mark.parametrize(
    ("door", "by", "kept"),
    [
        (Door.SIGNED, Requester("lee"), True),
        (Door.DERIVED, controller("replicaset-controller"), True),
        (Door.DELTA, Requester("lee"), True),
        (Door.DELTA, controller("deployment-controller"), False),
        (Door.DELTA, node("one"), False),
        (Door.DELTA, Requester("system:kube-controller-manager"), False),
        (Door.DELTA, Requester("system:serviceaccount:argocd:server"), True),
        (Door.UNCHANGED, Requester("lee"), False),
    ],
)
def test_the_routine_of_the_cluster_is_not_kept(
    door: Door, by: Requester, *, kept: bool
) -> None:
    """What people did is, and what controllers made of what people signed."""
    verdict = Verdict.of([Basis(policy="payments", door=door)], ())
    judged = Judged(verdict=verdict, policies=(a.policy(),))

    assert (made(judged, create(config(), by=by)) is not None) is kept


@pytest.mark.parametrize(
    ("enforcement", "outcome"),
    [(Enforcement.WARN, Outcome.WARNED), (Enforcement.AUDIT, Outcome.ALLOWED)],
)
async def test_what_would_have_been_denied_is_kept(
    world: World, enforcement: Enforcement, outcome: Outcome
) -> None:
    """A policy is tried before it denies."""
    world.policies = (a.policy(enforcement=enforcement),)
    found = await recorded(world, create(config()))

    assert found is not None
    assert found.outcome is outcome
    assert {told.reason for told in found.findings} >= {Reason.NO_EVIDENCE}
    assert found.proposal is not None  # it can be signed before anybody is denied
    assert found.proposal.intent == canonical(config())


# What it says -------------------------------------------------------------------------


async def test_a_denial_says_what_to_sign(world: World) -> None:
    """The intent, where it goes, and on which state; with what was missing."""
    asked = create(config())
    found = await denied(world, asked)

    assert found.proposal is not None
    assert found.proposal.intent is not None
    change = found.proposal.change
    assert isinstance(change, ObjectChange)
    assert found.proposal.intent.digest == change.digest
    assert change.digest == canonical(config()).digest
    assert change.object == ref_of(config())
    assert change.base is Base.ABSENT
    assert change.operation is Operation.CREATE_OR_UPDATE
    assert found.requester.name == "lee"
    assert Reason.NO_EVIDENCE in {told.reason for told in found.findings}
    assert all(told.message for told in found.findings)


async def test_what_is_signed_of_a_denial_is_admitted(world: World) -> None:
    """The proposal, signed, lets the very same request in."""
    asked = create(config())
    found = await denied(world, asked)
    assert found.proposal is not None
    assert found.proposal.intent is not None
    world.beside(found.proposal.intent.tree)
    again = await recorded(world, asked)

    assert again is not None
    assert again.outcome is Outcome.ALLOWED
    assert again.persons == ("dana",)
    assert again.proposal is not None
    assert again.proposal.intent == found.proposal.intent
    assert again.bundles


async def test_a_deletion_is_signed_by_uid(world: World) -> None:
    """And by what becomes of the object's own children."""
    old = stored(config(), uid="u-1")
    found = await denied(world, delete(old, options={"propagationPolicy": "Orphan"}))

    assert found.proposal is not None
    assert found.proposal.change == Deletion(
        object=ref_of(old), uid="u-1", propagation_policy="Orphan"
    )
    assert found.uid == "u-1"


POD: Tree = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": a.NAMESPACE},
}


def connect() -> AdmissionRequest:
    """Return an exec."""
    asked = request(Verb.CONNECT, POD, resource=Resource("", "v1", "pods", "exec"))
    options: Tree = {"kind": "PodExecOptions", "apiVersion": "v1", "command": ["sh"]}
    ref = replace(ref_of(POD), kind="PodExecOptions")
    return replace(asked, ref=ref, object=options)


@pytest.mark.parametrize("glass", [GLASS, None])
async def test_an_access_is_proposed_where_break_glass_goes(
    world: World, glass: BreakGlass | None
) -> None:
    """Nothing else lets one in."""
    world.policies = (a.policy(break_glass=glass),)
    live = stored(POD, uid="u-2")
    world.cluster.store(live)
    found = await denied(world, connect())

    if glass is None:
        assert found.proposal is None
        return
    assert found.proposal is not None
    assert found.proposal.change == Access(
        object=ref_of(live), uid="u-2", subresource="exec", operation=Operation.CONNECT
    )


def test_a_review_is_due_by_the_first_policy_that_wants_it() -> None:
    """Of those that break-glass opened."""
    policies = tuple(
        a.policy(
            name=name,
            break_glass=replace(GLASS, review_within=timedelta(hours=hours)),
        )
        for name, hours in (("p", 72), ("q", 24), ("r", 1))
    )
    bases = [
        Basis(policy="p", door=Door.SIGNED, emergency="INC-1"),
        Basis(policy="q", door=Door.SIGNED, emergency="INC-1"),
        Basis(policy="r", door=Door.SIGNED),
    ]
    judged = Judged(verdict=Verdict.of(bases, ()), policies=policies)
    found = made(judged, create(config()))

    assert found is not None
    assert found.review_due == a.NOON + timedelta(hours=24)
    assert found.emergency == "INC-1"


def test_bundles_are_kept_as_far_as_there_is_room() -> None:
    """One object's evidence must not fill a spool."""
    verdict = Verdict.of([Basis(policy="p", door=Door.SIGNED)], ())
    bundles = (b"a" * (MAX_BUNDLES - 1), b"b", b"c")
    found = made(Judged(verdict=verdict, bundles=bundles), create(config()))

    assert found is not None
    assert found.bundles == bundles[:2]


# Its id ---------------------------------------------------------------------------------


async def test_the_same_denial_has_the_same_id(world: World) -> None:
    """Whoever asks, whenever, whichever process answers."""
    asked = create(config())
    first = await denied(world, asked)
    world.at += a.DAY
    others = (
        replace(asked, uid="2"),
        replace(asked, requester=Requester("somebody")),
        create(config(), options={"fieldManager": "argocd"}),
    )
    again = [await denied(World(), other, OTHER_SALT) for other in others]
    judged = await world.reviewer().judge(asked)
    later = made(judged, asked, at=world.at)

    assert {each.id for each in again} == {first.id}
    assert later is not None
    assert (later.id, later.at) == (first.id, world.at)
    assert len(first.id) == 26


async def test_another_denial_has_another_id(world: World) -> None:
    """Another state, base, object, cluster, reason, or verb."""
    one, two = stored(config("one")), stored(config("two"))
    world_without = World(policies=(a.policy(name="other"),))
    judged = await world.reviewer().judge(create(config()))
    elsewhere = decision_of(
        judged, create(config()), cluster="other", at=a.NOON, salt=SALT
    )
    assert elsewhere is not None
    ids = [
        elsewhere.id,
        *[
            (await denied(where, asked)).id
            for where, asked in (
                (world, create(config())),
                (world, create(config("c"))),
                (world, create(config(name="another"))),
                (world, update(one, config())),
                (world, update(two, config())),
                (world, delete(one)),
                (world_without, create(config())),
            )
        ],
    ]

    assert len(set(ids)) == len(ids)


async def test_a_generated_name_is_not_in_the_id(world: World) -> None:
    """Each try has another one."""
    tries = [
        create(config(name=f"job-{suffix}", generateName="job-"))
        for suffix in ("x7k2p", "b9d4q")
    ]
    first, again = [await denied(world, each) for each in tries]

    assert first.id == again.id
    assert first.proposal == again.proposal


async def test_each_admission_has_an_id_of_its_own(world: World) -> None:
    """It happens once: two of the same are two."""
    asked = create(world.signed(config()))
    first = await recorded(world, asked)
    same = await recorded(world, asked)
    other = await recorded(world, replace(asked, uid="another"))

    assert first is not None
    assert same is not None
    assert other is not None
    assert first.id == same.id != other.id


# Secrets ------------------------------------------------------------------------------


VALUES = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=5),
    st.binary(min_size=8, max_size=40),
    min_size=1,
    max_size=4,
)


def secret(values: dict[str, bytes], plain: dict[str, str]) -> Tree:
    """Return a Secret with values in `data`, `stringData`, and kubectl's annotation."""
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    said = "".join(plain.values()) + "".join(data.values())
    made: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": "credentials",
            "namespace": a.NAMESPACE,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": said},
        },
        "data": data,
        **({"stringData": plain} if plain else {}),
    }
    return made


def traces(value: bytes) -> list[bytes]:
    """Return what would give a value away."""
    digest = hashlib.sha256(value)
    encoded = base64.b64encode(value)
    return [
        value,
        encoded,
        encoded.rstrip(b"="),
        digest.hexdigest().encode(),
        base64.b64encode(digest.digest()),
        hashlib.sha256(encoded).hexdigest().encode(),
        str(Digest.sha256(value)).encode(),
        value.hex().encode(),
    ]


@settings(max_examples=60)
@given(
    new=VALUES,
    old=st.none() | VALUES,
    plain=st.dictionaries(
        st.text("ghij", min_size=1, max_size=3),
        st.text("0123456789XYZ", min_size=12, max_size=20),
        max_size=2,
    ),
    verb=st.sampled_from(["create", "update", "delete", "signed"]),
)
def test_nothing_gives_a_secret_away(
    new: dict[str, bytes],
    old: dict[str, bytes] | None,
    plain: dict[str, str],
    verb: str,
) -> None:
    """No value, no encoding and no plain hash of one, whatever is asked."""
    world = World()
    after = secret(new, plain)
    before = stored(secret(old or new, {}))
    asked = {
        "create": lambda: create(after),
        "update": lambda: update(before, after),
        "delete": lambda: delete(before),
        "signed": lambda: update(before, world.signed(secret(new, {}))),
    }[verb]()
    found = asyncio.run(recorded(world, asked))
    if found is None:
        return
    line = render_decision(found)

    hidden = [
        *new.values(),
        *(old or {}).values(),
        *(v.encode() for v in plain.values()),
    ]
    for value in hidden:
        assert not [trace for trace in traces(value) if trace in line]


async def test_a_secret_has_an_id_of_this_process(world: World) -> None:
    """One that all processes agreed on would be a hash of the value."""
    asked = create(secret({"password": b"correct horse"}, {}))
    first = await denied(world, asked)
    same = await denied(world, asked)
    elsewhere = await denied(world, asked, OTHER_SALT)

    assert first.id == same.id != elsewhere.id
