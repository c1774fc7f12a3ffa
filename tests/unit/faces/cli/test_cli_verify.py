"""``countersign verify``: the verdict of admission, from files alone."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Finding, Reason, Verdict
from countersign.faces.cli.session import Exit
from countersign.faces.cli.verify import exit_of
from countersign.usecases.verify import as_requests, plural
from tests.support.cli import NOON, Ran, Run
from tests.support.release import IMAGE, Release


@pytest.fixture(name="signed")
def _signed(run: Run, release: Release, attested: Path, answers: Path) -> Path:
    return sign(run, release, attested, answers, by="dana")


def sign(run: Run, release: Release, file: Path, answers: Path, *, by: str) -> Path:
    """Sign `file` as somebody, and return the result."""
    out = release.path(f"{by}.yaml")
    ran = run(
        *("sign-off", "-f", file, "--key", release.path(f"{by}.key")),
        *("--cluster", "prod", "--answers", answers, "--out", out),
    )
    assert ran.code == Exit.DONE, ran.err
    return out


def verify(
    run: Run, release: Release, file: Path, *more: object, **given: object
) -> Ran:
    """Verify `file` by the release's policies, for cluster ``prod``."""
    policies = release.path("policies")
    return run(
        "verify",
        "-f",
        file,
        "--policies",
        policies,
        "--cluster",
        "prod",
        *more,
        **given,
    )


def test_a_signed_release_is_allowed(run: Run, release: Release, signed: Path) -> None:
    """And it says on whose word."""
    ran = verify(run, release, signed)

    assert ran.code == Exit.DONE
    assert "payments/Deployment/ledger: allowed" in ran.out
    assert "senior: dana" in ran.out
    assert ran.err == ""


POD = f"{{containers: [{{name: a, image: {IMAGE}}}]}}"
RULE = "{apiGroups: [''], resources: [pods], verbs: [get]}"
CHART = {
    "Service": "{apiVersion: v1, spec: {selector: {app: x}, ports: [{port: 80}]}}",
    "Service of nodes": "{apiVersion: v1, spec: {type: NodePort, ports: [{port: 80}]}}",
    "Service that is headless": "{apiVersion: v1, spec: {clusterIP: None}}",
    "Secret": "{apiVersion: v1, stringData: {a: b}}",
    "ServiceAccount": "{apiVersion: v1}",
    "PersistentVolumeClaim": "{apiVersion: v1, spec: {accessModes: [ReadWriteOnce],"
    " resources: {requests: {storage: 1Gi}}}}",
    "Ingress": "{apiVersion: networking.k8s.io/v1,"
    " spec: {defaultBackend: {service: {name: x, port: {number: 80}}}}}",
    "Job": f"{{apiVersion: batch/v1, spec: {{template: {{spec: {POD}}}}}}}",
    "CronJob": "{apiVersion: batch/v1, spec: {schedule: '@daily', jobTemplate:"
    f" {{spec: {{template: {{spec: {POD}}}}}}}}}}}",
    "Pod": f"{{apiVersion: v1, spec: {POD}}}",
    "Role": f"{{apiVersion: rbac.authorization.k8s.io/v1, rules: [{RULE}]}}",
    "HorizontalPodAutoscaler": "{apiVersion: autoscaling/v2, spec: {maxReplicas: 3,"
    " scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: x}}}",
}


