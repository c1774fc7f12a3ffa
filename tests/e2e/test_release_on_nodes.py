"""What happens to nodes and Pods loses no decision, and admits nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import nodes
from tests.support.installed import OWN, Installed
from tests.support.loading import Load
from tests.support.nodes import SERVE
from tools.stack import policies
from tools.stack.chart import RELEASE
from tools.stack.people import DANA, LEE
from tools.stack.ready import until
from tools.stack.shell import Shell

pytestmark = pytest.mark.nodes

Tell = Callable[[str], None]
Loading = Callable[..., Load]
_OPERATE = "app.kubernetes.io/name=countersign-operate"


@pytest.fixture(name="loading")
def _loading(release: Installed, tmp_path: Path) -> Iterator[Loading]:
    """Make a load of what must be denied; the release is whole before and after."""
    nodes.settle(release)
    yield lambda **told: Load(
        release.kubeconfig(LEE), tmp_path, policies.PROTECTED, **told
    )
    nodes.settle(release)


def recorded(release: Installed, load: Load) -> None:
    """Wait until every decision of a load is on record; nothing of it was admitted."""
    assert load.count > 20
    assert not load.all("admitted")
    shell = Shell(release, release.folder, colour=False)

    def missing() -> str:
        left: list[str] = []
        for name, seen in load.seen.items():
            command = f"countersign audit log -n {name} --limit 1000 -o json"
            told = shell.run(command, by=DANA, show=False).output
            left += [one for one in seen.denied if one not in told]
        return f"{len(left)} of {load.count}, such as {left[0]}" if left else ""

    until(missing, what="decisions on record")


def said(load: Load) -> str:
    """Return what a load saw."""
    return (
        f"{load.count} denied and recorded, 0 admitted, "
        f"{len(load.all('failed'))} unanswered, "
        f"{len(load.all('unnamed'))} without a decision"
    )


def test_replicas_are_spread_behind_the_service(release: Installed) -> None:
    """On two nodes, if there are two."""
    found = nodes.pods(release)
    endpoints = release.plane.kubectl(
        *("get", "endpointslices", *OWN, "-o"),
        "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].targetRef.name}",
        "-l",
        "kubernetes.io/service-name=countersign",
    ).check()

    assert len(found) == 2
    assert len(set(nodes.nodes_of(found))) == 2
    assert sorted(endpoints.stdout.split()) == sorted(
        one["metadata"]["name"] for one in found
    )


def test_helm_test_passes(release: Installed) -> None:
    """In a Pod of its own, by RBAC of its own."""
    done = release.plane.helm("test", RELEASE, *OWN, "--timeout=110s").check()

    assert "Phase:          Succeeded" in done.stdout


def test_a_rolling_update(release: Installed, loading: Loading, tell: Tell) -> None:
    """All replicas and the recorder are replaced: no call fails, nothing is lost."""
    before = {one["metadata"]["name"] for one in nodes.pods(release)}
    again = ("serve", "operate")
    changed = [f"--set=extra.{one}.podAnnotations.tested=again" for one in again]
    with loading() as load:
        until(lambda: "" if load.count > 20 else "none", what="a load")
        release.upgrade(*changed)
        nodes.settle(release)
    after = {one["metadata"]["name"] for one in nodes.pods(release)}

    assert not before & after
    assert not load.all("failed")
    recorded(release, load)
    tell(f"rolling update: {said(load)}")


def test_a_drain(release: Installed, loading: Loading, tell: Tell) -> None:
    """No budget holds it up; the webhook goes on answering from another node."""
    nodes.spread(release)
    (home,) = nodes.nodes_of(nodes.pods(release, _OPERATE))
    others = [one for one in nodes.nodes_of(nodes.pods(release)) if one != home]
    assert others, "a replica away from the recorder, whose volume keeps it on its node"
    with loading(pause_s=0.2) as load:  # the log shows a thousand of each
        until(lambda: "" if load.count > 20 else "none", what="a load")
        with nodes.drained(release, others[0]) as said_drain:
            nodes.settle(release)
            left = nodes.nodes_of(nodes.pods(release))

    assert "evicted" in said_drain
    assert others[0] not in left
    assert not load.all("failed")
    recorded(release, load)
    tell(f"drain of {others[0]}: {said(load)}")


def test_a_kill(release: Installed, loading: Loading, tell: Tell) -> None:
    """Of one replica: what it had not handed over yet is in its spool still."""
    nodes.spread(release)
    node = nodes.nodes_of(nodes.pods(release))[0]
    before = nodes.restarts(release)
    with loading() as load:
        until(lambda: "" if load.count > 20 else "none", what="a load")
        killed = nodes.kill(release, node)
        until(
            lambda: "" if nodes.restarts(release) >= before + killed else "none",
            what="another container",
        )
        nodes.settle(release)
        more = load.count + 20
        until(lambda: "" if load.count > more else "none", what="more denials")

    assert killed
    recorded(release, load)
    tell(f"SIGKILL of {killed} of 2 replicas: {said(load)}")


def test_certificates_rotate_in_place(
    release: Installed, loading: Loading, tell: Tell
) -> None:
    """The operator makes another one; replicas show it without being replaced."""
    renewed = ("secret", "countersign-tls-renewed", *OWN)
    release.plane.kubectl("wait", "--for=create", "--timeout=55s", *renewed).check()
    before = {
        one["metadata"]["name"]: nodes.shown(release, one["metadata"]["name"])
        for one in nodes.pods(release, SERVE)
    }
    starts = nodes.restarts(release)
    with loading(pause_s=0.2) as load:
        release.plane.kubectl("delete", *renewed).check()
        nodes.until_shown(release, before, deadline_s=240)

    assert {one["metadata"]["name"] for one in nodes.pods(release)} == set(before)
    assert nodes.restarts(release) == starts
    assert not load.all("failed")
    recorded(release, load)
    tell(f"rotation in place: {said(load)}")
