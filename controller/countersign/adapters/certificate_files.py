"""Files of certificates and keys, which are replaced while a process runs.

Beside the folder of a pair there may be another one, whose name ends in ``-renewed``, with
a pair of the same names. Whoever installs owns the first, the operator the second, and
neither has to know of the other: the renewed one is used for as long as it holds.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

Stamp = tuple[tuple[int, int, int], ...]
"""What tells one state of some files from another."""

Pair = tuple[Path, Path]
"""Files of a certificate chain and of its private key."""

RENEWED = "-renewed"
"""Ends the name of the folder of what the operator renewed."""

_SPARE = timedelta(seconds=5)  # before its end one is let go: looks come once a second


def stamp(*files: Path) -> Stamp:
    """Look at files; what changed has another stamp.

    Raises:
        OSError: one is not there.
    """
    # kubelet swaps a symbolic link: stat sees through it
    seen = (file.stat() for file in files)
    return tuple((s.st_ino, s.st_mtime_ns, s.st_size) for s in seen)


def end_of(certificate: Path) -> datetime:
    """Return when the first certificate of a chain ends.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no certificate.
    """
    return _leaf(certificate).not_valid_after_utc


def in_use(certificate: Path, key: Path) -> Pair:
    """Return the pair to use now: the given one, or the renewed one beside it.

    A renewed one that is not there or cannot be read counts for nothing. One that ends
    within `_SPARE`, or does not hold, gives way to a given one that holds: nobody shall
    be shown one that has ended while another lies there.
    """
    given = certificate, key
    beside = _beside(certificate), _beside(key)
    try:
        renewed = _leaf(beside[0])
        beside[1].stat()
    except (OSError, ValueError):
        return given
    now = datetime.now(UTC)
    if _holds(renewed, now) and (
        _holds(renewed, now + _SPARE) or not _holds(_leaf(certificate), now)
    ):
        return beside
    return given


def _holds(certificate: x509.Certificate, at: datetime) -> bool:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begins <= at < ends


def _beside(file: Path) -> Path:
    return file.parent.with_name(file.parent.name + RENEWED) / file.name


def _leaf(certificate: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificates(certificate.read_bytes())[0]