@pytest.mark.parametrize("what", CHART)
def test_every_kind_of_a_chart_is_judged_from_its_file(
    what: str, run: Run, release: Release, answers: Path
) -> None:
    """What only a server adds is not missed."""
    file = release.path("one.yaml")
    kind = what.partition(" ")[0]
    file.write_text(
        f"---\n{CHART[what][:-1]},"
        f" kind: {kind}, metadata: {{name: x, namespace: payments}}}}"
    )
    attested = release.path("one.attested.yaml")
    made = run(
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path, "-f", file),
        *("--image", IMAGE, "--cluster", "prod", "--key", release.path("ci.key")),
        *("--carrier", "annotations", "--out", attested),
    )
    assert made.code == Exit.DONE, made.err

    ran = verify(run, release, sign(run, release, attested, answers, by="dana"))

    assert ran.code == Exit.DONE, ran.out


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        pytest.param("attested", "slot_open", id="no signature"),
        pytest.param("author", "not_independent", id="signed by the author"),
        pytest.param("tampered", "changed", id="changed since"),
        pytest.param("plain", "no_evidence", id="no evidence at all"),
    ],
)
def test_a_denial_has_its_reason(
    *,
    what: str,
    reason: str,
    run: Run,
    release: Release,
    attested: Path,
    answers: Path,
    signed: Path,
) -> None:
    """The same that the webhook gives."""
    files = {
        "attested": lambda: attested,
        "author": lambda: sign(run, release, attested, answers, by="dev"),
        "plain": lambda: release.path("ledger.yaml"),
        "tampered": lambda: signed,
    }
    file = files[what]()
    if what == "tampered":
        file.write_text(file.read_text().replace("eu-west-1", "us-east-1"))

    ran = verify(run, release, file, "-n", "payments", "-o", "json")

    (first, *_) = json.loads(ran.out)
    assert ran.code == Exit.DENIED
    assert first["object"] == "payments/ConfigMap/ledger"
    assert first["allowed"] is False
    assert reason in ran.out


def test_judges_at_the_present(run: Run, release: Release, signed: Path) -> None:
    """A sign-off ends."""
    ran = verify(run, release, signed, at=NOON + timedelta(days=31))

    assert ran.code == Exit.DENIED
    assert "[expired]" in ran.out


def test_judges_a_recorded_review(run: Run, release: Release) -> None:
    """As the API server sent it."""
    review = release.path("review.json")
    review.write_text(json.dumps(_review()))

    ran = run(
        *("verify", "--review", review, "--policies", release.path("policies")),
        *("--cluster", "prod"),
    )

    assert ran.code == Exit.DENIED
    assert "payments/ConfigMap/x: denied" in ran.out


def test_says_what_in_the_policies_is_wrong(
    run: Run, release: Release, signed: Path
) -> None:
    """An invalid policy denies what it would have matched."""
    policies = release.path("policies") / "all.yaml"
    policies.write_text(policies.read_text().replace("preset: default", "prest: x"))

    ran = verify(run, release, signed)

    assert ran.code == Exit.DENIED
    assert "policy_invalid" in ran.out
    assert "invalid ProtectionPolicy/payments" in ran.err


@pytest.mark.parametrize(
    ("args", "code", "hint"),
    [
        pytest.param([], Exit.USAGE, "-f, --image or --review", id="nothing"),
        pytest.param(["-f", "x", "--review", "y"], Exit.USAGE, "not both", id="both"),
        pytest.param(["-f", "x"], Exit.USAGE, "--policies", id="no policies"),
        pytest.param(
            ["-f", "/nowhere", "--policies", ".", "--cluster", "c"],
            Exit.NO_INPUT,
            "/nowhere",
            id="no file",
        ),
        pytest.param(
            ["--review", "/nowhere", "--policies", ".", "--cluster", "c"],
            Exit.UNDECIDED,
            "/nowhere",
            id="no review",
        ),
    ],
)
def test_says_what_it_expected(
    args: list[str], code: Exit, hint: str, run: Run
) -> None:
    """With the code of the contract."""
    ran = run("verify", *args)

    assert (ran.code, ran.out) == (code, "")
    assert hint in ran.err


def test_an_empty_file_is_no_input(run: Run, release: Release) -> None:
    """Nothing was allowed."""
    file = release.path("empty.yaml")
    file.write_text("---\n")

    assert verify(run, release, file).code == Exit.NO_INPUT


def test_a_file_that_is_no_manifest_is_named(run: Run, release: Release) -> None:
    """Nothing was decided."""
    file = release.path("text.yaml")
    file.write_text("just text")

    ran = verify(run, release, file)

    assert ran.code == Exit.UNDECIDED
    assert "text.yaml" in ran.err


FINDING = Finding(
    policy="p", reason=Reason.SLOT_OPEN, about=ObjectRef("", "ConfigMap", "n", "x")
)
LOOK_FAILED = replace(FINDING, reason=Reason.UNAVAILABLE)
WARNING = replace(FINDING, enforcement=Enforcement.WARN)


