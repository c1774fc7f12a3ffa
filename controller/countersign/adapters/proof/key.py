"""Proof by a named key of a trust root.

The hint in a bundle is nobody's word: it only says which key to try first. Without a
match every key of the trust root is tried. Log entries and stamps are verified by the
authorities of any trust root: keys come without their own.
"""

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from countersign.adapters.signatures import (
    PublicKey,
    fingerprint,
    supported_public,
    verify,
)
from countersign.core.errors import Malformed, Rejected
from countersign.core.types.time import Interval
from countersign.core.types.trust import TrustedKey
from countersign.wire.bundle import Bundle
from countersign.wire.envelope import signed_bytes

MAX_TRIED = 64  # keys without a matching hint; each costs 0.1 to 0.3 ms


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key that can be verified with.

    Attributes:
        name: In its trust root.
        key: Ready for use.
        hints: What a bundle may call it.
        valid: When it may sign.
    """

    name: str
    key: PublicKey
    hints: frozenset[str]
    valid: Interval


class KeyScheme:
    """Proves bundles signed by the keys of one trust root.

    Keys that cannot be used (of another type, or unreadable) prove nothing.

    Args:
        keys: Of the trust root.
    """

    def __init__(self, keys: tuple[TrustedKey, ...]) -> None:
        self._keys = tuple(key for trusted in keys if (key := _load(trusted)))

    def prove(self, bundle: Bundle, hint: str) -> NamedKey:
        """Return the key that signed.

        Args:
            bundle: Without a certificate.
            hint: What it calls its key, maybe ``""``.

        Raises:
            Rejected: none of ours did.
        """
        hinted = [key for key in self._keys if hint in key.hints]
        message = signed_bytes(bundle.envelope.payload)
        for key in hinted or self._keys[:MAX_TRIED]:
            try:
                verify(key.key, bundle.envelope.signature, message)
            except Rejected:
                continue
            return key
        raise Rejected("expected a signature by a key of the trust root")


def _load(trusted: TrustedKey) -> NamedKey | None:
    try:
        key = supported_public(load_pem_public_key(trusted.pem))
    except (Malformed, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    hints = frozenset({trusted.name, fingerprint(key)})
    return NamedKey(trusted.name, key, hints, trusted.valid)
