"""Breaking the glass for real, what it does not do, and the review that it owes.

Every command is the printed one. There is no kubelet: an exec that was admitted ends in
an error of the connection, and stands in the audit log as admitted.
"""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from countersign.faces.cli.session import Exit
from tests.support import chart
from tests.support.author import Work
from tests.support.cli import Ran
from tests.support.gate import Gate, Judged, bundles, carry, documents, written
from tests.support.trip import printed
from tools.sigstore import PEOPLE
from tools.stack import people
from tools.stack.people import DANA, LEE, OMAR, RAVI, Someone
from tools.stack.ready import until

INCIDENT = "INC-7"
BROKEN = f"payments: signed on-call=omar break-glass={INCIDENT}"
HOUR = timedelta(hours=1)
_WHY = ("--incident", INCIDENT, "--justification", "the fail-over flaps")
Tree = dict[str, Any]


def as_person(gate: Gate, by: Someone) -> dict[str, Any]:
    """Return what the machine of somebody has."""
    return {
        "KUBECONFIG": str(gate.stack.kubeconfig(by)),
        "COUNTERSIGN_KEY": str(gate.stack.key(by)),
    }


def glass(
    gate: Gate,
    command: str,
    *more: str | Path,
    by: Someone = OMAR,
    at: datetime | None = None,
    **environ: Any,
) -> Ran:
    """Run the printed command as break-glass."""
    words = (*shlex.split(command), "--break-glass", *_WHY, *more)
    return gate.cli(*words, at=at, **{**as_person(gate, by), **environ})


def review(gate: Gate, command: str, by: Someone) -> Ran:
    """Run a command that closes a debt."""
    answers = gate.stack.folder / "people" / "answers.yaml"
    words = shlex.split(command)[1:]
    return gate.cli(*words, "--answers", answers, **as_person(gate, by))


def debts(gate: Gate) -> list[Tree]:
    """Return what ``status`` says is owed."""
    ran = gate.cli("status", "-o", "json", **as_person(gate, DANA))
    assert ran.code == Exit.DONE, ran.err
    found: list[Tree] = json.loads(ran.out)["debts"]
    return found


def debt(gate: Gate, name: str) -> Tree:
    """Wait until something is owed for the object `name`."""
    found: list[Tree] = []

    def missing() -> str:
        found[:] = [one for one in debts(gate) if one["object"].endswith(f"/{name}")]
        return "" if found else "none"

    until(missing, what=f"a debt for {name}")
    return found[0]


def settled(gate: Gate, owed: Tree) -> None:
    """Wait until a debt is closed."""

    def still() -> str:
        left = [one["decision"] for one in debts(gate)]
        return "still owed" if owed["decision"] in left else ""

    until(still, what=f"the review of {owed['object']}")


def shown(gate: Gate, decision: str) -> str:
    """Return what ``audit show`` says."""
    ran = gate.cli("audit", "show", decision, **as_person(gate, DANA))
    assert ran.code == Exit.DONE, ran.err
    return ran.out


@contextmanager
def roles(gate: Gate, **granted: tuple[str, ...]) -> Iterator[None]:
    """Give persons other roles for a while."""
    plane, before = gate.stack.plane, people.roster(PEOPLE)
    after = json.loads(json.dumps(before))
    for person in after["spec"]["persons"]:
        if person["id"] in granted:
            person["roles"] = [{"name": role} for role in granted[person["id"]]]
    plane.kubectl("apply", "-f", "-", stdin=after).check()
    try:
        yield
    finally:
        plane.kubectl("apply", "-f", "-", stdin=before).check()


def running_pod(gate: Gate, name: str) -> str:
    """Return a Pod of an approved Deployment, as ``pod/NAME``."""
    assert gate.apply(gate.approved(chart.deployment(name))).admitted
    return gate.pod(name)


