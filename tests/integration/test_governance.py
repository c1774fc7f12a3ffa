"""Who changes the rules themselves: from an empty cluster, on a real API server.

Every attacker here is ``system:masters``: RBAC lets it do anything. The tests build on
one another, as the life of a cluster does.
"""

import copy
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.apiserver import JSON, MERGE_PATCH
from tests.support.direct import Direct
from tests.support.founding import (
    ADA,
    RAVI,
    RECOVERY,
    ROOT,
    Founded,
    founding,
    founding_of,
    roles,
)
from tests.support.operating import Operating
from tests.support.seconds import in_another_second
from tests.support.serving import serving
from tools.stack import operate, policies, webhook
from tools.stack.addresses import port
from tools.stack.people import DANA, LEE, OMAR, Someone
from tools.stack.ready import until

Tree = dict[str, Any]

OURS = "/apis/countersign.dev/v1alpha1"
_ROOT = f"{OURS}/rosters/{ROOT}"


class Attack(NamedTuple):
    """One request."""

    method: str
    path: str
    body: Tree | None
    sort: str


@pytest.fixture(scope="module", name="founded")
def _founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    with founding(tmp_path_factory.mktemp("founded")) as made:
        yield made


@pytest.fixture(scope="module", name="masters")
def _masters(
    founded: Founded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Direct]:
    """Speak as the cluster's administrator: no right is missing."""
    admin = founded.gate.stack.plane.admin
    with closing(Direct(admin, tmp_path_factory.mktemp("direct"))) as server:
        yield server


