"""Proof by certificate and transparency log: Sigstore's keyless signatures.

sigstore-python does the cryptography, offline, with what a trust root gives it. Around it
stands what it leaves to its caller:

1. A time is claimed by the log's promise, by stamps, or there is none to judge by.
2. Only authorities in use at all claimed times are handed over (`trusted_root`).
3. sigstore-python verifies chain, SCT, inclusion, promise, signature, and that the log
   entry is of this envelope (its steps 0 to 8). Who signed is recorded, not judged.
4. What it verified is what we parsed: payload type and payload.
5. Every stamp holds (`stamps`): it would skip those that do not.
6. The certificate names one owner, in one way.

Times in the future are the caller's business, since they depend on the present.
"""

import json
from datetime import datetime

from cryptography import x509
from sigstore.models import Bundle as SigstoreBundle
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from countersign.adapters.proof.certificate import Owner, owner_of, promised_at
from countersign.adapters.proof.stamps import claimed_time, stamped_at
from countersign.adapters.proof.trusted_root import Choice, Kind, TrustedRoot
from countersign.core.errors import Rejected
from countersign.wire.bundle import Bundle
from countersign.wire.envelope import IN_TOTO

_MAX_VERIFIERS = 32  # for as many different sets of keys in use over time


class KeylessScheme:
    """Proves bundles under one ``trusted_root.json``. Safe to use from threads.

    Args:
        root: With its authorities.
    """

    def __init__(self, root: TrustedRoot) -> None:
        self._root = root
        self._verifiers: dict[Choice, Verifier] = {}

    def prove(self, bundle: Bundle, certificate: bytes) -> tuple[Owner, datetime]:
        """Return who signed and when, at the latest, that was.

        Args:
            bundle: With a certificate.
            certificate: That one, DER.

        Raises:
            Rejected: the proof does not hold.
            Exception: whatever the libraries leak on odd input; it means the same.
        """
        if bundle.log_entry is None:
            raise Rejected("expected an entry of a transparency log, saw none")
        promised = bundle.log_entry.integrated_at
        claimed = [claimed_time(stamp) for stamp in bundle.stamps]
        claimed += [promised] if promised else []
        if not claimed:
            raise Rejected("expected a time promised by the log or stamped, saw none")
        leaf = x509.load_der_x509_certificate(certificate)
        choice = self._root.choose(
            claimed, promised_at(leaf), stamped=bool(bundle.stamps)
        )
        signer = self._verify(bundle, choice)
        if len(claimed) > 1:  # a single one is what sigstore-python went by
            authorities = self._root.in_use(Kind.TSA, claimed)
            for stamp in bundle.stamps:
                stamped_at(stamp, bundle.envelope.signature, authorities)
        return owner_of(signer), min(claimed)

    def _verify(self, bundle: Bundle, choice: Choice) -> x509.Certificate:
        seen = _Recorder()
        payload_type, payload = self._verifier(choice).verify_dsse(
            SigstoreBundle.from_json(bundle.raw), seen
        )
        if payload_type != IN_TOTO or payload != bundle.envelope.payload:
            raise Rejected("expected one reading of the envelope, saw two")
        if seen.certificate is None:
            raise Rejected("expected a verified certificate, saw none")
        return seen.certificate

    def _verifier(self, choice: Choice) -> Verifier:
        known = self._verifiers.get(choice)
        if known is not None:
            return known
        config = ClientTrustConfig.from_json(
            json.dumps(
                {
                    "mediaType": ClientTrustConfig.ClientTrustConfigType.CONFIG_0_1,
                    "trustedRoot": json.loads(self._root.cut(choice)),
                    "signingConfig": {"mediaType": _NO_SIGNING},
                }
            )
        )
        verifier = Verifier(trusted_root=config.trusted_root)
        if len(self._verifiers) < _MAX_VERIFIERS:
            self._verifiers[choice] = verifier
        return verifier


_NO_SIGNING = "application/vnd.dev.sigstore.signingconfig.v0.2+json"


class _Recorder:
    """A policy of sigstore-python's that accepts anybody and remembers whom."""

    def __init__(self) -> None:
        self.certificate: x509.Certificate | None = None

    def verify(self, cert: x509.Certificate) -> None:
        self.certificate = cert
