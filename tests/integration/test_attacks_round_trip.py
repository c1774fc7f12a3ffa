"""What people with rights try against the round trip: nothing comes of it.

Lee may write anything in the namespaces, BundleSets too. He forges, hides, repeats and
floods; what runs, and what a reviewer is shown, stays what people signed.
"""

import asyncio
import base64
import copy
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from countersign.adapters.sign.key import KeySigner, load_key
from countersign.core.types.artifacts import Digest, ObjectRef
from countersign.core.types.change import ObjectChange, Operation
from countersign.faces.cli.session import Exit
from tests.support import chart
from tests.support.beside import approval, beside, parted, put
from tests.support.gate import Gate, bundles, carry, changed, documents, written
from tests.support.trip import printed, run
from tools.stack.people import DANA, LEE, OMAR
from tools.stack.ready import until

Tree = dict[str, Any]
ORDERS = "orders"  # a senior has to sign, and nothing else is asked


def _here(tree: Tree, namespace: str = ORDERS) -> Tree:
    return {**tree, "metadata": {**tree["metadata"], "namespace": namespace}}


def _signed(gate: Gate, tree: Tree) -> None:
    """Have lee denied, and Dana sign what was denied."""
    denied = gate.apply(written([tree]))
    done = run(gate, printed(denied.out), by=DANA)
    assert done.code == Exit.DONE, done.err


def _plain(packed: Tree) -> bytes:
    return gzip.decompress(base64.b64decode(packed["data"]))


def _bundle(kind: str, spec: Tree) -> Tree:
    mark = hashlib.sha256(rfc8785.dumps(spec)).hexdigest()[:32]
    return {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "BundleSet",
        "metadata": {"name": f"{kind}-{mark}", "namespace": ORDERS},
        "spec": spec,
    }


# Evidence that was made to look like something else


def test_an_honest_signature_beside_a_forged_intent(gate: Gate, name: str) -> None:
    """Dana's bundle, and an intent of lee's own: of another name, or of another state."""
    set_, (plain,) = parted(gate.sign(written([_here(chart.config_map(name))])), ORDERS)
    raw = [_plain(one) for one in set_["spec"]["bundles"]]
    other, state = copy.deepcopy(plain), copy.deepcopy(plain)
    other["metadata"]["name"] = f"{name[:30]}-other"
    state["data"] = {"region": "elsewhere"}
    for forged in (other, state):
        put(gate, beside("forged", raw, [rfc8785.dumps(forged)], ORDERS))

        denied = gate.apply(written([forged]))

        assert denied.code != 0
        assert not denied.bases

    put(gate, set_)
    assert gate.apply(written([plain])).admitted


def test_a_signature_of_another_cluster(gate: Gate, name: str) -> None:
    """Beside the object, too."""
    text = gate.sign(written([_here(chart.config_map(name))]), "--cluster", "staging")
    set_, plain = parted(text, ORDERS)
    put(gate, set_)

    assert "wrong_cluster" in gate.apply(written(plain)).reasons


@pytest.mark.parametrize("how", ["bomb", "tail", "twice", "lies", "empty"])
def test_what_is_no_evidence_is_not_stored(gate: Gate, how: str) -> None:
    """A bomb, something behind the member, two members, another digest, nothing."""
    plain = b"[]"
    packed = gzip.compress(plain)
    if how == "bomb":
        plain = bytes(64 << 20)
        packed = gzip.compress(plain)
    elif how == "tail":
        packed += b"more"
    elif how == "twice":
        packed, plain = packed + gzip.compress(plain), plain * 2
    elif how == "lies":
        plain = b"else"
    data = base64.b64encode(packed).decode()
    one = {"digest": {"sha256": hashlib.sha256(plain).hexdigest()}, "data": data}
    spec = {"bundles": [] if how == "empty" else [one]}

    made = gate.kubectl("create", "-f", "-", stdin=_bundle("junk", spec))

    assert made.code != 0, made.out