@pytest.fixture(scope="module", name="begun")
def _begun(founded: Founded, tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """What the installation begins with is there: the operator made it."""
    founded.found(tmp_path_factory.mktemp("beginning"))
    return founded


def revocation(name: str, *persons: str) -> Tree:
    """Return a Revocation of persons."""
    return {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Revocation",
        "metadata": {"name": name},
        "spec": {
            "entries": [
                {"kind": "person", "value": person, "reason": "lost a laptop"}
                for person in persons
            ]
        },
    }


def test_begins_with_what_was_given_and_nothing_else(founded: Founded) -> None:
    """While nobody governs, the digest does."""
    *_, root = founded.objects
    promoted = roles(root, LEE, "roster-admin", "policy-admin")
    other = {**copy.deepcopy(root), "metadata": {"name": "other"}}
    held = copy.deepcopy(root)
    held["metadata"]["finalizers"] = ["example.com/never"]

    for tree in (promoted, other, held, revocation("all", "dana")):
        assert founded.admin("create", tree).reasons == {"governance"}, tree


def test_the_root_roster_ends_the_beginning(begun: Founded) -> None:
    """Nothing is let in by its digest any more, not what was let in before either."""
    policy = next(t for t in begun.objects if t["kind"] == "ProtectionPolicy")
    name = policy["metadata"]["name"]
    begun.removal(begun.live("protectionpolicy", name), ADA, RAVI)

    gone = begun.admin("delete", policy)
    again = begun.admin("create", policy)
    signed = begun.admin("create", begun.signed(policy, ADA, RAVI))

    assert gone.check().doors == {"signed"}
    assert "slot_open" in again.reasons
    assert signed.check().doors == {"signed"}


def test_two_admins_change_the_roster(begun: Founded) -> None:
    """One is not enough; who has other roles is nobody here."""
    changed = roles(begun.live("roster", ROOT), OMAR, "on-call", "senior")

    one = begun.admin("apply", begun.signed(changed, ADA))
    other = begun.admin("apply", begun.signed(changed, ADA, DANA))
    both = begun.signed(changed, ADA, RAVI)

    assert "slot_open" in one.reasons
    assert {"slot_open", "role_missing"} <= other.reasons
    assert begun.admin("apply", both).check().doors == {"signed"}
    assert begun.admin("replace", both).check().doors == {"unchanged"}


def test_two_admins_sign_what_was_denied(begun: Founded) -> None:
    """As anything else is signed, by the command that the denial says."""
    stack = begun.gate.stack
    operate.operate(stack)
    policy = begun.live("protectionpolicy", "orders")
    policy["spec"]["signOff"] = {"maxValidity": "10d"}
    answers = stack.folder / "people" / "answers.yaml"

    def unsigned(who: Someone) -> str:
        said = begun.admin("replace", policy).judged.out
        (decision,) = re.findall(r"ask .*sign-off --decision (\w+)", said)
        words = ("sign-off", "--decision", decision, "--key", stack.key(who))
        config = ("--kubeconfig", stack.folder / "kubeconfig", "--answers", answers)
        ran = begun.gate.cli(*words, *config)
        return ran.err if ran.code else ""  # until it is recorded

    for who in (ADA, RAVI):
        until(partial(unsigned, who), what=f"the sign-off of {who.id}")

    assert begun.admin("replace", policy).check().doors == {"signed"}


def test_nobody_promotes_themselves(begun: Founded) -> None:
    """The roster that makes them admins is judged by the one that does not."""
    live = begun.live("roster", ROOT)
    promoted = roles(roles(live, LEE, "roster-admin"), DANA, "roster-admin")

    done = begun.admin("apply", begun.signed(promoted, LEE, DANA))
    fewer = begun.admin("apply", begun.signed(roles(live, RAVI), ADA))

    assert {"role_missing", "slot_open"} <= done.reasons
    assert "slot_open" in fewer.reasons  # nor by having the other one out first


def test_an_older_version_does_not_come_back(begun: Founded) -> None:
    """Its sign-offs are genuine, and were used once; what they saw is live again.

    Fault seen caught: the live state as base was enough.
    """
    before = begun.live("roster", ROOT)
    wider = begun.signed(roles(before, OMAR, "on-call", "roster-admin"), ADA, RAVI)
    begun.admin("apply", wider).check()
    in_another_second()  # else neither is the newer one
    narrow = begun.signed(before, ADA, RAVI)
    begun.admin("replace", narrow).check()

    assert begun.live("roster", ROOT)["spec"] == before["spec"]
    for verb in ("apply", "replace"):
        assert "stale_base" in begun.admin(verb, wider).reasons, verb
    assert begun.admin("replace", narrow).check().doors == {"unchanged"}


ATTACKS = [
    pytest.param(Attack("DELETE", _ROOT, None, JSON), id="delete the root roster"),
    pytest.param(
        Attack("DELETE", f"{OURS}/rosters", None, JSON), id="delete all rosters"
    ),
    pytest.param(
        Attack("DELETE", f"{OURS}/protectionpolicies", None, JSON),
        id="delete all policies",
    ),
    pytest.param(
        Attack("DELETE", f"{OURS}/trustroots/local", None, JSON), id="delete trust"
    ),
    pytest.param(
        Attack(
            "PATCH",
            f"{OURS}/protectionpolicies/payments",
            {"spec": {"enforcement": "audit"}},
            MERGE_PATCH,
        ),
        id="audit only",
    ),
    pytest.param(
        Attack(
            "PATCH",
            _ROOT,
            {"metadata": {"finalizers": ["example.com/held"]}},
            MERGE_PATCH,
        ),
        id="a finalizer",
    ),
    pytest.param(
        Attack(
            "PATCH",
            _ROOT,
            {
                "metadata": {
                    "ownerReferences": [
                        {
                            "apiVersion": "rbac.authorization.k8s.io/v1",
                            "kind": "ClusterRole",
                            "name": "view",
                            "uid": "3b4c",
                        }
                    ]
                }
            },
            MERGE_PATCH,
        ),
        id="an owner that goes",
    ),
    pytest.param(
        Attack("PATCH", _ROOT, {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH),
        id="a label",
    ),
    pytest.param(
        Attack(
            "POST",
            f"{OURS}/rosters",
            {"metadata": {"name": "", "generateName": "platform-"}},
            JSON,
        ),
        id="a generated name",
    ),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_denied_to_masters(begun: Founded, masters: Direct, attack: Attack) -> None:
    """Also as a dry run; and everything is there afterwards."""
    method, path, body, sort = attack
    if method == "POST":
        body = {**begun.live("roster", ROOT), **(body or {})}
    before = _everything(begun)

    tried = [
        masters.ask(method, f"{path}{q}", body, sort=sort) for q in ("?dryRun=All", "")
    ]

    for one in tried:
        assert one.code == HTTPStatus.FORBIDDEN, one.body
    assert _everything(begun) == before


def test_a_status_changes_no_spec(begun: Founded, masters: Direct) -> None:
    """It is not asked about: nothing but the status is stored by it."""
    before = begun.live("roster", ROOT)
    widened = roles(before, LEE, "roster-admin")
    body = {"metadata": {"labels": {"a": "b"}}, "spec": widened["spec"]}

    done = masters.ask("PATCH", f"{_ROOT}/status", body, sort=MERGE_PATCH)

    assert done.code == HTTPStatus.OK
    assert begun.live("roster", ROOT) == before
    assert "labels" not in _full(begun)["metadata"]


def test_the_root_roster_stays_changeable(begun: Founded) -> None:
    """Not even all admins together lock everybody out, or take it away."""
    live = begun.live("roster", ROOT)
    nobody = roles(roles(live, ADA, "policy-admin"), RAVI, "senior")
    begun.removal(live, ADA, RAVI)

    assert begun.admin("apply", begun.signed(nobody, ADA, RAVI)).reasons == {
        "governance"
    }
    assert begun.admin("delete", live).reasons == {"governance"}


def test_one_admin_withdraws_and_two_take_it_back(begun: Founded) -> None:
    """A revocation by one never makes that one the only admin whose word counts."""
    given = revocation("laptop", RAVI.id)
    live = begun.live("roster", ROOT)

    done = begun.admin("create", begun.signed(given, ADA)).check()
    alone = begun.admin("apply", begun.signed(roles(live, LEE, "senior"), ADA))
    both = begun.admin("apply", begun.signed(roles(live, LEE, "senior"), ADA, RAVI))
    begun.removal(begun.live("revocation", "laptop"), ADA)
    back = begun.admin("delete", given)

    assert done.doors == {"signed"}
    assert "slot_open" in alone.reasons
    assert {"revoked", "slot_open"} <= both.reasons
    assert "deletion" in back.reasons


def test_who_may_recover_mends_the_roster_and_no_policy(
    begun: Founded, tmp_path: Path
) -> None:
    """RAVI is withdrawn, and no second admin is left: this is what it is for."""
    stack = begun.gate.stack
    healer = stack.plane.user("hal", (RECOVERY, "system:masters"), to=tmp_path / "hal")
    before = stack.plane.kubectl("get", "roster", ROOT, "-o", "json", user=healer)
    mended = roles(json.loads(before.check().stdout), DANA, "senior", "roster-admin")

    def as_healer(verb: str, tree: Tree) -> tuple[int, str]:
        done = stack.plane.kubectl(verb, "-f", "-", user=healer, stdin=tree)
        return done.code, done.stdout + done.stderr

    weaker = begun.live("protectionpolicy", "payments")
    weaker["spec"]["enforcement"] = "audit"

    assert as_healer("apply", weaker)[0] != 0
    assert as_healer("delete", mended)[0] != 0
    assert as_healer("replace", mended)[0] == 0
    assert "recovery_used" in (stack.folder / "webhook" / "serve.log").read_text()
    assert "slot_open" in begun.admin("apply", begun.signed(weaker, LEE)).reasons


def test_a_restart_with_older_digests_opens_nothing(
    begun: Founded, tmp_path: Path
) -> None:
    """Who starts the gate with digests of their own choice gains nothing by it."""
    stack = begun.gate.stack
    live = begun.live("roster", ROOT)
    mine = roles(live, LEE, "roster-admin", "policy-admin")
    policy = begun.live("protectionpolicy", "payments")
    policy["metadata"]["name"], policy["spec"]["enforcement"] = "weak", "audit"
    stack.plane.ledger.stop(webhook.NAME)
    settings = {
        "listen__port": port(stack.addresses.webhook),
        "listen__certificate_file": stack.addresses.keys / "webhook.crt",
        "listen__key_file": stack.addresses.keys / "webhook.key",
        "governance__root_roster": ROOT,
        "governance__founding": founding_of([*begun.objects, mine, policy]),
        "cluster_name": policies.CLUSTER,
    }

    def asked() -> str:
        done = begun.admin("create", {**policy, "metadata": {"name": "asked"}})
        return "" if done.judged.reasons else done.judged.out

    with serving(stack.plane, tmp_path, stack.plane.admin, **settings):
        until(asked, what="the restarted webhook")
        for verb, tree in (
            ("create", policy),
            ("replace", mine),
            ("replace", begun.objects[-1]),
        ):
            assert "slot_open" in begun.admin(verb, tree).reasons
        assert begun.admin("delete", live).reasons == {"governance"}
    webhook.serve(replace(stack, folder=tmp_path))


def test_the_watchdog_tells_when_the_registration_goes(
    begun: Founded, masters: Direct, tmp_path: Path
) -> None:
    """Nothing prevents it here; but it does not stay unseen."""
    plane = begun.gate.stack.plane
    checks = ("registration", "probe")
    hooks = "validatingwebhookconfiguration"
    kept = json.loads(plane.kubectl("get", hooks, "countersign", "-o", "json").stdout)

    def saying(seen: Operating, value: float) -> str:
        metrics = [f'countersign_gate_closed{{check="{one}"}}' for one in checks]
        told = [seen.get("/metrics")[1].count(f"{one} {value}\n") for one in metrics]
        return "" if told == [1, 1] else f"{told}"

    with begun.operated(tmp_path, watchdog__every_s=0.2) as seen:
        until(lambda: saying(seen, 1.0), what="a gate that stands")
        path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
        gone = masters.ask("DELETE", f"{path}/countersign", None)
        until(lambda: saying(seen, 0.0), what="a gate that is open")
        kept["metadata"] = {"name": "countersign"}
        plane.kubectl("apply", "-f", "-", stdin=kept).check()
        until(lambda: saying(seen, 1.0), what="a gate that stands again")

    assert gone.code == HTTPStatus.OK
    told = plane.kubectl("get", "events", "-n", "default", "-o", "json").stdout
    assert "GateOpen" in told


def _full(founded: Founded) -> Tree:
    done = founded.gate.stack.plane.kubectl("get", "roster", ROOT, "-o", "json")
    tree: Tree = json.loads(done.check().stdout)
    return tree


def _everything(founded: Founded) -> str:
    kinds = "rosters,protectionpolicies,trustroots,revocations"
    return founded.gate.stack.plane.kubectl("get", kinds, "-o", "json").check().stdout
