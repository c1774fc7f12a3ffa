"""Argo CD and Flux as they really apply: what is signed, and nothing else.

What they leave on objects, the order in which they apply and what they ask before is
theirs; what is asserted of it here stands in docs/gitops.md.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support import chart
from tests.support.chart import NAMESPACE
from tests.support.gate import Gate, Judged, annotations, documents, written
from tests.support.gitops import (
    INSTALLATION,
    STAGED,
    TOOLS,
    ArgoCd,
    Flux,
    Rendered,
    running_flux,
)
from tests.support.seconds import in_another_second
from tests.support.trip import printed, run
from tools.stack.history import commit
from tools.stack.people import CI, DANA, LEE

PAGE = Path(__file__).parents[2] / "docs" / "gitops.md"
ARGO = "argocd.argoproj.io"
KUSTOMIZE = "kustomize.toolkit.fluxcd.io"


@pytest.fixture(name="gate", scope="module")
def _gate(gate: Gate) -> Iterator[Gate]:
    """Let ``payments`` name Argo CD and Flux."""

    def say(tools: object) -> None:
        patch = json.dumps({"spec": {"exceptions": {"tools": tools}}})
        gate.stack.plane.kubectl(
            "patch", "protectionpolicy", NAMESPACE, "--type=merge", "-p", patch
        ).check()

    say(TOOLS)
    probe = documents(gate.approved(chart.config_map("probe")))
    annotations(probe[0])[f"{ARGO}/installation-id"] = INSTALLATION
    gate.wait_for("", written(probe))
    try:
        yield gate
    finally:
        say({"argocd": None, "flux": None})
        gate.wait_for("changed", written(probe))


@pytest.fixture(name="argocd", scope="module")
def _argocd(gate: Gate) -> ArgoCd:
    return ArgoCd.install(gate.stack.plane)


@pytest.fixture(name="flux", scope="module")
def _flux(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flux]:
    """As Flux is installed."""
    folder = tmp_path_factory.mktemp("flux")
    with running_flux(gate.stack.plane, folder, "--watch-label-selector=!staged") as it:
        yield it


@pytest.fixture(name="staged", scope="module")
def _staged(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flux]:
    """Flux that applies BundleSets before all else."""
    folder = tmp_path_factory.mktemp("staged")
    with running_flux(
        gate.stack.plane, folder, STAGED, "--watch-label-selector=staged"
    ) as it:
        yield it


@pytest.fixture(name="rendered")
def _rendered(tmp_path: Path) -> Rendered:
    return Rendered.init(tmp_path / "rendered")


def sets_of(gate: Gate, text: str) -> str:
    """Return what dana's sign-off of `text` writes for an engine to apply."""
    flags = ("--carrier", "bundleset", "--sets-only", "--namespace", NAMESPACE)
    return gate.sign(text, *flags)


def paused(gate: Gate, name: str) -> Judged:
    """Have lee write into what an engine keeps."""
    patch = '[{"op":"add","path":"/spec/paused","value":true}]'
    return gate.kubectl(
        "patch", "deployment", name, "-n", NAMESPACE, "--type=json", "-p", patch
    )


# Argo CD ----------------------------------------------------------------------------


def test_argocd(gate: Gate, argocd: ArgoCd, rendered: Rendered, name: str) -> None:
    """Denied; the command that its page shows; the same sync again; Pods; no drift."""
    rendered.commit({"app.yaml": gate.attest(chart.deployment(name))})

    denied = argocd.sync(rendered, name)
    signed = run(gate, printed(denied.messages), by=DANA)
    admitted = argocd.sync(rendered, name)

    assert denied.code == 1
    assert signed.code == 0, signed.err
    assert admitted.code == 0, admitted
    assert gate.pod(name)
    assert "changed" in paused(gate, name).reasons
    again = argocd.sync(rendered, name)
    assert "unchanged" in again.messages, again


@pytest.mark.parametrize("side", ["-server-side=false", "-server-side=true"])
def test_argocd_with_evidence_in_git(
    gate: Gate, argocd: ArgoCd, rendered: Rendered, side: str
) -> None:
    """One sync brings sets and objects, whichever way Argo CD applies them."""
    name = f"waves-{side[-4:]}"
    attested = gate.attest(chart.deployment(name), chart.config_map(name))
    rendered.commit({"app.yaml": attested, "evidence.yaml": sets_of(gate, attested)})

    done = argocd.sync(rendered, name, side)

    assert done.code == 0, done
    assert gate.pod(name)


