"""What is signed is admitted, however it is sent, and rolls out to Pods."""

import copy
import json
from datetime import UTC, datetime

import pytest

from tests.support import chart
from tests.support.gate import Gate, documents, written
from tools.stack.ready import until


@pytest.mark.parametrize(
    "flags",
    [pytest.param((), id="client-side"), pytest.param(("--server-side",), id="server")],
)
def test_apply_of_a_whole_chart(
    gate: Gate, flags: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    """Every kind of a usual chart is admitted by apply, and unchanged the second time."""
    name = f"chart-{request.node.callspec.id}"
    signed = gate.approved(*chart.everything(name))

    first = gate.apply(signed, *flags)
    second = gate.apply(signed, *flags)

    assert first.admitted, first.out
    assert first.doors == {"signed"}
    assert second.code == 0
    assert second.doors <= {"unchanged"}


def test_create_and_replace(gate: Gate, name: str) -> None:
    """Create, then replace by the next signed state."""
    created = gate.approved(chart.config_map(name))
    replaced = gate.sign(
        gate.attest(chart.config_map(name, region="eu-west-1")),
        "--kubeconfig",
        gate.stack.folder / "kubeconfig",
    )

    first = gate.kubectl("create", "-f", "-", stdin=created)
    second = gate.kubectl("replace", "-f", "-", stdin=replaced)

    assert first.admitted, first.out
    assert second.admitted, second.out


def test_a_later_sign_off_with_a_trusted_time_updates(gate: Gate, name: str) -> None:
    """With a log's time no base is needed: the newer sign-off follows the older."""
    first = gate.sign(gate.attest(chart.config_map(name)), keyless=True)
    signed_in = datetime.now(UTC).second
    until(
        lambda: "" if datetime.now(UTC).second != signed_in else "the same second",
        what="the next second, since time stamps have no finer ones",
    )
    second = gate.sign(
        gate.attest(chart.config_map(name, region="eu-west-1")), keyless=True
    )

    assert gate.apply(first).admitted
    assert gate.apply(second).admitted

    back = gate.apply(first)

    assert set(back.reasons) == {"slot_open", "stale_base"}


@pytest.mark.parametrize("kind", ["merge", "json", "strategic"])
def test_patch_to_the_signed_state(gate: Gate, kind: str) -> None:
    """A patch whose result is the signed state is admitted."""
    name = f"patched-{kind}"
    gate.kubectl("create", "-f", "-", stdin=gate.approved(chart.deployment(name)))
    signed = documents(
        gate.sign(
            gate.attest(chart.deployment(name, replicas=3)),
            "--kubeconfig",
            gate.stack.folder / "kubeconfig",
        )
    )[0]
    annotations = signed["metadata"]["annotations"]
    patch = (
        [
            {"op": "replace", "path": "/spec/replicas", "value": 3},
            *(
                {
                    "op": "replace",
                    "path": f"/metadata/annotations/{key.replace('/', '~1')}",
                    "value": value,
                }
                for key, value in annotations.items()
            ),
        ]
        if kind == "json"
        else {"spec": {"replicas": 3}, "metadata": {"annotations": annotations}}
    )

    done = gate.kubectl(
        "patch", "deployment", name, "--type", kind, "--patch", json.dumps(patch)
    )

    assert done.admitted, done.out


def test_a_rollout_reaches_its_pods(gate: Gate, name: str) -> None:
    """The controllers' ReplicaSets and Pods are admitted, and the next rollout's, too."""
    image = f"registry.k8s.io/pause@sha256:{'ab' * 32}"
    first = gate.sign(gate.attest(chart.deployment(name, replicas=2)), keyless=True)

    assert gate.apply(first).admitted
    _wait_for_pods(gate, name, chart.PINNED, 2)

    second = gate.sign(
        gate.attest(chart.deployment(name, image=image, replicas=2)), keyless=True
    )

    assert gate.apply(second).admitted
    _wait_for_pods(gate, name, image, 1)


def test_a_job_and_a_cron_job_reach_their_pods(gate: Gate, name: str) -> None:
    """Job to Pod, and CronJob to Job to Pod."""
    objects = [chart.job(name), chart.cron_job(f"{name}-cron")]
    applied = gate.apply(gate.approved(*objects))

    assert applied.admitted, applied.out
    _wait(gate, "pods", f"batch.kubernetes.io/job-name={name}", 1)

    def missing() -> str:
        jobs = gate.stack.plane.kubectl(
            "get", "jobs", "-n", chart.NAMESPACE, "-o", "json"
        ).stdout
        made = [
            job["metadata"]["name"]
            for job in json.loads(jobs)["items"]
            if job["metadata"]["name"].startswith(f"{name}-cron-")
        ]
        return "" if made else "no Job of the CronJob yet"

    until(missing, what="a Job of the CronJob", deadline_s=90)


def test_dry_run_gets_the_same_verdict(gate: Gate, name: str) -> None:
    """A dry run of the signed state is admitted, of another denied; nothing is stored."""
    signed = gate.approved(chart.config_map(name))
    other = copy.deepcopy(documents(signed))
    other[0]["data"]["region"] = "mars"

    admitted = gate.apply(signed, "--dry-run=server")
    denied = gate.apply(written(other), "--dry-run=server")

    assert admitted.admitted, admitted.out
    assert set(denied.reasons) == {"slot_open", "changed"}
    gone = gate.stack.plane.kubectl("get", "configmap", name, "-n", chart.NAMESPACE)
    assert gone.code != 0


def test_who_signed_is_in_the_audit_log(gate: Gate, name: str) -> None:
    """The cluster's own audit log names the door, the slot and the person."""
    applied = gate.apply(gate.approved(chart.config_map(name)))

    assert applied.bases == ("payments: signed senior=dana",)


def test_outside_of_the_protected_namespaces_nobody_is_asked(gate: Gate) -> None:
    """An unprotected namespace works as if there were no webhook."""
    done = gate.kubectl("create", "configmap", "free", "-n", "sandbox")

    assert done.code == 0
    assert not done.bases


def _wait_for_pods(gate: Gate, app: str, image: str, count: int) -> None:
    def missing() -> str:
        found = gate.stack.plane.kubectl(
            "get", "pods", "-n", chart.NAMESPACE, "-l", f"app={app}", "-o", "json"
        ).stdout
        pods = [
            pod
            for pod in json.loads(found)["items"]
            if pod["spec"]["containers"][0]["image"] == image
        ]
        return "" if len(pods) >= count else f"{len(pods)} Pods with {image}"

    until(missing, what=f"{count} Pods of {app}")


def _wait(gate: Gate, kind: str, selector: str, count: int) -> None:
    def missing() -> str:
        found = gate.stack.plane.kubectl(
            "get", kind, "-n", chart.NAMESPACE, "-l", selector, "-o", "name"
        ).stdout.split()
        return "" if len(found) >= count else f"{len(found)} {kind}"

    until(missing, what=f"{kind} with {selector}")
