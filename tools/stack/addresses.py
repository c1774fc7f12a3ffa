"""Where the parts of countersign listen on this machine, and the certificates they show."""

import socket
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane.certificates import Authority
from tools.controlplane.servers import LOOPBACK

RECORDER = "countersign-recorder"  # of the Service, and of the client certificate
SERVE = "countersign-serve"
_NAMESPACE = "countersign"


@dataclass(frozen=True, slots=True)
class Addresses:
    """A URL without a path for each listener; they are free when this is made.

    Attributes:
        keys: Folder with ``ca.crt`` and a certificate and key for each.
        webhook: Of ``serve``: admission.
        spool: Of ``serve``: what it decided.
        recorder: Of ``operate``: what is recorded.
    """

    keys: Path
    webhook: str
    spool: str
    recorder: str

    @property
    def authority(self) -> Path:
        """The authority that all of them are signed by."""
        return self.keys / "ca.crt"

    def secrets(self) -> dict[str, dict[str, bytes]]:
        """Return what the chart's Secrets hold here, by name and key."""
        return {
            "countersign-tls": self._pairs(tls="webhook"),
            "countersign-internal": {
                "ca.crt": self.authority.read_bytes(),
                **self._pairs(
                    spool="spool", recorder="recorder", client="recorder-client"
                ),
            },
        }

    def _pairs(self, **files: str) -> dict[str, bytes]:
        return {
            f"{key}.{kind}": (self.keys / f"{file}.{kind}").read_bytes()
            for key, file in files.items()
            for kind in ("crt", "key")
        }


def choose(keys: Path) -> Addresses:
    """Choose free ports, and write certificates into `keys`, which must not exist."""
    keys.mkdir(mode=0o700)
    authority = Authority()
    (keys / "ca.crt").write_bytes(authority.certificate)
    authority.server((LOOPBACK,)).write(keys / "webhook")
    authority.server((SERVE, LOOPBACK)).write(keys / "spool")
    authority.server((f"{RECORDER}.{_NAMESPACE}.svc", LOOPBACK)).write(
        keys / "recorder"
    )
    authority.client(RECORDER, ()).write(keys / "recorder-client")
    return Addresses(keys, *free(3))


def port(url: str) -> str:
    """Return the port of a URL without a path."""
    return url.rpartition(":")[2]


def free(count: int) -> list[str]:
    """Return URLs with ports that were free all at once."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    urls = [f"https://{LOOPBACK}:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return urls
