"""Control planes come and go without a trace, however they end."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.lines import events
from tests.support.machine import Heard
from tools import controlplane
from tools.controlplane import (
    ControlPlane,
    ControlPlaneError,
    Ledger,
    NotReady,
    Options,
    Started,
    ensure,
)
from tools.controlplane.launch import launched
from tools.controlplane.readiness import wait
from tools.controlplane.servers import LOOPBACK, Layout, Ports

pytestmark = pytest.mark.cluster

_CHECKOUT = Path(__file__).parents[2]
_NAMES = ["etcd", "kube-apiserver", "kube-controller-manager"]
_GONE_S = 30.0


@pytest.fixture(autouse=True)
def _own_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """So that a test sees all that is left behind, and only that."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # for processes
    tempfile.tempdir, before = (
        None,
        tempfile.tempdir,
    )  # and for this one: look it up anew
    yield
    tempfile.tempdir = before


def processes_of(folder: Path) -> list[Started]:
    """Return the processes that run in `folder`."""
    started = Ledger(folder / "processes.json").entries
    assert [one.name for one in started] == _NAMES
    assert all(one.is_alive() for one in started)
    return started


def wait_until_gone(started: Iterable[Started], folder: Path) -> None:
    """Wait until nothing is left of a control plane."""

    def left() -> str:
        names = [one.name for one in started if one.is_alive()]
        return ", ".join([*names, *([str(folder)] if folder.exists() else [])])

    log = folder / "no log"
    wait(left, alive=lambda: True, name="the guard", log=log, deadline_s=_GONE_S)


def test_leaves_no_trace(tmp_path: Path) -> None:
    """No process and no file, not even a log."""
    with controlplane.running(progress=Heard()) as plane:
        started = processes_of(plane.folder)
        assert plane.folder.parent == tmp_path

    assert not any(one.is_alive() for one in started)
    assert list(tmp_path.iterdir()) == []


def test_keeps_the_logs_of_a_block_that_raises(tmp_path: Path) -> None:
    """And says where they are; the rest is gone all the same."""
    heard = Heard()

    def fail() -> None:
        with controlplane.running(progress=heard) as plane:
            started.extend(processes_of(plane.folder))
            raise ZeroDivisionError

    started: list[Started] = []
    with pytest.raises(ZeroDivisionError):
        fail()

    (kept,) = tmp_path.iterdir()
    assert not any(one.is_alive() for one in started)
    assert sorted(log.name for log in kept.iterdir()) == [
        f"{name}.log" for name in _NAMES
    ]
    assert str(kept) in heard.text


def test_says_what_ended_by_itself(tmp_path: Path) -> None:
    """A server that crashed under a test is not overlooked."""
    heard = Heard()

    with controlplane.running(progress=heard) as plane:
        controllers = processes_of(plane.folder)[2]
        os.kill(controllers.pid, signal.SIGKILL)
        wait_until_gone([controllers], tmp_path / "no folder")

    assert "kube-controller-manager ended by itself" in heard.text
    assert len(list(tmp_path.iterdir())) == 1


def test_a_server_that_does_not_start_is_an_error_with_its_last_words(
    tmp_path: Path,
) -> None:
    """Not a wait until the time is up."""
    heard = Heard()

    with (
        pytest.raises(
            NotReady, match=r"(?s)kube-apiserver ended.*unknown flag: --no-such"
        ),
        controlplane.running(Options(apiserver_flags={"no-such": "1"}), progress=heard),
    ):
        pytest.fail("it must not start")

    (kept,) = tmp_path.iterdir()
    assert str(kept) in heard.text


def test_takes_other_ports_when_one_is_taken(tmp_path: Path) -> None:
    """Between choosing a port and listening on it, another process may be quicker."""
    layout = Layout(tmp_path / "run")
    with socket.socket() as quicker:
        quicker.bind((LOOPBACK, 0))
        taken = replace(Ports.free(), apiserver=quicker.getsockname()[1])
        chosen = iter([taken, Ports.free()])
        try:
            plane = launched(layout, ensure(), Options(), ports=lambda: next(chosen))
            served = plane.kubectl("get", "namespaces")
            started = processes_of(layout.folder)
        finally:
            controlplane.down(layout.folder)

    assert served.ok
    assert not any(one.is_alive() for one in started)


