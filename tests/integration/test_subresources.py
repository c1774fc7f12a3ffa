"""Every way past an object, as people take it, on a real API server.

A developer with all the rights of a namespace's administrator tries; each is judged by
its own rule, for its own reason, and what the denial says to do instead works.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import chart
from tests.support.gate import Gate, Judged, documents, written
from tests.support.side import (
    CLOUD,
    HPA_CONTROLLER,
    NAME,
    PLACE,
    decided,
    kubectl,
    placed,
    pods,
    raised,
    sign,
)
from tools.stack.ready import until

Tree = dict[str, Any]


@pytest.fixture(scope="module", name="pod")
def _pod(gate: Gate) -> str:
    return raised(gate)


class TestAsPeopleDo:
    """Denied, each for its reason, with what to do instead."""

    @pytest.mark.parametrize(
        ("words", "rule", "reason", "says"),
        [
            pytest.param("label deployment/side a=b", "object", "changed", "sign-off"),
            pytest.param("annotate service/side a=b", "object", "changed", "sign-off"),
            pytest.param(
                "set image deployment/side app=evil:1", "object", "changed", "sign-off"
            ),
            pytest.param(
                "set env deployment/side A=b", "object", "changed", "sign-off"
            ),
            pytest.param(
                "rollout pause deployment/side", "object", "changed", "sign-off"
            ),
            pytest.param(
                "rollout restart deployment/side",
                "object",
                "changed",
                "exceptions.restart",
            ),
            pytest.param(
                "scale deployment/side --replicas=5",
                "scale",
                "subresource",
                "--elastic KIND/NAME:/spec/replicas=MIN..MAX",
            ),
            # kubectl then tries the old version, and says only that it is at a loss
            pytest.param(
                "autoscale deployment/side --max=9", "object", "slot_open", ""
            ),
            pytest.param("exec POD -- true", "access", "subresource", "its logs"),
            pytest.param("attach POD", "access", "subresource", "its logs"),
            pytest.param("cp POD:/etc/passwd -", "access", "subresource", "its logs"),
            pytest.param(
                "debug POD --image=tool --attach=false -c tool",
                "ephemeralContainers",
                "slot_open",
                "sign-off --decision",
            ),
            pytest.param(
                "debug POD --image=tool --attach=false --copy-to=twin",
                "object",
                "slot_open",
                "sign-off",
            ),
            pytest.param("create token default", "token", "subresource", "projected"),
            pytest.param(
                "delete deployment/side --wait=false",
                "deletion",
                "deletion",
                "--operation delete",
            ),
            pytest.param(
                "delete configmap -l app=side --wait=false",
                "deletion",
                "deletion",
                "--operation delete",
            ),
            pytest.param("run twin --image=tool", "object", "slot_open", "sign-off"),
        ],
    )
    def test_denied(  # noqa: PLR0917 - the words of one case
        self, gate: Gate, pod: str, words: str, rule: str, reason: str, says: str
    ) -> None:
        """As typed."""
        typed = words.replace("POD", pod).split()
        done = kubectl(gate, *typed)

        assert done.code != 0, done.out
        assert set(done.rules) == {rule}, done
        assert reason in done.reasons, done
        assert says in done.out or "sign-off --decision" in done.out
        assert not done.bases

    def test_a_pod_may_be_deleted(self, gate: Gate, name: str) -> None:
        """Its controller makes it again."""
        assert gate.apply(sign(gate, placed(chart.deployment(name)))).admitted
        (pod,) = pods(gate, name, 1)
        gone = kubectl(gate, "delete", "pod", pod, "--wait=false")

        assert gone.admitted, gone.out
        assert gone.doors == {"derived"}

    def test_nodes_are_not_ours(self, gate: Gate) -> None:
        """A cordon and a taint must work while everything else is away."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker"}}
        for words in (
            ("create", "-f", "-"),
            ("cordon", "worker"),
            ("taint", "node", "worker", "a=b:NoExecute"),
            ("delete", "node", "worker"),
        ):
            done = gate.kubectl(*words, by=None, stdin=json.dumps(node))
            assert done.code == 0, done.out
            assert not done.rules


@pytest.mark.usefixtures("pod")
class TestSignedForOnePod:
    """What a denial says to do works, for this Pod and for no other."""

    @pytest.mark.parametrize("way", ["debug", "resize"])
    def test_signed_by_decision(self, gate: Gate, name: str, way: str) -> None:
        """Denied, signed as it was denied, let in; its neighbour is not."""
        tree = placed(chart.deployment(f"{name}-{way}", replicas=2))
        container = tree["spec"]["template"]["spec"]["containers"][0]
        container["resources"] = {"requests": {"cpu": "10m"}}
        assert gate.apply(sign(gate, tree)).admitted
        one, other = pods(gate, f"{name}-{way}", 2)
        denied = self._do(gate, way, one)
        signed = decided(gate, denied)
        admitted, neighbour = self._do(gate, way, one), self._do(gate, way, other)

        assert signed.code == 0, signed.err
        assert "slot_open" in denied.reasons, denied.out
        assert admitted.admitted, admitted.out
        assert admitted.doors == {"signed"}
        assert "slot_open" in neighbour.reasons

    def test_something_else_was_signed(self, gate: Gate, name: str) -> None:
        """Another command in it is another container."""
        assert gate.apply(sign(gate, placed(chart.deployment(name)))).admitted
        (pod,) = pods(gate, name, 1)
        decided(gate, self._do(gate, "debug", pod))
        done = self._do(gate, "debug", pod, "--", "sh", "-c", "evil")

        assert "changed" in done.reasons, done.out

    @staticmethod
    def _do(gate: Gate, way: str, pod: str, *more: str) -> Judged:
        if way == "debug":
            flags = (
                "--image=tool",
                "--attach=false",
                "-c",
                "tool",
                "--profile=general",
            )
            return kubectl(gate, "debug", pod, *flags, *more)
        wanted = {"name": "app", "resources": {"requests": {"cpu": "50m"}}}
        patch = json.dumps({"spec": {"containers": [wanted]}})
        return kubectl(gate, "patch", "pod", pod, "--subresource=resize", "-p", patch)