class TestObjects:
    """A change that nobody may wait for, and who answers for it afterwards."""

    def test_from_a_denial_to_a_closed_debt(self, gate: Gate, name: str) -> None:
        """Denied, opened, admitted as it was, told everywhere, owed, reviewed."""
        text = gate.attest(chart.deployment(name))
        denied = gate.apply(text)

        opened = glass(gate, printed(denied.out))
        admitted = gate.apply(text)

        assert opened.code == Exit.DONE, opened.err
        assert "ask lee to apply again" in opened.err
        assert "have to be reviewed" in opened.err
        assert admitted.bases == (BROKEN,), admitted.out
        assert gate.pod(name)
        owed = debt(gate, name)
        self._is_told(gate, name, owed)
        self._is_reviewed(gate, name, owed)

    def _is_told(self, gate: Gate, name: str, owed: Tree) -> None:
        place = ("-n", chart.NAMESPACE)
        dana = as_person(gate, DANA)
        log = gate.cli("audit", "log", *place, "--name", name, **dana)
        running = gate.cli("audit", "running", *place, **dana)

        assert (owed["incident"], owed["by"]) == (INCIDENT, ["omar"])
        assert owed["close"] == f"countersign sign-off --decision {owed['decision']}"
        assert f"break-glass {INCIDENT}: omar (on-call)" in log.out
        assert f"Deployment/{name}\n  break-glass by omar at" in running.out, (
            running.err
        )
        assert f"admitted by break-glass {INCIDENT}" in running.out
        assert "review due: until " in shown(gate, owed["decision"])

    def _is_reviewed(self, gate: Gate, name: str, owed: Tree) -> None:
        himself = review(gate, owed["close"], LEE)
        again = review(gate, owed["close"], OMAR)
        still = debt(gate, name)
        dana = review(gate, owed["close"], DANA)
        settled(gate, owed)
        done = shown(gate, owed["decision"])

        assert himself.code == again.code == dana.code == Exit.DONE, dana.err
        assert still["decision"] == owed["decision"]
        assert f"break-glass {INCIDENT} by omar" in dana.err
        assert "because: the fail-over flaps" in dana.err
        assert "as it was admitted; it still stands so" in dana.err
        assert "has changed in the cluster" not in dana.err
        assert "apply again" not in dana.err
        assert "by dana" in done
        assert "due" not in done
        assert "next:" not in done

    def test_whoever_broke_it_cannot_review_it(self, gate: Gate, name: str) -> None:
        """Not even with the role that is asked for: that is one pair of eyes."""
        text = gate.attest(chart.config_map(name))
        glass(gate, printed(gate.apply(text).out))
        assert gate.apply(text).bases == (BROKEN,)
        owed = debt(gate, name)

        with roles(gate, omar=("on-call", "senior")):
            signed = review(gate, owed["close"], OMAR)
            gate.wait_for("", gate.sign(gate.attest(chart.config_map("a")), by=OMAR))
            later = gate.attest(chart.config_map(f"{name}-2"))
            glass(gate, printed(gate.apply(later).out))
            assert gate.apply(later).admitted
            debt(gate, f"{name}-2")  # what was recorded since: the review was looked at
            left = debts(gate)

        assert signed.code == Exit.DONE, signed.err
        assert owed["decision"] in [one["decision"] for one in left]

    def test_without_provenance_a_review_waits_for_it(
        self, gate: Gate, name: str, tmp_path: Path
    ) -> None:
        """In the emergency nobody attested; the policy still asks who made it."""
        tree = chart.config_map(name)
        glass(gate, printed(gate.apply(written([tree])).out))
        assert gate.apply(written([tree])).bases == (BROKEN,)
        owed = debt(gate, name)

        too_early = review(gate, owed["close"], DANA)
        later, out = Work.begin(gate, tmp_path / "work"), tmp_path / "evidence.yaml"
        out.write_text(_evidence(gate, later, tree, name))
        assert gate.kubectl("apply", "-f", out).code == 0
        assert debt(gate, name)
        seen = review(gate, owed["close"], DANA)
        settled(gate, owed)

        assert "provenance: none" in too_early.err
        assert "provenance 1:" in seen.err

    def test_a_file_instead_of_a_decision(
        self, gate: Gate, name: str, tmp_path: Path
    ) -> None:
        """Signed where nothing was denied yet."""
        file, out = tmp_path / "new.yaml", tmp_path / "signed.yaml"
        file.write_text(written([chart.config_map(name)]))

        ran = glass(gate, "sign-off --no-diff", "-f", file, "--out", out)
        admitted = gate.apply(out.read_text())

        assert ran.code == Exit.DONE, ran.err
        assert admitted.bases == (BROKEN,), admitted.out
        assert debt(gate, name)

    def test_a_deletion(self, gate: Gate, name: str) -> None:
        """For the object that was there; its review needs no object any more."""
        text = gate.approved(chart.config_map(name))
        assert gate.apply(text).admitted
        delete = ("delete", "configmap", name)
        refused = gate.kubectl(*delete)

        opened = glass(gate, printed(refused.out))
        gone = gate.kubectl(*delete)
        owed = debt(gate, name)
        seen = review(gate, owed["close"], DANA)
        settled(gate, owed)

        assert opened.code == seen.code == Exit.DONE, opened.err + seen.err
        assert gone.bases == (BROKEN,), gone.out
        assert "ask lee to delete again" in opened.err
        assert "was deleted" in seen.err
        assert gate.apply(text).admitted
        assert "stale_base" in gate.kubectl(*delete).reasons

    def test_scaling(self, gate: Gate, name: str) -> None:
        """A number is a state of the object."""
        assert gate.apply(gate.approved(chart.deployment(name))).admitted
        scale = ("scale", "deployment", name, "--replicas=7")

        opened = glass(gate, printed(gate.kubectl(*scale).out))
        done = gate.kubectl(*scale)

        assert opened.code == Exit.DONE, opened.err
        assert done.bases == (BROKEN,), done.out
        assert debt(gate, name)