def test_lee_stretches_what_dana_signs(gate: Gate, name: str) -> None:
    """His range travels with the denied object; hers says nothing of it."""
    tree = _here(chart.deployment(name))
    own = gate.sign(
        written([tree]),
        "--elastic",
        f"Deployment/{name}:/spec/replicas=0..1000",
        by=LEE,
    )
    denied = gate.apply(own)
    assert run(gate, printed(denied.out), by=DANA).code == Exit.DONE
    assert gate.apply(own).admitted

    scaled = gate.kubectl("scale", "deployment", name, "-n", ORDERS, "--replicas=7")

    assert scaled.code != 0
    assert not scaled.bases


# What is not there any more


def test_a_review_of_the_past_brings_nothing_back(gate: Gate, name: str) -> None:
    """What the glass let in was taken back; that it was right then is no new approval."""
    place: Tree = {"KUBECONFIG": str(gate.stack.kubeconfig(OMAR))}
    first = chart.config_map(name)
    assert gate.apply(gate.approved(first)).admitted
    broken = gate.attest(chart.config_map(name, region="broken"))
    command = printed(gate.apply(broken).out)
    why = ("--break-glass", "--incident", "INC-9", "--justification", "it burns")
    done = gate.cli(
        *command.split(),
        *why,
        at=None,
        COUNTERSIGN_KEY=str(gate.stack.key(OMAR)),
        **place,
    )
    assert done.code == Exit.DONE, done.err
    assert gate.apply(broken).admitted
    assert gate.apply(gate.approved(chart.config_map(name, region="mended"))).admitted
    owed: list[str] = []

    def missing() -> str:
        ran = gate.cli("status", "-o", "json", **place)
        debts = json.loads(ran.out)["debts"]
        owed[:] = [d["close"] for d in debts if d["object"].endswith(f"/{name}")]
        return "" if owed else "none"

    until(missing, what="the debt")
    reviewed = run(gate, owed[0].removeprefix("countersign "), by=DANA)
    assert reviewed.code == Exit.DONE, reviewed.err

    revocation: Tree = {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Revocation",
        "metadata": {"name": name},
        "spec": {"entries": [{"kind": "person", "value": "omar"}]},
    }
    with changed(gate, revocation):
        until(
            lambda: ", ".join(
                b for b in gate.apply(broken, "--dry-run=server").bases if "omar" in b
            ),
            what="the glass to be whole again",
        )
        again = gate.apply(broken)

    assert again.code != 0, again.bases
    assert not again.bases


def test_a_hook_of_nobodys(gate: Gate, name: str) -> None:
    """Only what people signed says of itself that it shall go."""
    _signed(gate, _here(chart.deployment(name)))
    assert gate.apply(written([_here(chart.deployment(name))])).admitted
    hook = {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "hook-succeeded"}
    marked = _here(chart.deployment(name))
    marked["metadata"]["annotations"] = hook
    own = gate.sign(written([marked]), by=LEE)

    assert gate.apply(own).code != 0
    assert gate.apply(written([marked])).code != 0
    gone = gate.kubectl("delete", "deployment", name, "-n", ORDERS, "--wait=false")

    assert gone.code != 0


@pytest.mark.parametrize("how", ["else", "less"])
def test_a_crowd_of_other_states_hides_none(gate: Gate, name: str, how: str) -> None:
    """Twenty newer states by lee beside what Dana signed, near it as can be.

    They say something else, or less, than what runs.
    """
    name = f"{name[:30]}-{how}"
    tree = _here(chart.deployment(name))
    notes = {f"acme.example/note-{n}": "yes" for n in range(5)}
    tree["spec"]["template"]["metadata"]["annotations"] = notes
    set_, plain = parted(gate.sign(written([tree])), ORDERS)
    put(gate, set_)
    assert gate.apply(written(plain)).admitted
    pod = _pod(gate, name)
    states = [copy.deepcopy(tree) for _ in range(20)]
    for n, state in enumerate(states):
        if how == "else":
            env = state["spec"]["template"]["spec"]["containers"][0]["env"]
            env[0]["value"] = f"region-{n}"
        else:
            some = {k: v for i, (k, v) in enumerate(notes.items()) if n >> i & 1}
            state["spec"]["template"]["metadata"]["annotations"] = some
    junk = [parted(gate.sign(written([one]), by=LEE), ORDERS)[0] for one in states]
    put(gate, *junk)

    gone = gate.kubectl("delete", pod, "-n", ORDERS, "--wait=false", by=None)

    assert gone.code == 0, gone.out
    until(lambda: "the same" if _pod(gate, name) == pod else "", what="another Pod")
    for state in states[:2]:
        assert not gate.apply(written([state])).bases


