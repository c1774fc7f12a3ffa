"""What was signed runs on real nodes, comes back, moves, and is nothing else."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.support import nodes
from tests.support.installed import Installed
from tools.stack.people import DANA, LEE
from tools.stack.ready import until
from tools.stack.shell import Shell

pytestmark = pytest.mark.nodes

SPACE, NAME = "orders", "desk"
HERE = f"-n {SPACE}"
_SIGN = "--identity-token people/dana.token --answers people/answers.yaml"
_READY = 'jsonpath={.items[?(@.status.phase=="Running")].metadata.name}'
_CLUSTER = ("system:node:", "system:serviceaccount:kube-system:", "system:kube-")


def manifest(image: str) -> str:
    """Return a Deployment of two Pods that wait to be ended."""
    wait = "import signal; signal.sigwait([signal.SIGTERM])"
    container = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", wait],
        "readinessProbe": {"exec": {"command": ["python3", "-c", ""]}},
    }
    template = {
        "metadata": {"labels": {"app": NAME}},
        "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]},
    }
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "namespace": SPACE},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": NAME}},
                "template": template,
            },
        }
    )


@pytest.fixture(scope="module", name="shell")
def _shell(release: Installed) -> Iterator[Shell]:
    """Have the Deployment signed and running; yield a terminal."""
    shell = Shell(release, release.folder, colour=False)
    (release.folder / "desk.json").write_text(manifest(release.image))
    apply = "kubectl apply --server-side -f desk.json"
    denied = shell.run(apply, by=LEE, expect=None).output
    decision = re.findall(r"--decision (\w+)", denied)[0]
    shell.run(f"countersign sign-off --decision {decision} {_SIGN}", by=DANA)
    shell.run(apply, by=LEE)
    shell.run(f"kubectl rollout status deployment/{NAME} {HERE} --timeout=60s", by=LEE)
    yield shell
    release.plane.kubectl("delete", "-f", release.folder / "desk.json", "--wait=false")


def running(shell: Shell) -> set[str]:
    """Return the Pods that run."""
    said = shell.run(f"kubectl get pods {HERE} -o '{_READY}'", by=LEE, show=False)
    return {*said.output.split()}


def test_pods_come_back(shell: Shell) -> None:
    """Their owner was signed, so whoever deletes one has it made again."""
    before = running(shell)
    gone = min(before)

    shell.run(f"kubectl delete pod {gone} {HERE} --timeout=60s", by=LEE)

    until(
        lambda: "" if len(running(shell) - {gone}) == len(before) else "fewer Pods",
        what="another Pod that runs",
        deadline_s=60,
    )


def test_pods_leave_a_node_that_is_drained(release: Installed, shell: Shell) -> None:
    """By evictions that nobody signed for, to where nobody said."""
    (pod, *_) = sorted(running(shell))
    where = f"kubectl get pod {pod} {HERE} -o jsonpath={{.spec.nodeName}}"
    node = shell.run(where, by=LEE, show=False).output

    with nodes.drained(release, node):
        until(
            lambda: "" if len(running(shell)) == 2 else "fewer Pods",
            what="the Pods on another node",
            deadline_s=60,
        )
        assert pod not in running(shell)
    nodes.settle(release)


@pytest.mark.parametrize(
    "command",
    [
        f"exec deploy/{NAME} -- python3 -c 0",
        f"attach deploy/{NAME}",
        f"port-forward deploy/{NAME} :80",
        f"set env deploy/{NAME} MODE=fast",
        f"scale deploy/{NAME} --replicas=5",
        f"rollout restart deploy/{NAME}",
        "label pods --all app-",
        f"debug {{pod}} --image={{image}} --target={NAME}",
    ],
)
def test_nothing_else_is_done_to_them(
    release: Installed, shell: Shell, command: str
) -> None:
    """Not by the cluster's administrator either; what runs goes on running."""
    before = running(shell)
    asked = command.format(pod=min(before), image=release.image)

    done = release.plane.kubectl(*HERE.split(), *asked.split(), timeout_s=60)

    assert done.code != 0
    assert "countersign.dev" in done.stderr
    assert running(shell) == before


def test_nothing_was_denied_to_the_cluster(shell: Shell) -> None:
    """Neither to kubelets nor to the scheduler, a controller or the drain."""
    command = f"countersign audit log {HERE} --outcome denied --limit 1000 -o json"
    log = json.loads(shell.run(command, by=DANA, show=False).output)

    who = {name for one in log for name in one["requesters"]}

    assert who
    assert not [name for name in who if name.startswith(_CLUSTER)]
