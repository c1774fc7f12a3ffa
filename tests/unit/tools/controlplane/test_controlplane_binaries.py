"""Where the programs come from, and in which order."""

import queue
import stat
import threading

import pytest

from tests.support.machine import Heard, Machine
from tools.controlplane.binaries import ensure
from tools.controlplane.cache import Record, this_platform
from tools.controlplane.errors import Unobtainable
from tools.controlplane.programs import (
    ALL,
    APISERVER,
    CONTROLLER_MANAGER,
    COSIGN,
    ETCD,
    HELM,
    IMAGES,
    KUBECTL,
    REGISTRY,
    Program,
)

NAMES = [program.name for program in ALL]


def test_takes_the_assets_before_the_path(machine: Machine) -> None:
    """Who sets KUBEBUILDER_ASSETS has said what is meant."""
    machine.install(KUBECTL)
    asset = machine.install(KUBECTL, to=machine.assets)

    assert machine.ensure(KUBECTL) == {"kubectl": asset}
    assert machine.heard.text == ""


@pytest.mark.parametrize(
    ("program", "version"),
    [
        pytest.param(KUBECTL, "1.37.0", id="another patch of the same minor"),
        pytest.param(ETCD, "3.5.21", id="an older etcd that Kubernetes works with"),
        pytest.param(HELM, "4.1.0", id="another helm of the same major"),
        pytest.param(COSIGN, "3.2.0", id="a newer cosign of the same major"),
    ],
)
def test_takes_what_fits(machine: Machine, program: Program, version: str) -> None:
    """A patch more or less does not cost a build of minutes."""
    found = machine.install(program, version)

    assert machine.ensure(program) == {program.name: found}


@pytest.mark.parametrize(
    ("program", "version"),
    [
        pytest.param(APISERVER, "1.36.9", id="an older minor"),
        pytest.param(APISERVER, "1.38.0", id="a newer minor"),
        pytest.param(ETCD, "3.4.30", id="an etcd that is too old"),
        pytest.param(HELM, "3.20.0", id="another major of helm"),
        pytest.param(COSIGN, "3.0.9", id="a cosign that is too old"),
        pytest.param(REGISTRY, "2.8.3", id="another major of the registry"),
        pytest.param(KUBECTL, "nonsense", id="no version at all"),
    ],
)
def test_passes_over_what_does_not_fit(
    machine: Machine, program: Program, version: str
) -> None:
    """Another minor is another server; and the reason is told."""
    machine.install(program, version)
    machine.install_go()

    found = machine.ensure(program)

    assert found == {program.name: machine.cache.slot(program)}
    assert str(machine.path / program.name) in machine.heard.text


def test_looks_on_the_path_when_the_assets_do_not_fit(machine: Machine) -> None:
    """A folder for another project does not hide what fits."""
    machine.install(KUBECTL, "1.30.0", to=machine.assets)
    on_path = machine.install(KUBECTL)

    assert machine.ensure(KUBECTL) == {"kubectl": on_path}


def test_passes_over_what_cannot_be_run(machine: Machine) -> None:
    """A file with the right name may be for another processor."""
    machine.install(KUBECTL, to=machine.assets).write_bytes(
        b"\x7fELF of another machine"
    )
    on_path = machine.install(KUBECTL)

    assert machine.ensure(KUBECTL) == {"kubectl": on_path}


def test_downloads_what_is_published_and_builds_nothing(machine: Machine) -> None:
    """The quick way is tried before the slow one."""
    machine.install_go()
    machine.publish_envtest("1.37.2")
    machine.publish_kubernetes(CONTROLLER_MANAGER)
    machine.publish_helm(HELM)

    found = machine.ensure()

    assert found == {program.name: machine.cache.slot(program) for program in ALL}
    assert machine.built == []


def test_builds_what_cannot_be_downloaded_and_says_why(machine: Machine) -> None:
    """Only the rest is built, and nobody wonders why it takes long."""
    machine.install_go()
    machine.publish_envtest("1.37.2")

    machine.ensure()

    assert machine.built == ["kube-controller-manager", "helm"]
    said = machine.heard.text
    assert "download: kube-controller-manager: file://" in said
    assert "building kube-controller-manager 1.37.2 with Go (about" in said


