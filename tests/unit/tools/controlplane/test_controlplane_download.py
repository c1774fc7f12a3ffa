"""Downloads: from where, and what is refused."""

import hashlib

import pytest

from tests.support.machine import Machine, archive, script
from tools.controlplane.download import Download
from tools.controlplane.programs import (
    APISERVER,
    CONTROLLER_MANAGER,
    ETCD,
    HELM,
    KUBECTL,
    version_of,
)
from tools.controlplane.supported import Version


@pytest.fixture(name="download")
def _download(machine: Machine) -> Download:
    return Download(machine.pins(), machine.cache, machine.heard)


def test_takes_three_programs_from_one_archive(
    machine: Machine, download: Download
) -> None:
    """It is downloaded once."""
    machine.publish_envtest("1.37.2")

    for program in (ETCD, APISERVER, KUBECTL):
        assert download.find(program) == machine.cache.slot(program)

    assert machine.heard.text.count("downloading file://") == 2  # begun and done, once


@pytest.mark.parametrize(
    ("published", "taken"),
    [
        pytest.param(["1.37.0", "1.37.2", "1.37.9"], (1, 37, 2), id="the pinned patch"),
        pytest.param(
            ["1.37.9", "1.37.10", "1.38.0"], (1, 37, 10), id="else the newest"
        ),
    ],
)
def test_chooses_the_archive(
    machine: Machine, download: Download, published: list[str], taken: tuple[int, ...]
) -> None:
    """Not every patch is published there; 10 is after 9."""
    for version in published:
        machine.publish_envtest(version)

    download.find(KUBECTL)

    assert version_of(KUBECTL, machine.cache.slot(KUBECTL)) == Version(*taken)


def test_refuses_an_archive_of_another_minor(
    machine: Machine, download: Download
) -> None:
    """It would be another server."""
    machine.publish_envtest("1.38.0")

    assert download.find(KUBECTL) == "no archive of 1.37.2 in envtest's list"


def test_takes_the_controller_manager_and_helm_from_their_projects(
    machine: Machine, download: Download
) -> None:
    """The archive does not have them."""
    machine.publish_kubernetes(CONTROLLER_MANAGER)
    machine.publish_helm(HELM)

    for program in (CONTROLLER_MANAGER, HELM):
        assert download.find(program) == machine.cache.slot(program)
        assert machine.cache.slot(program).read_bytes() == script(program)


@pytest.mark.parametrize(
    "checksum",
    [
        pytest.param("0" * 64, id="of something else"),
        pytest.param("0" * 40, id="of a broken algorithm"),
        pytest.param("<html>", id="no checksum"),
    ],
)
def test_refuses_a_program_with_a_wrong_checksum(
    machine: Machine, download: Download, checksum: str
) -> None:
    """Nothing of it stays."""
    machine.publish_kubernetes(CONTROLLER_MANAGER, checksum=checksum)

    assert isinstance(download.find(CONTROLLER_MANAGER), str)
    assert not machine.cache.slot(CONTROLLER_MANAGER).exists()


def test_refuses_an_archive_with_a_wrong_checksum(
    machine: Machine, download: Download
) -> None:
    """It is not even opened."""
    machine.publish_envtest("1.37.2", checksum="0" * 128)

    answer = download.find(ETCD)

    assert "is not the published one" in str(answer)
    assert not machine.cache.slot(ETCD).exists()


def test_refuses_a_program_that_is_another_version_than_its_archive(
    machine: Machine, download: Download
) -> None:
    """What is published is asked, not believed."""
    machine.publish_kubernetes(CONTROLLER_MANAGER)
    published = next(machine.mirror.rglob("kube-controller-manager"))
    published.write_bytes(script(CONTROLLER_MANAGER, "1.20.0"))
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    published.with_name("kube-controller-manager.sha256").write_text(digest)

    assert download.find(CONTROLLER_MANAGER) == (
        "downloaded kube-controller-manager is 1.20.0 here"
    )


def test_writes_only_the_program_of_an_archive(
    machine: Machine, download: Download
) -> None:
    """Whatever the paths in it say."""
    machine.publish_helm(HELM)
    published = next(machine.mirror.rglob("helm-*.tar.gz"))
    published.write_bytes(archive({"../../escaped": b"", "../../helm": script(HELM)}))
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    published.with_name(f"{published.name}.sha256sum").write_text(digest)
    before = set(machine.folder.rglob("*"))

    slot = download.find(HELM)

    assert slot == machine.cache.slot(HELM)
    new = {path.name for path in set(machine.folder.rglob("*")) - before}
    assert new == {
        "cache",
        "countersign",
        "controlplane",
        "helm-4.3.1",
        "helm",
        "helm.json",
    }


@pytest.mark.parametrize("url", ["http://127.0.0.1/index", "ftp://127.0.0.1/index"])
def test_asks_nobody_without_encryption(machine: Machine, url: str) -> None:
    """The checksum travels by the same way."""
    table = machine.pinned_in / "supported.toml"
    lines = table.read_text().splitlines()
    lines = [f'helm = "{url}"' if "mirror/helm" in line else line for line in lines]
    table.write_text("\n".join(lines))
    download = Download(machine.pins(), machine.cache, machine.heard)

    assert str(download.find(HELM)).startswith("not https: ")


def test_asks_once_for_what_is_not_there(machine: Machine, download: Download) -> None:
    """A closed network costs one time-out, not one for each program."""
    first = download.find(ETCD)
    machine.publish_envtest("1.37.2")

    assert "cannot be reached" in str(first)
    assert download.find(KUBECTL) == first
