"""What a person reads, and what the shell command takes."""

import io

import pytest

from tests.support.machine import Heard
from tools.controlplane.__main__ import main
from tools.controlplane.errors import Unobtainable
from tools.controlplane.progress import Progress, duration
from tools.controlplane.supported import Version, load, minors


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (327, "5 min 27 s")],
)
def test_says_a_duration(seconds: float, said: str) -> None:
    """As a person does."""
    assert duration(seconds) == said


def test_in_a_log_a_step_is_two_lines() -> None:
    """Its beginning, with how long it may take, and its end."""
    heard = Heard()

    with heard.step("building", estimate_s=327):
        pass

    assert heard.text == (
        "control plane: building (about 5 min 27 s if the machine is idle) …\n"
        "control plane: building: done in 0 s\n"
    )


def test_on_a_terminal_a_step_ends_as_one_line() -> None:
    """What counted the seconds before is wiped away."""
    terminal = _Terminal()

    with Progress(terminal).step("building"):
        pass

    *counted, last = terminal.getvalue().split("\r\033[K")
    assert last == "control plane: building: done in 0 s\n"
    assert not any("\n" in line for line in counted)


def test_a_step_that_fails_is_not_called_done() -> None:
    """The error says the rest."""
    heard = Heard()

    with pytest.raises(ZeroDivisionError), heard.step("building"):
        raise ZeroDivisionError

    assert "done" not in heard.text


def test_an_unknown_minor_is_answered_with_the_known_ones() -> None:
    """From the table that the project ships."""
    with pytest.raises(Unobtainable, match=r"1\.12 is not among .*: 1\.34, 1\.35, "):
        load("1.12")


@pytest.mark.parametrize("minor", minors())
def test_what_is_pinned_agrees_with_the_go_modules(minor: str) -> None:
    """The build takes the version from go.mod, the server says that of the table."""
    pins = load(minor)
    assert pins.kubernetes_module is not None
    assert pins.etcd_module is not None
    kubernetes = (pins.kubernetes_module / "go.mod").read_text()
    etcd = (pins.etcd_module / "go.mod").read_text()
    helm = (pins.helm_module / "go.mod").read_text()

    assert str(pins.kubernetes).startswith(f"{minor}.")
    assert f"k8s.io/kubernetes v{pins.kubernetes} " in f"{kubernetes} "
    assert f"go.etcd.io/etcd/server/v3 v{pins.etcd}\n" in etcd
    assert f"helm.sh/helm/v4 v{pins.helm} " in helm.replace("\n", " ")
    helm3 = (pins.helm3_module / "go.mod").read_text()
    assert f"helm.sh/helm/v3 v{pins.helm3} " in helm3.replace("\n", " ")


def test_what_is_pinned_around_images_agrees_with_their_module() -> None:
    """Likewise."""
    images = load().images
    text = (images.module / "go.mod").read_text().replace("\n", " ")

    assert f"github.com/google/go-containerregistry v{images.crane} " in text
    assert f"github.com/distribution/distribution/v3 v{images.registry} " in text
    assert f"github.com/sigstore/cosign/v3 v{images.cosign} " in text


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Kubernetes v1.37.2", Version(1, 37, 2)),
        ("etcd Version: 3.7.0\nGit SHA: abc1234", Version(3, 7, 0)),
        ("go1.26", Version(1, 26)),
        ("v4.3.1+g0b1a2c3", Version(4, 3, 1)),
        ("registry github.com/distribution/v3 v3.1.2+unknown", Version(3, 1, 2)),
        ("no version", None),
    ],
)
def test_reads_the_version_a_program_says(text: str, version: Version | None) -> None:
    """Each program has its own way to say it."""
    assert Version.first_in(text) == version


def test_a_version_that_is_none_is_an_error() -> None:
    """With what was expected and what was seen."""
    with pytest.raises(ValueError, match=r"expected a version such as 1\.37\.2, saw"):
        Version.of("latest")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["ensure", "kubeadm"], id="a program it does not know"),
        pytest.param(["up"], id="no folder"),
    ],
)
def test_a_wrong_use_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As other commands do; usage goes to stderr."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_a_failure_ends_with_1_and_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a traceback."""
    assert main(["ensure", "--minor", "1.12"]) == 1
    assert capsys.readouterr().err.startswith("control plane: Kubernetes 1.12 is not")
