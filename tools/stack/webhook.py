"""Runs ``countersign serve`` beside the control plane, and registers it.

Both as the chart renders them: only addresses are those of this machine.
"""

import base64
import http.client
import os
import ssl
from collections.abc import Mapping
from types import MappingProxyType

from tools.controlplane import ControlPlane
from tools.controlplane.servers import LOOPBACK
from tools.stack import access, policies
from tools.stack.addresses import port
from tools.stack.chart import OWN_NAMESPACE, only
from tools.stack.pod import process
from tools.stack.ready import until
from tools.stack.stack import Stack

NAME = "countersign-serve"
__all__ = ["NAME", "OWN_NAMESPACE", "answers", "register", "serve", "variables"]


def serve(stack: Stack, more: Mapping[str, object] = MappingProxyType({})) -> None:
    """Start ``countersign serve``; return when it is ready.

    Args:
        stack: That it belongs to.
        more: Further settings, by the names of their variables.
    """
    at, folder = stack.addresses, stack.folder / "webhook"
    folder.mkdir(mode=0o700)
    container = process(
        only(stack.rendered, "Deployment", "countersign"), folder, secrets=at.secrets()
    )
    here = {
        "LISTEN_HOST": LOOPBACK,
        "LISTEN_PORT": port(at.webhook),
        "SPOOL_HOST": LOOPBACK,
        "SPOOL_PORT": port(at.spool),
        "CLUSTER_KUBECONFIG": stack.plane.user(access.SERVE, to=folder / "kubeconfig"),
        # no endpoints have to learn of its end, and its folder outlives it
        "LIMITS_DRAIN_S": "0",
        "SPOOL_HANDOVER_S": "0",
        **more,
    }
    log = folder / "serve.log"
    stack.plane.ledger.start(
        NAME,
        container.command,
        log=log,
        environment={**os.environ, **container.environment, **variables(here)},
    )
    until(
        lambda: "" if answers(stack, stack.addresses.webhook) else "not ready",
        what=f"countersign serve (log: {log})",
    )


def register(stack: Stack) -> None:
    """Register the webhook; return when the API server asks it about each namespace."""
    configuration = only(
        stack.rendered, "ValidatingWebhookConfiguration", "countersign"
    )
    bundle = stack.addresses.authority.read_bytes()
    for webhook in configuration["webhooks"]:
        webhook["clientConfig"] = {
            "url": f"{stack.addresses.webhook}/validate",
            "caBundle": base64.b64encode(bundle).decode(),
        }
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