_OWNER = """
import json, signal
from tools import controlplane
# a job in the background is started to ignore it, and so would we be
signal.signal(signal.SIGINT, signal.default_int_handler)
with controlplane.running() as plane:
    print(plane.folder, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, id="ended by a service manager"),
        pytest.param(signal.SIGKILL, id="killed"),
    ],
)
def test_nothing_outlives_its_owner(tmp_path: Path, end: signal.Signals) -> None:
    """Whether or not the owner has time to clean up."""
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER], cwd=_CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        started = processes_of(folder)
        owner.send_signal(end)

    wait_until_gone(started, folder)
    assert list(tmp_path.iterdir()) == []


def shell(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``python -m tools.controlplane``."""
    command = [sys.executable, "-m", "tools.controlplane", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, check=False, cwd=_CHECKOUT, text=True
    )


def test_up_stays_until_down(tmp_path: Path) -> None:
    """Also when what `up` started has ended by itself in the meantime."""
    folder = tmp_path / "run"
    try:
        first = shell("up", folder)
        started = processes_of(folder)
        again = shell("up", folder)
        for one in started:
            os.kill(one.pid, signal.SIGKILL)
        wait_until_gone(started, tmp_path / "no folder")
        anew = shell("up", folder)
        started += processes_of(folder)
    finally:
        down = shell("down", folder)

    kubeconfig = folder / "users" / "admin.kubeconfig"
    assert (first.returncode, first.stdout) == (0, f"export KUBECONFIG={kubeconfig}\n")
    assert again.returncode == 1
    assert "still run: take them down first" in again.stderr
    assert anew.returncode == 0
    assert (down.returncode, down.stdout, down.stderr) == (0, "", "")
    assert not any(one.is_alive() for one in started)
    assert list(tmp_path.iterdir()) == []
    assert "nothing to stop" in shell("down", folder).stderr


def test_up_takes_no_folder_of_others(tmp_path: Path) -> None:
    """It would remove what is in there."""
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(ControlPlaneError, match="holds something else"):
        controlplane.up(tmp_path)

    assert (tmp_path / "thesis.txt").exists()


_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "rules": [{"level": "Metadata", "verbs": ["create"]}],
}
_NO_HOST_NETWORK = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AdmissionConfiguration",
    "plugins": [
        {
            "name": "PodSecurity",
            "configuration": {
                "apiVersion": "pod-security.admission.config.k8s.io/v1",
                "kind": "PodSecurityConfiguration",
                "defaults": {"enforce": "baseline", "enforce-version": "latest"},
            },
        }
    ],
}


@pytest.fixture(name="configured")
def _configured(tmp_path: Path) -> Iterator[ControlPlane]:
    (tmp_path / "admission.json").write_text(json.dumps(_NO_HOST_NETWORK))
    (tmp_path / "audit.json").write_text(json.dumps(_AUDIT))
    options = Options(
        admission_config=tmp_path / "admission.json",
        apiserver_flags={
            "audit-policy-file": str(tmp_path / "audit.json"),
            "audit-log-path": str(tmp_path / "audit.log"),
        },
    )
    with controlplane.running(options, progress=Heard()) as plane:
        yield plane


def test_takes_admission_configuration_and_flags(
    configured: ControlPlane, tmp_path: Path
) -> None:
    """A policy in a file binds even the administrator; the log names who did what."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "forbidden"},
        "spec": {
            "hostNetwork": True,
            "containers": [{"name": "c", "image": "registry.example/web"}],
        },
    }
    denied = configured.kubectl("create", "-f", "-", stdin=pod)
    deployment = ("create", "deployment", "web", "--image=registry.example/web")
    configured.kubectl(*deployment).check()

    def not_yet() -> str:
        return "" if configured.kubectl("get", "pods", "-o", "name").stdout else "none"

    wait(
        not_yet,
        alive=lambda: True,
        name="the controllers",
        log=tmp_path / "no log",
        deadline_s=_GONE_S,
    )
    audited, _ = events(tmp_path / "audit.log")
    writers = {
        event["objectRef"]["resource"]: event["user"]["username"] for event in audited
    }
    assert 'violates PodSecurity "baseline:latest"' in denied.stderr
    accounts = "system:serviceaccount:kube-system"
    assert writers["deployments"] == "admin"
    assert writers["replicasets"] == f"{accounts}:deployment-controller"
    assert writers["pods"] == f"{accounts}:replicaset-controller"


def test_listens_on_loopback_alone(configured: ControlPlane) -> None:
    """A control plane for tests is not for the neighbours."""
    pids = [one.pid for one in processes_of(configured.folder)]
    sockets = {
        str(link.readlink())
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    }

    listening = [
        row[1]
        for table in ("tcp", "tcp6")
        for row in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines())
        if row[3] == "0A" and f"socket:[{row[9]}]" in sockets
    ]

    assert len(listening) == 4
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}
