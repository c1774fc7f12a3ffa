"""Runs ``countersign serve`` beside the control plane, and registers it."""

import base64
import http.client
import os
import ssl
import sys
from collections.abc import Mapping
from types import MappingProxyType

from countersign.binding.registration import webhook_configuration
from tools.controlplane import ControlPlane
from tools.controlplane.servers import LOOPBACK
from tools.stack import access, policies
from tools.stack.addresses import port
from tools.stack.ready import until
from tools.stack.stack import Stack

NAME = "countersign-serve"
OWN_NAMESPACE = "countersign"


def serve(stack: Stack, more: Mapping[str, object] = MappingProxyType({})) -> None:
    """Start ``countersign serve``; return when it is ready.

    Args:
        stack: That it belongs to.
        more: Further settings, by the names of their variables.
    """
    at, folder = stack.addresses, stack.folder / "webhook"
    folder.mkdir(mode=0o700)
    (folder / "spool").mkdir()
    kubeconfig = stack.plane.user(access.SERVE, to=folder / "kubeconfig")
    settings = {
        "CLUSTER_NAME": policies.CLUSTER,
        "PROTECTED_NAMESPACES": ",".join(policies.PROTECTED),
        "OWN_NAMESPACE": OWN_NAMESPACE,
        "LISTEN_HOST": LOOPBACK,
        "LISTEN_PORT": port(at.webhook),
        "LISTEN_CERTIFICATE_FILE": at.keys / "webhook.crt",
        "LISTEN_KEY_FILE": at.keys / "webhook.key",
        "LIMITS_DRAIN_S": "0",
        "CLUSTER_KUBECONFIG": kubeconfig,
        "SPOOL_DIRECTORY": folder / "spool",
        "SPOOL_HOST": LOOPBACK,
        "SPOOL_PORT": port(at.spool),
        "SPOOL_CERTIFICATE_FILE": at.keys / "spool.crt",
        "SPOOL_KEY_FILE": at.keys / "spool.key",
        "SPOOL_CLIENT_CA_FILE": at.authority,
        **more,
    }
    log = folder / "serve.log"
    stack.plane.ledger.start(
        NAME,
        [sys.executable, "-m", "countersign", "serve"],
        log=log,
        environment={**os.environ, **variables(settings)},
    )
    until(
        lambda: "" if answers(stack, stack.addresses.webhook) else "not ready",
        what=f"countersign serve (log: {log})",
    )


def register(stack: Stack) -> None:
    """Register the webhook; return when the API server asks it about each namespace."""
    bundle = stack.addresses.authority.read_bytes()
    configuration = webhook_configuration(
        name="countersign",
        protected=policies.PROTECTED,
        own_namespace=OWN_NAMESPACE,
        client_config={
            "url": f"{stack.addresses.webhook}/validate",
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


def variables(settings: Mapping[str, object]) -> dict[str, str]:
    """Return `settings` as environment variables of countersign."""
    return {f"COUNTERSIGN_{name}": str(value) for name, value in settings.items()}


def answers(stack: Stack, url: str) -> bool:
    """Tell whether what listens at `url` says that it is ready."""
    context = ssl.create_default_context(cafile=stack.addresses.authority)
    host, _, number = url.removeprefix("https://").partition(":")
    connection = http.client.HTTPSConnection(host, int(number), context=context)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