def test_builds_what_the_tests_put_images_with(machine: Machine) -> None:
    """They have folders of their own: no minor of Kubernetes moves them."""
    machine.install_go()

    found = machine.ensure(*IMAGES)

    assert [path.parent.name for path in found.values()] == [
        "crane-0.22.1",
        "crane-registry-0.22.1",
        "registry-3.1.2",
        "cosign-3.1.3",
    ]
    assert machine.ensure(*IMAGES, minor="1.36") == found
    assert machine.built == ["crane", "crane-registry", "registry", "cosign"]


def test_asks_nobody_a_second_time(machine: Machine) -> None:
    """Nor does it need Go then, nor say a word."""
    machine.install_go()
    first = machine.ensure()
    machine.forget_what_was_built()
    (machine.path / "go").unlink()
    before = machine.heard.text

    assert machine.ensure() == first
    assert machine.heard.text == before


def test_names_all_four_ways_when_none_works(machine: Machine) -> None:
    """The person at the terminal sees which of them to mend."""
    machine.install(KUBECTL, "1.30.0")
    machine.install_go(fails="no space left on device")

    with pytest.raises(Unobtainable) as failure:
        machine.ensure(KUBECTL, ETCD)

    lines = str(failure.value).splitlines()
    assert lines[0] == "cannot get kubectl, etcd:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "KUBEBUILDER_ASSETS and PATH",
        "cache",
        "download",
        "build with Go",
    ]
    assert "is 1.30.0" in lines[1]
    assert "no space left on device" in lines[4]


def test_a_failed_build_leaves_nothing(machine: Machine) -> None:
    """Half a program must not be found the next time."""
    machine.install_go(fails="no space left on device")

    with pytest.raises(Unobtainable):
        machine.ensure(KUBECTL)

    assert list(machine.cache.slot(KUBECTL).parent.iterdir()) == []


def test_a_minor_without_a_go_module_is_not_built(machine: Machine) -> None:
    """It can be found or downloaded all the same."""
    machine.install_go()

    with pytest.raises(Unobtainable, match=r"no Go module here for 1\.36\.5"):
        machine.ensure(KUBECTL, minor="1.36")


def test_removes_what_a_killed_run_left(machine: Machine) -> None:
    """The lock says that nobody works on it any more."""
    machine.install_go()
    left = machine.cache.slot(KUBECTL).parent / ".partial-abc"
    left.mkdir(parents=True)
    (left / "kubectl").touch()

    machine.ensure(KUBECTL)

    assert not left.exists()


def test_what_is_built_can_be_run_by_all(machine: Machine) -> None:
    """Go and archives leave other modes."""
    machine.install_go()

    mode = machine.ensure(KUBECTL)["kubectl"].stat().st_mode

    assert stat.S_IMODE(mode) == 0o755


class _Aloud(Heard):
    """Lets another thread wait for what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: queue.Queue[str] = queue.Queue()

    def say(self, text: str) -> None:
        super().say(text)
        self.lines.put(text)


def test_waits_for_another_run_and_takes_what_that_made(machine: Machine) -> None:
    """Two runs at once do the work once."""
    machine.install_go()
    cache, heard, found = machine.cache, _Aloud(), {}

    def second_run() -> None:
        found.update(
            ensure(
                [KUBECTL],
                pins=machine.pins(),
                environment=machine.environment,
                progress=heard,
            )
        )

    second = threading.Thread(target=second_run)
    with cache.locked(machine.heard):
        second.start()
        assert "waiting" in heard.lines.get(timeout=30)
        with cache.partial(KUBECTL) as made:
            made.write_bytes(b"#!/bin/sh\necho v1.37.2\n")
            record = Record(
                origin="download", version="1.37.2", platform=this_platform()
            )
            slot = cache.keep(KUBECTL, made, record)
    second.join(timeout=30)

    assert found == {"kubectl": slot}
    assert machine.built == []
