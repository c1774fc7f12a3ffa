"""Every image of every workload, on a real API server: wherever it stands, it is judged.

A second policy judges the namespace where any senior's sign-off is enough: it asks for
pinned and covered images, and says where a custom kind has its own.
"""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import chart
from tests.support.chart import PINNED
from tests.support.gate import Gate, Judged, changed
from tests.support.minors import minor_of, served
from tests.support.side import PLACE, decided, kubectl, pods, raised, sign
from tests.support.trip import printed, run
from tools.stack import policies
from tools.stack.people import DANA
from tools.stack.ready import until

Tree = dict[str, Any]

GROUP = "fleet.example.com"
RESOURCE = f"machines.{GROUP}"
TAGGED = "ghcr.io/acme/tool:1"
OTHER = f"ghcr.io/acme/tool@sha256:{'7' * 64}"
PLACES = ("containers", "initContainers", "volumes")


def policy() -> Tree:
    """Return the policy, which asks for images what the demo's does not."""
    machines = {
        "group": GROUP,
        "kind": "Machine",
        "paths": ["/spec/image", "/spec/pod"],
    }
    return {
        "apiVersion": policies.API,
        "kind": "ProtectionPolicy",
        "metadata": {"name": "images-of-workloads"},
        "spec": {
            "protect": {"namespaces": [PLACE], "clusterScoped": "none"},
            "preset": "manual",
            "roster": "platform",
            "images": {"paths": [machines]},
        },
    }


def definition() -> Tree:
    """Return the definition of a kind that runs images, as operators have them."""
    spec = {
        "image": {"type": "string"},
        "pod": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    body = {"spec": {"type": "object", "properties": spec}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": RESOURCE},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Machine", "plural": "machines"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "properties": body}
                    },
                }
            ],
        },
    }


def machine(name: str, **spec: Any) -> Tree:
    """Return an object of that kind."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Machine",
        "metadata": {"name": name, "namespace": PLACE},
        "spec": spec,
    }


@pytest.fixture(scope="module", name="strict")
def _strict(gate: Gate) -> Iterator[Gate]:
    """The gate where images count, the custom kind known to the webhook."""
    raised(gate)  # lets developers change Pods that run
    crd = f"crd/{RESOURCE}"
    with changed(gate, definition()), changed(gate, policy()):
        wait = ("wait", "--for=condition=Established", crd, "--timeout=60s")
        gate.stack.plane.kubectl(*wait).check()
        loose = sign(gate, machine("loose", image=TAGGED))

        def otherwise() -> str:
            seen = send(gate, loose).reasons
            return "" if "image_unpinned" in seen else f"saw {seen}"

        until(otherwise, what="the policy and the custom kind")
        yield gate


@pytest.fixture(scope="module", name="known")
def _known(strict: Gate, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The flag that shows a signer this policy, too."""
    folder = tmp_path_factory.mktemp("policies")
    shutil.copytree(strict.stack.folder / "policies", folder, dirs_exist_ok=True)
    (folder / "images.yaml").write_text(json.dumps(policy()))
    return "--policies", str(folder)


def send(gate: Gate, text: str) -> Judged:
    """Create objects, without a trace: as the administrator, who has every right."""
    words = ("create", "-n", PLACE, "--dry-run=server", "-f", "-")
    return gate.kubectl(*words, by=None, stdin=text)


