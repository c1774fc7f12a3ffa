"""Break-glass against people who would have more of it than somebody signed for.

On the real API server, each attack beside the honest deed that it resembles.
"""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from countersign.faces.cli.session import Exit
from tests.integration.test_break_glass import (
    BROKEN,
    as_person,
    connect,
    debt,
    debts,
    glass,
    review,
    roles,
    running_pod,
    settled,
    shown,
)
from tests.support import chart
from tests.support.gate import Gate, written
from tests.support.lines import events
from tests.support.seconds import in_another_second
from tests.support.trip import printed
from tools.stack.people import DANA, OMAR, RAVI
from tools.stack.ready import until

Tree = dict[str, Any]
_NEARLY_OVER = timedelta(minutes=59, seconds=48)  # of the hour that a grant holds


def nearly_over() -> dict[str, Any]:
    """Return what lets a grant end in 12 s: unstamped, so that no clock disagrees."""
    return {
        "at": datetime.now(UTC) - _NEARLY_OVER,
        "COUNTERSIGN_SIGNING_CONFIG": "",
    }


def emergency_line(denial: str) -> list[str]:
    """Return the words of the command that a denial names for an emergency."""
    _, found, rest = denial.partition("emergency: ask omar to run: countersign ")
    if not found:
        _, _, rest = denial.partition("in an emergency ask omar to run: countersign ")
    command = rest.partition("\n")[0].partition("    then")[0]
    filled = command.replace("incident ID", "incident INC-7")
    return shlex.split(filled.replace("TEXT", "'the fail-over flaps'"))


@contextmanager
def patched(gate: Gate, **glass_: str) -> Iterator[None]:
    """Change what ``payments`` says of break-glass, for a while."""
    plane, path = gate.stack.plane, "protectionpolicies/payments"
    was = json.loads(plane.kubectl("get", path, "-o", "json").check().stdout)

    def write(said: Tree) -> None:
        patch = json.dumps({"spec": {"breakGlass": said}})
        plane.kubectl("patch", path, "--type=merge", "-p", patch).check()

    write({**was["spec"]["breakGlass"], **glass_})
    try:
        yield
    finally:
        write(was["spec"]["breakGlass"])


@pytest.mark.parametrize("of", ["an object", "a deletion", "a shell"])
def test_the_command_of_the_denial_is_all_there_is_to_do(
    gate: Gate, name: str, of: str
) -> None:
    """Denied, one command by whom the denial names, and the same again goes through."""
    name = f"{name}-{of.rsplit(maxsplit=1)[-1]}"
    text = written([chart.config_map(name)])
    if of == "a shell":
        pod = running_pod(gate, name)

    def deed() -> Any:
        if of == "a shell":
            return connect(gate, pod, "exec")
        if of == "a deletion":
            return gate.kubectl("delete", "configmap", name)
        return gate.apply(text)

    if of == "a deletion":
        signed = gate.approved(chart.config_map(name))
        assert gate.apply(signed).admitted
    denied = deed()
    opened = gate.cli(*emergency_line(denied.out), **as_person(gate, OMAR))
    let_in = deed()

    assert len(denied.out.encode()) < 1400, denied.out
    assert opened.code == Exit.DONE, opened.err
    assert set(let_in.bases) == {BROKEN}, let_in.out


def test_where_nobody_may_break_it_the_denial_names_nobody(
    gate: Gate, name: str
) -> None:
    """No policy of ``orders`` has it."""
    tree = chart.config_map(name)
    tree["metadata"]["namespace"] = "orders"

    assert "emergency" not in gate.apply(written([tree])).out


class TestOver:
    """What has ended counts nowhere from that second on."""

    def test_a_grant_that_has_ended_is_replayed(self, gate: Gate, name: str) -> None:
        """Proven, in memory and just used: every door that it opened is shut.

        What was admitted runs on, and its Pods come back: that a node is drained after
        the emergency must not be the next one (rule 12).
        """
        text, made = written([chart.deployment(name)]), gate.stack.plane
        opened = glass(gate, printed(gate.apply(text).out), **nearly_over())
        assert gate.apply(text).bases == (BROKEN,), opened.err
        pod = gate.pod(name)
        glass(gate, printed(connect(gate, pod, "exec").out), **nearly_over())
        assert set(connect(gate, pod, "exec").bases) == {BROKEN}

        until(
            lambda: ", ".join(connect(gate, pod, "exec").bases),
            what="the end of the grant",
        )
        over = connect(gate, pod, "exec")
        again = gate.apply(text.replace("replicas: 1", "replicas: 2"))
        made.kubectl("delete", pod, "-n", chart.NAMESPACE).check()
        until(
            lambda: "" if gate.pod(name) != pod else "the old one", what="another Pod"
        )

        assert set(over.reasons) == {"subresource", "expired"}
        assert {"expired", "changed"} & set(again.reasons), again.out

    def test_a_grant_that_was_never_used(self, gate: Gate, name: str) -> None:
        """Kept for later, for the same object, created anew."""
        text = written([chart.config_map(name)])
        old: dict[str, Any] = {"at": datetime.now(UTC) - timedelta(minutes=61)}
        glass(gate, printed(gate.apply(text).out), **old, COUNTERSIGN_SIGNING_CONFIG="")

        assert "expired" in gate.apply(text).reasons

    def test_a_clock_that_lies_makes_no_grant_longer(
        self, gate: Gate, name: str
    ) -> None:
        """Neither one set back, so that it seems to begin long ago, nor one set ahead."""
        text = written([chart.config_map(name)])
        command, now = printed(gate.apply(text).out), datetime.now(UTC)
        ahead: dict[str, Any] = {"at": now + timedelta(hours=3)}
        ahead["COUNTERSIGN_SIGNING_CONFIG"] = ""
        back: dict[str, Any] = {"at": now - timedelta(hours=3)}

        glass(gate, command, "--valid", "4h", **ahead)
        early = gate.apply(text)
        glass(gate, command, "--valid", "4h", **back)
        late = gate.apply(text)

        assert "time_implausible" in early.reasons
        assert set(late.reasons) >= {"time_implausible"}
        assert not late.bases


