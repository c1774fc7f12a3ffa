"""Forged log entries: what the log took, when, and that it did."""

import base64
import copy
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import rfc8785

from countersign.core.errors import Malformed
from tests.support.forging import (
    ENTRY,
    PROOF,
    Json,
    Lab,
    Remake,
    Spoil,
    b64,
    changed,
    dropped,
    entry_of,
    flipped,
    negatives,
    proof_of,
    remade,
    stranger_of,
)
from tests.support.sigstore import stranger as other_sigstore
from tools.sigstore.encoding import INTOTO, pae, sha256
from tools.sigstore.entries import EntryKind, Signed
from tools.sigstore.forms import (
    KEYED_V1,
    KEYED_V2,
    KEYLESS_V1,
    KEYLESS_V2,
    Form,
    Media,
)
from tools.sigstore.keys import KeyKind, sign_message
from tools.sigstore.merkle import MerkleTree
from tools.sigstore.rekor import TransparencyLog
from tools.sigstore.vault import stranger

INTOTO_V1 = Form(entry=EntryKind.INTOTO)
PROMISE_ONLY = Form(media=Media.V01, chained=True, proof=False)
PROOF_ONLY = Form(promise=False, stamps=1)
KEYED_INTOTO = replace(KEYED_V1, entry=EntryKind.INTOTO)
V1 = (KEYLESS_V1, INTOTO_V1, KEYED_V1, KEYED_INTOTO)
V2 = (KEYLESS_V2, KEYED_V2)
DSSE_V2 = replace(KEYLESS_V2, entry=EntryKind.DSSE_V2)
INTOTO_OLD = Form(entry=EntryKind.INTOTO_OLD)
PROVEN = (*V1, *V2, PROOF_ONLY, DSSE_V2, INTOTO_OLD)
SIGNERS = ("spec", "signatures")
HASHED = ("spec", "hashedRekordV002")
KEY_DETAILS = (*HASHED, "signature", "verifier", "keyDetails")
ALGORITHM = (*HASHED, "data", "algorithm")
OTHER = b'{"_type":"https://in-toto.io/Statement/v1"}'
OTHER_SIGNATURE = sign_message(stranger_of(KeyKind.P256), pae(INTOTO, OTHER))


def _log(lab: Lab, bundle: Json) -> TransparencyLog:
    kind = entry_of(bundle)["kindVersion"]
    second = EntryKind(f"{kind['kind']} {kind['version']}").second
    return lab.sigstore.rekor_v2 if second else lab.sigstore.rekor_v1


def _told(change: Callable[[Signed], Signed]) -> Remake:
    """The log was told of something else, and took it."""
    return lambda lab, form: lab.bundle(form, noted=change)


def _noted(change: Callable[[Json], Json]) -> Remake:
    """The log wrote down something else."""
    return lambda lab, form: lab.bundle(form, body=change)


def _checkpoint(**change: Any) -> Spoil:
    """The log, or who claims to be it, signed something else about its tree."""

    def spoil(lab: Lab, bundle: Json) -> Json:
        log, proof = _log(lab, bundle), proof_of(bundle)
        wishes: Json = {
            "size": int(proof["treeSize"]),
            "root": base64.b64decode(proof["rootHash"]),
        } | change
        if wishes.get("key") == "stranger":
            wishes["key"] = stranger(log.key)
        text = log.checkpoint(**wishes)
        return changed(bundle, *PROOF, "checkpoint", "envelope", to=text)

    return spoil


def _in_another_name(lab: Lab, bundle: Json) -> Json:
    """The log's key signed a checkpoint as a log of another name."""
    proof, name = proof_of(bundle), "log.evil.example"
    note = f"{name}\n{proof['treeSize']}\n{proof['rootHash']}\n"
    text = f"{note}\n{_log(lab, bundle).signature_line(note, name=name)}"
    return changed(bundle, *PROOF, "checkpoint", "envelope", to=text)


def _promised_by_second(lab: Lab, bundle: Json) -> Json:
    """The log that knows no time promised one."""
    entry = entry_of(bundle) | {"integratedTime": _a_moment_ago()}
    signing = copy.copy(lab.sigstore.rekor_v1)
    signing.key, signing.log_id = (
        lab.sigstore.rekor_v2.key,
        lab.sigstore.rekor_v2.log_id,
    )
    return changed(
        bundle, *ENTRY, to=entry | {"inclusionPromise": signing.promise(entry)}
    )


