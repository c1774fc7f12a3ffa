"""When a trust root stops vouching for anything new: for alerts, not for verdicts."""

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509

from countersign.adapters.proof.trusted_root import Authority, Kind, TrustedRoot
from countersign.core.types.trust import TrustRoot


def expires(root: TrustRoot) -> datetime | None:
    """Return when the last certificate authority or key of `root` ends; None: never.

    Raises:
        Malformed: its trusted root cannot be read.
    """
    ends = [key.valid.end for key in root.keys]
    if root.sigstore is not None:
        authorities = TrustedRoot(root.sigstore).in_use(Kind.CA, ())
        ends += [_end(authority) for authority in authorities]
    return _last(ends)


def _end(authority: Authority) -> datetime | None:
    chain = map(x509.load_der_x509_certificate, authority.chain())
    ends = [certificate.not_valid_after_utc for certificate in chain]
    if authority.window.end is not None:
        ends.append(authority.window.end)
    return min(ends, default=None)


def _last(ends: Iterable[datetime | None]) -> datetime | None:
    known = list(ends)
    closed = [end for end in known if end is not None]
    return max(closed, default=None) if len(closed) == len(known) else None