def workloads(image: str, place: str) -> list[Tree]:
    """Return one of each kind that runs Pods, or describes them."""
    spec: Tree = {"containers": [{"name": "app", "image": PINNED}]}
    if place == "volumes":
        spec[place] = [{"name": "more", "image": {"reference": image}}]
    elif place == "containers":
        spec[place] += [{"name": "more", "image": image}]
    else:
        spec[place] = [{"name": "more", "image": image}]
    labels = {"app": "all"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    once = {"metadata": {}, "spec": {**spec, "restartPolicy": "Never"}}
    select = {"selector": {"matchLabels": labels}, "template": template}
    claimed = {**select, "serviceName": "all"}
    scheduled = {"schedule": "0 5 * * *", "jobTemplate": {"spec": {"template": once}}}
    revised = {"spec": {"template": {**template, "$patch": "replace"}}}
    fields: dict[tuple[str, str], Tree] = {
        ("v1", "Pod"): {"spec": spec},
        ("v1", "PodTemplate"): {"template": template},
        ("v1", "ReplicationController"): {
            "spec": {"selector": labels, "template": template}
        },
        ("apps/v1", "Deployment"): {"spec": select},
        ("apps/v1", "ReplicaSet"): {"spec": select},
        ("apps/v1", "StatefulSet"): {"spec": claimed},
        ("apps/v1", "DaemonSet"): {"spec": select},
        ("apps/v1", "ControllerRevision"): {"data": revised, "revision": 1},
        ("batch/v1", "Job"): {"spec": {"template": once}},
        ("batch/v1", "CronJob"): {"spec": scheduled},
    }
    return [
        {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": "all", "namespace": PLACE},
            **more,
        }
        for (version, kind), more in fields.items()
    ]


@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_stands_a_tag_pins_nothing(strict: Gate, place: str) -> None:
    """In every kind, signed or not; by digest it is signed with the object and runs."""
    loose, pinned = (workloads(image, place) for image in (TAGGED, OTHER))
    if served(minor_of(strict.stack.plane), loose) != loose:
        pytest.skip("this minor drops the field")

    denied = send(strict, sign(strict, *loose))
    admitted = send(strict, sign(strict, *pinned))

    assert denied.reasons.count("image_unpinned") == len(loose), denied.out
    assert f"write {TAGGED}@sha256:DIGEST" in denied.out
    assert admitted.admitted, admitted.out
    assert len(admitted.bases) == len(pinned)


class TestCustomKinds:
    """Where the policy says that their images are."""

    @pytest.mark.parametrize(
        ("what", "spec"),
        [
            ("reference", {"image": OTHER}),
            ("pod", {"pod": {"containers": [{"image": OTHER}]}}),
            ("template", {"pod": {"spec": {"initContainers": [{"image": OTHER}]}}}),
        ],
    )
    def test_its_images_are_covered(
        self, strict: Gate, known: tuple[str, str], what: str, spec: Tree
    ) -> None:
        """By who signs with the policies at hand, a file or a decision; else by nobody."""
        tree = machine(f"with-{what}", **spec)
        create = ("create", "-n", PLACE, "-f", "-")

        alone = send(strict, sign(strict, tree))
        both = send(strict, sign(strict, tree, flags=known))
        denied = strict.kubectl(*create, by=None, stdin=tree)
        signed = run(strict, printed(denied.out), *known, by=DANA)
        again = strict.kubectl(*create, by=None, stdin=tree)

        assert "image_uncovered" in alone.reasons, alone.out
        assert both.admitted, both.out
        assert signed.code == 0, signed.err
        assert again.admitted, again.out

    def test_what_is_no_image_there(self, strict: Gate, name: str) -> None:
        """Is denied, with the place and what was expected."""
        tree = machine(name, pod={"image": {"repository": "tool", "tag": "1"}})
        done = send(strict, sign(strict, tree))

        assert "malformed" in done.reasons
        assert "/spec/pod: expected an image reference, a PodSpec" in done.out

    def test_no_image_is_none(self, strict: Gate, name: str) -> None:
        """A place that is empty asks for nothing."""
        done = send(strict, sign(strict, machine(name, pod={})))

        assert done.admitted, done.out


class TestPodsThatRun:
    """What is added to them is newly run; what is resized is not."""

    def test_an_ephemeral_container(self, strict: Gate, name: str) -> None:
        """A tag helps nobody, whoever signs; a digest is signed with the Pod's state."""
        pod = running(strict, name)

        loose = debug(strict, pod, TAGGED)
        pinned = debug(strict, pod, OTHER)
        signed = decided(strict, pinned)
        admitted, other = debug(strict, pod, OTHER), debug(strict, pod, PINNED)

        assert "image_unpinned" in loose.reasons, loose.out
        assert "sign-off --decision" not in loose.out
        assert not pinned.admitted
        assert signed.code == 0, signed.err
        assert admitted.admitted, admitted.out
        assert admitted.doors == {"signed"}
        assert not other.admitted, other.out

    def test_a_resize(self, strict: Gate, name: str) -> None:
        """Runs nothing new: that the image is covered was asked before."""
        pod = running(strict, name)

        denied = resize(strict, pod)
        signed = decided(strict, denied)
        admitted = resize(strict, pod)

        assert not {"image_unpinned", "image_uncovered"} & {*denied.reasons}, denied.out
        assert signed.code == 0, signed.err
        assert admitted.admitted, admitted.out


def running(gate: Gate, name: str) -> str:
    """Return a Pod of a Deployment that was signed."""
    tree = chart.deployment(name)
    tree["metadata"]["namespace"] = PLACE
    container = tree["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "10m"}}
    done = gate.apply(sign(gate, tree))
    assert done.admitted, done.out
    return pods(gate, name, 1)[0]


def debug(gate: Gate, pod: str, image: str) -> Judged:
    """Add a container to a Pod that runs."""
    flags = ("--attach=false", "-c", "tool", "--profile=general")
    return kubectl(gate, "debug", pod, f"--image={image}", *flags)


def resize(gate: Gate, pod: str) -> Judged:
    """Give a container of a Pod that runs more."""
    wanted = {"name": "app", "resources": {"requests": {"cpu": "50m"}}}
    patch = json.dumps({"spec": {"containers": [wanted]}})
    return kubectl(gate, "patch", "pod", pod, "--subresource=resize", "-p", patch)
