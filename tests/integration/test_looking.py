"""The commands that look at a real cluster: verify, explain, audit running, init, status."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from countersign.faces.cli.session import Exit
from tests.support import chart
from tests.support.cli import Ran
from tests.support.gate import Gate, changed, documents, written
from tools.stack.people import DANA, LEE, RAVI, Someone
from tools.stack.ready import until


def look(gate: Gate, *words: Any, by: Someone | None = None) -> Ran:
    """Run a command as somebody, by the cluster's own policies."""
    config = gate.stack.kubeconfig(by) if by else gate.stack.folder / "kubeconfig"
    return gate.cli(*words, "--kubeconfig", config, COUNTERSIGN_POLICIES="")


def saved(gate: Gate, text: str) -> Path:
    """Write `text` into a file."""
    file = gate.folder / "looked-at.yaml"
    file.write_text(text)
    return file


def test_verify_by_the_clusters_own_policies(gate: Gate, name: str) -> None:
    """As admission judges: a new object, what it says on stderr, the same reasons."""
    attested = gate.attest(chart.config_map(name))
    signed = gate.sign(attested)

    denied = look(gate, "verify", "-f", saved(gate, attested), "-o", "json")
    allowed = look(gate, "verify", "-f", saved(gate, signed))

    assert denied.code == Exit.DENIED
    assert "policies: the cluster's own" in denied.err
    reasons = {f["reason"] for f in json.loads(denied.out)[0]["findings"]}
    assert reasons == set(gate.apply(attested).reasons)
    assert allowed.code == Exit.DONE, allowed.out
    assert gate.apply(signed).admitted


def test_verify_over_what_is_live(gate: Gate, name: str) -> None:
    """An unchanged object is unchanged; one of another time meets its base."""
    signed = gate.sign(
        gate.attest(chart.deployment(name)),
        *("--kubeconfig", gate.stack.folder / "kubeconfig"),
    )
    assert gate.apply(signed).admitted
    changed = gate.attest(chart.deployment(name, replicas=3))
    before = gate.sign(changed, "--base", "absent", stamped=False)

    again = look(gate, "verify", "-f", saved(gate, signed))
    stale = look(gate, "verify", "-f", saved(gate, before))

    assert again.code == Exit.DONE, again.out
    assert "nothing that matters changes" in again.out
    assert stale.code == Exit.DENIED
    assert "[stale_base]" in stale.out
    assert "stale_base" in gate.apply(before).reasons


def test_explain_names_who_could_sign(gate: Gate, name: str) -> None:
    """In a namespace that asks for two."""
    tree = chart.config_map(name)
    tree["metadata"]["namespace"] = "ledger"
    attested = gate.attest(tree)
    signed = gate.sign(attested, "--trace", "TICKET=PAY-1", "--valid", "7d", by=DANA)

    ran = look(gate, "explain", "-f", saved(gate, signed), "-o", "json")

    assert ran.code == Exit.DENIED, ran.err
    (policy,) = json.loads(ran.out)[0]["policies"]
    slots = {slot["role"]: slot["person"] for slot in policy["slots"]}
    assert slots == {"senior": "dana", "service-owner": ""}
    assert policy["eligible"] == [RAVI.id]
    assert "countersign sign-off" in policy["next"]


def test_running_names_who_signed_and_collapses_children(gate: Gate, name: str) -> None:
    """What controllers made of it stands under it."""
    assert gate.apply(gate.approved(chart.deployment(name))).admitted
    gate.pod(name)

    ran = look(gate, "audit", "running", "-n", chart.NAMESPACE, "-o", "json")

    assert ran.code == Exit.DONE, ran.err
    assert "objects in payments, nobody" in ran.err
    found = {one["object"]: one for one in json.loads(ran.out)}
    deployed = found[f"payments/Deployment/{name}"]
    assert [v["person"] for v in deployed["voices"]] == ["dana"]
    assert deployed["voices"][0]["roles"] == ["senior"]
    assert not deployed["nobody"]
    assert any("/ReplicaSet/" in child for child in deployed["derived"])
    assert any("/Pod/" in child for child in deployed["derived"])
    assert not any("/Pod/" in one and name in one for one in found)
    assert next(iter(found)).split("/")[1] == "Deployment"
    account = found["payments/ServiceAccount/default"]
    assert account["ofTheCluster"] == "default-account"
    assert not account["nobody"]


def test_running_tells_whose_word_does_not_count(gate: Gate, name: str) -> None:
    """The author signed, too: he approves nothing."""
    attested = gate.attest(chart.config_map(name))
    assert gate.apply(gate.sign(gate.sign(attested, by=LEE), by=DANA)).admitted

    told = look(gate, "audit", "running", "-n", chart.NAMESPACE)
    ran = look(gate, "audit", "running", "-n", chart.NAMESPACE, "-o", "json")

    found = {one["object"]: one for one in json.loads(ran.out)}
    voices = found[f"payments/ConfigMap/{name}"]["voices"]
    assert [(v["person"], v["counts"], v["bar"]) for v in voices] == [
        ("dana", True, ""),
        ("lee", False, "noRole"),
    ]
    assert "also signed, does not count: lee (holds no role" in told.out


