"""The commands that look at a real cluster: verify, explain, audit running, init, status."""

import json
from pathlib import Path
from typing import Any

import pytest

from countersign.faces.cli.session import Exit
from tests.support import chart
from tests.support.cli import Ran
from tests.support.gate import Gate, changed, documents, written
from tools.stack.people import DANA, LEE, RAVI, Someone


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


def test_verify_says_which_right_is_missing(gate: Gate, name: str) -> None:
    """A developer may not see rosters: that is no verdict."""
    file = saved(gate, written([chart.config_map(name)]))

    ran = look(gate, "verify", "-f", file, by=LEE)

    assert ran.code in (Exit.UNDECIDED, Exit.DENIED)
    if ran.code == Exit.UNDECIDED:
        assert "could not list" in ran.err


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
