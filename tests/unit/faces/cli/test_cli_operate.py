"""``countersign operate``: its settings, before it records."""

from pathlib import Path

import pytest
import trustme

from countersign.config import OperateSettings, paths, variable
from countersign.faces.cli.session import Exit
from tests.support.cli import Run


def test_every_setting_of_operate_is_an_option(run: Run) -> None:
    """With its variable beside it, which is not that of a command of people's."""
    ran = run("operate", "--help")
    shown = "".join(ran.out.split())
    names = {variable(path) for path in paths(OperateSettings)}

    assert all(name in shown for name in names)
    assert not names & {"COUNTERSIGN_RECORDER", "COUNTERSIGN_RECORDER_CA"}


@pytest.mark.parametrize(
    "source",
    [
        "http://serve:9443",
        "https://serve",
        "https://serve:9443/spool",
        "https://u@serve:9443",
        "https://serve:70000",
        "serve:9443",
    ],
)
def test_a_source_is_an_address_and_nothing_more(source: str, run: Run) -> None:
    """What else could be written there would be ignored, or go somewhere else."""
    ran = run("operate", "--spools-sources", source)

    assert ran.code == Exit.USAGE
    assert "spools.sources" in ran.err


@pytest.mark.parametrize(
    ("missing", "hint"),
    [
        ("kubeconfig", "expected a kubeconfig"),
        ("spool.pem", "no usable client certificate for the spools"),
        ("folder", "expected a folder that is there"),
    ],
)
def test_does_not_start_without(
    missing: str, hint: str, run: Run, tmp_path: Path
) -> None:
    """And says what was expected, without a trace of where it noticed."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    mine = authority.issue_cert("me@here")
    mine.private_key_and_cert_chain_pem.write_to_path(tmp_path / "spool.pem")
    (tmp_path / "kubeconfig").write_text(_KUBECONFIG)
    (tmp_path / "folder").mkdir()
    gone = tmp_path / missing
    gone.rmdir() if gone.is_dir() else gone.unlink()

    ran = run(
        "operate",
        "--spools-sources=https://127.0.0.1:1",
        f"--spools-ca-file={tmp_path / 'ca.crt'}",
        f"--spools-certificate-file={tmp_path / 'spool.pem'}",
        f"--spools-key-file={tmp_path / 'spool.pem'}",
        f"--cluster-kubeconfig={tmp_path / 'kubeconfig'}",
        f"--records-database={tmp_path / 'folder' / 'audit.db'}",
    )

    assert ran.code == Exit.UNDECIDED
    assert hint in ran.err
    assert "Traceback" not in ran.err


_KUBECONFIG = """
current-context: c
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""
