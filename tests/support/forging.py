"""Forged bundles: each with its name, how it is forged, and why it must be refused.

A :func:`negative` spoils one thing. Around it everything is as it should be: what can be
signed, logged and stamped again has been. Its twin is the same bundle, not forged.
"""

import base64
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.core.errors import CountersignError, Rejected
from countersign.core.types.trust import TrustRoot
from tests.support.proving import STATEMENT, key_root, private_root, sigstore_root
from tests.support.sigstore import DANA, ISSUER, shared
from tools.sigstore import Identity, VirtualSigstore
from tools.sigstore.forms import Form, Parts, make
from tools.sigstore.keys import KeyKind, PrivateKey

Json = dict[str, Any]
Spoil = Callable[["Lab", Json], "Json | bytes | Forged"]

_GROWN = 11  # entries; proofs then have some hashes

Remake = Callable[["Lab", Form], "Json | bytes | Forged"]

ME = Identity(san=DANA, issuer=ISSUER)

SIGNED_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)
"""When sound bundles are signed, however much later they are looked at."""

JUST_AFTER = SIGNED_AT + timedelta(seconds=10)
"""A time at which their certificates are valid, and nobody could find odd."""


@cache
def grown() -> VirtualSigstore:
    """Return the shared instance, with logs of more than one entry."""
    sigstore = shared()
    for number in range(_GROWN):
        filler = {"kind": "filler", "apiVersion": "0.0.1", "spec": number}
        sigstore.rekor_v1.add(filler, at=sigstore.since)
        sigstore.rekor_v2.add(filler)
    return sigstore


@dataclass(frozen=True, slots=True)
class Forged:
    """A forged bundle that is judged under other trust roots than its twin.

    Attributes:
        bundle: As JSON, or as bytes where it is no longer JSON.
        roots: The trust roots.
    """

    bundle: Json | bytes
    roots: tuple[TrustRoot, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """One way to forge a bundle.

    Attributes:
        name: What is wrong, in words.
        form: Of which bundle.
        spoil: Given a sound bundle of that form, returns the forged one.
        reason: What the refusal must say; a pattern.
        error: What it must be.
    """

    name: str
    form: Form
    spoil: Spoil
    reason: str
    error: type[CountersignError] = Rejected


@dataclass
class Lab:
    """A Sigstore, keys of all kinds, and bundles made with them.

    Attributes:
        sigstore: That which is trusted.
        statement: What is signed.
    """

    sigstore: VirtualSigstore = field(default_factory=grown)
    statement: bytes = STATEMENT

    def bundle(self, form: Form, **parts: Any) -> Json:
        """Make a bundle of `form`; `parts` are those of :class:`Parts`."""
        given: Json = {"identity": ME}
        if not form.certified:
            given["key"] = key_of(form.key)
        return make(self.sigstore, form, self.statement, Parts(**given | parts))

    def roots(self, form: Form) -> tuple[TrustRoot, ...]:
        """Trust the Sigstore as bundles of `form` need it, and a key of each kind.

        Where logs are trusted, a certificate's signature must be in one. So what is in
        none is judged under a root without.
        """
        if form.certified and form.entry is None:
            return private_root(self.sigstore), keys_root()
        return sigstore_root(self.sigstore), keys_root()


@cache
def key_of(kind: KeyKind) -> PrivateKey:
    """Return the key of `kind` that is trusted by the kind's name."""
    return kind.generate()


@cache
def stranger_of(kind: KeyKind) -> PrivateKey:
    """Return a key of `kind` that nobody trusts."""
    return kind.generate()


def pem_of(key: PrivateKey) -> bytes:
    """Write the public key of `key`, as a TrustRoot names it."""
    return key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


@cache
def keys_root() -> TrustRoot:
    """Trust one key of each kind, by the kind's name."""
    return key_root(**{kind.name: pem_of(key_of(kind)) for kind in KeyKind})


@cache
def _sound(form: Form) -> bytes:
    return raw(Lab().bundle(form, at=SIGNED_AT))


def sound(form: Form) -> Json:
    """Return a sound bundle of `form`; a copy each time, of the same bundle."""
    bundle: Json = json.loads(_sound(form))
    return bundle


def raw(bundle: Json | bytes) -> bytes:
    """Write `bundle`."""
    return bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()


def negatives(
    *names: "tuple[str, Sequence[Form], str, Spoil]",
    error: type[CountersignError] = Rejected,
) -> list[Negative]:
    """List what is named, for each of its forms."""
    return [
        Negative(name, form, spoil, reason, error)
        for name, forms, reason, spoil in names
        for form in forms
    ]


def remade(
    forms: Sequence[Form],
    *cases: "tuple[str, str, Remake]",
    error: type[CountersignError] = Rejected,
) -> list[Negative]:
    """List what is forged from the beginning, not from a sound bundle."""
    return [
        Negative(name, form, partial(_remake, make_, form), reason, error)
        for name, reason, make_ in cases
        for form in forms
    ]


def _remake(remake: "Remake", form: Form, lab: Lab, _: Json) -> "Json | bytes | Forged":
    return remake(lab, form)


def entry_of(bundle: Json) -> Json:
    """Return the one log entry of `bundle`."""
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    found: Json = entry
    return found


def proof_of(bundle: Json) -> Json:
    """Return the proof of inclusion of `bundle`."""
    found: Json = entry_of(bundle)["inclusionProof"]
    return found


def stamps_of(bundle: Json) -> list[Json]:
    """Return the time stamps of `bundle`."""
    material = bundle["verificationMaterial"]
    found: list[Json] = material["timestampVerificationData"]["rfc3161Timestamps"]
    return found


def signature_of(bundle: Json) -> bytes:
    """Return the signature of `bundle`."""
    return base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])


def b64(data: bytes) -> str:
    """Encode as bundles do."""
    return base64.b64encode(data).decode()


def flipped(text: str, at: int = -3) -> str:
    """Flip a bit under base64."""
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return b64(bytes(data))


def changed(bundle: Json, *path: str | int, to: Any) -> Json:
    """Put `to` at `path` of a copy of `bundle`; a function gets what stood there."""
    document = copy.deepcopy(bundle)
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    holder[last] = to(holder[last]) if callable(to) else to
    return document


def dropped(bundle: Json, *path: str | int) -> Json:
    """Take `path` out of a copy of `bundle`."""
    document = copy.deepcopy(bundle)
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return document


MATERIAL = "verificationMaterial"
ENTRY = (MATERIAL, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")
STAMP = (MATERIAL, "timestampVerificationData", "rfc3161Timestamps", 0)
SIGNATURE = ("dsseEnvelope", "signatures", 0, "sig")
