"""Files of certificates and keys, which are replaced while a process runs."""

from datetime import datetime
from pathlib import Path

from cryptography import x509

Stamp = tuple[tuple[int, int, int], ...]
"""What tells one state of some files from another."""


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
    leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    return leaf.not_valid_after_utc