def test_running_looks_where_kubectl_does(
    gate: Gate, name: str, tmp_path: Path
) -> None:
    """At the namespace of the kubeconfig's context, in this cluster alone."""
    signed = gate.apply(gate.approved(chart.config_map(name)))
    config = tmp_path / "kubeconfig"
    config.write_bytes((gate.stack.folder / "kubeconfig").read_bytes())
    use = ("config", "set-context", "--current", "--namespace=orders")
    gate.stack.plane.kubectl("--kubeconfig", config, *use).check()

    there = gate.cli("audit", "running", "--kubeconfig", config)
    log = gate.cli("audit", "log", "--name", "none", "--kubeconfig", config)
    other = gate.cli(
        *("audit", "running", "-n", chart.NAMESPACE, "--kubeconfig", config),
        *("--cluster", "elsewhere"),
    )

    assert "objects in orders, nobody" in there.err
    assert "no decisions found in namespace orders" in log.err
    assert signed.admitted, signed.out
    assert f"payments/ConfigMap/{name}: nobody" in other.out


def test_running_says_nobody_where_nobody_spoke(gate: Gate, name: str) -> None:
    """Of what was there before the policy, and of what was changed behind it."""
    plane = gate.stack.plane
    signed = documents(gate.approved(chart.config_map(name)))[0]
    other = {**signed, "metadata": {**signed["metadata"], "name": f"{name}-other"}}
    late = [
        {**tree, "metadata": {**tree["metadata"], "namespace": "sandbox"}}
        for tree in (chart.deployment(name), other)
    ]
    plane.kubectl("apply", "-f", "-", stdin=written(late)).check()

    with changed(gate, _late_policy()):
        ran = look(gate, "audit", "running", "-n", "sandbox", "--strict")

    assert ran.code == Exit.WARNED, ran.err
    assert f"sandbox/Deployment/{name}: nobody" in ran.out
    assert f"sandbox/ConfigMap/{name}-other: nobody" in ran.out
    assert "dana" not in ran.out


def _late_policy() -> dict[str, Any]:
    spec = {
        "protect": {"namespaces": ["sandbox"]},
        "preset": "manual",
        "roster": "platform",
    }
    return {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "ProtectionPolicy",
        "metadata": {"name": "late"},
        "spec": spec,
    }


