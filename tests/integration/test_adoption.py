"""Adoption: what stands in each mode, what enforcement would deny, and the guide."""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from countersign.faces.cli.session import Exit
from tests.support import chart
from tests.support.cli import Ran
from tests.support.gate import Gate, documents, written
from tests.support.trip import run
from tests.support.workloads import denying_controllers
from tools.stack.people import DANA, LEE, Someone
from tools.stack.ready import until

NAMESPACE = chart.NAMESPACE
WHERE = f"-n {NAMESPACE} --cluster local"
PAGE = Path(__file__).parents[2] / "docs" / "adoption.md"
SECRET_VALUE = "tulip-lantern-orbit-9913"


@contextlib.contextmanager
def enforcing(gate: Gate, how: str) -> Iterator[None]:
    """Let the policy of ``payments`` deny, warn or only look, for a while."""
    patch = json.dumps({"spec": {"enforcement": how}})
    command = ("patch", "protectionpolicy", NAMESPACE, "--type=merge", "-p", patch)
    back = (*command[:-1], json.dumps({"spec": {"enforcement": "deny"}}))
    with denying_controllers(gate):  # what is warned of counts as well
        gate.stack.plane.kubectl(*command).check()
        try:
            wait(gate, how)
            yield
        finally:
            gate.stack.plane.kubectl(*back).check()
            wait(gate, "deny")


def wait(gate: Gate, how: str) -> None:
    """Wait until a dry run shows that it is enforced so."""
    probe = written([chart.config_map("probe")])

    def otherwise() -> str:
        seen = gate.apply(probe, "--dry-run=server")
        warned = "Warning:" in seen.out
        so = {"deny": seen.code != 0, "warn": seen.code == 0 and warned}
        return "" if so.get(how, seen.code == 0 and not warned) else seen.out

    until(otherwise, what=f"enforcement {how}")


def ask(gate: Gate, command: str, *more: str | Path, **how: Any) -> Ran:
    """Run a command as the administrator who adopts, by the cluster's own policies."""
    how.setdefault("kubeconfig", gate.stack.plane.admin)
    by: Someone = how.pop("by", DANA)
    return run(gate, command, *more, by=by, **how)


def running(gate: Gate, *names: str, **how: Any) -> dict[str, str]:
    """Return how objects stand, by kind and name."""
    said = ask(gate, f"policy impact --live {WHERE} -o json", **how)
    assert said.code == Exit.DONE, said.err
    found = {o["object"]: o["state"] for o in json.loads(said.out)["running"]}
    asked = {f"{NAMESPACE}/{name}" for name in names}
    return {k.partition("/")[2]: v for k, v in found.items() if k in asked}


