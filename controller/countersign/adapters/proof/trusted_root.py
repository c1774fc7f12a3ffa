"""Trust material, ready for use: who issues, promises, logs and stamps, and since when.

Source:
    github.com/sigstore/protobuf-specs, sigstore_trustroot.proto; ``TimeRange``: both
    ends included.
"""

import base64
import binascii
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from countersign.adapters.proof.chain import Authority
from countersign.adapters.signatures import PublicKey, supported_public
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.time import Interval
from countersign.core.types.trust import TsaOnly
from countersign.wire.strict_json import parse_json
from countersign.wire.times import parse_instant

MAX_TRUSTED_ROOT = 4 * 1024 * 1024  # bytes; the public one has 7 thousand

_SHA256 = "SHA2_256"
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of a log, of certificates or of signatures.

    Attributes:
        log_id: By which entries and promises name it.
        key: Ready for use.
        window: When it is, or was, in use; always has a beginning.
        host: The log's name, from its address; ``""``: not said.
    """

    log_id: bytes
    key: PublicKey
    window: Interval
    host: str

    def in_use(self, moments: Collection[datetime]) -> bool:
        """Tell whether the key was in use at all `moments`."""
        return all(self.window.holds(moment) for moment in moments)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """Whom to believe, by what for.

    Attributes:
        issuers: Of certificates.
        ct_logs: That promise certificates; those with keys of kinds nobody here
            verifies are left out.
        logs: Of signatures; likewise.
        stampers: Time-stamping authorities, the stamping certificate first.
        promised: CT logs are named, hence certificates need a promise.
        logged: Logs are named, hence certificates' signatures need an entry.
    """

    issuers: tuple[Authority, ...]
    ct_logs: tuple[LogKey, ...] = ()
    logs: tuple[LogKey, ...] = ()
    stampers: tuple[Authority, ...] = ()
    promised: bool = False
    logged: bool = False


def parse_trusted_root(raw: bytes) -> TrustedRoot:
    """Read a ``trusted_root.json``.

    Raises:
        Malformed: `raw` is none, in whole or in part.
    """
    document = parse_json(raw, limit=MAX_TRUSTED_ROOT)
    try:
        tree = _tree(document)
        ct_logs, logs = _each(tree, "ctlogs", _log), _each(tree, "tlogs", _log)
        return TrustedRoot(
            issuers=_each(tree, "certificateAuthorities", _authority),
            ct_logs=tuple(log for log in ct_logs if log),
            logs=tuple(log for log in logs if log),
            stampers=_each(tree, "timestampAuthorities", _authority),
            promised=bool(ct_logs),
            logged=bool(logs),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"expected a trusted root, saw: {error!r}") from error


def trusted_chains(chains: TsaOnly) -> TrustedRoot:
    """Read an authority and a time-stamping authority without logs.

    Raises:
        Malformed: they cannot be read.
    """
    return TrustedRoot(
        issuers=(Authority(_pem(chains.certificate_chain)),),
        stampers=(Authority(_pem(chains.tsa_chain)),),
    )


def _pem(chain: bytes) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(chain))
    except ValueError as error:
        raise Malformed("expected certificates in PEM") from error


def _each(tree: Tree, name: str, read: Callable[[Tree], _Item]) -> tuple[_Item, ...]:
    return tuple(read(_tree(item)) for item in _list(tree.get(name, [])))


def _authority(tree: Tree) -> Authority:
    chain = _list(_tree(tree["certChain"])["certificates"])
    certificates = tuple(
        x509.load_der_x509_certificate(_bytes(_tree(one)["rawBytes"])) for one in chain
    )
    return Authority(certificates, _window(tree))


def _log(tree: Tree) -> LogKey | None:
    """Read a log; None: its key is of a kind that nobody here verifies with."""
    if tree.get("hashAlgorithm", _SHA256) != _SHA256:
        raise TypeError("a log of another hash than SHA-256")
    public, log_id = _tree(tree["publicKey"]), _tree(tree["logId"])
    window = _window(public)
    if window.start is None:  # sigstore-go refuses it too: such a key has no past
        raise TypeError("a log's key without the start of validFor")
    raw, name = _bytes(public["rawBytes"]), _bytes(log_id["keyId"])
    try:
        key = supported_public(load_der_public_key(raw))
    except (Malformed, UnsupportedAlgorithm, ValueError):
        return None
    return LogKey(name, key, window, _host(tree.get("baseUrl", "")))


def _host(url: Json) -> str:
    if not isinstance(url, str):
        raise TypeError("an address that is no text")
    return urlsplit(url).hostname or ""


def _window(tree: Tree) -> Interval:
    span = _tree(tree.get("validFor") or {})
    return Interval(_instant(span.get("start")), _instant(span.get("end")))


def _instant(value: Json) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("a time that is no text")
    return parse_instant(value)


def _bytes(value: Json) -> bytes:
    if not isinstance(value, str):
        raise TypeError("bytes that are no text")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise TypeError("bytes that are no base64") from error


def _tree(value: Json) -> Tree:
    if not isinstance(value, dict):
        raise TypeError("something that is no object")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("something that is no list")
    return value
