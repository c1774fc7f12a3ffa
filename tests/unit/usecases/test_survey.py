"""What there is to say of an installation, as far as its user may look."""

from datetime import UTC, datetime
from typing import Any

import pytest

from countersign.adapters.books import LOADED, bind_books
from countersign.core.types.survey import Item, Recording, SideDoor, SpoolState, Survey
from countersign.report.status import attention, status_text
from countersign.usecases.coverage import Registration
from countersign.usecases.survey import Material, items
from countersign.wire.resources.kinds import POLICY, ROSTER, TRUST_ROOT, Kind
from tests.support import resources as stored

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SENT = Registration(protected=("payments",))
OPERATOR = stored.operator(user="system:serviceaccount:payments:issuer")


def look(
    *policies: Any, sent: Registration | None = SENT, hidden: tuple[Kind, ...] = ()
) -> dict[str, Item]:
    """Return what is said of each object, by name."""
    trees: dict[Kind, tuple[Any, ...]] = {
        kind: () for kind in LOADED if kind not in hidden
    }
    trees |= {POLICY: policies}
    if ROSTER not in hidden:
        trees[ROSTER] = (stored.roster(),)
    if TRUST_ROOT not in hidden:
        trees[TRUST_ROOT] = tuple(map(stored.trust_root, ("local-keys", "public-good")))
    books = bind_books(lambda kind: trees.get(kind, ()), ())
    material = Material(
        trees=trees,
        whole=not hidden,
        policies={p.name: p for p in books.policies.policies},
        expiry=books.expiry,
        problems={(p.kind, p.name): p.problems for p in books.problems},
        sent=sent,
        own_namespace="countersign",
        at=NOON,
    )
    return {item.name: item for item in items(material)}


def conditions(ready: str, covered: str) -> dict[str, Any]:
    """Return a status as the operator writes it."""
    said = {"Ready": ready, "Covered": covered}
    return {
        "conditions": [
            {"type": kind, "status": status, "message": f"{kind} it was"}
            for kind, status in said.items()
        ]
    }


DOORS = [
    ({"enforcement": "audit"}, SideDoor.NOT_ENFORCED, "audit"),
    ({"images": {"attestations": "off"}}, SideDoor.IMAGES_UNATTESTED, ""),
    ({"images": {"pinning": "off"}}, SideDoor.IMAGES_UNPINNED, ""),
    ({"signOff": {"base": "any"}}, SideDoor.ANY_BASE, ""),
    ({"exceptions": {"scale": {"allowGroups": ["ops"]}}}, SideDoor.SCALE, "ops"),
    ({"exceptions": {"restart": {"allowGroups": ["ops"]}}}, SideDoor.RESTART, "ops"),
    ({"exceptions": {"tools": {"helm": {}}}}, SideDoor.HELM, ""),
    (
        {"exceptions": {"controllers": [OPERATOR]}},
        SideDoor.OPERATORS,
        OPERATOR["user"],
    ),
    (
        {"exceptions": {"controllers": [{**OPERATOR, "mode": "trusted"}]}},
        SideDoor.TRUSTED_OPERATORS,
        OPERATOR["user"],
    ),
    ({"exceptions": {"injection": [{"name": "mesh"}]}}, SideDoor.INJECTION, "mesh"),
    (
        {"conversion": {"trusted": [{"group": "acme.example", "kind": "Order"}]}},
        SideDoor.CONVERSION,
        "Order.acme.example",
    ),
    (
        {
            "protect": {
                "namespaces": ["payments"],
                "exclude": [{"group": "", "kind": "Event"}],
            }
        },
        SideDoor.EXCLUDED,
        "Event",
    ),
]


