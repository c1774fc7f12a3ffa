"""Every form of proof is read, and what each lacks is said."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.adapters.proof.judge import Material, Proof, Refusal, judge
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Evidence
from countersign.core.types.people import CertIdentity, KeyIdentity
from countersign.core.types.trust import TrustRoot, TsaOnly
from countersign.wire.cosign import legacy_attestation
from countersign.wire.envelope import Envelope, written_envelopes
from tests.support.proving import STATEMENT, key_root, sigstore_root
from tests.support.sigstore import DANA, ISSUER, shared
from tools.sigstore import Identity
from tools.sigstore.encoding import b64
from tools.sigstore.entries import EntryKind, Signed
from tools.sigstore.forms import Form, Media, Parts, layer, make
from tools.sigstore.keys import KeyKind

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
HASHED = EntryKind.HASHED, EntryKind.HASHED_V2
LOGGED = AT + timedelta(seconds=5)
KEYS = {
    kind: kind.generate()
    for kind in (KeyKind.P256, KeyKind.P384, KeyKind.ED25519, KeyKind.RSA_2048)
}
NAMED = key_root(
    "keys",
    **{
        kind.name.lower(): key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        for kind, key in KEYS.items()
    },
)


def pem(*chain: x509.Certificate) -> bytes:
    """Write a chain."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in chain)


CHAINS = TsaOnly(
    certificate_chain=pem(shared().ca.intermediate, shared().ca.root),
    tsa_chain=pem(shared().tsa.certificate, shared().tsa.root),
)
PRIVATE = TrustRoot(name="private", digest=Digest.sha256(b"1"), tsa_only=CHAINS)


def without(*lists: str) -> TrustRoot:
    """Trust the shared Sigstore but for some lists of its trusted root."""
    document = shared().trusted_root()
    raw = json.dumps(document | {name: [] for name in lists}).encode()
    return TrustRoot(name="cut", digest=Digest.sha256(raw), sigstore=raw)


def bundle(form: Form, **parts: Any) -> dict[str, Any]:
    """Sign as dana, or by the key of its kind, an hour ago."""
    given: dict[str, Any] = {
        "identity": Identity(san=DANA, issuer=ISSUER),
        "at": AT,
        "key": KEYS[form.key],
    }
    return make(shared(), form, STATEMENT, Parts(**given | parts))


def outcome(document: dict[str, Any] | bytes, *roots: TrustRoot) -> Evidence | str:
    """Return what is proven, or why nothing is."""
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = judge(raw, Material(roots))
    if isinstance(found, Proof):
        return found.evidence
    assert isinstance(found, Refusal)
    return found.reason


def proven(document: dict[str, Any] | bytes, *roots: TrustRoot) -> Evidence:
    """Return what must be proven."""
    found = outcome(document, *roots)
    assert isinstance(found, Evidence), found
    return found


def forms() -> list[Form]:
    """List the forms that clients write, with keys of every kind."""
    found: list[Form] = []
    for kind, certified, entry in product(KEYS, (True, False), EntryKind):
        if kind is KeyKind.ED25519 and entry in HASHED:
            continue  # such a signature is over no hash
        found.append(
            Form(key=kind, certified=certified, entry=entry, stamps=int(entry.second))
        )
    for entry in (EntryKind.DSSE, EntryKind.INTOTO, EntryKind.HASHED):
        found += [
            Form(entry=entry, stamps=1),
            Form(entry=entry, promise=False, stamps=1),
            Form(entry=entry, chained=True, media=Media.V01),
            Form(entry=entry, chained=True, proof=False, media=Media.V01),
            Form(entry=entry, chained=True, media=Media.V02),
        ]
    return found


@pytest.mark.parametrize("form", forms(), ids=str)
def test_reads(form: Form) -> None:
    """Who, what, and when, whatever the form."""
    evidence = proven(bundle(form), sigstore_root(shared()), NAMED)

    if form.certified:
        assert evidence.signer == CertIdentity("acme", ISSUER, DANA)
    else:
        assert evidence.signer == KeyIdentity("keys", form.key.name.lower())
    assert evidence.statement == Digest.sha256(STATEMENT)
    assert evidence.signed_at == LOGGED


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_needs_nobody_else(kind: KeyKind) -> None:
    """But then nobody says when."""
    evidence = proven(bundle(Form(key=kind, certified=False, entry=None)), NAMED)

    assert evidence.signer == KeyIdentity("keys", kind.name.lower())
    assert evidence.signed_at is None


