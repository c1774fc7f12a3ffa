"""TLS of the service: our certificate, and the authority that signed people's.

Both change while it listens, and Python can only ever add authorities to a context. So
each connection is handed the context of the moment when it says hello.
"""

import logging
import ssl
from pathlib import Path

from countersign.adapters.certificate_files import end_of, in_use, stamp
from countersign.core.errors import Misconfigured
from countersign.telemetry import CERTIFICATE_EXPIRY

logger = logging.getLogger(__name__)


class Doorway:
    """What a listener shows, and whom it believes.

    A certificate is asked for and not insisted upon. One of another authority ends the
    connection: TLS knows no "never mind".

    Attributes:
        listening: For the listener, always the same object.
        current: What connections are given now.

    Raises:
        Misconfigured: the files cannot be read, or do not belong together.
    """

    def __init__(self, certificate_file: Path, key_file: Path) -> None:
        self._files = (certificate_file, key_file)
        self._authority = ""
        try:
            self._stamp = stamp(*in_use(*self._files))
            self.listening = self._load("")
            self.current = self._load("")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            names = ", ".join(str(file) for file in self._files)
            raise Misconfigured(f"no usable certificate in {names}: {error}") from error
        # called without a server name, too
        self.listening.sni_callback = self._hand_over

    @property
    def authority(self) -> str:
        """Who signs people's certificates, PEM; ``""``: nobody known yet."""
        return self._authority

    def trust(self, authority: str) -> None:
        """Believe certificates of `authority`, PEM, from now on, and of no other.

        Raises:
            ValueError: it is no certificate.
        """
        if authority != self._authority:
            try:
                self.current = self._load(authority)
            except OSError as error:
                raise ValueError(f"expected certificates in PEM: {error}") from error
            self._authority = authority

    def refresh(self) -> None:
        """Load the files again if they changed; what is half done waits."""
        try:
            seen = stamp(*in_use(*self._files))
            if seen == self._stamp:
                return
            self.current = self._load(self._authority)
        except (OSError, ValueError) as error:
            logger.error(  # noqa: TRY400 - what failed is in the error, not the stack
                "certificate_not_loaded", extra={"error": str(error)}
            )
            return
        self._stamp = seen
        logger.info("certificate_loaded")

    def _hand_over(
        self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> None:
        del name, context
        connection.context = self.current

    def _load(self, authority: str) -> ssl.SSLContext:
        certificate, key = in_use(*self._files)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.num_tickets = 0  # no session outlives the authority it was made under
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_cert_chain(certificate, key)
        if authority:
            context.load_verify_locations(cadata=authority)
        CERTIFICATE_EXPIRY.set(end_of(certificate).timestamp())
        return context