def test_argocd_prunes_what_was_signed_for(
    gate: Gate, argocd: ArgoCd, rendered: Rendered, name: str
) -> None:
    """The set stays, the object goes once its removal is signed."""
    attested = gate.attest(chart.config_map(name))
    files = {"evidence.yaml": sets_of(gate, attested)}
    rendered.commit({**files, "app.yaml": attested})
    assert argocd.sync(rendered, name).code == 0
    rendered.commit({"other.yaml": gate.approved(chart.config_map(f"{name}-b"))})

    denied = argocd.sync(rendered, name, "-prune")
    signed = run(gate, printed(denied.messages), by=DANA)
    admitted = argocd.sync(rendered, name, "-prune")

    assert denied.code == 1
    assert signed.code == 0, signed.err
    assert admitted.code == 0, admitted


@pytest.mark.parametrize("side", ["-server-side=false", "-server-side=true"])
@pytest.mark.parametrize("policy", ["BeforeHookCreation", "HookSucceeded, HookFailed"])
def test_argocd_hooks(
    gate: Gate, argocd: ArgoCd, rendered: Rendered, policy: str, side: str
) -> None:
    """Made with the finalizer, let go of, removed as they say, and made again."""
    name = f"hook-{policy[:4]}-{side[-4:]}".lower()
    marks = {f"{ARGO}/hook": "PreSync", f"{ARGO}/hook-delete-policy": policy}
    hook = chart.config_map(name)
    annotations(hook).update(marks)
    app = chart.config_map(f"{name}-app")
    rendered.commit({"app.yaml": gate.approved(hook, app)})

    first = argocd.sync(rendered, f"{name}-a", side)
    kept = uid_of(gate, name)
    second = argocd.sync(rendered, f"{name}-a", side)

    assert first.code == second.code == 0, first.messages + second.messages
    again = uid_of(gate, name)
    assert again != kept if policy == "BeforeHookCreation" else not (kept or again)


def uid_of(gate: Gate, name: str) -> str:
    """Return the uid of a live ConfigMap, on which no finalizer is left; or none."""
    shown = gate.stack.plane.kubectl(
        *("get", "configmap", name, "-n", NAMESPACE, "-o", "json")
    )
    metadata = json.loads(shown.stdout)["metadata"] if shown.ok else {}
    assert "finalizers" not in metadata
    return str(metadata.get("uid", ""))


def test_no_mark_makes_anything_go(gate: Gate, name: str) -> None:
    """Of lee, who may delete: only a hook goes that people signed, under this policy."""
    marks = {
        f"{ARGO}/hook": "PreSync",
        f"{ARGO}/hook-delete-policy": "BeforeHookCreation",
    }
    hook, plain = chart.config_map(f"{name}-a"), chart.config_map(f"{name}-b")
    annotations(hook).update(marks)
    gate.apply(gate.approved(hook, plain))
    elsewhere = {**hook, "metadata": {**hook["metadata"], "namespace": "orders"}}
    assert gate.apply(gate.sign(written([elsewhere]))).admitted

    def asked(verb: str, of: str, *more: str, space: str = NAMESPACE) -> Judged:
        return gate.kubectl(verb, "configmap", of, "-n", space, *more)

    held = json.dumps({"metadata": {"finalizers": [f"{ARGO}/hook-finalizer"]}})
    marked = [f"{key}={value}" for key, value in marks.items()]
    unnamed = asked("delete", f"{name}-a", "--wait=false", space="orders")
    assert "deletion" in unnamed.reasons
    assert "--operation delete" in unnamed.out or "sign-off --decision" in unnamed.out
    assert "changed" in asked("annotate", f"{name}-b", *marked).reasons
    assert "changed" in asked("patch", f"{name}-b", "--type=merge", "-p", held).reasons
    assert "deletion" in asked("delete", f"{name}-b", "--wait=false").reasons
    orphaning = asked("delete", f"{name}-a", "--wait=false", "--cascade=orphan")
    assert "deletion" in orphaning.reasons
    gone = asked("delete", f"{name}-a", "--wait=false")
    assert gone.admitted, gone.out
    assert gone.bases == (f"{NAMESPACE}: derived argocd-hook",)


