"""The DSSE envelope: one payload, its type, one signature over both.

Source:
    github.com/secure-systems-lab/dsse, protocol.md and envelope.md, v1.0.2.
"""

import json
from dataclasses import dataclass

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json
from countersign.wire.shapes import Base64, ClosedShape, render_base64

IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An in-toto statement under one signature.

    Attributes:
        payload: The statement, byte for byte.
        signature: Over `signed_bytes(payload)`, unverified.
    """

    payload: bytes
    signature: bytes


class _Signature(ClosedShape):
    sig: Base64
    keyid: str | None = None  # an unauthenticated hint: ignored


class EnvelopeShape(ClosedShape):
    """A DSSE envelope as JSON."""

    payload: Base64
    payload_type: str
    signatures: list[_Signature]

    def envelope(self) -> Envelope:
        """Return the envelope.

        Raises:
            Malformed: it holds no in-toto statement, or not exactly one signature:
                several could be by several people.
        """
        if self.payload_type != IN_TOTO:
            raise Malformed(
                f"expected the payload type {IN_TOTO}, saw {self.payload_type[:80]!r}"
            )
        if len(self.signatures) != 1:
            raise Malformed(f"expected one signature, saw {len(self.signatures)}")
        return Envelope(self.payload, self.signatures[0].sig)


def signed_bytes(payload: bytes) -> bytes:
    """Return what a signature over the statement `payload` covers (PAE)."""
    kind = IN_TOTO.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def written_envelopes(envelope: Envelope) -> tuple[bytes, ...]:
    """Write the envelope in each of the ways in which cosign writes it.

    Logs and stampers of its older forms are over these bytes, which no bundle carries.

    Source:
        go-securesystemslib, ``dsse.Envelope`` (cosign 2: an empty ``keyid``, the type
        first); protojson (cosign 3: neither).
    """
    signature = {"sig": render_base64(envelope.signature)}
    typed = {"payloadType": IN_TOTO}
    payload = {"payload": render_base64(envelope.payload)}
    return tuple(
        json.dumps({**fields, "signatures": [one]}, separators=(",", ":")).encode()
        for fields in (typed | payload, payload | typed)
        for one in ({"keyid": "", **signature}, signature)
    )


def render_envelope(envelope: Envelope) -> Json:
    """Write the envelope as JSON."""
    return {
        "payload": render_base64(envelope.payload),
        "payloadType": IN_TOTO,
        "signatures": [{"sig": render_base64(envelope.signature)}],
    }
