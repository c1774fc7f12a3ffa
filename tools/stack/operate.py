"""Runs ``countersign operate`` beside the control plane: the operator and the recorder."""

import os
import sys

from tools.controlplane.servers import LOOPBACK
from tools.stack import access
from tools.stack.addresses import port
from tools.stack.ready import until
from tools.stack.stack import Stack
from tools.stack.webhook import answers, variables

NAME = "countersign-operate"


def operate(stack: Stack) -> None:
    """Start ``countersign operate``; return when it is ready."""
    at, folder = stack.addresses, stack.folder / "operate"
    folder.mkdir(mode=0o700)
    settings = {
        "CLUSTER_KUBECONFIG": stack.plane.user(
            access.OPERATE, to=folder / "kubeconfig"
        ),
        "RECORDS_HOST": LOOPBACK,
        "RECORDS_PORT": port(at.recorder),
        "RECORDS_CERTIFICATE_FILE": at.keys / "recorder.crt",
        "RECORDS_KEY_FILE": at.keys / "recorder.key",
        "RECORDS_DATABASE": folder / "audit.db",
        "SPOOLS_SOURCES": at.spool,
        "SPOOLS_CA_FILE": at.authority,
        "SPOOLS_CERTIFICATE_FILE": at.keys / "recorder-client.crt",
        "SPOOLS_KEY_FILE": at.keys / "recorder-client.key",
    }
    log = folder / "operate.log"
    stack.plane.ledger.start(
        NAME,
        [sys.executable, "-m", "countersign", "operate"],
        log=log,
        environment={**os.environ, **variables(settings)},
    )
    until(
        lambda: "" if answers(stack, at.recorder) else "not ready",
        what=f"countersign operate (log: {log})",
    )
