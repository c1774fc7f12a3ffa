"""What is built again after a change, and what is not."""

import pytest

from tests.support.machine import Machine
from tools.controlplane.programs import KUBECTL
from tools.controlplane.recipe import modules_in

ALL_BUILT = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "helm"]


@pytest.fixture(name="built")
def _built(machine: Machine) -> Machine:
    """Return a machine that has built everything before."""
    machine.install_go()
    machine.ensure()
    assert machine.built == ALL_BUILT
    machine.forget_what_was_built()
    return machine


def test_nothing_without_a_change(built: Machine) -> None:
    """This is every run but the first."""
    built.ensure()

    assert built.built == []


def test_etcd_alone_when_its_main_changes(built: Machine) -> None:
    """Only it has sources of our own."""
    main = built.pinned_in / "kubernetes" / "etcd" / "main.go"
    main.write_text(f"{main.read_text()}\n// changed")

    built.ensure()

    assert built.built == ["etcd"]


def test_a_module_when_what_is_linked_moves(built: Machine) -> None:
    """The other module does not care."""
    file = built.go_mod("helm")
    file.write_text(file.read_text().replace("linked v1.0.0", "linked v1.0.1"))

    built.ensure()

    assert built.built == ["helm"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("unrelated v1.0.0", "unrelated v1.1.0", id="another moves"),
        pytest.param(")", "\texample.com/added v2.0.0\n)", id="one is added"),
        pytest.param("// indirect", "", id="one is called direct"),
    ],
)
def test_nothing_when_a_requirement_is_not_linked(
    built: Machine, before: str, after: str
) -> None:
    """A tool beside the programs may need more than they do."""
    file = built.go_mod("kubernetes")
    file.write_text(file.read_text().replace(before, after))

    built.ensure()

    assert built.built == []


def test_everything_linked_when_a_requirement_goes(built: Machine) -> None:
    """Then Go chooses another version."""
    file = built.go_mod("kubernetes")
    file.write_text(file.read_text().replace("example.com/linked v1.0.0", ""))

    built.ensure()

    assert built.built == ALL_BUILT[:-1]


def test_nothing_of_helm_when_kubernetes_moves(built: Machine) -> None:
    """Each version has a folder of its own."""
    table = built.pinned_in / "supported.toml"
    table.write_text(table.read_text().replace("1.37.2", "1.37.3"))

    built.ensure()

    assert built.built == ALL_BUILT[:-1]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="another shape"),
        pytest.param('{"origin": "build"}', id="fields missing"),
        pytest.param('{"recipe": null, "surprise": 1}', id="fields unknown"),
    ],
)
def test_what_has_a_damaged_record(built: Machine, damage: str) -> None:
    """What cannot be read is not believed."""
    slot = built.cache.slot(KUBECTL)
    slot.with_name("kubectl.json").write_text(damage)

    built.ensure()

    assert built.built == ["kubectl"]


def test_what_was_made_for_another_processor(built: Machine) -> None:
    """Homes are shared by machines."""
    record = built.cache.slot(KUBECTL).with_name("kubectl.json")
    text = record.read_text()
    start = text.index('"platform"')
    record.write_text(text[:start] + text[start:].replace("-", "-other", 1))

    built.ensure()

    assert built.built == ["kubectl"]


def test_what_is_gone(built: Machine) -> None:
    """A record alone is no program."""
    built.cache.slot(KUBECTL).unlink()

    built.ensure()

    assert built.built == ["kubectl"]


def test_reads_what_go_says_is_linked() -> None:
    """The format is that of `go version -m`."""
    said = (
        "etcd: go1.26.8\n"
        "\tpath\texample.com/etcd\n"
        "\tmod\texample.com/own\t(devel)\t\n"
        "\tdep\tk8s.io/api\tv0.37.2\th1:abc=\n"
        "\tdep\texample.com/replaced\tv1.0.0\n"
        "\tbuild\t-ldflags=-s -w\n"
    )

    assert modules_in(said) == {
        "k8s.io/api": "v0.37.2",
        "example.com/replaced": "v1.0.0",
    }