@pytest.mark.parametrize(("spec", "door", "detail"), DOORS, ids=[d[1] for d in DOORS])
def test_each_side_door_is_shown(spec: Any, door: SideDoor, detail: str) -> None:
    """Where a policy leaves it open, and only there; in words, too."""
    shut = look(stored.policy())["payments"].doors
    item = look(stored.policy(**spec))["payments"]

    assert door not in {opened.door for opened in shut}
    assert [o.detail for o in item.doors if o.door is door] == [detail]
    lines = [*status_text(Survey(at=NOON, items=(item,)))]
    assert len([line for line in lines if "open side door" in line]) == len(item.doors)


def test_cluster_scoped_kinds_are_a_door_until_they_are_judged() -> None:
    """As the default preset leaves it."""
    wide = stored.policy(
        protect={"namespaces": ["payments"], "clusterScoped": "recommended"}
    )

    assert SideDoor.CLUSTER_SCOPED in {
        o.door for o in look(stored.policy())["payments"].doors
    }
    assert SideDoor.CLUSTER_SCOPED not in {o.door for o in look(wide)["payments"].doors}


def test_an_invalid_policy_needs_attention() -> None:
    """It says what is wrong."""
    item = look(stored.policy(preset="lax"))["payments"]

    assert item.ready is False
    assert item.covered is False
    (first, *_) = attention(Survey(at=NOON, items=(item,)))
    assert first.startswith("ProtectionPolicy/payments: spec.preset")


def test_what_is_not_registered_is_not_covered() -> None:
    """And comes with the command that mends it."""
    item = look(stored.policy(), sent=Registration(protected=("ledger",)))["payments"]

    assert item.covered is False
    assert "helm upgrade" in item.coverage


@pytest.mark.parametrize("status", ["True", "False", None])
def test_coverage_that_cannot_be_seen_is_what_the_operator_wrote(
    status: str | None,
) -> None:
    """Or unknown; never taken for granted."""
    tree = stored.policy()
    if status is not None:
        tree["status"] = conditions("True", status)

    item = look(tree, sent=None)["payments"]

    assert item.covered is {"True": True, "False": False, None: None}[status]


def test_without_the_right_to_see_rosters_the_operator_is_asked() -> None:
    """A policy is not called invalid for what its reader may not see."""
    said = {**stored.policy(), "status": conditions("True", "False")}
    mute = stored.policy("ledger")

    found = look(said, mute, hidden=(ROSTER,))

    assert found["payments"].ready is True
    assert found["payments"].covered is False
    assert found["ledger"].ready is None


def test_trust_that_ends_soon_needs_attention() -> None:
    """And trust that has ended."""
    ends = {
        name: Item(kind="TrustRoot", name=name, ready=True, said="", expires=expires)
        for name, expires in (
            ("soon", datetime(2026, 12, 1, tzinfo=UTC)),
            ("ended", datetime(2026, 11, 1, tzinfo=UTC)),
            ("later", datetime(2027, 11, 1, tzinfo=UTC)),
            ("never", None),
        )
    }

    lines = attention(Survey(at=NOON, items=tuple(ends.values())))

    assert [line.split(":")[0] for line in lines] == [
        "TrustRoot/soon",
        "TrustRoot/ended",
    ]


def test_a_silent_spool_and_a_lost_decision_need_attention() -> None:
    """A replica that is heard of does not."""
    spools = tuple(
        SpoolState(address=name, pulled_at=at, position=1, lost=0, trouble=trouble)
        for name, at, trouble in (
            ("well", NOON, ""),
            ("silent", datetime(2026, 11, 22, 11, tzinfo=UTC), ""),
            ("never", None, ""),
            ("refused", NOON, "connection refused"),
        )
    )
    recording = Recording(spools=spools, lost=2, trouble=("no replica found",))

    text = "\n".join(attention(Survey(at=NOON, items=(), recording=recording)))

    assert "2 decisions were lost" in text
    assert "no replica found" in text
    assert [
        name for name in ("well", "silent", "never", "refused") if name in text
    ] == [
        "silent",
        "never",
        "refused",
    ]
