"""Where and under whom to sign: the two files that cosign calls by the same names.

Importing this costs half a second: sigstore comes with it.
"""

import json

from sigstore.errors import Error
from sigstore.models import ClientTrustConfig

from countersign.core.errors import Misconfigured

_MEDIA_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"


class SigstoreConfig:
    """A Sigstore to sign with.

    Args:
        trusted_root: ``trusted_root.json``, to check what the services answer.
        signing_config: ``signing_config.json`` (v0.2): their addresses.

    Attributes:
        client: For sigstore-python.

    Raises:
        Misconfigured: one of them is not what it should be, or names no service that
            is in use now.
    """

    def __init__(self, trusted_root: bytes, signing_config: bytes) -> None:
        try:
            document = {
                "mediaType": _MEDIA_TYPE,
                "trustedRoot": json.loads(trusted_root),
                "signingConfig": json.loads(signing_config),
            }
            self.client = ClientTrustConfig.from_json(json.dumps(document))
            self._services = self.client.signing_config
        except (ValueError, Error) as error:
            text = " ".join(str(error).split())[:300]
            raise Misconfigured(
                f"expected a trusted_root.json and a signing_config.json: {text}"
            ) from error

    def stamps(self, signature: bytes) -> tuple[bytes, ...]:
        """Have `signature` stamped by every authority that the signing config selects.

        Blocks. None selected: no stamps.

        Returns:
            RFC 3161 responses, DER, unverified: the prover does that.

        Raises:
            Exception: whatever sigstore-python raises where one does not answer.
        """
        return tuple(
            client.request_timestamp(signature).as_bytes()
            for client in self._services.get_tsas()
        )

    def issuer(self) -> str:
        """Return the address of the identity provider to log in at.

        Raises:
            Misconfigured: the signing config names none.
        """
        try:
            return self._services.get_oidc_url()
        except Error as error:
            raise Misconfigured(
                "expected an OIDC service in the signing config"
            ) from error
