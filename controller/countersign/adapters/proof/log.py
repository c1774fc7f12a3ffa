"""Entries of transparency logs: that a log holds, or promised to hold, what they say.

What an entry says of itself counts only where a log's signature covers it:

1. The log is one of the trust root's, in use at every time that the bundle claims.
2. A promise covers body and time. Logs of the second kind promise nothing.
3. A proof of inclusion leads from the body to a root, and a checkpoint that the log
   signed, under its own name, says that this is its root at that size.
4. The body is of the kind the entry says, and binds this envelope to this signer.

Source:
    Sigstore's client specification, "Transparency log entry"; rekor, pkg/verify;
    rekor-tiles, pkg/verify.
"""

import base64
from collections.abc import Collection
from datetime import datetime

import rfc8785

from countersign.adapters.proof.merkle import root_of
from countersign.adapters.proof.trusted_root import LogKey
from countersign.adapters.signatures import verify
from countersign.core.errors import Rejected
from countersign.wire.checkpoint import Checkpoint, parse_checkpoint
from countersign.wire.logged import Logged, parse_logged
from countersign.wire.tlog import InclusionProof, LogEntry


def logged(
    entry: LogEntry, logs: Collection[LogKey], moments: Collection[datetime]
) -> Logged:
    """Verify `entry`, and return what it says. The caller compares it with the bundle.

    Args:
        entry: From a bundle.
        logs: Of the trust roots.
        moments: When the log must be in use.

    Raises:
        Rejected: it is by no such log, or something in it does not hold.
        Malformed: it cannot be read.
    """
    says = parse_logged(entry)
    if entry.promise is None and entry.proof is None:
        raise Rejected("expected a promise or a proof of inclusion in the log entry")
    if entry.promise is not None and (not says.timed or entry.integrated_at is None):
        raise Rejected("expected a promise only from a log that says when")
    known = [log for log in logs if log.log_id == entry.log_id]
    if not known:
        raise Rejected("expected an entry of a transparency log of the trust root")
    used = [log for log in known if log.in_use(moments)]
    if not used:
        when = min(moments) if moments else "all"
        raise Rejected(f"expected a transparency log in use at {when}, saw none")
    _require_any(entry, used)
    return says


def _require_any(entry: LogEntry, logs: list[LogKey]) -> None:
    """Check `entry` by each of several keys of one name; the last one's word stands."""
    for log in logs[:-1]:
        try:
            _require(entry, log)
        except Rejected:
            continue
        return
    _require(entry, logs[-1])


def _require(entry: LogEntry, log: LogKey) -> None:
    if entry.promise is not None:
        _require_promise(entry, entry.promise, log)
    if entry.proof is not None:
        _require_included(entry, entry.proof, log)


def _require_promise(entry: LogEntry, promise: bytes, log: LogKey) -> None:
    at = entry.integrated_at
    covered: dict[str, str | int] = {
        "body": base64.b64encode(entry.body).decode(),
        "integratedTime": int(at.timestamp()) if at else 0,
        "logID": entry.log_id.hex(),
        "logIndex": entry.index,
    }
    try:
        verify(log.key, promise, rfc8785.dumps(covered))
    except (Rejected, rfc8785.CanonicalizationError) as error:
        raise Rejected("expected an inclusion promise that the log signed") from error


def _require_included(entry: LogEntry, proof: InclusionProof, log: LogKey) -> None:
    root = root_of(entry.body, proof)
    if root != proof.root:
        raise Rejected("expected a proof of inclusion, saw an invalid root hash")
    checkpoint = parse_checkpoint(proof.checkpoint)
    if (checkpoint.root, checkpoint.size) != (root, proof.size):
        raise Rejected("expected a checkpoint of the tree in the proof: another root")
    _require_signed(checkpoint, log)


def _require_signed(checkpoint: Checkpoint, log: LogKey) -> None:
    """Check the log's own signature; those of witnesses are nobody's we know."""
    host = checkpoint.host
    if host == checkpoint.origin and log.host and host.lower() != log.host:
        # the first log writes its internal name, which trust roots do not know
        raise Rejected(f"expected a checkpoint of {log.host}, saw {host[:80]!r}")
    for signature in checkpoint.signatures:
        if (signature.name, signature.key_hash) == (host, log.log_id[:4]):
            try:
                verify(log.key, signature.value, checkpoint.signed)
            except Rejected as error:
                raise Rejected("expected a checkpoint that the log signed") from error
            return
    raise Rejected("expected a checkpoint signed in the log's name, by its key")