def test_an_entry_without_a_time_is_proven_and_says_none() -> None:
    """A proof of inclusion says that, not when."""
    form = Form(certified=False, promise=False)

    assert proven(bundle(form), sigstore_root(shared()), NAMED).signed_at is None
    assert "a time promised by the log or stamped" in str(
        outcome(bundle(Form(promise=False)), sigstore_root(shared()))
    )


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize(
    "root",
    [
        pytest.param(PRIVATE, id="chains"),
        pytest.param(without("tlogs", "ctlogs"), id="a trusted root without logs"),
    ],
)
def test_certificates_and_stamps_do_without_logs(
    kind: KeyKind, root: TrustRoot
) -> None:
    """As GitHub has it for private repositories."""
    form = Form(key=kind, entry=None, stamps=1, scts=False)
    evidence = proven(bundle(form), root)

    assert evidence.signer == CertIdentity(root.name, ISSUER, DANA)
    assert evidence.signed_at == LOGGED


@pytest.mark.parametrize(
    ("form", "root", "reason"),
    [
        pytest.param(
            Form(entry=None, stamps=1),
            sigstore_root(shared()),
            "an entry of a transparency log, saw none",
            id="no entry where logs are trusted",
        ),
        pytest.param(
            Form(scts=False),
            sigstore_root(shared()),
            "a promise of a CT log",
            id="no promise where CT logs are trusted",
        ),
        pytest.param(
            Form(scts=False),
            without("tlogs", "ctlogs"),
            "an entry of a transparency log of the trust root",
            id="an entry where no log is trusted",
        ),
        pytest.param(
            Form(),
            PRIVATE,
            "a transparency log of the trust root",
            id="with chains too",
        ),
        pytest.param(
            Form(entry=None, scts=False),
            PRIVATE,
            "a time promised by the log or stamped",
            id="nobody says when",
        ),
        pytest.param(
            Form(stamps=1),
            without("timestampAuthorities"),
            "a time-stamping authority in use",
            id="a stamp where no authority is trusted",
        ),
        pytest.param(
            Form(),
            without("certificateAuthorities"),
            "a certificate authority in use",
            id="no certificate authority is trusted",
        ),
        pytest.param(
            Form(certified=False),
            NAMED,
            "an entry of a transparency log of the trust root",
            id="a key's entry where no log is trusted",
        ),
    ],
)
def test_what_a_trust_root_names_is_needed(
    form: Form, root: TrustRoot, reason: str
) -> None:
    """And what it does not name is nobody's word."""
    roots = (root,) if form.certified else (root, NAMED)

    assert reason in str(outcome(bundle(form), *roots))


def test_chains_and_stampers_are_of_one_root() -> None:
    """A stamp by another root's authority is no stamp here."""
    form = Form(entry=None, stamps=1, scts=False)
    document = shared().trusted_root()
    raw = json.dumps(document | {"certificateAuthorities": []}).encode()
    stampers = TrustRoot(name="stampers", digest=Digest.sha256(raw), sigstore=raw)
    cut = without("tlogs", "ctlogs", "timestampAuthorities")

    assert "in use" in str(outcome(bundle(form), cut, stampers))


