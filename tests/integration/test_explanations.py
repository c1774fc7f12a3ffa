"""A mismatch is named by its smallest difference, and the printed advice works.

Through the real gate: what the denial says is done, signed and admitted. Faults this was
seen to catch: an inserted item shown as the whole list; the default that is to be written
taken from the live object instead of from what was signed.
"""

import copy
import json
import re
import shlex
from typing import Any

import pytest

from tests.support import chart
from tests.support.gate import Gate, Tree, documents, written

ENV = [{"name": name, "value": name.lower()} for name in ("A", "B", "C")]
MAIN = "/spec/template/spec/containers/0"


def signed_over(gate: Gate, tree: Tree, *flags: str) -> str:
    """Sign a state for what is live."""
    kubeconfig = gate.stack.folder / "kubeconfig"
    return gate.sign(gate.attest(tree), "--kubeconfig", kubeconfig, *flags)


def refused(gate: Gate, text: str, *flags: str) -> str:
    """Apply what is not as it was signed; return the words of the denial."""
    judged = gate.apply(text, *flags)
    assert "changed" in judged.reasons, judged.out
    words = judged.out[judged.out.index("denied the request: ") :]
    assert len(words.encode()) <= 1100  # 1 KB and the server's own
    return words


def container(tree: Tree) -> Any:
    """Return the one container of a workload."""
    return tree["spec"]["template"]["spec"]["containers"][0]


def changed(text: str) -> Tree:
    """Return the one signed object, to be tampered with."""
    (tree,) = documents(text)
    return copy.deepcopy(tree)


def test_a_default_that_sticks_is_written_as_it_says(gate: Gate, name: str) -> None:
    """Egress rules that would not be enforced: the type is written, signed, admitted."""
    tree: Tree = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": chart.NAMESPACE},
        "spec": {"podSelector": {}, "ingress": [{}]},
    }
    assert gate.apply(gate.approved(tree)).admitted
    tree["spec"]["egress"] = [{"ports": [{"port": 53, "protocol": "UDP"}]}]

    words = refused(gate, signed_over(gate, tree))
    advice = re.search(r"write (/spec/\w+): (\[.*?\]) into the manifest", words)
    assert advice is not None, words
    assert json.loads(advice[2]) == ["Ingress", "Egress"]  # what was meant, not what is
    tree["spec"][advice[1].removeprefix("/spec/")] = json.loads(advice[2])
    applied = gate.apply(signed_over(gate, tree))

    assert applied.admitted, applied.out


def test_a_scaled_number_is_signed_with_room(gate: Gate, name: str) -> None:
    """The flag is printed with the object, the path and bounds that hold both numbers."""
    tree = chart.deployment(name, replicas=2)
    text = gate.approved(tree)
    assert gate.apply(text).admitted
    scaled = changed(text)
    scaled["spec"]["replicas"] = 5

    words = refused(gate, written([scaled]))
    advice = re.search(r"--elastic \S+", words)
    assert advice is not None, words
    signed = changed(signed_over(gate, tree, *shlex.split(advice[0])))
    signed["spec"]["replicas"] = 5
    applied = gate.apply(written([signed]))

    assert applied.admitted, applied.out


def test_an_inserted_item_is_named_as_such(gate: Gate, name: str) -> None:
    """Not the list it is in, and nothing about those behind it."""
    tree = chart.deployment(name)
    container(tree)["env"] = ENV
    tampered = changed(gate.approved(tree))
    container(tampered)["env"].insert(1, {"name": "EVIL", "value": "x"})

    words = refused(gate, written([tampered]))

    assert f'{MAIN}/env/1 is {{"name": "EVIL", "value": "x"}}, nothing of' in words
    assert "more)" not in words


def test_another_order_is_said_to_be_one(gate: Gate, name: str) -> None:
    """And what was signed is admitted in its own."""
    tree = chart.deployment(name)
    container(tree)["env"] = ENV
    text = gate.approved(tree)
    tampered = changed(text)
    container(tampered)["env"].reverse()

    words = refused(gate, written([tampered]))

    assert f"{MAIN}/env is in another order than was signed" in words
    assert "apply it in the order that was signed" in words
    assert gate.apply(text).admitted


