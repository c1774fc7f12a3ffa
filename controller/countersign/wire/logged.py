"""What the body of a log entry says was signed, by whom: unverified.

A body says it in one of six ways. All come down to the same: the key or certificate that
a signature was verified with, and digests of what it was over.

Source:
    github.com/sigstore/rekor, pkg/types/{dsse,hashedrekord,intoto} (v1);
    github.com/sigstore/rekor-tiles, api/proto/rekor/v2 (v2); Sigstore's client
    specification, "Bundle content vs. Rekor entry kind".
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.envelope import IN_TOTO
from countersign.wire.shapes import Base64, ClosedShape, Model, shaped
from countersign.wire.strict_json import parse_json
from countersign.wire.tlog import LogEntry

_HASHES = {
    "sha256": ("sha256", 32),
    "sha384": ("sha384", 48),
    "sha512": ("sha512", 64),
    "SHA2_256": ("sha256", 32),
    "SHA2_384": ("sha384", 48),
    "SHA2_512": ("sha512", 64),
}


class Over(Enum):
    """What a digest in a body is over."""

    PAYLOAD = "payload"
    SIGNED = "signed text"  # the DSSE pre-authentication encoding
    ENVELOPE = "envelope"  # its JSON, as its signer wrote it


@dataclass(frozen=True, slots=True)
class LoggedDigest:
    """A digest in a body.

    Attributes:
        over: What.
        algorithm: Of `hashlib`.
        value: The digest; as long as the algorithm's are.
    """

    over: Over
    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What a body says.

    Attributes:
        timed: Whether a log of this kind also promises when it took an entry.
        verifier: The signer's certificate or public key, PEM or DER.
        key_details: What kind of key that is, in protobuf's words; ``""``: not said.
        signature: The one in the envelope; None: the body does not say.
        digests: Each binds the entry to what was signed; never empty, and at least one
            is over more than the payload where `signature` is None.
    """

    timed: bool
    verifier: bytes
    key_details: str = ""
    signature: bytes | None
    digests: tuple[LoggedDigest, ...]


def parse_logged(entry: LogEntry) -> Logged:
    """Read the body of `entry`.

    Raises:
        Malformed: it is of a kind nobody here knows, of another kind than the entry
            says, or not as its kind must be.
    """
    body = shaped(
        _Body, parse_json(entry.body, limit=len(entry.body)), "body of the log entry"
    )
    kind = (body.kind, body.api_version)
    if kind != (entry.kind, entry.version):
        raise Malformed("expected one kind of log entry, saw two")
    reader = _READERS.get(kind)
    if reader is None:
        raise Malformed(
            f"expected a log entry of a known kind, saw {' '.join(kind)[:80]!r}"
        )
    return reader(body.spec)


class _Body(ClosedShape):
    api_version: str
    kind: str
    spec: dict[str, Any]  # read again by its kind


def _read_hex(value: object) -> bytes:
    if isinstance(value, str) and value == value.lower():
        try:
            return bytes.fromhex(value)
        except ValueError as error:
            raise ValueError("expected lowercase hex") from error
    raise ValueError("expected lowercase hex")


def _read_base64_twice(value: object) -> bytes:
    """Decode what the first log encodes twice: a field of bytes that held base64."""
    if isinstance(value, str):
        try:
            return b64decode(b64decode(value, validate=True), validate=True)
        except binascii.Error as error:
            raise ValueError("expected base64 of base64") from error
    raise ValueError("expected base64 of base64")


_Hex = Annotated[bytes, BeforeValidator(_read_hex)]
_Base64Twice = Annotated[bytes, BeforeValidator(_read_base64_twice)]


class _HexHash(ClosedShape):
    algorithm: Literal["sha256", "sha384", "sha512"]
    value: _Hex

    def over(self, what: Over) -> LoggedDigest:
        return _digest(what, self.algorithm, self.value)


class _HashOutput(ClosedShape):
    algorithm: Literal["SHA2_256", "SHA2_384", "SHA2_512"]
    digest: Base64

    def over(self, what: Over) -> LoggedDigest:
        return _digest(what, self.algorithm, self.digest)


def _digest(what: Over, algorithm: str, value: bytes) -> LoggedDigest:
    name, size = _HASHES[algorithm]
    if len(value) != size:
        raise Malformed(f"expected {size} bytes of {name} in the log entry")
    return LoggedDigest(what, name, value)


class _DsseSignature(ClosedShape):
    signature: Base64
    verifier: Base64


class _Dsse(ClosedShape):
    envelope_hash: _HexHash
    payload_hash: _HexHash
    signatures: list[_DsseSignature]


def _read_dsse(spec: Tree) -> Logged:
    """``dsse`` 0.0.1. The envelope's hash is over JSON that is not in the bundle."""
    dsse = _shaped(_Dsse, spec)
    one = _one(dsse.signatures)
    return Logged(
        timed=True,
        verifier=one.verifier,
        signature=one.signature,
        digests=(dsse.payload_hash.over(Over.PAYLOAD),),
    )


