"""When a trust root stops vouching for anything new: for alerts, not for verdicts."""

from collections.abc import Iterable
from datetime import datetime

from countersign.adapters.proof.chain import Authority
from countersign.adapters.proof.trusted_root import parse_trusted_root, trusted_chains
from countersign.core.types.trust import TrustRoot


def expires(root: TrustRoot) -> datetime | None:
    """Return when the last certificate authority or key of `root` ends; None: never.

    Raises:
        Malformed: its trusted root cannot be read.
    """
    ends = [key.valid.end for key in root.keys]
    if root.sigstore is not None:
        ends += [_end(one) for one in parse_trusted_root(root.sigstore).issuers]
    if root.tsa_only is not None:
        ends += [_end(one) for one in trusted_chains(root.tsa_only).issuers]
    return _last(ends)


def _end(authority: Authority) -> datetime | None:
    ends = [one.not_valid_after_utc for one in authority.certificates]
    if authority.window.end is not None:
        ends.append(authority.window.end)
    return min(ends, default=None)


def _last(ends: Iterable[datetime | None]) -> datetime | None:
    known = list(ends)
    closed = [end for end in known if end is not None]
    return max(closed, default=None) if len(closed) == len(known) else None