def test_a_field_that_the_server_drops_is_taken_out(gate: Gate, name: str) -> None:
    """Its feature gate is off, and even strict validation says nothing."""
    tree = chart.deployment(name)
    tree["spec"]["template"]["spec"]["os"] = {"name": "linux"}
    container(tree)["lifecycle"] = {"stopSignal": "SIGUSR1"}  # off in each minor

    words = refused(gate, gate.approved(tree))
    advice = re.search(r"take (\S+) out of the manifest", words)
    assert advice is not None, words
    assert advice[1] == f"{MAIN}/lifecycle"
    del container(tree)["lifecycle"]
    applied = gate.apply(gate.approved(tree))

    assert applied.admitted, applied.out


def test_the_mark_of_a_tool_is_written_or_named(gate: Gate, name: str) -> None:
    """The policy does not speak of it."""
    key, value = "argocd.argoproj.io/installation-id", "one"
    tree = chart.config_map(name)
    marked = changed(gate.approved(tree))
    marked["metadata"]["annotations"][key] = value

    words = refused(gate, written([marked]))
    assert "have the tool named in the policy (tools), or write the mark" in words
    tree["metadata"].setdefault("annotations", {})[key] = value
    applied = gate.apply(gate.approved(tree))

    assert applied.admitted, applied.out


def test_what_another_manager_left_is_written(gate: Gate, name: str) -> None:
    """Server-side apply takes nothing away that is somebody else's."""
    server = ("--server-side", "--force-conflicts")
    first = gate.approved(chart.config_map(name, old="value"))
    assert gate.apply(first, *server, "--field-manager=one").admitted
    tree = chart.config_map(name)

    words = refused(gate, signed_over(gate, tree), *server, "--field-manager=another")
    assert '/data/old is "value" as before' in words
    advice = re.search(r"write /data/(\w+) into the manifest", words)
    assert advice is not None, words
    tree["data"][advice[1]] = "value"
    applied = gate.apply(signed_over(gate, tree), *server, "--field-manager=another")

    assert applied.admitted, applied.out


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            {"blob": "x" * 3000 + "old" + "y" * 3000},
            {"blob": "x" * 3000 + "new" + "y" * 3000},
            r"/data/blob is …x+new.*, …x+old.* was signed",
            id="a long value where it differs",
        ),
        pytest.param(
            {"old": "1"},
            {"new": "1"},
            r'/data/new is "1", nothing of the sort was signed \(and 1 more\)',
            id="a renamed key",
        ),
    ],
)
def test_shows_where(gate: Gate, name: str, before: Any, after: Any, said: str) -> None:
    """The value, not what is around it."""
    tampered = changed(gate.approved(chart.config_map(name, **before)))
    tampered["data"] = chart.config_map(name, **after)["data"]

    assert re.search(said, refused(gate, written([tampered])))


def test_explain_lists_what_differs(gate: Gate, name: str) -> None:
    """Each place with both values, and machines are told the cause."""
    tree = chart.deployment(name, replicas=2)
    tampered = changed(gate.approved(tree))
    tampered["spec"]["replicas"] = 3
    container(tampered)["env"] = ENV
    file = gate.folder / "tampered.yaml"
    file.write_text(written([tampered]))
    policies = gate.stack.folder / "policies"

    ran = gate.cli("explain", "-f", file, "--policies", policies)
    told = gate.cli("verify", "-f", file, "--policies", policies, "-o", "json")

    assert f'{MAIN}/env/2 is {{"name": "C", "value": "c"}}, nothing of' in ran.out
    assert f"sign it with --elastic Deployment/{name}:/spec/replicas=2..3" in ran.out
    (one,) = json.loads(told.out)
    causes = {
        each["path"]: each["cause"]
        for finding in one["findings"]
        if finding["reason"] == "changed"
        for each in finding["facts"]["differences"]
    }
    assert causes == {
        **{f"{MAIN}/env/{index}": "unsigned" for index in range(len(ENV))},
        "/spec/replicas": "scaled",
    }