class _IntotoSignature(ClosedShape):
    sig: _Base64Twice
    public_key: Base64
    keyid: str | None = None


class _IntotoEnvelope(ClosedShape):
    payload_type: str
    signatures: list[_IntotoSignature]


class _IntotoContent(ClosedShape):
    envelope: _IntotoEnvelope
    hash: _HexHash
    payload_hash: _HexHash


class _Intoto(ClosedShape):
    content: _IntotoContent


def _read_intoto(spec: Tree) -> Logged:
    """``intoto`` 0.0.2."""
    content = _shaped(_Intoto, spec).content
    one = _one(content.envelope.signatures)
    if content.envelope.payload_type != IN_TOTO:
        raise Malformed(f"expected the payload type {IN_TOTO} in the log entry")
    return Logged(
        timed=True,
        verifier=one.public_key,
        signature=one.sig,
        digests=(content.payload_hash.over(Over.PAYLOAD),),
    )


class _OldIntotoContent(ClosedShape):
    hash: _HexHash
    payload_hash: _HexHash | None = None


class _OldIntoto(ClosedShape):
    content: _OldIntotoContent
    public_key: Base64


def _read_old_intoto(spec: Tree) -> Logged:
    """``intoto`` 0.0.1: the envelope's hash stands for the signature."""
    old = _shaped(_OldIntoto, spec)
    digests = [old.content.hash.over(Over.ENVELOPE)]
    if old.content.payload_hash:
        digests.append(old.content.payload_hash.over(Over.PAYLOAD))
    return Logged(
        timed=True, verifier=old.public_key, signature=None, digests=tuple(digests)
    )


class _RecordData(ClosedShape):
    hash: _HexHash


class _Content(ClosedShape):
    content: Base64


class _RecordSignature(ClosedShape):
    content: Base64
    public_key: _Content


class _HashedRekord(ClosedShape):
    data: _RecordData
    signature: _RecordSignature


def _read_hashedrekord(spec: Tree) -> Logged:
    """``hashedrekord`` 0.0.1."""
    record = _shaped(_HashedRekord, spec)
    return Logged(
        timed=True,
        verifier=record.signature.public_key.content,
        signature=record.signature.content,
        digests=(record.data.hash.over(Over.SIGNED),),
    )


class _RawBytes(ClosedShape):
    raw_bytes: Base64


class _Verifier(ClosedShape):
    key_details: str
    public_key: _RawBytes | None = None
    x509_certificate: _RawBytes | None = None

    def der(self) -> bytes:
        given = [one for one in (self.public_key, self.x509_certificate) if one]
        return _one(given).raw_bytes


class _Signature(ClosedShape):
    content: Base64
    verifier: _Verifier


class _HashedRekordV2(ClosedShape):
    data: _HashOutput
    signature: _Signature


class _HashedRekordV2Spec(ClosedShape):
    hashed_rekord_v002: _HashedRekordV2


def _read_hashedrekord_v2(spec: Tree) -> Logged:
    """``hashedrekord`` 0.0.2."""
    record = _shaped(_HashedRekordV2Spec, spec).hashed_rekord_v002
    return _second(record.signature, record.data.over(Over.SIGNED))


class _DsseV2(ClosedShape):
    payload_hash: _HashOutput
    signatures: list[_Signature]


class _DsseV2Spec(ClosedShape):
    dsse_v002: _DsseV2


def _read_dsse_v2(spec: Tree) -> Logged:
    """``dsse`` 0.0.2."""
    dsse = _shaped(_DsseV2Spec, spec).dsse_v002
    return _second(_one(dsse.signatures), dsse.payload_hash.over(Over.PAYLOAD))


def _second(signature: _Signature, digest: LoggedDigest) -> Logged:
    """Read an entry of the second log, which knows no time."""
    return Logged(
        timed=False,
        verifier=signature.verifier.der(),
        key_details=signature.verifier.key_details,
        signature=signature.content,
        digests=(digest,),
    )


_Reader: TypeAlias = Callable[[Tree], Logged]
_READERS: Mapping[tuple[str, str], _Reader] = MappingProxyType(
    {
        ("dsse", "0.0.1"): _read_dsse,
        ("intoto", "0.0.1"): _read_old_intoto,
        ("intoto", "0.0.2"): _read_intoto,
        ("hashedrekord", "0.0.1"): _read_hashedrekord,
        ("hashedrekord", "0.0.2"): _read_hashedrekord_v2,
        ("dsse", "0.0.2"): _read_dsse_v2,
    }
)


def _shaped(model: type[Model], spec: Json) -> Model:
    return shaped(model, spec, "body of the log entry")


def _one(items: list[Model]) -> Model:
    if len(items) != 1:
        raise Malformed(f"expected one signer in the log entry, saw {len(items)}")
    return items[0]
