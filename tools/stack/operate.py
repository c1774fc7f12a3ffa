"""Runs ``countersign operate`` beside the control plane: the operator and the recorder."""

import os

from tools.controlplane.servers import LOOPBACK
from tools.stack import access
from tools.stack.addresses import port
from tools.stack.chart import only
from tools.stack.pod import process
from tools.stack.ready import until
from tools.stack.stack import Stack
from tools.stack.webhook import answers, variables

NAME = "countersign-operate"


def operate(stack: Stack) -> None:
    """Start ``countersign operate``; return when it is ready."""
    at, folder = stack.addresses, stack.folder / "operate"
    folder.mkdir(mode=0o700)
    container = process(
        only(stack.rendered, "Deployment", NAME), folder, secrets=at.secrets()
    )
    here = {
        "CLUSTER_KUBECONFIG": stack.plane.user(
            access.OPERATE, to=folder / "kubeconfig"
        ),
        "RECORDS_HOST": LOOPBACK,
        "RECORDS_PORT": port(at.recorder),
        "SPOOLS_SOURCES": at.spool,
    }
    log = folder / "operate.log"
    stack.plane.ledger.start(
        NAME,
        container.command,
        log=log,
        environment={**os.environ, **container.environment, **variables(here)},
    )
    until(
        lambda: "" if answers(stack, at.recorder) else "not ready",
        what=f"countersign operate (log: {log})",
    )