@pytest.mark.parametrize("allowed", [False, True], ids=["not signed", "signed for"])
def test_argocd_rolls_back(
    gate: Gate, argocd: ArgoCd, rendered: Rendered, *, allowed: bool
) -> None:
    """The commit before, with the evidence of then."""
    name = f"back-{allowed}".lower()
    flags = ("--restore-until", "7d") if allowed else ()
    first = gate.sign(gate.attest(chart.config_map(name, region="one")), *flags)
    rendered.commit({"app.yaml": first})
    assert argocd.sync(rendered, name).code == 0
    in_another_second()
    rendered.commit({"app.yaml": gate.approved(chart.config_map(name, region="two"))})
    assert argocd.sync(rendered, name).code == 0
    rendered.commit({"app.yaml": first})

    back = argocd.sync(rendered, name)

    assert (back.code == 0) is allowed, back
    assert allowed or "signed before what runs now" in back.messages


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("annotations", f"{ARGO}/tracking-id", "a:/ConfigMap:payments/another"),
        ("annotations", f"{ARGO}/tracking-id", "a:apps/Deployment:payments/marked"),
        ("annotations", f"{ARGO}/installation-id", "green"),
        ("annotations", f"{ARGO}/sync-options", "Replace=true"),
        ("annotations", f"{ARGO}/hook", "PreSync"),
        ("annotations", f"{KUSTOMIZE}/reconcile", "disabled"),
        ("annotations", f"{KUSTOMIZE}/ssa", "IfNotPresent"),
        ("labels", f"{KUSTOMIZE}/name", "Not.A.Label"),
        ("labels", f"{KUSTOMIZE}/force", "enabled"),
        ("labels", "app.kubernetes.io/instance", "marked"),
    ],
)
def test_no_other_mark_passes(gate: Gate, place: str, key: str, value: str) -> None:
    """Beside the engines' own, as they write them, nothing of the kind."""
    (tree,) = documents(gate.approved(chart.config_map("marked")))
    marks = {
        "annotations": {f"{ARGO}/tracking-id": "a:/ConfigMap:payments/marked"},
        "labels": {f"{KUSTOMIZE}/name": "a", f"{KUSTOMIZE}/namespace": "flux-system"},
    }
    for where, said in marks.items():
        tree["metadata"][where] |= said
    assert gate.apply(written([tree]), "--dry-run=server").admitted

    tree["metadata"][place][key] = value

    assert "changed" in gate.apply(written([tree]), "--dry-run=server").reasons


# Flux -------------------------------------------------------------------------------


def test_flux(
    gate: Gate, flux: Flux, rendered: Rendered, name: str, tmp_path: Path
) -> None:
    """Denied in a dry run; the command of its status; tried again; Pods; no drift."""
    rendered.commit({"app.yaml": gate.attest(chart.deployment(name))})
    revision = flux.offer(rendered, name)
    flux.follow(name)
    status, message = flux.ready(name, revision)
    assert status == "False"

    (told,) = re.findall(r"countersign (sign-off .*?)    then: kubectl apply", message)
    out = tmp_path / "signed.yaml"
    file = rendered.git.path / "app.yaml"
    command = told.replace("FILE", str(file)).replace("SIGNED", str(out))
    signed = run(gate, command, by=DANA)
    assert signed.code == 0, signed.err
    assert gate.kubectl("apply", "-f", out, by=LEE).code == 0
    flux.again(name, "1")

    assert flux.ready(name, revision, "1")[0] == "True"
    assert gate.pod(name)
    assert "changed" in paused(gate, name).reasons
    flux.again(name, "2")
    assert flux.ready(name, revision, "2")[0] == "True"


