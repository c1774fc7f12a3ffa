"""Whom a trusted root believes, entry by entry, so that two can be compared."""

import base64
import hashlib
from collections.abc import Iterator

from cryptography import x509

from countersign.adapters.proof.trusted_root import parse_trusted_root
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.published import Entry, Sort
from countersign.core.types.time import Interval
from countersign.wire.strict_json import parse_json
from countersign.wire.times import parse_instant

_LISTS = (
    (Sort.ISSUER, "certificateAuthorities"),
    (Sort.CT_LOG, "ctlogs"),
    (Sort.LOG, "tlogs"),
    (Sort.STAMPER, "timestampAuthorities"),
)


def entries(raw: bytes) -> tuple[Entry, ...]:
    """Return the entries of a ``trusted_root.json``, in its order.

    Raises:
        Malformed: `raw` is none, in whole or in part.
    """
    parse_trusted_root(raw)  # after it, shapes are as they have to be
    tree = parse_json(raw, limit=len(raw))
    return tuple(_entries(tree)) if isinstance(tree, dict) else ()


def _entries(tree: Tree) -> Iterator[Entry]:
    for sort, field in _LISTS:
        for one in _trees(tree.get(field, [])):
            yield _authority(sort, one) if "certChain" in one else _log(sort, one)


def _authority(sort: Sort, one: Tree) -> Entry:
    chain = _trees(_tree(one["certChain"])["certificates"])
    der = [base64.b64decode(str(certificate["rawBytes"])) for certificate in chain]
    if not der:
        raise Malformed(f"expected a certificate in each {sort.value}")
    try:
        last = x509.load_der_x509_certificate(der[-1])
    except ValueError as error:
        raise Malformed("expected certificates in DER") from error
    who = str(one.get("uri") or last.subject.rfc4514_string())
    return Entry(
        sort=sort, id=_sha256(*der), name=who, window=_window(one.get("validFor"))
    )


def _log(sort: Sort, one: Tree) -> Entry:
    public, log_id = _tree(one["publicKey"]), _tree(one["logId"])
    key = base64.b64decode(str(public["rawBytes"]))
    name = base64.b64decode(str(log_id["keyId"]))
    return Entry(
        sort=sort,
        id=_sha256(name, key),
        name=str(one.get("baseUrl") or name.hex()),
        window=_window(public.get("validFor")),
    )


def _window(span: Json) -> Interval:
    told = span if isinstance(span, dict) else {}
    start, end = told.get("start"), told.get("end")
    return Interval(
        parse_instant(start) if isinstance(start, str) else None,
        parse_instant(end) if isinstance(end, str) else None,
    )


def _sha256(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.hexdigest()


def _tree(value: Json) -> Tree:
    return value if isinstance(value, dict) else {}


def _trees(value: Json) -> list[Tree]:
    return (
        [one for one in value if isinstance(one, dict)]
        if isinstance(value, list)
        else []
    )
