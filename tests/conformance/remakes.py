"""Bundles of the conformance cases that take more than a form to make."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from countersign.core.types.artifacts import Digest
from countersign.core.types.trust import TrustRoot
from tests.support.forging import (
    ENTRY,
    MATERIAL,
    PROOF,
    Forged,
    Json,
    Lab,
    b64,
    changed,
    entry_of,
    keys_root,
    proof_of,
    stranger_of,
)
from tests.support.sigstore import stranger as other_sigstore
from tools.sigstore import Party
from tools.sigstore.forms import Form
from tools.sigstore.keys import sign_message
from tools.sigstore.trust_root import merged
from tools.sigstore.tsa import TimeStampingAuthority
from tools.sigstore.vault import Vault

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def plain(lab: Lab, form: Form) -> Json:
    """Make a bundle of `form`, as it is."""
    return lab.bundle(form)


def untimed(lab: Lab, form: Form) -> Json:
    """Give the entry the time that protobuf writes where there is none."""
    return changed(lab.bundle(form), *ENTRY, "integratedTime", to="0")


def expired_since(lab: Lab, form: Form) -> Forged:
    """The stamping certificate was valid when it stamped, and is no longer."""
    sigstore = copy.copy(lab.sigstore)
    now = datetime.now(UTC)
    sigstore.tsa = TimeStampingAuthority(
        Vault(), "acme", start=now - 9 * DAY, end=now - DAY
    )
    bundle = replace(lab, sigstore=sigstore).bundle(form, at=now - 2 * DAY)
    return _under(sigstore.trusted_root(), bundle)


def cosigned(lab: Lab, form: Form) -> Json:
    """A witness signed the checkpoint besides the log."""
    bundle = lab.bundle(form)
    text = proof_of(bundle)["checkpoint"]["envelope"]
    note = text.rpartition("\n\n")[0] + "\n"
    line = other_sigstore().rekor_v2.signature_line(note, name="witness.example")
    return changed(bundle, *PROOF, "checkpoint", "envelope", to=text + line)


def decoy(lab: Lab, form: Form) -> Forged:
    """Another authority has an intermediate of the same name, and stands first."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = lab.sigstore.ca.intermediate.subject
    start = lab.sigstore.since
    certificate = _self_issued(key, name, start)
    document = lab.sigstore.trusted_root()
    first = copy.deepcopy(document["certificateAuthorities"][0])
    first["certChain"]["certificates"] = [
        {"rawBytes": b64(certificate.public_bytes(Encoding.DER))}
    ]
    document["certificateAuthorities"].insert(0, first)
    return _under(document, lab.bundle(form))


def _self_issued(
    key: ec.EllipticCurvePrivateKey, name: x509.Name, start: datetime
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + 900 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def log_till_then(lab: Lab, form: Form) -> Forged:
    """The log's key went out of use in the very second of the entry."""
    bundle = lab.bundle(form)
    then = datetime.fromtimestamp(int(entry_of(bundle)["integratedTime"]), UTC)
    return _under(lab.sigstore.trusted_root({Party.LOG: then}), bundle)


def tsa_till_then(lab: Lab, form: Form) -> Forged:
    """The stamping key went out of use in the very second of the stamp."""
    then = datetime.now(UTC).replace(microsecond=0) - MINUTE
    bundle = lab.bundle(form, at=then - MINUTE, logged_at=then)
    return _under(lab.sigstore.trusted_root({Party.TSA: then}), bundle)


def root_in_chain(lab: Lab, form: Form) -> Json:
    """The bundle brings its root along; verifiers ignore it."""
    root = b64(lab.sigstore.ca.root.public_bytes(Encoding.DER))
    return changed(
        lab.bundle(form),
        MATERIAL,
        "x509CertificateChain",
        "certificates",
        to=lambda chain: [*chain, {"rawBytes": root}],
    )


def rotated(lab: Lab, form: Form) -> Forged:
    """All keys went out of use since, and others came in their place."""
    now = datetime.now(UTC)
    bundle = lab.bundle(form, at=now - 2 * DAY)
    before = lab.sigstore.trusted_root(dict.fromkeys(Party, now - DAY))
    after = other_sigstore().trusted_root(begun=dict.fromkeys(Party, now - DAY))
    return _under(merged(after, before), bundle)


def typeless(lab: Lab, form: Form) -> Json:
    """The statement does not say that it is one."""
    document = json.loads(lab.statement)
    del document["_type"]
    return replace(lab, statement=json.dumps(document).encode()).bundle(form)


def unknown_type(lab: Lab, form: Form) -> Json:
    """The statement says that it is something else."""
    document = json.loads(lab.statement) | {"_type": "https://example.com/Statement"}
    return replace(lab, statement=json.dumps(document).encode()).bundle(form)


def wrongly_signed(lab: Lab, form: Form) -> Json:
    """A stranger's signature, logged."""
    return lab.bundle(form, signature=sign_message(stranger_of(form.key), b"anything"))


def other_payload(lab: Lab, form: Form) -> Json:
    """The log took another payload."""
    return lab.bundle(form, noted=lambda signed: replace(signed, payload=b"{}"))


def other_signature(lab: Lab, form: Form) -> Json:
    """The log took another signature."""
    other = sign_message(stranger_of(form.key), b"anything")
    return lab.bundle(form, noted=lambda signed: replace(signed, signature=other))


def without_keys(lab: Lab, form: Form) -> Forged:
    """No key is trusted, an identity is asked for: a key is nobody's."""
    return Forged(lab.bundle(form), lab.roots(form)[:1])


def _under(document: Json, bundle: Json) -> Forged:
    raw = json.dumps(document).encode()
    root = TrustRoot(name="acme", digest=Digest.sha256(raw), sigstore=raw)
    return Forged(bundle, (root, keys_root()))
