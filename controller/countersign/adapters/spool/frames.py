r"""The records of a spool: one a line, with its number, length and checksum before it.

``<sequence> <length> <crc32> <JSON>\n``: readable with ``less``, and a record that was
torn by a crash, or damaged since, is told from a whole one.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = re.compile(rb"([1-9][0-9]{0,18}) ([0-9]{1,9}) ([0-9a-f]{8}) ")
_MAX_HEAD = 64  # bytes: more than the longest


@dataclass(frozen=True, slots=True)
class Frame:
    """A record.

    Attributes:
        sequence: Its number.
        data: One line of JSON, without its end.
        end: Where the next one begins, in bytes.
    """

    sequence: int
    data: bytes
    end: int


def frame(sequence: int, data: bytes) -> bytes:
    """Write a record."""
    said = b"%d %d " % (sequence, len(data))
    return b"%s%08x %s\n" % (said, zlib.crc32(data, zlib.crc32(said)), data)


def frames(raw: bytes, first: int) -> Iterator[Frame]:
    """Yield the whole records of a segment, up to the first that is not.

    Args:
        raw: The segment.
        first: Sequence of its first record; the others follow without a gap.
    """
    at = 0
    while found := _frame(raw, at, first):
        yield found
        first, at = first + 1, found.end


def _frame(raw: bytes, at: int, sequence: int) -> Frame | None:
    head = _HEAD.match(raw, at, at + _MAX_HEAD)
    if head is None or int(head[1]) != sequence:
        return None
    end = head.end() + int(head[2])
    data = raw[head.end() : end]
    crc = zlib.crc32(data, zlib.crc32(raw[at : head.start(3)]))
    if crc != int(head[3], 16) or raw[end : end + 1] != b"\n":
        return None
    return Frame(sequence, data, end + 1)