@pytest.mark.parametrize(
    ("findings", "code", "strict_code"),
    [
        pytest.param([[]], Exit.DONE, Exit.DONE, id="allowed"),
        pytest.param([[], [WARNING]], Exit.DONE, Exit.WARNED, id="warned"),
        pytest.param([[FINDING], []], Exit.DENIED, Exit.DENIED, id="one denied"),
        pytest.param(
            [[LOOK_FAILED]], Exit.UNDECIDED, Exit.UNDECIDED, id="nobody could look"
        ),
        pytest.param(
            [[LOOK_FAILED], [FINDING]], Exit.DENIED, Exit.DENIED, id="denied anyway"
        ),
    ],
)
def test_the_code_of_several_verdicts(
    findings: list[list[Finding]], code: Exit, strict_code: Exit
) -> None:
    """One denial is a denial; warnings have a code only where asked for."""
    verdicts = [Verdict.of((), f) if f else Verdict.out_of_scope() for f in findings]

    assert exit_of(verdicts, strict=False) is code
    assert exit_of(verdicts, strict=True) is strict_code


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("ConfigMap", "configmaps"),
        ("Ingress", "ingresses"),
        ("NetworkPolicy", "networkpolicies"),
        ("Endpoints", "endpoints"),
    ],
)
def test_names_resources_as_the_api_does(kind: str, resource: str) -> None:
    """Rows of the surface are about resources."""
    assert plural(kind) == resource


def test_only_namespaced_kinds_get_a_namespace() -> None:
    """As kubectl places them."""
    role: Tree = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "x"},
    }
    requests = as_requests(
        [
            {**role, "kind": "Role"},
            {**role, "kind": "ClusterRole"},
            {"apiVersion": "acme.example/v1", "kind": "Thing", "metadata": {}},
        ],
        namespace="payments",
    )

    assert [r.ref.namespace for r in requests] == ["payments", "", "payments"]


def test_what_says_not_where_it_goes_cannot_be_judged(
    run: Run, release: Release
) -> None:
    """No policy holds nowhere, and kubectl would still put it somewhere."""
    ran = verify(run, release, release.path("ledger.yaml"))

    assert ran.code == Exit.UNDECIDED
    assert ran.err.startswith("error: ConfigMap/ledger: expected a namespace, saw none")
    assert "--namespace" in ran.err


def test_what_says_not_what_it_is_cannot_be_judged() -> None:
    """There is no request to make of it."""
    with pytest.raises(Malformed, match="apiVersion"):
        as_requests([{"kind": "ConfigMap", "metadata": {}}], namespace="")


def _review() -> dict[str, object]:
    thing = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "namespace": "payments", "uid": "1"},
    }
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0",
            "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
            "resource": {"group": "", "version": "v1", "resource": "configmaps"},
            "namespace": "payments",
            "name": "x",
            "operation": "CREATE",
            "userInfo": {"username": "lee"},
            "object": thing,
        },
    }


def test_evidence_beside_the_objects_counts(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """As if the BundleSet of the file were applied with the rest of it."""
    out = release.path("beside.yaml")
    ran = run(
        *("sign-off", "-f", attested, "--key", release.path("dana.key")),
        *("--cluster", "prod", "--answers", answers, "--carrier", "bundleset"),
        *("--out", out),
    )
    assert ran.code == Exit.DONE, ran.err
    sets, *objects = out.read_text().removeprefix("---\n").split("---\n")
    assert "kind: BundleSet" in sets
    alone = release.path("alone.yaml")
    alone.write_text("---\n".join(objects))

    assert verify(run, release, out).code == Exit.DONE
    assert verify(run, release, alone).code == Exit.DENIED


def test_no_rules_and_no_cluster(run: Run, release: Release) -> None:
    """There is nothing to judge by."""
    ran = run("verify", "-f", release.path("ledger.yaml"), "--cluster", "prod")

    assert ran.code == Exit.USAGE
    assert "--policies DIR, or a kubeconfig" in ran.err