def _evidence(gate: Gate, work: Work, tree: Tree, name: str) -> str:
    work.commit(name)
    out = gate.folder / "evidence.yaml"
    done = gate.cli(
        *("attest", work.span, "--repo", work.git.path),
        *("--repo-uri", people.REPOSITORY, "-f", gate.write(tree)),
        *("--key", gate.stack.key(people.CI), "--carrier", "bundleset"),
        *("--out", out),
    )
    assert done.code == 0, done.err
    return out.read_text()


def connect(gate: Gate, pod: str, subresource: str, by: Someone = LEE) -> Judged:
    """Connect to a Pod, as kubectl does."""
    name = pod.removeprefix("pod/")
    path = f"/api/v1/namespaces/{chart.NAMESPACE}/pods/{name}/{subresource}"
    query = "" if subresource == "portforward" else "?command=true&stdout=true"
    return gate.kubectl("create", "--raw", path + query, "-f", "-", by=by, stdin="{}")


class TestAccess:
    """What goes past the object: only in an emergency, and one thing at a time."""

    @pytest.mark.parametrize("way", ["exec", "attach", "portforward"])
    def test_into_a_pod(self, gate: Gate, name: str, way: str) -> None:
        """The review repeats what was done: there is no state to sign."""
        pod = running_pod(gate, f"{name}-{way}")
        refused = connect(gate, pod, way)

        usual = review(gate, f"countersign {printed(refused.out)}", DANA)
        opened = glass(gate, printed(refused.out))
        let_in = connect(gate, pod, way)
        owed = debt(gate, pod.removeprefix("pod/"))
        stranger = review(gate, owed["close"], LEE)
        assert debt(gate, pod.removeprefix("pod/")) == owed
        seen = review(gate, owed["close"], DANA)
        settled(gate, owed)

        assert set(refused.reasons) == {"subresource"}
        assert usual.code == Exit.UNDECIDED
        assert "--break-glass" in usual.err
        assert opened.code == Exit.DONE, opened.err
        assert "ask lee to try again" in opened.err
        assert set(let_in.bases) == {BROKEN}, let_in.out
        assert stranger.code == seen.code == Exit.DONE, seen.err
        assert f"connect {way}" in seen.err

    def test_kubectl_itself(self, gate: Gate, name: str) -> None:
        """As people type it."""
        pod = running_pod(gate, name)
        shell = ("exec", pod, "--", "true")

        opened = glass(gate, printed(gate.kubectl(*shell).out))
        let_in = gate.kubectl(*shell)

        assert opened.code == Exit.DONE, opened.err
        assert set(let_in.bases) == {BROKEN}, let_in.out

    def test_an_ephemeral_container(self, gate: Gate, name: str) -> None:
        """A container more in a Pod that runs."""
        pod = running_pod(gate, name)
        debug = ("debug", pod, f"--image={chart.PINNED}", "--attach=false", "-q")

        refused = gate.kubectl(*debug, "-c", "debugger", by=None)
        opened = glass(gate, printed(refused.out))
        let_in = gate.kubectl(*debug, "-c", "debugger", by=None)

        assert opened.code == Exit.DONE, opened.err
        assert BROKEN in let_in.bases, let_in.out
        assert debt(gate, pod.removeprefix("pod/"))

    def test_one_way_is_not_another(self, gate: Gate, name: str) -> None:
        """Nor one Pod another."""
        pod = running_pod(gate, f"{name}-1")
        other = running_pod(gate, f"{name}-2")
        glass(gate, printed(connect(gate, pod, "exec").out))

        attached, elsewhere = connect(gate, pod, "attach"), connect(gate, other, "exec")

        assert set(attached.reasons) == set(elsewhere.reasons) == {"subresource"}
        assert "expected connect exec, saw connect attach" in attached.out

    def test_a_review_lets_nobody_in(self, gate: Gate, name: str) -> None:
        """It repeats the access, and is an ordinary sign-off; so it admits nothing."""
        pod = running_pod(gate, name)
        glass(gate, printed(connect(gate, pod, "exec").out))
        assert set(connect(gate, pod, "exec").bases) == {BROKEN}
        owed = debt(gate, pod.removeprefix("pod/"))
        assert review(gate, owed["close"], DANA).code == Exit.DONE
        settled(gate, owed)

        # as if she were on call and he were not: what is left is her review
        with roles(gate, dana=("senior", "on-call"), omar=("duty",)):
            until(
                lambda: ", ".join(connect(gate, pod, "exec").bases),
                what="the glass of somebody who is not on call",
            )
            refused = connect(gate, pod, "exec")

        assert set(refused.reasons) == {"subresource", "role_missing"}