def test_what_init_writes_applies_as_it_is(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a real server, which knows the schemas."""
    monkeypatch.chdir(tmp_path)
    ran = gate.cli(
        *("init", "--dir", tmp_path / "first", "-n", "beginner"),
        *("--name", "Dana Lee", "--email", "dana@acme.example"),
    )
    assert ran.code == Exit.DONE, ran.err

    plane = gate.stack.plane
    done = plane.kubectl(
        *("apply", "--dry-run=server", "--validate=strict", "-f", tmp_path / "first")
    )

    assert done.code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


@pytest.fixture(name="stranger")
def _stranger(gate: Gate, tmp_path: Path) -> Path:
    """Return the kubeconfig of somebody without rights."""
    config = tmp_path / "stranger.kubeconfig"
    gate.stack.plane.user("stranger", (), namespace="payments", to=config)
    return config


@pytest.fixture(name="denial")
def _denial(gate: Gate, name: str) -> str:
    """Return the id of a denial, once it is recorded."""
    attested = gate.attest(chart.config_map(name))
    said = gate.apply(attested).out
    found = re.search(r"decision ([0-9A-Z]{26})", said)
    assert found is not None, said

    def missing() -> str:
        ran = look(gate, "explain", found[1])
        return "" if ran.code == Exit.DONE else ran.err

    until(missing, what=f"decision {found[1]} in the recorder")
    return found[1]


def test_explain_a_decision(gate: Gate, name: str, denial: str) -> None:
    """Why, who could sign, and the command that does."""
    ran = look(gate, "explain", denial)

    assert f"payments/ConfigMap/{name}: denied" in ran.out
    assert "missing: senior; could sign: dana, ravi" in ran.out
    assert "docs/runbook.md#slot_open" in ran.out
    assert f"countersign sign-off --decision {denial}" in ran.out


def test_no_such_decision(gate: Gate) -> None:
    """There is nothing to work on."""
    assert look(gate, "explain", "0" * 26).code == Exit.NO_INPUT


def test_the_log_lists_and_narrows(gate: Gate, name: str, denial: str) -> None:
    """By namespace, object, outcome and time; a repeated denial is one, with a count."""
    gate.apply(gate.attest(chart.config_map(name)))
    mine = ("audit", "log", "-n", "payments", "--name", name)

    def once() -> str:
        (kept,) = json.loads(look(gate, *mine, "-o", "json").out)
        return "" if kept["count"] == 2 else str(kept["count"])

    until(once, what="the second denial")
    narrowed = look(gate, *mine, "--outcome", "denied", "--since", "1h")
    others = look(gate, *mine, "--outcome", "allowed")
    everywhere = look(gate, "audit", "log", "-A", "-o", "json")

    assert narrowed.code == Exit.DONE, narrowed.err
    header, line = narrowed.out.splitlines()
    assert header.split()[:3] == ["TIME", "DECISION", "OUTCOME"]
    assert all(word in line for word in (denial, "denied", "lee", "slot_open"))
    assert "no decisions found" in others.err
    assert denial in [kept["decision"]["id"] for kept in json.loads(everywhere.out)]


def test_show_proves_the_statements(gate: Gate, denial: str) -> None:
    """Of the bundles that travelled with it, under the cluster's trust roots."""
    ran = look(gate, "audit", "show", denial)

    assert ran.code == Exit.DONE, ran.err
    assert "provenance sha256:" in ran.out
    assert "PROVEN: signed by ci" in ran.out


def test_the_recorder_asks_for_rights(gate: Gate, stranger: Path) -> None:
    """Which the message names."""
    ran = gate.cli("audit", "log", "-n", "payments", "--kubeconfig", stranger)

    assert ran.code == Exit.UNDECIDED
    assert "decisions.countersign.dev" in ran.err


def test_running_knows_since_when(gate: Gate, name: str) -> None:
    """From the recorded admission."""
    assert gate.apply(gate.approved(chart.config_map(name))).admitted
    found: list[Any] = []

    def unknown() -> str:
        ran = look(gate, "audit", "running", "-n", "payments", "-o", "json")
        every = {one["object"]: one for one in json.loads(ran.out)}
        found[:] = [every[f"payments/ConfigMap/{name}"]]
        return "" if found[0]["since"] else ran.err

    until(unknown, what="the admission in the recorder")

    shown = look(gate, "audit", "show", found[0]["since"]["decision"])
    assert "senior: dana" in shown.out


def test_status_of_the_installation(gate: Gate) -> None:
    """Valid policies, the doors they leave open, and spools that are heard of."""
    ran = look(gate, "status", "-o", "json")

    assert ran.code == Exit.DONE, ran.err
    told = json.loads(ran.out)
    policies = {
        one["name"]: one for one in told["objects"] if one["kind"] == "ProtectionPolicy"
    }
    assert {"payments", "ledger", "orders"} <= policies.keys()
    assert all(one["ready"] for one in policies.values())
    doors = {door["door"] for door in policies["orders"]["sideDoors"]}
    assert {"imageAttestationsOff", "imagePinningOff", "clusterScopedNone"} <= doors
    assert told["recorder"]["spools"]
    assert isinstance(told["debts"], list)


def test_status_shows_what_its_user_may_see(gate: Gate) -> None:
    """Who may not see what is registered goes by the operator's word."""
    plane, kinds = gate.stack.plane, "protectionpolicies,rosters,trustroots,revocations"
    groups = ",".join(f"{kind}.countersign.dev" for kind in kinds.split(","))
    role = ("clusterrole", "only-rules", "--verb=get,list", f"--resource={groups}")
    plane.kubectl("create", *role).check()
    bound = ("clusterrolebinding", "only-rules", "--clusterrole=only-rules")
    plane.kubectl("create", *bound, "--user=onlooker").check()

    ran = gate.cli(
        *("status", "--strict", "--kubeconfig", plane.user("onlooker")),
        COUNTERSIGN_POLICIES="",
    )

    assert ran.code == Exit.WARNED
    assert "not seen: could not get the webhook's configuration" in ran.out
    assert re.search(
        r"^payments +deny +(yes|NO|unknown) +payments$", ran.out, re.MULTILINE
    )


def test_status_of_what_nobody_may_see(gate: Gate, stranger: Path) -> None:
    """That is no status at all; nor is there a verdict without rules."""
    status = gate.cli("status", "--kubeconfig", stranger)
    file = saved(gate, written([chart.config_map("x")]))
    words = ("verify", "-f", file, "--kubeconfig", stranger)
    verdict = gate.cli(*words, COUNTERSIGN_POLICIES="")

    assert (status.code, verdict.code) == (Exit.UNDECIDED, Exit.UNDECIDED)
    assert "could not list protectionpolicies" in status.err
    assert "could not list protectionpolicies" in verdict.err


def test_status_finds_what_needs_attention(gate: Gate) -> None:
    """A policy that nobody asks about, with the command that mends it."""
    with changed(gate, _late_policy()):
        ran = look(gate, "status", "--strict")

    assert ran.code == Exit.WARNED
    assert "ProtectionPolicy/late: namespace sandbox is not sent" in ran.out
    assert "helm upgrade" in ran.out


def test_a_signer_is_told_what_the_clusters_policy_asks(gate: Gate, name: str) -> None:
    """Before he signs what cannot count, without any folder of policies at hand."""
    tree = chart.config_map(name)
    tree["metadata"]["namespace"] = "ledger"
    file = saved(gate, gate.attest(tree))

    ran = look(
        gate,
        *("sign-off", "-f", file, "--key", gate.stack.key(DANA), "--valid", "7d"),
        *("--answers", gate.stack.folder / "people" / "answers.yaml"),
        *("--out", gate.folder / "told.yaml"),
    )

    assert ran.code == Exit.DONE, ran.err
    assert "policies: the cluster's own" in ran.err
    assert "the policy asks for --trace: TICKET" in ran.err