class TestAgain:
    """A grant is for one thing, in the state of then."""

    def test_another_pod_of_the_same_name(self, gate: Gate, name: str) -> None:
        """It is signed for a uid."""
        pod: Tree = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": chart.NAMESPACE},
            "spec": chart.deployment(name)["spec"]["template"]["spec"],
        }
        text = gate.approved(pod)
        assert gate.apply(text).admitted
        glass(gate, printed(connect(gate, f"pod/{name}", "exec").out))
        assert set(connect(gate, f"pod/{name}", "exec").bases) == {BROKEN}
        delete = ("delete", "pod", name, "--now")
        glass(gate, printed(gate.kubectl(*delete).out))
        assert gate.kubectl(*delete).bases == (BROKEN,)
        assert gate.apply(text).admitted

        refused = connect(gate, f"pod/{name}", "exec")

        assert set(refused.reasons) == {"subresource", "stale_base"}

    def test_over_what_a_senior_signed_since(self, gate: Gate, name: str) -> None:
        """Within its hours, to undo the review; the on-call person has to say so anew."""
        first = written([chart.config_map(name, region="eu")])
        glass(gate, printed(gate.apply(first).out))
        assert gate.apply(first).bases == (BROKEN,)
        in_another_second()  # stamps count seconds
        better = gate.approved(chart.config_map(name, region="us"))
        assert gate.apply(better).admitted

        # beside the object, as it lay there, and with what it carries left as it is
        undo = gate.kubectl(
            *("patch", "configmap", name, "--type=merge"),
            *("-p", '{"data": {"region": "eu"}}'),
        )
        opened = glass(gate, printed(undo.out))
        done = gate.kubectl(
            *("patch", "configmap", name, "--type=merge"),
            *("-p", '{"data": {"region": "eu"}}'),
        )

        assert "stale_base" in undo.reasons, undo.out
        assert opened.code == Exit.DONE, opened.err
        assert done.bases == (BROKEN,), done.out

    def test_in_another_namespace(self, gate: Gate, name: str) -> None:
        """The BundleSet copied to where the same on-call person could sign, too."""
        tree = chart.config_map(name)
        glass(gate, printed(gate.apply(written([tree])).out))
        there = {**tree, "metadata": {**tree["metadata"], "namespace": "ledger"}}
        plane = gate.stack.plane
        sets = plane.kubectl(
            "get", "bundlesets", "-n", chart.NAMESPACE, "-o", "json"
        ).check()
        newest = max(
            json.loads(sets.stdout)["items"],
            key=lambda one: (
                one["metadata"]["creationTimestamp"],
                int(one["metadata"]["resourceVersion"]),
            ),
        )
        copy = {
            **{key: newest[key] for key in ("apiVersion", "kind", "spec")},
            "metadata": {"name": newest["metadata"]["name"], "namespace": "ledger"},
        }
        plane.kubectl("apply", "-f", "-", stdin=copy).check()

        denied = gate.apply(written([there]))
        plane.kubectl("delete", "-f", "-", stdin=copy).check()

        assert denied.code != 0
        assert not denied.bases


