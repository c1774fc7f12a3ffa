"""Denied, reviewed, admitted: what was printed is run as it stands, and applied again."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from countersign.faces.cli.session import Exit
from tests.support import chart
from tests.support.gate import Gate, documents, written
from tests.support.trip import ANSWERED, printed, run
from tools.stack.people import ADA, DANA, LEE, OMAR, RAVI, Someone

Tree = dict[str, Any]

SECRET_VALUE = "correct-horse-battery-staple-7251"


def placed(tree: Tree, namespace: str) -> Tree:
    """Return an object in another namespace."""
    return {**tree, "metadata": {**tree["metadata"], "namespace": namespace}}


def secret(name: str, namespace: str = "orders", value: str = SECRET_VALUE) -> Tree:
    """Return a Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": {"password": value},
    }


def live(gate: Gate, kind: str, name: str, namespace: str) -> Tree | None:
    """Return an object as the administrator sees it."""
    get = ("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
    text = gate.stack.plane.kubectl(*get).check().stdout
    found: Tree | None = json.loads(text) if text.strip() else None
    return found


def denied(gate: Gate, text: str, by: Someone = LEE) -> str:
    """Apply, be denied, and return the command that is printed."""
    judged = gate.apply(text, by=by)
    assert judged.code != 0, judged.out
    return printed(judged.out)


class TestDecisions:
    """A senior signs what was denied, and the very same bytes pass."""

    @pytest.mark.parametrize("namespace", ["payments", "orders"])
    def test_the_very_same_bytes_pass(
        self, gate: Gate, name: str, namespace: str
    ) -> None:
        """With provenance on the object, and as a plain manifest."""
        tree = placed(chart.deployment(name[:20] + namespace), namespace)
        text = gate.attest(tree) if namespace == "payments" else written([tree])

        command = denied(gate, text)
        again = gate.apply(text)
        signed = run(gate, command, by=DANA)
        admitted = gate.apply(text)

        assert printed(again.out) == command
        assert signed.code == Exit.DONE, signed.err
        assert re.search(r"denied \d times? for lee", signed.err)
        assert f"{namespace}/Deployment/" in signed.err
        assert "ask lee to apply again" in signed.err
        assert admitted.admitted, admitted.out
        assert any("senior=dana" in basis for basis in admitted.bases)

    def test_what_allocates_passes_too(self, gate: Gate, name: str) -> None:
        """The next try gets another address, port and uid."""
        service = placed(chart.service(name), "orders")
        service["spec"]["type"] = "NodePort"
        text = written([service, placed(chart.job(f"{name[:20]}-job"), "orders")])

        judged = gate.apply(text)
        for line in judged.out.split("Error from server"):
            if "countersign sign-off" in line:
                signed = run(gate, printed(line), by=DANA)
                assert signed.code == Exit.DONE, signed.err
        admitted = gate.apply(text)

        assert admitted.admitted, admitted.out

    def test_two_persons_sign_the_same_decision(self, gate: Gate, name: str) -> None:
        """Two slots; the second person sees and passes on what the first one signed."""
        text = gate.attest(placed(chart.deployment(name), "ledger"))

        typed = f"{ANSWERED}LEDGER-1\ny\n"
        command = denied(gate, text)
        first = run(gate, command, by=DANA, typed=typed)
        between = gate.apply(text)
        second = run(gate, command, by=RAVI, typed=typed)
        admitted = gate.apply(text)

        assert first.code == second.code == Exit.DONE, first.err + second.err
        assert between.code != 0
        assert "also carried: a sign-off" in second.err
        assert admitted.admitted, admitted.out

    def test_sets_do_not_grow_with_releases(self, gate: Gate, name: str) -> None:
        """Each speaks of its own state, and so does what its reviewer is shown."""
        sizes, shown = set(), []
        for n in range(11):
            tree = placed(chart.deployment(name), "payments")
            tree["metadata"]["labels"]["release"] = f"r{n}"
            text = gate.attest(tree)
            signed = run(gate, denied(gate, text), by=DANA)
            admitted = gate.apply(text)

            assert signed.code == Exit.DONE, signed.err
            assert admitted.admitted, admitted.out
            shown.append(re.findall(r"^provenance \d", signed.err, re.MULTILINE))
            sizes.add(_size(gate, name, "payments"))

        assert shown == [["provenance 1"]] * 11
        assert sizes == {(2, 1)}

    def test_the_author_is_told_before_any_question(
        self, gate: Gate, name: str
    ) -> None:
        """He may sign, but it will not count; nor does it."""
        text = written([placed(chart.config_map(name), "orders")])
        command = denied(gate, text)

        signed = run(gate, command, by=OMAR)
        still = gate.apply(text)

        assert "your signature will not count: omar" in signed.err
        assert signed.err.index("will not count") < signed.err.index("[1/")
        assert still.code != 0

    def test_without_rights_nobody_answers_for_nothing(
        self, gate: Gate, name: str, tmp_path: Path
    ) -> None:
        """Which right is missing, and which role has it, comes before the questions."""
        command = denied(gate, written([placed(chart.config_map(name), "orders")]))
        plane = gate.stack.plane
        stranger = plane.user("mia", to=tmp_path / "mia")
        reader = plane.user("noa", to=tmp_path / "noa")
        viewer = "--clusterrole=countersign-viewer"
        plane.kubectl("create", "clusterrolebinding", "noa", viewer, "--user=noa")

        blind = run(gate, command, by=DANA, kubeconfig=stranger)
        mute = run(gate, command, by=DANA, kubeconfig=reader)

        assert (blind.code, mute.code) == (Exit.UNDECIDED, Exit.UNDECIDED)
        assert "right to get decisions.countersign.dev" in blind.err
        assert "create bundlesets.countersign.dev in namespace orders" in mute.err
        assert "countersign-signer" in blind.err
        assert "countersign-signer" in mute.err
        assert "[1/" not in blind.err + mute.err

    def test_no_such_decision(self, gate: Gate) -> None:
        """Says what to do."""
        ran = run(gate, f"sign-off --decision {'0' * 26}", by=DANA)

        assert ran.code == Exit.UNDECIDED
        assert "apply again" in ran.err

    def test_the_object_changed_since(self, gate: Gate, name: str) -> None:
        """Shown; signed is what was denied, on what is live by now."""
        names = [
            written([placed(chart.config_map(name, a=v), "orders")]) for v in "123"
        ]
        one, two, three = names
        assert run(gate, denied(gate, one), by=DANA).code == Exit.DONE
        assert gate.apply(one).admitted

        command = denied(gate, three)
        assert run(gate, denied(gate, two), by=DANA).code == Exit.DONE
        assert gate.apply(two).admitted
        signed = run(gate, command, by=DANA)
        admitted = gate.apply(three)

        assert "has changed in the cluster since this was denied" in signed.err
        assert admitted.admitted, admitted.out
        found = live(gate, "configmap", name, "orders")
        assert found is not None
        assert found["data"] == {"a": "3"}

    def test_a_denied_deletion(self, gate: Gate, name: str) -> None:
        """Signed, it goes; once, and not another one of its name."""
        text = written([placed(chart.config_map(name), "orders")])
        assert run(gate, denied(gate, text), by=DANA).code == Exit.DONE
        assert gate.apply(text).admitted
        delete = ("delete", "configmap", name, "-n", "orders")

        refused = gate.kubectl(*delete)
        signed = run(gate, printed(refused.out), by=DANA)
        gone = gate.kubectl(*delete)

        assert signed.code == Exit.DONE, signed.err
        assert "to be deleted" in signed.err
        assert "ask lee to delete again" in signed.err
        assert gone.admitted, gone.out
        assert live(gate, "configmap", name, "orders") is None
        assert gate.apply(text).admitted
        assert gate.kubectl(*delete).code != 0

    def test_values_of_a_secret_stay_in_it(self, gate: Gate, name: str) -> None:
        """Not in the spool, the database, any log, what is printed, nor the set."""
        text = written([secret(name)])

        judged = gate.apply(text)
        signed = run(gate, printed(judged.out), by=DANA)
        admitted = gate.apply(text)
        other = gate.apply(written([secret(name, value="another")]))

        assert signed.code == Exit.DONE, signed.err
        assert admitted.admitted, admitted.out
        assert other.code != 0
        shown = judged.out + signed.err + signed.out
        sets = gate.stack.plane.kubectl("get", "bundlesets", "-A", "-o", "json").stdout
        assert not leaks(gate.stack.folder, shown, sets)

    def test_a_rejection_is_recorded(self, gate: Gate, name: str) -> None:
        """What was rejected stays denied, whoever signs after."""
        text = written([placed(chart.config_map(name), "orders")])
        command = denied(gate, text)

        said = run(gate, command, "--reject", by=DANA, typed="y\n")
        run(gate, command, by=RAVI)
        still = gate.apply(text)

        assert said.code == Exit.DONE, said.err
        assert "rejected" in still.reasons, still.out

    def test_a_file_instead(self, gate: Gate, name: str, tmp_path: Path) -> None:
        """``--out`` writes the set, for somebody else to apply."""
        text = written([placed(chart.config_map(name), "orders")])
        out = tmp_path / "set.yaml"

        signed = run(gate, denied(gate, text), "--out", out, by=DANA)
        still = gate.apply(text)
        put = gate.apply(out.read_text())
        admitted = gate.apply(text)

        assert signed.code == Exit.DONE, signed.err
        assert still.code != 0
        assert put.code == 0, put.out
        assert admitted.admitted, admitted.out

    def test_a_clock_that_is_off(self, gate: Gate, name: str) -> None:
        """Both times are named."""
        command = denied(gate, written([placed(chart.config_map(name), "orders")]))

        ran = run(gate, command, by=DANA, clock=timedelta(hours=1), typed="")

        assert "your clock shows" in ran.err
        assert "the API server's" in ran.err


def _size(gate: Gate, name: str, namespace: str) -> tuple[int, int]:
    """Return how much each set about a Deployment holds: bundles, and intents."""
    get = ("get", "bundlesets", "-n", namespace, "-o", "json")
    found = json.loads(gate.stack.plane.kubectl(*get).check().stdout)["items"]
    (size,) = {
        (len(one["spec"]["bundles"]), len(one["spec"]["intents"]))
        for one in found
        if one["metadata"]["name"].startswith(f"deployment-{name}-")
    }
    return size


def leaks(folder: Path, *texts: str) -> list[str]:
    """Return where the value is, in plain or in base64."""
    needles = [
        SECRET_VALUE.encode(),
        base64.b64encode(SECRET_VALUE.encode()).rstrip(b"="),
    ]
    found = [t[:60] for t in texts if any(n in t.encode() for n in needles)]
    parts = ("webhook", "operate")
    for part in parts:
        for file in (folder / part).rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            found += [str(file)] * any(n in content for n in needles)
    return found


class TestFiles:
    """Without a decision: sets beside files, deletions, baselines."""

    def test_a_secret_travels_with_a_set(
        self, gate: Gate, name: str, tmp_path: Path
    ) -> None:
        """One file to apply; a second person signs the first one's."""
        file, out, second = (tmp_path / f"{n}.yaml" for n in "abc")
        file.write_text(written([secret(name)]))

        said = run(gate, "sign-off --no-diff", "-f", file, "--out", out, by=DANA)
        more = run(gate, "sign-off --no-diff", "-f", out, "--out", second, by=RAVI)
        applied = gate.apply(second.read_text())

        assert said.code == more.code == Exit.DONE, said.err + more.err
        assert "there is a Secret" in said.err
        first, *_ = documents(second.read_text())
        assert first["kind"] == "BundleSet"
        assert SECRET_VALUE not in json.dumps(first)
        assert applied.admitted, applied.out

    def test_a_deletion_that_was_planned(
        self, gate: Gate, name: str, tmp_path: Path
    ) -> None:
        """Signed before anybody tries."""
        tree = placed(chart.config_map(name), "orders")
        assert gate.apply(gate.sign(written([tree]))).admitted
        file, out = tmp_path / "old.yaml", tmp_path / "gone.yaml"
        file.write_text(written([tree]))
        delete = "sign-off --operation delete"

        assert gate.kubectl("delete", "configmap", name, "-n", "orders").code != 0
        signed = run(gate, delete, "-f", file, "--out", out, by=DANA)
        applied = gate.apply(out.read_text())
        gone = gate.kubectl("delete", "configmap", name, "-n", "orders")

        assert signed.code == Exit.DONE, signed.err
        assert applied.code == 0, applied.out
        assert gone.admitted, gone.out

    def test_a_baseline_over_what_runs(self, gate: Gate, name: str) -> None:
        """Then it may be applied without the evidence that it carried."""
        tree = placed(chart.config_map(name), "orders")
        assert gate.apply(gate.sign(written([tree]))).admitted
        plain, live_one = written([tree]), f"configmap/{name}"

        before = gate.apply(plain)
        short = run(gate, "sign-off --live -n orders", "secrets", by=ADA)
        signed = run(gate, "sign-off --live -n orders", live_one, by=DANA)
        after = gate.apply(plain)

        assert before.reasons == ("evidence_removed",)
        assert short.code == Exit.UNDECIDED
        assert "list secrets in namespace orders" in short.err
        assert signed.code == Exit.DONE, signed.err
        assert "no change" in signed.err
        assert "BundleSet/configmap-" in signed.err
        assert after.admitted, after.out
