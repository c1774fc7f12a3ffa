"""Bytes as text: one gzip member in base64, bounded before it is unpacked."""

import base64
import binascii
import gzip
import io
import zlib

from countersign.core.errors import Malformed, OverLimit

_LEVEL = 9  # of gzip: packed once, carried for ever
_GZIP = 16 + zlib.MAX_WBITS  # zlib's window bits for one gzip member


def pack(data: bytes) -> str:
    """Compress and encode; the same bytes give the same text."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", _LEVEL, buffer, mtime=0) as member:
        member.write(data)
    return base64.b64encode(buffer.getvalue()).decode()


def decode(packed: str) -> bytes:
    """Return the gzip member that is written in base64.

    Raises:
        Malformed: it is no base64.
    """
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("expected gzip in base64, saw something else") from error


def inflate(member: bytes, limit: int) -> bytes:
    """Return what one gzip member holds.

    Args:
        member: The whole of it, and nothing else.
        limit: Bytes that are unpacked at most.

    Raises:
        OverLimit: it holds more.
        Malformed: it is anything but exactly one whole member.
    """
    inflater = zlib.decompressobj(_GZIP)
    try:
        inflated = inflater.decompress(member, limit + 1)
    except zlib.error as error:
        raise Malformed("expected gzip in base64, saw something else") from error
    if len(inflated) > limit:
        raise OverLimit(f"expected at most {limit} bytes after inflating")
    if not inflater.eof or inflater.unused_data:
        raise Malformed("expected exactly one whole gzip member")
    return inflated