class TestWindow:
    """A namespace that two have opened is that namespace, and nothing else."""

    def test_opens_no_rule_no_namespace_and_nothing_beside(
        self, gate: Gate, name: str
    ) -> None:
        """What it must not cover stays as it is, and what it covers is owed each."""
        here = chart.config_map(name)
        here["metadata"]["namespace"] = "ledger"
        before = set(_sets(gate))
        plane = gate.stack.plane
        with roles(gate, ravi=("senior", "service-owner", "on-call")):
            try:
                for by in (OMAR, RAVI):
                    assert glass(gate, "sign-off -n ledger", by=by).code == Exit.DONE
                until(
                    lambda: "" if gate.apply(written([here])).admitted else "denied",
                    what="a namespace that two have opened",
                )
                elsewhere = gate.apply(written([chart.config_map(name)]))
                ours = chart.config_map(f"{name}-2")
                ours["metadata"] |= {
                    "namespace": "ledger",
                    "annotations": {"countersign.dev/approved": "yes"},
                }
                marked = gate.apply(written([ours]))
                label = ("label", "namespace", "ledger", "own=yes")
                space = gate.kubectl(*label, by=None)
                gone = gate.kubectl("delete", "namespace", "ledger", by=None)
            finally:
                for mine in set(_sets(gate)) - before:
                    plane.kubectl("delete", "-n", "ledger", mine).check()
        owed = debt(gate, name)

        assert not elsewhere.bases
        assert "wrong_object" not in elsewhere.reasons  # nothing of it is even seen
        assert marked.reasons == ("foreign_annotation",)
        assert space.code != 0, space.out
        assert gone.code != 0, gone.out
        assert not space.bases
        assert not gone.bases
        assert owed["by"] == ["omar", "ravi"]


def _sets(gate: Gate) -> list[str]:
    get = ("get", "bundlesets", "-n", "ledger", "-o", "name")
    return gate.stack.plane.kubectl(*get).check().stdout.split()


class TestDebts:
    """Told to all who look, and closed by nobody who may not."""

    def test_is_announced(self, gate: Gate, name: str) -> None:
        """In the log of who let it in, as an event beside it, in ``status``."""
        log = gate.stack.folder / "webhook" / "serve.log"
        seen = len(events(log)[0])
        text = written([chart.config_map(name)])
        glass(gate, printed(gate.apply(text).out))
        assert gate.apply(text).bases == (BROKEN,)
        dry = gate.apply(text, "--dry-run=server")
        owed = debt(gate, name)
        stray = written([chart.config_map(f"{name}-2")])  # news: debts are looked at
        glass(gate, printed(gate.apply(stray).out))
        (told,) = [e for e in events(log)[0][seen:] if e.get("event") == "glass_broken"]

        assert dry.code == 0
        assert (told["level"], told["user"]) == ("warning", "lee")
        assert (told["incident"], told["object"]) == ("INC-7", name)
        _told(gate, name, "ReviewOwed", owed["decision"])

    def test_the_review_of_one_shell_is_not_that_of_the_next(
        self, gate: Gate, name: str
    ) -> None:
        """The same Pod, the same grant, twice: the review names the decision."""
        pod = running_pod(gate, name)
        short = pod.removeprefix("pod/")
        glass(gate, printed(connect(gate, pod, "exec").out))
        assert connect(gate, pod, "exec").bases
        first = debt(gate, short)
        assert connect(gate, pod, "exec").bases

        def second() -> list[Tree]:
            return [
                one
                for one in debts(gate)
                if one["object"].endswith(f"/{short}")
                and one["decision"] != first["decision"]
            ]

        until(lambda: "" if second() else "none", what="another debt")
        review(gate, first["close"], DANA)
        settled(gate, first)

        assert second()

    def test_a_senior_of_another_namespace_closes_nothing(
        self, gate: Gate, name: str
    ) -> None:
        """Nor a word that is withdrawn: the law of the object is asked."""
        text = gate.attest(chart.config_map(name))
        glass(gate, printed(gate.apply(text).out))
        assert gate.apply(text).bases == (BROKEN,)
        owed = debt(gate, name)
        with roles(gate, dana=("developer",)):
            gate.wait_for("slot_open", gate.sign(gate.attest(chart.config_map("b"))))
            signed = review(gate, owed["close"], DANA)
            left = debt(gate, name)

        assert signed.code == Exit.DONE, signed.err
        assert left["decision"] == owed["decision"]

    def test_what_is_late_is_said_until_somebody_reviews_it(
        self, gate: Gate, name: str
    ) -> None:
        """Nothing is undone, and the next emergency is let in: that is for people."""
        text = gate.attest(chart.config_map(name))
        with patched(gate, reviewWithin="1s"):
            glass(gate, printed(gate.apply(text).out))
            until(
                lambda: "" if gate.apply(text).code == 0 else "denied", what="the grant"
            )
            owed = debt(gate, name)
            until(
                lambda: "" if debt(gate, name)["overdue"] else "in time",
                what="a debt that is late",
            )
        other = written([chart.config_map(f"{name}-2")])
        glass(gate, printed(gate.apply(other).out))
        next_one = gate.apply(other)
        review(gate, owed["close"], DANA)
        settled(gate, owed)

        assert next_one.bases == (BROKEN,)
        assert "by dana" in shown(gate, owed["decision"])


def _told(gate: Gate, name: str, reason: str, decision: str) -> None:
    """Wait for an event beside an object."""
    get = ("get", "events", "-n", chart.NAMESPACE, "-o", "json")

    def missing() -> str:
        found = json.loads(gate.stack.plane.kubectl(*get).check().stdout)["items"]
        return (
            ""
            if any(
                one["reason"] == reason
                and one["involvedObject"]["name"] == name
                and decision in one["message"]
                for one in found
            )
            else "none"
        )

    until(missing, what=f"{reason} beside {name}")