def secret(name: str) -> dict[str, Any]:
    """Return a Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": {"password": SECRET_VALUE},
    }


def test_modes(gate: Gate, name: str, tmp_path: Path) -> None:
    """Audit is silent and hides nothing; warn says what to run, and that works.

    What the gate itself refuses is refused in both; of a Secret nothing is shown.
    """
    plain = [chart.deployment(name), secret(name)]
    with enforcing(gate, "audit"):
        audited = gate.apply(written(plain))
        pod = gate.pod(name)
        bad = gate.apply(
            "apiVersion: countersign.dev/v1alpha1\nkind: BundleSet\n"
            f"metadata: {{name: bad, namespace: {NAMESPACE}}}\nspec: {{bundles: []}}"
        )
        elsewhere = chart.config_map(name)
        elsewhere["metadata"]["namespace"] = "ledger"
        other = gate.apply(written([elsewhere]))
    with enforcing(gate, "warn"):
        warned = gate.apply(written([chart.config_map(name)]))
        command = re.search(r"countersign (sign-off --decision \w{26})", warned.out)
        assert command, warned.out
        signed = run(gate, command[1], by=DANA)
        deleted = gate.kubectl("delete", "-n", NAMESPACE, pod)
    state = running(gate, f"Deployment/{name}", f"ConfigMap/{name}", f"Secret/{name}")
    log = ask(gate, f"audit log -n {NAMESPACE} --name {name}")
    export = ask(gate, f"audit log -n {NAMESPACE} --name {name} --whole -o json")
    kept = tmp_path / "kept.json"
    kept.write_text(export.out)
    folder = gate.stack.folder / "policies"
    anew = run(
        gate,
        f"policy impact --recorded {WHERE} -o json --policies {folder}",
        "--decisions",
        kept,
        by=DANA,
    )
    text = ask(gate, f"policy impact {WHERE}", COUNTERSIGN_POLICIES="")

    assert audited.code == 0
    assert "Warning" not in audited.out
    assert {"no_evidence", "slot_open"} <= set(audited.reasons)
    assert bad.code != 0
    assert other.code != 0
    assert warned.code == deleted.code == 0
    assert signed.code == Exit.DONE, signed.err
    assert "only audit: no_evidence" in log.out
    assert "only warn: no_evidence" in log.out
    assert state == {f"Deployment/{name}": "nobody", f"Secret/{name}": "nobody"}
    told = {one["object"]: one for one in json.loads(anew.out)["traffic"]["denied"]}
    signed_since = told.pop(f"{NAMESPACE}/ConfigMap/{name}")["findings"]
    assert "no_evidence" not in {one["reason"] for one in signed_since}
    assert set(told) == {f"{NAMESPACE}/Deployment/{name}"}
    assert json.loads(anew.out)["traffic"]["unjudged"] >= 1  # the Secret
    assert told[f"{NAMESPACE}/Deployment/{name}"]["requesters"] == ["lee"]
    assert f"{NAMESPACE}/Deployment/{name}" in text.out
    for said in (log, export, anew, text):
        assert SECRET_VALUE not in said.out + said.err


def test_baselines(gate: Gate, name: str, tmp_path: Path) -> None:
    """Whose word counts, for what, and for how long."""
    live = f"sign-off --live -n {NAMESPACE} Deployment/{name}"
    object_, out = f"Deployment/{name}", tmp_path / "set.yaml"
    with enforcing(gate, "audit"):
        assert gate.apply(written([chart.deployment(name)])).code == 0
        pod = gate.pod(name)
    states = [running(gate, object_)]

    with denying_controllers(gate):
        # for another cluster; in another namespace; by somebody whom nobody asks
        assert ask(gate, f"{live} --cluster elsewhere").code == Exit.DONE
        states.append(running(gate, object_))
        gate.stack.plane.kubectl("delete", pod, "-n", NAMESPACE).check()
        refused = gate.stack.plane.kubectl
        until(
            lambda: (
                ""
                if "not proven" in refused("get", "events", "-n", NAMESPACE).stdout
                else "no event"
            ),
            what="a Pod that nobody's object may not have",
        )
        assert (
            ask(gate, f"{live} --cluster local", "--out", out, by=LEE).code == Exit.DONE
        )
        (moved,) = documents(out.read_text())
        moved["metadata"]["namespace"] = "orders"
        gate.stack.plane.kubectl("apply", "-f", "-", stdin=moved).check()
        states.append(running(gate, object_))
        assert gate.apply(out.read_text()).code == 0
        states.append(running(gate, object_))

        signed = ask(gate, f"{live} --cluster local --valid 14d")
        states.append(running(gate, object_))
        later = running(gate, object_, clock=timedelta(days=40))
        again = gate.pod(name)
    command = ("-n", NAMESPACE, f"deployment/{name}")
    same = gate.apply(written([chart.deployment(name)]))
    status = json.dumps({"status": {"collisionCount": 1}})
    written_status = gate.stack.plane.kubectl(
        *("patch", *command, "--subresource=status", "--type=merge", "-p", status)
    )
    scaled = gate.kubectl("scale", "--replicas=4", *command)
    changed = gate.kubectl("set", "env", *command, "MODE=fast")

    assert signed.code == Exit.DONE, signed.err
    assert [one.get(object_) for one in states] == [
        *("nobody", "drift", "drift", "unfit"),
        None,
    ]
    assert later == {object_: "lapsed"}
    assert again != pod
    assert same.code == 0, same.out
    assert written_status.code == 0, written_status.stderr
    assert scaled.code != 0
    assert changed.code != 0
    assert {"changed", "slot_open"} & set(changed.reasons)


def test_the_page(gate: Gate, name: str, tmp_path: Path) -> None:
    """Every command of the guide, in its order, as it stands."""
    policies = tmp_path / "policies"
    shutil.copytree(gate.stack.folder / "policies", policies)
    file = policies / "protectionpolicy-payments.yaml"
    policy = yaml.safe_load(file.read_text())
    strict = {**policy, "spec": {**policy["spec"], "preset": "high-blast-radius"}}
    policy["spec"]["enforcement"] = "audit"
    file.write_text(yaml.safe_dump(policy))
    (tmp_path / "stricter.yaml").write_text(yaml.safe_dump(strict))
    fences = re.findall(
        r"^```sh adoption\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    lines = [line for fence in fences for line in fence.splitlines()]
    done: dict[str, Ran] = {}
    pod = ""
    try:
        with contextlib.chdir(tmp_path):
            for line in lines:
                program, _, rest = line.replace("prod-eu", "local").partition(" ")
                if program == "kubectl":
                    patch = re.search(r"-p '(.*)'$", rest)
                    words = rest.partition(" -p '")[0].split()
                    more = ("-p", patch[1]) if patch else ()
                    gate.stack.plane.kubectl(*words, *more).check()
                    how = json.loads(patch[1])["spec"]["enforcement"] if patch else ""
                    wait(gate, how or "audit")
                    if not how:
                        assert gate.apply(written([chart.deployment(name)])).code == 0
                        pod = gate.pod(name)
                    continue
                # of what else runs there in a session of tests one thing is signed
                one = (f"Deployment/{name}",) if "--live" in rest.split()[:2] else ()
                assert program == "countersign"
                done[line] = ask(gate, rest, *one, COUNTERSIGN_POLICIES="")
    finally:
        policy["spec"]["enforcement"] = "deny"
        gate.stack.plane.kubectl("apply", "-f", "-", stdin=policy).check()
        wait(gate, "deny")
    gate.stack.plane.kubectl("delete", pod, "-n", NAMESPACE).check()

    codes = {line: ran.code for line, ran in done.items()}
    strictly = [code for line, code in codes.items() if "--strict" in line]
    assert set(codes.values()) <= {Exit.DONE, Exit.WARNED}, codes
    assert len(lines) == 11
    assert strictly in ([Exit.DONE], [Exit.WARNED])  # others leave things there
    weighed, stricter = (
        r.out
        for at, r in done.items()
        if "-n payments" in at and "impact" in at and "--live" not in at
    )
    assert f"{NAMESPACE}/Deployment/{name}" in weighed
    assert "as it was judged then" in weighed
    assert "judged again" in stricter
    assert "service-owner" in stricter
    assert gate.pod(name) != pod
    assert not running(gate, f"Deployment/{name}")
    assert gate.apply(written([chart.config_map(name)])).code != 0


@pytest.mark.parametrize("extra", ["", "  unknownField: 1\n"])
def test_an_invalid_policy_is_no_forecast(
    gate: Gate, tmp_path: Path, extra: str
) -> None:
    """It would deny everything, and is told before it does."""
    file = tmp_path / "policy.yaml"
    file.write_text(
        "apiVersion: countersign.dev/v1alpha1\nkind: ProtectionPolicy\n"
        f"metadata: {{name: {NAMESPACE}}}\nspec:\n  roster: nobodys\n"
        f"  protect: {{namespaces: [{NAMESPACE}]}}\n{extra}"
    )

    said = ask(gate, f"policy impact {WHERE} -f {file}")
    checked = ask(gate, f"policy check -f {file}")

    assert said.code == Exit.UNDECIDED
    assert "expected valid policies" in said.err
    assert checked.code == Exit.DENIED
