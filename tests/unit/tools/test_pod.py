"""What a Pod would run is run here, or nothing is."""

from pathlib import Path
from typing import Any

import pytest

from tools.stack.pod import process

Tree = dict[str, Any]

SHOWN = {"tls": {"tls.crt": b"certificate", "tls.key": b"key", "ca.crt": b"other"}}


def workload(*mounts: Tree, env: list[Tree] | None = None, **more: Any) -> Tree:
    """Return a Deployment of ``serve`` with a certificate, and what a test is about."""
    items = [{"key": key, "path": key} for key in ("tls.crt", "tls.key")]
    container = {
        "args": ["serve"],
        "env": env or [{"name": "COUNTERSIGN_CLUSTER_NAME", "value": "test"}],
        "volumeMounts": [*mounts],
        **more,
    }
    volumes = [
        {"name": "tls", "secret": {"secretName": "tls", "items": items}},
        {"name": "spool", "emptyDir": {}},
    ]
    pod = {"containers": [container], "volumes": volumes}
    return {"spec": {"template": {"spec": pod}}}


TLS = {"name": "tls", "mountPath": "/etc/countersign/tls"}
SPOOL = {"name": "spool", "mountPath": "/var/lib/spool"}


def test_settings_find_the_files_that_are_mounted(tmp_path: Path) -> None:
    """Also those that only a default names."""
    made = process(workload(TLS), tmp_path, secrets=SHOWN)

    found = Path(made.environment["COUNTERSIGN_LISTEN_CERTIFICATE_FILE"])
    assert found.read_bytes() == b"certificate"
    assert {file.name for file in found.parent.iterdir()} == {"tls.crt", "tls.key"}
    assert made.environment["COUNTERSIGN_CLUSTER_NAME"] == "test"


def test_a_file_that_nothing_mounts_is_missed(tmp_path: Path) -> None:
    """In a Pod it would not be there."""
    with pytest.raises(ValueError, match=r"/etc/countersign/tls/tls\.crt"):
        process(workload(), tmp_path, secrets=SHOWN)


def test_a_folder_keeps_what_is_in_it(tmp_path: Path) -> None:
    """A container that starts again finds its spool."""
    first = process(workload(TLS, SPOOL), tmp_path, secrets=SHOWN)
    first.file("/var/lib/spool/one").write_text("kept")
    again = process(workload(TLS, SPOOL), tmp_path, secrets=SHOWN)

    assert again.file("/var/lib/spool/one").read_text() == "kept"


def test_a_key_that_is_not_there_is_missed(tmp_path: Path) -> None:
    """The kubelet would not start the container."""
    with pytest.raises(KeyError):
        process(workload(TLS), tmp_path, secrets={"tls": {"tls.crt": b"alone"}})


def test_a_variable_of_an_unknown_source_is_no_empty_one(tmp_path: Path) -> None:
    """A copy that left it out would test something else."""
    env = [{"name": "COUNTERSIGN_OWN_NAMESPACE", "valueFrom": {"secretKeyRef": {}}}]
    with pytest.raises(ValueError, match="COUNTERSIGN_OWN_NAMESPACE"):
        process(workload(TLS, env=env), tmp_path, secrets=SHOWN)


def test_runs_the_command_with_its_arguments(tmp_path: Path) -> None:
    """That of the image, where the Pod names none."""
    own = process(workload(TLS), tmp_path, secrets=SHOWN).command
    other = workload(TLS, command=["/other"], args=["probe", "now"])

    assert own[1:] == ("-m", "countersign", "serve")
    assert process(other, tmp_path, secrets=SHOWN).command == (
        "/other",
        "probe",
        "now",
    )
