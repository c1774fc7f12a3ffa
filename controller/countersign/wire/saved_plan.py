"""Plans as they were saved (``plan -out=FILE``): digests of the code that apply runs.

What ``show -json`` prints of an expression is what it refers to, and no text: the code
itself lies in the saved plan, a ZIP archive, with the lock file of its providers. Of
that archive all is digested but what ``show -json`` prints: the plan and both states.

Read strictly, so that the program, whose reader is that of Go, sees the very same
entries: none twice, nothing before, between or behind them that an archive need not
have. Paths are relative to the stack: the same commit in another folder gives the same.

Source:
    OpenTofu's internal/plans/planfile (``Create``, ``Reader``, ``writeConfigSnapshot``);
    APPNOTE.TXT 6.3.10 of the ZIP format, 4.3 to 4.5.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Sequence
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from countersign.core.errors import Malformed

MAX_SAVED: Final = 64 << 20  # bytes of the archive; it holds the states, too
MAX_FILES: Final = 2000  # entries; their intent stays below 1 MiB, with that of changes
MAX_NAMES: Final = 100_000  # characters of their names, for the same reason
MAX_CODE: Final = 64 << 20  # bytes of what is digested, inflated
MAX_RATIO: Final = 400  # of an entry's size to what it takes; code has about 5

LOCK: Final = ".terraform.lock.hcl"
_PLAN: Final = "tfplan"
_SHOWN: Final = frozenset({_PLAN, "tfstate", "tfstate-prev"})
"""What ``show -json`` prints, and the digest of a plan holds from there."""
_MODULES: Final = "tfconfig/modules.json"
_ENCRYPTED: Final = b'"encrypted_data"'  # internal/encryption, ``baseEncryption``

_END = struct.Struct("<4s4H2LH")  # end of central directory record
_END_MARK, _LONG_MARK = b"PK\x05\x06", b"PK\x06\x07"  # the latter: ZIP64's locator
_LONG_SIZE: Final = 20
_TIME: Final = 0x5455  # extended timestamp, the only extra field that Go writes
_UTF8: Final = 0x800
_FLAGS: Final = _UTF8 | 8  # 8: sizes follow the data, too


def read_code(raw: bytes) -> dict[str, str]:
    """Return the digest of each file of code in a saved plan, and of the lock file.

    Args:
        raw: What ``plan -out=FILE`` wrote.

    Returns:
        By the name of its entry (``tfconfig/m-net/main.tf``), ``sha256:`` and 64 digits.

    Raises:
        Malformed: no saved plan, or one that two readers could take for different ones.

    Limits:
        `MAX_FILES`, `MAX_NAMES`, `MAX_CODE`, `MAX_RATIO`; `MAX_SAVED` is the caller's.
    """
    _require_archive(raw)
    try:
        with ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            _require_strict(entries)
            names = {one.filename for one in entries}
            if not {_PLAN, _MODULES} <= names:
                raise _unlike("another ZIP archive")
            code = [one for one in entries if one.filename not in _SHOWN]
            _require_small(code)
            return {one.filename: _digest(archive, one) for one in code}
    except (
        BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeDecodeError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        raise _unlike(f"a damaged archive: {error}") from error


def _unlike(saw: str) -> Malformed:
    return Malformed(f"expected the plan that `tofu plan -out=FILE` saved, saw {saw}")


def _require_archive(raw: bytes) -> None:
    """Refuse all but one archive from the first byte to the last, of the plain form.

    Where there is exactly one record that ends it, at the end, each reader finds it.
    """
    if raw.lstrip()[:1] in (b"{", b"["):
        if _ENCRYPTED in raw:
            raise _unlike("an encrypted one: its code cannot be read, nor signed")
        raise _unlike("JSON: that is what --plan takes")
    if not raw.startswith(b"PK\x03\x04") or len(raw) < _END.size:
        raise _unlike("something else")
    mark, *numbers = _END.unpack(raw[-_END.size :])
    disk, first_disk, here, count, size, offset, comment = numbers
    end = len(raw) - _END.size
    if (
        mark != _END_MARK
        or disk != 0
        or first_disk != 0
        or here != count
        or comment != 0
        or offset + size != end
        or raw[end - _LONG_SIZE :].startswith(_LONG_MARK)
    ):
        raise _unlike("an archive with something before, between or behind its files")
    if count > MAX_FILES + len(_SHOWN):
        raise Malformed(f"expected at most {MAX_FILES} files of code, saw {count}")


def _require_strict(entries: Sequence[ZipInfo]) -> None:
    """Refuse names twice, and what readers of archives do not agree about."""
    seen: set[str] = set()
    for one in entries:
        name = one.filename
        if name in seen:
            raise _unlike(f"one with {name[:120]!r} twice")
        seen.add(name)
        plain = (
            name == one.orig_filename
            and name.isprintable()
            and (name.isascii() or one.flag_bits & _UTF8)
            and not one.flag_bits & ~_FLAGS
            and one.compress_type in (ZIP_STORED, ZIP_DEFLATED)
            and not one.comment
            and _is_time(one.extra)
        )
        if not plain:
            raise _unlike(f"one whose {name[:120]!r} is written in another way")


def _is_time(extra: bytes) -> bool:
    """Tell whether an extra field holds nothing but a time."""
    head = struct.Struct("<HH")
    if not extra:
        return True
    return len(extra) >= head.size and head.unpack_from(extra) == (
        _TIME,
        len(extra) - head.size,
    )


def _require_small(code: Sequence[ZipInfo]) -> None:
    if sum(one.file_size for one in code) > MAX_CODE:
        raise Malformed(f"expected at most {MAX_CODE} bytes of code, saw more")
    if sum(len(one.filename) for one in code) > MAX_NAMES:
        raise Malformed(f"expected at most {MAX_NAMES} characters of names, saw more")
    for one in code:
        if one.file_size > MAX_RATIO * max(one.compress_size, 1):
            raise _unlike(f"one whose {one.filename[:120]!r} is blown up")


def _digest(archive: ZipFile, one: ZipInfo) -> str:
    """Return the digest of an entry, inflated no further than it says."""
    with archive.open(one) as stream:
        content = stream.read(one.file_size)
    if len(content) != one.file_size:
        raise _unlike(f"one whose {one.filename[:120]!r} ends early")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