@pytest.mark.usefixtures("pod")
class TestNumbers:
    """How many of something run."""

    def test_a_signed_range(self, gate: Gate, name: str) -> None:
        """By anybody who may scale at all."""
        bounds = ("--elastic", f"Deployment/{name}:/spec/replicas=1..4")
        text = sign(gate, placed(chart.deployment(name)), flags=bounds)
        assert gate.apply(text).admitted

        inside = kubectl(gate, "scale", "deployment", name, "--replicas=4")
        outside = kubectl(gate, "scale", "deployment", name, "--replicas=5")
        again = gate.apply(text)

        assert inside.admitted, inside.out
        assert outside.reasons == ("subresource",)
        assert "1..4" in outside.out
        assert again.code == 0, again.out

    @pytest.mark.parametrize("said", [False, True], ids=["left-out", "said"])
    def test_a_signed_autoscaler(self, gate: Gate, name: str, *, said: bool) -> None:
        """As far as it says, whatever the manifest does; an unsigned one not at all."""
        name = f"{name}-{said}".lower()
        tree = placed(chart.deployment(name))
        if not said:
            del tree["spec"]["replicas"]
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        hpa = placed(
            {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": name},
                "spec": {"maxReplicas": 3, "scaleTargetRef": target},
            }
        )
        text = sign(gate, tree, hpa)
        assert gate.apply(written(documents(text)[:1])).admitted
        impersonator = gate.stack.plane.impersonator()
        alone = self._scale(gate, impersonator, name, 2)
        assert gate.apply(text).code == 0

        assert not alone
        assert self._scale(gate, impersonator, name, 3)
        assert not self._scale(gate, impersonator, name, 4)
        assert len(pods(gate, name, 3)) == 3
        assert gate.apply(text).code == 0

    @staticmethod
    def _scale(gate: Gate, impersonator: Path, name: str, replicas: int) -> bool:
        plane = gate.stack.plane
        words = ("scale", "deployment", name, f"--replicas={replicas}", "-n", PLACE)
        who = ("--as", HPA_CONTROLLER, "--as-group", "system:serviceaccounts")
        return plane.kubectl(*words, *who, user=impersonator).code == 0


ADDRESSES: Tree = {"status": {"loadBalancer": {"ingress": [{"ip": "10.6.6.6"}]}}}


class TestStatus:
    """A status is free, but for metadata and where traffic goes."""

    def _write(self, gate: Gate, kind: str, user: Path, *more: str) -> tuple[int, str]:
        patch = (
            "--subresource=status",
            "--type=merge",
            "-p",
            json.dumps(ADDRESSES),
        )
        words = ("patch", kind, NAME, "-n", PLACE, *patch, *more)
        done = gate.stack.plane.kubectl(*words, user=user)
        return done.code, done.stderr

    @pytest.mark.parametrize("kind", ["service", "ingress"])
    def test_only_a_declared_controller_sets_addresses(
        self, gate: Gate, pod: str, kind: str
    ) -> None:
        """Not an administrator, and not the cloud's if no policy names it."""
        assert pod
        plane = gate.stack.plane
        cloud = ("--as", CLOUD)
        for user, more in ((plane.admin, ()), (plane.admin, cloud)):
            code, said = self._write(gate, kind, user, *more)
            assert code != 0
            assert "load" in said, said
        with declared(gate, kind.capitalize()):
            assert self._write(gate, kind, plane.admin)[0] != 0
            until(
                lambda: self._write(gate, kind, plane.admin, *cloud)[1],
                what="the addresses of a declared controller",
            )


@contextmanager
def declared(gate: Gate, kind: str) -> Iterator[None]:
    """Name the cloud's controller in the policy for a while."""
    plane = gate.stack.plane
    path = gate.stack.folder / "policies" / f"protectionpolicy-{PLACE}.yaml"
    before = documents(path.read_text())[0]
    after = copy.deepcopy(before)
    group = "networking.k8s.io" if kind == "Ingress" else ""
    own = [{"group": group, "kind": kind, "paths": ["/status/loadBalancer"]}]
    exceptions = after["spec"].setdefault("exceptions", {})
    exceptions["controllers"] = [{"user": CLOUD, "own": own}]
    plane.kubectl("apply", "-f", "-", stdin=after).check()
    try:
        yield
    finally:
        plane.kubectl("replace", "-f", "-", stdin=before).check()
