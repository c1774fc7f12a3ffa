"""The serving certificate, replaced without closing the door."""

import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import Gauge

from countersign.adapters.certificate_files import Pair, end_of, in_use, stamp
from countersign.core.errors import Misconfigured
from countersign.telemetry import CERTIFICATE_EXPIRY

logger = logging.getLogger(__name__)


class ServingCertificate:
    """A certificate and key on disk, and the context that serves them.

    Connections that stand keep what they began with; new ones get what was loaded
    last. The listener stays open throughout.

    Args:
        certificate_file: Chain in PEM; a renewed one beside it is preferred.
        key_file: Its private key in PEM.
        client_ca_file: Of those who may show a certificate; None: nobody is asked.
        required: Nobody is let in without one.
        expiry: Told when the certificate ends.

    Attributes:
        context: For the listener, always the same object.

    Raises:
        Misconfigured: the files cannot be read, or do not belong together.
    """

    def __init__(
        self,
        certificate_file: Path,
        key_file: Path,
        client_ca_file: Path | None,
        *,
        required: bool = False,
        expiry: Gauge = CERTIFICATE_EXPIRY,
    ) -> None:
        self._expiry = expiry
        self._told = False
        self._files = (certificate_file, key_file)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3  # the API server is Go
        try:
            pair = in_use(*self._files)
            self._stamp = stamp(*pair)
            self._load(pair)
            self._tell()
            if client_ca_file is not None:
                self.context.load_verify_locations(client_ca_file)
                # the kubelet's probes and Prometheus have no certificate
                self.context.verify_mode = ssl.CERT_OPTIONAL
            if required:
                self.context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            names = ", ".join(str(file) for file in self._files)
            raise Misconfigured(f"no usable certificate in {names}: {error}") from error

    def refresh(self) -> bool:
        """Load the files again if they changed; tell whether that was done.

        Half of a change, or a broken file, is logged and tried again at the next
        call: until then the last good pair is served.
        """
        try:
            pair = in_use(*self._files)
            seen = stamp(*pair)
            if seen == self._stamp:
                self._tell()
                return False
            self._load(pair)
        except (OSError, ValueError) as error:
            logger.error(  # noqa: TRY400 - what failed is in the error, not the stack
                "certificate_not_loaded", extra={"error": str(error)}
            )
            return False
        self._stamp = seen
        logger.info("certificate_loaded", extra={"until": self._end.isoformat()})
        self._tell()
        return True

    def _tell(self) -> None:
        """Write one line when the certificate in use has ended: nobody connects now."""
        if datetime.now(UTC) >= self._end and not self._told:
            self._told = True
            logger.error("certificate_expired", extra={"until": self._end.isoformat()})

    def _load(self, pair: Pair) -> None:
        certificate, key = pair
        # on a context of its own first: loading sets the certificate before it finds
        # that the key is not its own, and that would be the live one
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        self.context.load_cert_chain(certificate, key)
        self._end, self._told = end_of(certificate), False
        self._expiry.set(self._end.timestamp())