def _promised_for_no_time(lab: Lab, bundle: Json) -> Json:
    """The log promised that it took the entry when time began."""
    entry = entry_of(bundle) | {"integratedTime": "0"}
    promise = lab.sigstore.rekor_v1.promise(entry)
    return changed(bundle, *ENTRY, to=entry | {"inclusionPromise": promise})


def _only_a_witness(lab: Lab, bundle: Json) -> Json:
    """Somebody signed the checkpoint, not the log."""
    log = _log(lab, bundle)
    text = proof_of(bundle)["checkpoint"]["envelope"]
    note = text.rpartition("\n\n")[0] + "\n"
    other = other_sigstore().rekor_v2
    line = other.signature_line(note, name="witness.example")
    assert log is not other
    return changed(bundle, *PROOF, "checkpoint", "envelope", to=f"{note}\n{line}")


def _two_faced(_: Lab, bundle: Json) -> Json:
    """A signature over the note without the lines that were put in afterwards."""
    text = proof_of(bundle)["checkpoint"]["envelope"]
    note, _, lines = text.rpartition("\n\n")
    return changed(
        bundle, *PROOF, "checkpoint", "envelope", to=f"{note}\nmore\n\n{lines}"
    )


def _too_many_lines(_: Lab, bundle: Json) -> Json:
    text = proof_of(bundle)["checkpoint"]["envelope"]
    note, _, line = text.rpartition("\n\n")
    return changed(
        bundle, *PROOF, "checkpoint", "envelope", to=f"{note}\n\n{line * 40}"
    )


def _promised(change: Callable[[Json], Json]) -> Spoil:
    """The log promised something else than what the entry says."""

    def spoil(lab: Lab, bundle: Json) -> Json:
        promise = lab.sigstore.rekor_v1.promise(change(entry_of(bundle)))
        return changed(bundle, *ENTRY, "inclusionPromise", to=promise)

    return spoil


def _promised_by_stranger(lab: Lab, bundle: Json) -> Json:
    log = lab.sigstore.rekor_v1
    promise = log.promise(entry_of(bundle), key=stranger(log.key))
    return changed(bundle, *ENTRY, "inclusionPromise", to=promise)


def _proof_for_all(_: Lab, bundle: Json) -> Json:
    """A tree of the forger's own, with the log's checkpoint of another."""
    tree = MerkleTree()
    tree.append(base64.b64decode(entry_of(bundle)["canonicalizedBody"]))
    proof = proof_of(bundle) | {
        "logIndex": "0",
        "treeSize": "1",
        "hashes": [],
        "rootHash": b64(tree.root()),
    }
    return changed(bundle, *PROOF, to=proof)


def _other_bundles_entry(lab: Lab, form: Form) -> Json:
    """An honest entry, of another signing by the same person."""
    return changed(lab.bundle(form), *ENTRY, to=entry_of(lab.bundle(form)))


def _a_moment_ago() -> str:
    return str(int(time.time()) - 20)


def _rebodied(change: Callable[[bytes], bytes]) -> Spoil:
    """The body as bytes; nothing that is signed goes along."""
    return lambda _, b: changed(
        b,
        *ENTRY,
        "canonicalizedBody",
        to=lambda raw: b64(change(base64.b64decode(raw))),
    )


