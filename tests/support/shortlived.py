"""Certificates that end when a test wants them to."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.support.balanced import LOOPBACK


@dataclass(frozen=True)
class Issuer:
    """Issues serving certificates of any life.

    Attributes:
        authority: Who signs them.
    """

    authority: trustme.CA = field(default_factory=trustme.CA)

    @property
    def pem(self) -> bytes:
        """What whoever connects must trust."""
        return self.authority.cert_pem.bytes()

    def write(self, folder: Path, life: timedelta) -> None:
        """Put a new pair into the place of a Secret's; less than 0: it has ended.

        Each file at once, as the kubelet does; the key first, so that what is seen in
        between is half of a change.
        """
        ends = datetime.now(UTC) + life
        issued = self.authority.issue_cert(LOOPBACK, not_after=ends)
        chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
        folder.mkdir(exist_ok=True)
        for name, data in (
            ("tls.key", issued.private_key_pem.bytes()),
            ("tls.crt", chain),
        ):
            beside = folder / f"{name}.new"
            beside.write_bytes(data)
            beside.replace(folder / name)
