"""A recorder as a spool sees it: a client certificate, and two requests."""

import http.client
import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trustme

from countersign.core.types.decision import Batch
from countersign.wire.decision import parse_batch
from tests.support.lines import events

LOOPBACK = "127.0.0.1"
NAME = "countersign-recorder"


class Recorder:
    """Asks spools, as whoever its certificate says.

    Args:
        folder: For the certificate authority's file.
        name: Common name; None shows no certificate.
        authority: Of the certificate; one of its own by default.

    Attributes:
        ca_file: What `serve` has to be told.
    """

    def __init__(
        self,
        folder: Path,
        name: str | None = NAME,
        authority: trustme.CA | None = None,
    ) -> None:
        self.authority = authority or trustme.CA()
        self.ca_file = folder / "recorder-ca.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)
        self._name = name

    def settings(self, directory: Path, **more: object) -> dict[str, object]:
        """Return the settings of a replica that keeps decisions in `directory`."""
        return {
            "spool__directory": directory,
            "spool__host": LOOPBACK,
            "spool__port": 0,
            "spool__client_ca_file": self.ca_file,
            **more,
        }

    def ask(
        self, log: Path, trusted: bytes, method: str, path: str, body: Any = None
    ) -> tuple[int, bytes]:
        """Send a request to the replica that writes `log`; return status and body."""
        context = ssl.create_default_context(cadata=trusted.decode())
        if self._name is not None:
            issued = self.authority.issue_cert("recorder", common_name=self._name)
            with tempfile.NamedTemporaryFile() as file:
                file.write(issued.private_key_and_cert_chain_pem.bytes())
                file.flush()
                context.load_cert_chain(file.name)
        connection = http.client.HTTPSConnection(
            LOOPBACK, port_of(log), context=context, timeout=10
        )
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def pull(
        self, log: Path, trusted: bytes, positions: Mapping[str, int] | None = None
    ) -> Batch:
        """Return what a replica holds after `positions`."""
        told = json.dumps(positions or {}, separators=(",", ":"))
        path = f"/spool?positions={told.replace('{', '%7B').replace('}', '%7D')}"
        status, body = self.ask(log, trusted, "GET", path.replace('"', "%22"))
        assert status == 200, body
        return parse_batch(body)


def port_of(log: Path) -> int:
    """Return the port of the spool that a log names last."""
    found = 0
    for said in events(log)[0]:
        if said.get("event") == "spool_listening":
            found = int(said["spool_port"])
    return found