NEGATIVES = [
    *remade(
        PROVEN,
        (
            "logged with another payload",
            "log entry of this",
            _told(lambda signed: replace(signed, payload=OTHER)),
        ),
        (
            "logged with another signature",
            "log entry of this (signature|envelope)",
            _told(lambda signed: replace(signed, signature=OTHER_SIGNATURE)),
        ),
        (
            "logged for another key",
            "log entry of this signer",
            _told(
                lambda signed: replace(
                    signed, verifier=stranger_of(KeyKind.P256).public_key()
                )
            ),
        ),
        ("the entry of another signing", "log entry of this", _other_bundles_entry),
        (
            "an entry with something more in it",
            "log entry: more",
            _noted(lambda body: changed(body, "spec", "more", to=1)),
        ),
        (
            "an entry of a kind that nobody knows",
            "log entry of a known kind",
            _noted(lambda body: body | {"kind": "rekord", "apiVersion": "0.0.1"}),
        ),
    ),
    *remade(
        (KEYLESS_V1, KEYED_V1),
        (
            "an entry with two signers",
            "one signer",
            _noted(lambda body: changed(body, *SIGNERS, to=lambda found: found * 2)),
        ),
        (
            "an entry with no signer",
            "one signer",
            _noted(lambda body: changed(body, *SIGNERS, to=[])),
        ),
    ),
    *remade(
        V2,
        (
            "an entry for another kind of key",
            "log entry of this kind of key",
            _noted(lambda body: changed(body, *KEY_DETAILS, to="PKIX_ED25519")),
        ),
        (
            "an entry of a hash of another length",
            "64 bytes of sha512",
            _noted(lambda body: changed(body, *ALGORITHM, to="SHA2_512")),
        ),
    ),
    *negatives(
        (
            "the entry said to be of another kind",
            PROVEN,
            "one kind of log entry",
            lambda _, b: changed(b, *ENTRY, "kindVersion", "kind", to="rekord"),
        ),
        (
            "the entry said to be of another version",
            PROVEN,
            "one kind of log entry",
            lambda _, b: changed(b, *ENTRY, "kindVersion", "version", to="0.0.9"),
        ),
        (
            "the body's keys in another order",
            PROVEN,
            "inclusion|root",
            _rebodied(
                lambda raw: json.dumps(dict(reversed(json.loads(raw).items()))).encode()
            ),
        ),
        (
            "a key twice in the body",
            PROVEN,
            "twice",
            _rebodied(lambda raw: b'{"kind":"x",' + raw[1:]),
        ),
        (
            "a proof for a tree of the forger's",
            PROVEN,
            "checkpoint",
            _proof_for_all,
        ),
        (
            "another root in the proof",
            PROVEN,
            "invalid root hash",
            lambda _, b: changed(b, *PROOF, "rootHash", to=flipped),
        ),
        (
            "another size in the proof",
            PROVEN,
            "more hashes in the proof|invalid root hash",
            lambda _, b: changed(
                b, *PROOF, "treeSize", to=lambda size: str(int(size) + 1)
            ),
        ),
        (
            "another place in the proof",
            PROVEN,
            "hashes in the proof|invalid root hash",
            lambda _, b: changed(b, *PROOF, "logIndex", to="0"),
        ),
        (
            "a place beyond the tree",
            PROVEN,
            "index of a leaf inside of its tree",
            lambda _, b: changed(b, *PROOF, "logIndex", to=proof_of(b)["treeSize"]),
        ),
        (
            "another hash in the proof",
            PROVEN,
            "invalid root hash",
            lambda _, b: changed(b, *PROOF, "hashes", 0, to=flipped),
        ),
        (
            "a hash of another length in the proof",
            PROVEN,
            "SHA-256 hashes in the proof",
            lambda _, b: changed(
                b,
                *PROOF,
                "hashes",
                0,
                to=lambda h: b64(base64.b64decode(h)[:-1]),
            ),
        ),
        (
            "a hash too many in the proof",
            PROVEN,
            "fewer hashes in the proof",
            lambda _, b: changed(
                b, *PROOF, "hashes", to=lambda found: [*found, b64(sha256(b""))]
            ),
        ),
        (
            "a hash too few in the proof",
            PROVEN,
            "more hashes in the proof",
            lambda _, b: changed(b, *PROOF, "hashes", to=lambda found: found[:-1]),
        ),
        (
            "a checkpoint of another log",
            PROVEN,
            "checkpoint",
            _checkpoint(headline="log.evil.example"),
        ),
        (
            "a checkpoint that a stranger signed",
            PROVEN,
            "checkpoint",
            _checkpoint(key="stranger"),
        ),
        (
            "a checkpoint of another root",
            PROVEN,
            "checkpoint",
            _checkpoint(root=sha256(b"another")),
        ),
        (
            "a checkpoint of another size",
            PROVEN,
            "checkpoint",
            _checkpoint(size=7_000_000),
        ),
        (
            "a checkpoint with a bit of its signature flipped",
            PROVEN,
            "checkpoint",
            lambda _, b: changed(
                b,
                *PROOF,
                "checkpoint",
                "envelope",
                to=lambda text: (
                    text.rpartition(" ")[0]
                    + " "
                    + flipped(text.rpartition(" ")[2].strip())
                    + "\n"
                ),
            ),
        ),
        (
            "a checkpoint that only a witness signed",
            PROVEN,
            "checkpoint",
            _only_a_witness,
        ),
        (
            "a checkpoint in another name, by the log's key",
            (*V2, *V1),
            "expected a checkpoint of",
            _in_another_name,
        ),
        (
            "a promise of a log that knows no time",
            V2,
            "promise only from a log that says when",
            _promised_by_second,
        ),
        (
            "a promise for no time",
            (*V1, PROMISE_ONLY),
            "promise only from a log that says when|promised by the log or stamped",
            _promised_for_no_time,
        ),
        ("a checkpoint with lines put in", PROVEN, "checkpoint", _two_faced),
        (
            "an entry of a log that the trust root does not know",
            PROVEN,
            "transparency log of the trust root",
            lambda _, b: changed(
                b, *ENTRY, "logId", "keyId", to=b64(sha256(b"another"))
            ),
        ),
        (
            "no entry where logs are trusted",
            (KEYLESS_V1,),
            "entry of a transparency log",
            lambda _, b: changed(b, "verificationMaterial", "tlogEntries", to=[]),
        ),
        (
            "no entry in a stamped bundle where logs are trusted",
            (KEYLESS_V2,),
            "entry of a transparency log",
            lambda _, b: dropped(b, "verificationMaterial", "tlogEntries"),
        ),
        (
            "neither promise nor stamp",
            (KEYLESS_V1, INTOTO_V1),
            "time",
            lambda _, b: dropped(b, *ENTRY, "inclusionPromise"),
        ),
        (
            "no stamp with a log that knows no time",
            (KEYLESS_V2,),
            "time",
            lambda _, b: dropped(
                b, "verificationMaterial", "timestampVerificationData"
            ),
        ),
        (
            "a time put into an entry of a log that knows none",
            (KEYLESS_V2,),
            "promise",
            lambda _, b: dropped(
                changed(
                    changed(b, *ENTRY, "integratedTime", to=_a_moment_ago()),
                    *ENTRY,
                    "inclusionPromise",
                    to={"signedEntryTimestamp": b64(sha256(b""))},
                ),
                "verificationMaterial",
                "timestampVerificationData",
            ),
        ),
    ),
    *negatives(
        (
            "a promise of another body",
            (*V1, PROMISE_ONLY),
            "promise",
            _promised(
                lambda e: e | {"canonicalizedBody": b64(rfc8785.dumps({"a": 1}))}
            ),
        ),
        (
            "a promise of another time",
            (*V1, PROMISE_ONLY),
            "promise",
            _promised(lambda e: e | {"integratedTime": "1700000000"}),
        ),
        (
            "a promise of another place",
            (*V1, PROMISE_ONLY),
            "promise",
            _promised(lambda e: e | {"logIndex": "1"}),
        ),
        (
            "a promise that a stranger signed",
            (*V1, PROMISE_ONLY),
            "promise",
            _promised_by_stranger,
        ),
        (
            "the promised time moved",
            (*V1, PROMISE_ONLY),
            "promise",
            lambda _, b: changed(
                b,
                *ENTRY,
                "integratedTime",
                to=lambda at: str(int(at) + 1),
            ),
        ),
        (
            "the promised place moved",
            (*V1, PROMISE_ONLY),
            "promise",
            lambda _, b: changed(b, *ENTRY, "logIndex", to="1"),
        ),
    ),
    *negatives(
        (
            "two log entries",
            PROVEN,
            "one log entry",
            lambda _, b: changed(
                b,
                "verificationMaterial",
                "tlogEntries",
                to=lambda found: found * 2,
            ),
        ),
        (
            "a proof that is too long",
            PROVEN,
            "at most 64 hashes",
            lambda _, b: changed(b, *PROOF, "hashes", to=[b64(sha256(b""))] * 65),
        ),
        (
            "no checkpoint",
            PROVEN,
            "checkpoint",
            lambda _, b: dropped(b, *PROOF, "checkpoint"),
        ),
        (
            "no proof in a bundle v0.3",
            PROVEN,
            "proof of inclusion",
            lambda _, b: dropped(b, *ENTRY, "inclusionProof"),
        ),
        (
            "a log entry without kind",
            PROVEN,
            "kindVersion",
            lambda _, b: dropped(b, *ENTRY, "kindVersion"),
        ),
        error=Malformed,
    ),
    *negatives(
        (
            "a checkpoint with more signatures than anybody needs",
            PROVEN,
            "signatures of a checkpoint",
            _too_many_lines,
        ),
    ),
]