def _pod(gate: Gate, app: str) -> str:
    wanted = ("get", "pods", "-n", ORDERS, "-l", f"app={app}", "-o", "name")
    found: list[str] = []

    def missing() -> str:
        found[:] = gate.stack.plane.kubectl(*wanted).stdout.split()
        return "" if found else "none"

    until(missing, what=f"a Pod of {app}")
    return found[0]


# An older version of the API


def test_an_older_version_of_the_api_drops_nothing(gate: Gate, name: str) -> None:
    """autoscaling/v1 knows one metric; written through it the others would be gone."""
    tree: Tree = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": ORDERS},
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": name,
            },
            "minReplicas": 2,
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "memory",
                        "target": {"type": "Utilization", "averageUtilization": 60},
                    },
                }
            ],
            "behavior": {"scaleDown": {"selectPolicy": "Disabled"}},
        },
    }
    _signed(gate, tree)
    assert gate.apply(written([tree])).admitted
    get = ("get", "hpa.v1.autoscaling", name, "-n", ORDERS, "-o", "json")
    old = json.loads(gate.stack.plane.kubectl(*get).check().stdout)
    old["metadata"].pop("annotations", None)

    judged = gate.kubectl("replace", "-f", "-", stdin=old)
    after = gate.stack.plane.kubectl(
        "get", "hpa.v2.autoscaling", name, "-n", ORDERS, "-o", "json"
    )

    assert judged.code != 0 or "memory" in after.stdout, judged.out
    assert "Disabled" in after.stdout


# What a reviewer reads


_ESCAPE = "\x1b[2J\x1b[1;1Hhttps://git.acme.example/\u202egnp"


def test_nothing_moves_a_reviewers_cursor(
    gate: Gate, name: str, tmp_path: Path
) -> None:
    """Lee may sign what he likes; a terminal is shown it, and does not obey it."""
    tree = _here(chart.config_map(name))
    raw = bundles(documents(gate.attest(tree))[0])[0]
    said = json.loads(base64.b64decode(raw["dsseEnvelope"]["payload"]))
    said["predicate"]["vcs"]["uri"] = _ESCAPE
    said["predicate"]["coverage"]["complete"] = False
    signer = KeySigner(load_key(gate.stack.key(LEE).read_bytes(), ""))
    made = asyncio.run(signer.sign(json.dumps(said).encode()))
    change = ObjectChange(
        object=ObjectRef("", "ConfigMap", ORDERS, f"{_ESCAPE}{name}"),
        digest=Digest.sha256(b"anything"),
        operation=Operation.CREATE_OR_UPDATE,
    )
    claim = approval(gate, change, by=LEE)
    carry(tree, [json.loads(claim), json.loads(made)])
    denied = gate.apply(written([tree]))
    command = printed(denied.out)

    signed = run(gate, command, by=DANA)
    place: Tree = {
        "KUBECONFIG": str(gate.stack.kubeconfig(DANA)),
    }
    decision = command.split()[-1]
    shown = gate.cli("audit", "show", decision, **place)
    file = tmp_path / "bundle.json"
    file.write_bytes(claim)
    inspected = gate.cli("inspect", file, **place)

    assert signed.code == shown.code == inspected.code == Exit.DONE, shown.err
    for text in (denied.out, signed.err, signed.out, shown.out, inspected.out):
        assert "\x1b" not in text
        assert "\u202e" not in text