CONTENT: dict[str, str] = {"region": "eu-west-1"}
BEFORE = datetime.now(UTC) - 2 * HOUR


class TestNotEveryWord:
    """Who, when, where and for exactly what are asked as ever."""

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            pytest.param({"by": DANA}, "role_missing", id="a senior"),
            pytest.param({"by": LEE}, "role_missing", id="a developer"),
            pytest.param(
                {"by": people.CI}, "signer_unknown", id="nobody of the roster"
            ),
            pytest.param({"more": ("--valid", "5h")}, "window_too_long", id="for long"),
            pytest.param(
                {"at": BEFORE, "COUNTERSIGN_SIGNING_CONFIG": ""}, "expired", id="over"
            ),
            pytest.param({"at": BEFORE}, "time_implausible", id="dated back"),
        ],
    )
    def test_by_decision(
        self, gate: Gate, name: str, said: dict[str, Any], reason: str
    ) -> None:
        """The set lies there, and does not count."""
        who = said.get("by", OMAR).id
        text = written([chart.config_map(f"{name}-{reason.replace('_', '-')}-{who}")])
        more = said.pop("more", ())

        ran = glass(gate, printed(gate.apply(text).out), *more, **said)
        denied = gate.apply(text)

        assert ran.code == Exit.DONE, ran.err
        assert denied.code != 0
        assert reason in denied.reasons, denied.out

    def test_for_another_cluster(self, gate: Gate, name: str, tmp_path: Path) -> None:
        """It is named in what is signed."""
        signed = self._signed(gate, tmp_path, name, "--cluster", "prod")

        assert "wrong_cluster" in gate.apply(signed).reasons

    def test_for_another_object(self, gate: Gate, name: str, tmp_path: Path) -> None:
        """Carried over by hand."""
        signed = documents(self._signed(gate, tmp_path, name))[0]
        other = chart.config_map(f"{name}-2")
        carry(other, bundles(signed))

        assert "wrong_object" in gate.apply(written([other])).reasons

    def test_changed_after_the_signature(
        self, gate: Gate, name: str, tmp_path: Path
    ) -> None:
        """The emergency is for what was signed."""
        signed = documents(self._signed(gate, tmp_path, name))[0]
        signed["data"] = {"region": "us"}

        assert "changed" in gate.apply(written([signed])).reasons

    @pytest.mark.parametrize("by", [OMAR, DANA], ids=["on call", "a senior"])
    def test_where_the_policy_has_none(
        self, gate: Gate, name: str, by: Someone
    ) -> None:
        """Nor is it an ordinary sign-off of somebody who could give one."""
        tree = chart.config_map(f"{name}-{by.id}")
        tree["metadata"]["namespace"] = "orders"
        text = written([tree])

        ran = glass(gate, printed(gate.apply(text).out), by=by)
        denied = gate.apply(text)

        assert "orders: the policy has no break-glass" in ran.err
        assert set(denied.reasons) == {"slot_open", "role_missing"}
        assert "this policy has none" in denied.out

    def test_without_a_reason(self, gate: Gate) -> None:
        """Said before anything is looked up."""
        for words in (
            ("--break-glass",),
            ("--break-glass", "--incident", "INC-7", "--justification", " "),
            ("--incident", "INC-7"),
            ("--break-glass", *_WHY, "--reject"),
        ):
            ran = gate.cli("sign-off", "--decision", "0" * 26, *words)
            assert ran.code == Exit.USAGE

    def _signed(self, gate: Gate, folder: Path, name: str, *more: str) -> str:
        file, out = folder / "new.yaml", folder / "signed.yaml"
        file.write_text(written([chart.config_map(name, **CONTENT)]))
        environ: dict[str, Any] = {"COUNTERSIGN_CLUSTER": ""} if more else {}
        words: list[str | Path] = ["-f", file, "--out", out, *more]
        ran = glass(gate, "sign-off --no-diff", *words, **environ)
        assert ran.code == Exit.DONE, ran.err
        return out.read_text()


