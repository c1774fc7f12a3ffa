"""The spec of a BundleSet: bundles and intents, packed.

Storage is untrusted: a BundleSet is checked for form and size, and its bundles are
proven like any others.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.wire.packed import decode, inflate
from countersign.wire.resources.fields import DigestSet, Strict, rules

MAX_ENTRIES = 256  # bundles, and as many intents, of one BundleSet
MAX_DATA = 1_400_000  # characters of base64: etcd refuses objects above 1.5 MiB
MAX_PLAIN = 1 << 20  # bytes of one bundle or intent, inflated
MAX_SET = 4 << 20  # bytes of all of them, inflated: else one object could hold 512 MiB

Base64 = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=MAX_DATA, pattern=r"^[A-Za-z0-9+/]+={0,2}$"
    ),
]


class Packed(Strict):
    """A bundle or intent: gzip, then base64, and the SHA-256 of the plain bytes."""

    digest: DigestSet
    data: Base64

    def value(self) -> bytes:
        """Return the plain bytes.

        Raises:
            Malformed: not base64, not one gzip member, above `MAX_PLAIN`, or other
                bytes than `digest` says.
        """
        plain = inflate(decode(self.data), MAX_PLAIN)
        if Digest.sha256(plain) != self.digest.value():
            raise Malformed(f"expected bytes with sha256 {self.digest.sha256}")
        return plain


class BundleSetSpec(Strict):
    """The spec of a BundleSet."""

    bundles: tuple[Packed, ...] = Field(min_length=1, max_length=MAX_ENTRIES)
    intents: tuple[Packed, ...] = Field(default=(), max_length=MAX_ENTRIES)

    model_config = rules(("self == oldSelf", "a BundleSet does not change"))

    def value(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Return the plain bundles and intents.

        Raises:
            Malformed: an entry is not what it claims to be, or all together are above
                `MAX_SET`.
        """
        left, plain = MAX_SET, []
        for packed in (*self.bundles, *self.intents):
            plain.append(packed.value())
            left -= len(plain[-1])
            if left < 0:
                raise Malformed(f"expected at most {MAX_SET} bytes after inflating")
        count = len(self.bundles)
        return tuple(plain[:count]), tuple(plain[count:])