def old_intoto(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Log as the first version of `intoto` does, by the envelope's hash."""

    def body(newer: dict[str, Any]) -> dict[str, Any]:
        content = newer["spec"]["content"]
        one = content["envelope"]["signatures"][0]
        spec = {
            "content": {"hash": content["hash"], "payloadHash": content["payloadHash"]},
            "publicKey": one["publicKey"],
        }
        written = {"apiVersion": "0.0.1", "kind": "intoto", "spec": spec}
        change(spec["content"])
        return written

    return bundle(Form(entry=EntryKind.INTOTO), body=body)


def hashed(text: bytes) -> dict[str, str]:
    """Hash as the first log writes it."""
    return {"algorithm": "sha256", "value": hashlib.sha256(text).hexdigest()}


def test_reads_the_first_intoto_entries() -> None:
    """They hold no signature: the envelope's hash binds them to it."""
    signature: list[bytes] = []

    def noted(signed: Signed) -> Signed:
        signature.append(signed.signature)
        return signed

    def body(newer: dict[str, Any]) -> dict[str, Any]:
        content = newer["spec"]["content"]
        written = written_envelopes(Envelope(STATEMENT, signature[0]))[0]
        return {
            "apiVersion": "0.0.1",
            "kind": "intoto",
            "spec": {
                "content": {"hash": hashed(written)},
                "publicKey": content["envelope"]["signatures"][0]["publicKey"],
            },
        }

    form = Form(entry=EntryKind.INTOTO)
    found = proven(bundle(form, noted=noted, body=body), sigstore_root(shared()))

    assert found.signed_at == LOGGED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(
            lambda c: c.update(hash=hashed(b"another")),
            "the log entry of this envelope",
            id="another envelope",
        ),
        pytest.param(
            lambda c: c.update(hash=hashed(STATEMENT)),
            "the log entry of this envelope",
            id="the payload alone",
        ),
        pytest.param(lambda c: c.pop("hash"), "content.hash", id="no hash"),
    ],
)
def test_the_first_intoto_entries_are_of_one_envelope(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    """The payload's hash alone would leave the signature open."""
    assert reason in str(outcome(old_intoto(change), sigstore_root(shared())))


def second_dsse(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Log as the second log did at first, by the payload's hash."""

    def body(record: dict[str, Any]) -> dict[str, Any]:
        hashed = record["spec"]["hashedRekordV002"]
        dsse = {
            "payloadHash": {
                "algorithm": "SHA2_256",
                "digest": b64(hashlib.sha256(STATEMENT).digest()),
            },
            "signatures": [hashed["signature"]],
        }
        change(dsse)
        return {"apiVersion": "0.0.2", "kind": "dsse", "spec": {"dsseV002": dsse}}

    return bundle(Form(entry=EntryKind.HASHED_V2, stamps=1), body=body)


def test_reads_dsse_entries_of_the_second_log() -> None:
    """Which it took before it knew hashes alone."""
    found = proven(second_dsse(lambda _: None), sigstore_root(shared()))

    assert found.signed_at == LOGGED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(
            lambda d: d["payloadHash"].update(digest=b64(b"x" * 32)),
            "the log entry of this payload",
            id="another payload",
        ),
        pytest.param(
            lambda d: d["payloadHash"].update(digest=b64(b"x")),
            "32 bytes of sha256",
            id="a short hash",
        ),
        pytest.param(
            lambda d: d["signatures"].extend(d["signatures"]),
            "one signer in the log entry, saw 2",
            id="two signatures",
        ),
        pytest.param(
            lambda d: d["signatures"][0].update(content=b64(b"x")),
            "the log entry of this signature",
            id="another signature",
        ),
        pytest.param(
            lambda d: d["signatures"][0]["verifier"].update(keyDetails="PKIX_ED25519"),
            "this kind of key",
            id="another kind of key",
        ),
        pytest.param(
            lambda d: d["signatures"][0]["verifier"].update(
                publicKey=d["signatures"][0]["verifier"]["x509Certificate"]
            ),
            "one signer in the log entry, saw 2",
            id="certificate and key",
        ),
    ],
)
def test_dsse_entries_of_the_second_log_are_of_one_signing(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    """Each for its own reason."""
    assert reason in str(outcome(second_dsse(change), sigstore_root(shared())))


@pytest.mark.parametrize("form", [Form(), Form(stamps=1), Form(certified=False)])
def test_reads_cosigns_older_layers(form: Form) -> None:
    """Once they are written as bundles."""
    envelope, annotations = layer(bundle(form))
    raw = legacy_attestation(envelope, annotations)

    assert proven(raw, sigstore_root(shared()), NAMED).signed_at == LOGGED


def test_reads_stamps_over_all_of_the_envelope() -> None:
    """As cosign 2 had them made, over the layer that it wrote."""
    document = bundle(Form(entry=None, certified=False))
    signature = document["dsseEnvelope"]["signatures"][0]["sig"]
    signed = Envelope(STATEMENT, base64.b64decode(signature))
    for written in written_envelopes(signed):
        stamps = shared().stamps(written, at=AT)
        document["verificationMaterial"].update(stamps)

        assert proven(document, sigstore_root(shared()), NAMED).signed_at == AT

    document["verificationMaterial"].update(shared().stamps(STATEMENT, at=AT))

    assert "over this signature" in str(
        outcome(document, sigstore_root(shared()), NAMED)
    )