class TestNamespace:
    """All of a namespace: an hour, two persons, one incident."""

    def test_two_on_call_open_it(self, gate: Gate, name: str) -> None:
        """One does not; for another incident neither; what was done is owed one by one."""
        tree = chart.config_map(name)
        tree["metadata"]["namespace"] = "ledger"
        text, window = written([tree]), "sign-off -n ledger"
        before = set(_sets(gate))
        with roles(gate, ravi=("senior", "service-owner", "on-call")):
            try:
                one = glass(gate, window)
                again = glass(gate, window)
                alone = gate.apply(text)
                other = glass(gate, window, "--incident", "INC-8", by=RAVI)
                apart = gate.apply(text)
                two = glass(gate, window, by=RAVI)
                until(
                    lambda: "" if gate.apply(text).admitted else "denied",
                    what="a namespace that two have opened",
                )
                owed = debt(gate, name)
                gone = gate.kubectl("delete", "configmap", name, "-n", "ledger")
            finally:
                for mine in set(_sets(gate)) - before:
                    gate.stack.plane.kubectl("delete", "-n", "ledger", mine).check()
        gate.wait_for("slot_open", text)

        for ran in (one, again, other, two):
            assert ran.code == Exit.DONE, ran.err
        assert "namespace ledger  anything in it" in one.err
        assert "a second person on call runs the same" in one.err
        assert {"slot_open"} <= set(alone.reasons) & set(apart.reasons)
        assert owed["by"] == ["omar", "ravi"]
        assert gone.admitted, gone.out

    def test_for_an_hour_at_most(self, gate: Gate) -> None:
        """Said at once."""
        ran = glass(gate, "sign-off -n ledger", "--valid", "2h")

        assert ran.code == Exit.USAGE
        assert "at most 1h" in ran.err


def _sets(gate: Gate) -> list[str]:
    get = ("get", "bundlesets", "-n", "ledger", "-o", "name")
    return gate.stack.plane.kubectl(*get).check().stdout.split()
