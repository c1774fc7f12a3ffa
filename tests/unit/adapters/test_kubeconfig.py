"""What a kubeconfig says besides how to reach the server."""

from pathlib import Path

import pytest
from kubernetes.aio.config import incluster_config

from countersign.adapters.cluster.client import credentials
from countersign.adapters.cluster.kubeconfig import namespace_of
from countersign.core.errors import Misconfigured

_TEXT = """\
apiVersion: v1
kind: Config
clusters: [{name: one, cluster: {server: https://127.0.0.1:1}}]
users: [{name: lee, user: {token: a.b.c}}]
contexts:
- {name: here, context: {cluster: one, user: lee, namespace: payments}}
- {name: bare, context: {cluster: one, user: lee}}
current-context: here
"""


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    file = tmp_path / "config"
    file.write_text(_TEXT)
    return file


def test_the_namespace_is_the_contexts(config: Path) -> None:
    """The current one's, or the one's that is named; else kubectl's own."""
    assert namespace_of(config, None) == "payments"
    assert namespace_of(config, "here") == "payments"
    assert namespace_of(config, "bare") == "default"


@pytest.mark.parametrize(
    "text", ["", "[]", "a: [", "current-context: x", "contexts: 1"]
)
def test_what_is_no_kubeconfig_has_none(config: Path, text: str) -> None:
    """It says what is wrong, whatever the file holds."""
    config.write_text(text)
    with pytest.raises(Misconfigured):
        namespace_of(config, None)


def test_there_must_be_such_a_context(config: Path, tmp_path: Path) -> None:
    """Nor is anything guessed of a file that is not there."""
    with pytest.raises(Misconfigured, match="nowhere"):
        namespace_of(config, "nowhere")
    with pytest.raises(Misconfigured):
        namespace_of(tmp_path / "none", None)


async def test_in_a_pod_the_token_is_that_of_its_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bare, as whoever gets it writes its own header.

    Seen to fail: the client says "bearer" in a Pod, where a kubeconfig says "Bearer".
    """
    token, authority = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("a.b.c")
    authority.write_text("a certificate")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(authority))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")

    found = await credentials(kubeconfig=None, context=None)

    assert (found.server, found.token) == ("https://10.96.0.1:443", "a.b.c")


async def test_the_token_of_a_kubeconfig_is_bare(config: Path) -> None:
    """The same elsewhere."""
    assert (await credentials(kubeconfig=config, context=None)).token == "a.b.c"