def test_flux_asks_about_all_before_it_applies_any(
    gate: Gate, flux: Flux, rendered: Rendered, name: str
) -> None:
    """So a set in the same Kustomization never gets there, however often it tries."""
    attested = gate.attest(chart.config_map(name))
    rendered.commit({"app.yaml": attested, "evidence.yaml": sets_of(gate, attested)})
    revision = flux.offer(rendered, name)
    flux.follow(name)
    assert flux.ready(name, revision)[0] == "False"
    flux.again(name, "1")

    status, message = flux.ready(name, revision, "1")

    assert status == "False"
    assert "dry-run failed (Forbidden)" in message


def test_flux_applies_a_stage_of_sets(
    gate: Gate, staged: Flux, rendered: Rendered, name: str
) -> None:
    """Where the controller is told of them, one Kustomization is enough."""
    attested = gate.attest(chart.config_map(name))
    rendered.commit({"app.yaml": attested, "evidence.yaml": sets_of(gate, attested)})
    revision = staged.offer(rendered, name)
    staged.follow(name, labels={"staged": "true"})

    status, message = staged.ready(name, revision)

    assert status == "True", message


def test_flux_has_another_kustomization_for_sets(
    gate: Gate, flux: Flux, rendered: Rendered, name: str
) -> None:
    """The one of the objects depends on it."""
    attested = gate.attest(chart.config_map(name))
    files = {"app/all.yaml": attested, "evidence/all.yaml": sets_of(gate, attested)}
    rendered.commit(files)
    revision = flux.offer(rendered, name)
    flux.offer(rendered, f"{name}-evidence")
    flux.follow(f"{name}-evidence", path="./evidence")
    assert flux.ready(f"{name}-evidence", revision)[0] == "True"
    flux.follow(name, path="./app", dependsOn=[{"name": f"{name}-evidence"}])

    status, message = flux.ready(name, revision)

    assert status == "True", message


def test_flux_prunes_what_was_signed_for(
    gate: Gate, flux: Flux, rendered: Rendered, name: str
) -> None:
    """A removal is no dry run: its denial names a decision."""
    rendered.commit({"app.yaml": gate.approved(chart.config_map(name))})
    revision = flux.offer(rendered, name)
    flux.follow(name)
    assert flux.ready(name, revision)[0] == "True"
    rendered.commit({"app.yaml": gate.approved(chart.config_map(f"{name}-b"))})
    revision = flux.offer(rendered, name)
    status, message = flux.ready(name, revision)
    assert status == "False"
    assert "a deletion without a senior sign-off" in message

    signed = run(gate, printed(message), by=DANA)
    assert signed.code == 0, signed.err
    flux.again(name, "1")

    assert flux.ready(name, revision, "1")[0] == "True"
    gone = gate.stack.plane.kubectl("get", "configmap", name, "-n", NAMESPACE)
    assert not gone.ok


def test_the_page(gate: Gate, flux: Flux, rendered: Rendered, tmp_path: Path) -> None:
    """Its commands, and its Kustomizations, as they stand."""
    text = PAGE.read_text()
    history, source = gate.stack.history, tmp_path / "source"
    shutil.copytree(history.path, source)
    manifests = written([chart.deployment("paged"), chart.service("paged")])
    (source / "rendered").mkdir()
    (source / "rendered" / "app.yaml").write_text(manifests)
    commit(source, LEE, "Page\n\nAI-Assisted: amazon-q/2026-03")
    told = re.findall(r"^countersign (attest|sign-off)( .*)$", text, re.MULTILINE)
    by = {"attest": CI, "sign-off": DANA}

    with contextlib.chdir(source):
        for verb, rest in told:
            words = rest.replace("$BASELINE", history.baseline)
            words = words.replace("$IMAGE", chart.PINNED)
            done = run(gate, verb + words.replace("prod-eu", "local"), by=by[verb])
            assert done.code == 0, done.err
    evidence = (source / "signed.yaml").read_text()
    rendered.commit({"app/all.yaml": manifests, "evidence/all.yaml": evidence})
    revision = flux.offer(rendered, "payments")
    shown = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (both,) = (one for one in shown if "kind: Kustomization" in one)
    for tree in yaml.safe_load_all(both):
        gate.stack.plane.kubectl("apply", "-f", "-", stdin=tree).check()
        name = tree["metadata"]["name"]
        flux.again(name, "1")
        status, message = flux.ready(name, revision, "1")
        assert status == "True", message

    assert len(told) == 2
    assert gate.pod("paged")
