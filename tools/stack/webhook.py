"""Runs ``countersign serve`` beside the control plane, and registers it."""

import base64
import http.client
import os
import socket
import ssl
import sys
from pathlib import Path

from countersign.binding.registration import webhook_configuration
from tools.controlplane import ControlPlane
from tools.controlplane.certificates import Authority
from tools.controlplane.servers import LOOPBACK
from tools.stack import access, policies
from tools.stack.ready import until
from tools.stack.stack import Stack

NAME = "countersign-serve"
OWN_NAMESPACE = "countersign"


def address(folder: Path) -> str:
    """Make a certificate in ``folder/webhook`` and return the URL it will be for."""
    keys = folder / "webhook"
    keys.mkdir(mode=0o700)
    authority = Authority()
    (keys / "ca.crt").write_bytes(authority.certificate)
    authority.server((LOOPBACK,)).write(keys / "tls")
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return f"https://{LOOPBACK}:{one.getsockname()[1]}"


def serve(stack: Stack) -> None:
    """Start ``countersign serve``; return when it is ready."""
    keys = stack.folder / "webhook"
    kubeconfig = stack.plane.user(access.SERVE, to=keys / "kubeconfig")
    settings = {
        "COUNTERSIGN_CLUSTER_NAME": policies.CLUSTER,
        "COUNTERSIGN_PROTECTED_NAMESPACES": ",".join(policies.PROTECTED),
        "COUNTERSIGN_LISTEN_HOST": LOOPBACK,
        "COUNTERSIGN_LISTEN_PORT": stack.webhook.rpartition(":")[2],
        "COUNTERSIGN_LISTEN_CERTIFICATE_FILE": str(keys / "tls.crt"),
        "COUNTERSIGN_LISTEN_KEY_FILE": str(keys / "tls.key"),
        "COUNTERSIGN_LIMITS_DRAIN_S": "0",
        "COUNTERSIGN_CLUSTER_KUBECONFIG": str(kubeconfig),
    }
    log = keys / "serve.log"
    stack.plane.ledger.start(
        NAME,
        [sys.executable, "-m", "countersign", "serve"],
        log=log,
        environment={**os.environ, **settings},
    )
    until(
        lambda: "" if _get(stack, "/readyz") == http.client.OK else "not ready",
        what=f"countersign serve (log: {log})",
    )


def register(stack: Stack) -> None:
    """Register the webhook; return when the API server asks it about each namespace."""
    bundle = (stack.folder / "webhook" / "ca.crt").read_bytes()
    configuration = webhook_configuration(
        name="countersign",
        protected=policies.PROTECTED,
        own_namespace=OWN_NAMESPACE,
        client_config={
            "url": f"{stack.webhook}/validate",
            "caBundle": base64.b64encode(bundle).decode(),
        },
    )
    stack.plane.kubectl("apply", "-f", "-", stdin=configuration).check()
    for namespace in policies.PROTECTED:
        _wait_for_denial(stack.plane, namespace)


def _wait_for_denial(plane: ControlPlane, namespace: str) -> None:
    """Send a change that must be denied until it is."""
    probe = ("create", "configmap", "countersign-probe", "--dry-run=server")

    def admitted() -> str:
        done = plane.kubectl(*probe, "-n", namespace)
        denied = done.code != 0 and "countersign.dev" in done.stderr
        return "" if denied else f"{done.stdout}{done.stderr}"

    until(admitted, what=f"the first denial in {namespace}")


def _get(stack: Stack, path: str) -> int:
    """Return the status of GET `path`; 0 if nobody answers."""
    context = ssl.create_default_context(cafile=stack.folder / "webhook" / "ca.crt")
    host, _, port = stack.webhook.removeprefix("https://").partition(":")
    connection = http.client.HTTPSConnection(host, int(port), context=context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
