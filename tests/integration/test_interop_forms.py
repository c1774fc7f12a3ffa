"""The real cosign on what the stand-in makes: sound forms it verifies, forged ones not.

Forged ones are drawn by chance; ``COUNTERSIGN_SWEEP=full`` tries all of them.
"""

import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from countersign.core.types.trust import TrustRoot
from tests.conformance.test_negatives import NEGATIVES, describe
from tests.support.forging import (
    Forged,
    Json,
    Lab,
    key_of,
    pem_of,
    raw,
)
from tests.support.pushed import cosign
from tests.support.sigstore import DANA, ISSUER
from tools.sigstore.entries import EntryKind
from tools.sigstore.forms import (
    KEYED,
    KEYED_V1,
    KEYED_V2,
    KEYLESS_V1,
    KEYLESS_V2,
    PRIVATE,
    Form,
    Media,
)
from tools.sigstore.keys import KeyKind

FULL = os.environ.get("COUNTERSIGN_SWEEP") == "full"
DRAWN = 8  # forged bundles; each costs cosign up to a second
BLOB = b"what is signed\n"
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {"name": "blob", "digest": {"sha256": hashlib.sha256(BLOB).hexdigest()}}
    ],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {},
}
LAB = Lab(statement=json.dumps(STATEMENT).encode())
INTOTO = EntryKind.INTOTO
FORMS = [
    KEYLESS_V1,
    replace(KEYLESS_V1, entry=INTOTO),
    KEYLESS_V2,
    PRIVATE,
    KEYED,
    KEYED_V1,
    replace(KEYED_V1, entry=INTOTO),
    KEYED_V2,
    Form(media=Media.V01, chained=True),
    Form(media=Media.V02, chained=True),
    Form(media=Media.V03_OLD),
    replace(KEYLESS_V2, key=KeyKind.P384),
    replace(KEYLESS_V1, key=KeyKind.ED25519),
    replace(KEYED_V2, key=KeyKind.RSA_2048),
    replace(KEYED_V1, key=KeyKind.ED25519),
]
FORGED = [
    negative for negative in NEGATIVES if negative.form in (KEYLESS_V1, KEYLESS_V2)
]
_IDENTITY = "one name that is asked for is enough"
_CHECKPOINT = (
    "Rekor v2's proof is led to the checkpoint's root; no other field is asked"
)
_ONE_STAMP = "one stamp that holds is enough"
_LENIENT = "its readers take more"
TAKEN = {
    "two names": _IDENTITY,
    "a URI that is an address": _IDENTITY,
    "an authority's certificate": "a signer's certificate may be an authority's",
    "a curve that nobody here verifies with": "it verifies with P-521",
    "issued for no purpose": "what a certificate does not say it may be used for",
    "issued for no use of the key": "what a certificate does not say it may be used for",
    "issued for signing certificates": "of a signer's key, the use is not asked",
    "two promises": "one promise that holds is enough",
    "log key retired before": "windows of Rekor v2's keys are asked of no time",
    "log key not yet begun": "windows of Rekor v2's keys are asked of no time",
    "an entry with something more in it": _LENIENT,
    "an entry with two signers": "the first one counts",
    "the entry said to be of another kind": "only the body's kind counts",
    "the entry said to be of another version": "only the body's kind counts",
    "the body's keys in another order": "Rekor v2's body is written anew",
    "another root in the proof": _CHECKPOINT,
    "another size in the proof": _CHECKPOINT,
    "another place in the proof": _CHECKPOINT,
    "a place beyond the tree": _CHECKPOINT,
    "an index below nothing": _CHECKPOINT,
    "a checkpoint of another size": "of a checkpoint, the signature and the root are asked",
    "a checkpoint with more signatures than anybody needs": "its limits are others",
    "a size with zeros before it in a checkpoint": _LENIENT,
    "an empty line in a checkpoint": _LENIENT,
    "a checkpoint longer than any": "its limits are others",
    "more than a mebibyte": "its limits are others",
    "a stranger's stamp beside the right one": _ONE_STAMP,
    "a stamp over another signature beside the right one": _ONE_STAMP,
    "stamped once more after the certificate ended": _ONE_STAMP,
    "a stamp twice": _ONE_STAMP,
    "certified, logged and stamped in the future": "the present is not asked",
    "fields as protobuf spells them in its own files": _LENIENT,
}


@dataclass(frozen=True)
class Folder:
    """Where cosign finds its files."""

    path: Path

    def accepts(
        self, form: Form, bundle: Json | bytes, roots: Sequence[TrustRoot]
    ) -> bool:
        """Ask cosign whether `bundle` is an attestation about the blob."""
        (self.path / "bundle.json").write_bytes(raw(bundle))
        (self.path / "key.pub").write_bytes(pem_of(key_of(form.key)))
        document = next((root.sigstore for root in roots if root.sigstore), None)
        root = document or json.dumps(LAB.sigstore.trusted_root()).encode()
        (self.path / "root.json").write_bytes(root)
        result = cosign(
            None,
            "verify-blob-attestation",
            *("--bundle", self.path / "bundle.json"),
            *("--trusted-root", self.path / "root.json"),
            *("--type", "slsaprovenance1"),
            *self._flags(form),
            self.path / "blob",
        )
        return result.ok

    def _flags(self, form: Form) -> list[str | Path]:
        flags: list[str | Path] = ["--key", self.path / "key.pub"]
        if form.certified:
            flags = ["--certificate-identity", DANA]
            flags += ["--certificate-oidc-issuer", ISSUER]
        if form.entry is None:
            flags.append("--insecure-ignore-tlog")
        if not form.scts:
            flags.append("--insecure-ignore-sct")
        if form.stamps:
            flags.append("--use-signed-timestamps")
        return flags


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Folder:
    (tmp_path / "blob").write_bytes(BLOB)
    return Folder(tmp_path)


@pytest.mark.parametrize("form", FORMS, ids=describe)
def test_cosign_verifies_what_the_stand_in_makes(folder: Folder, form: Form) -> None:
    """So what is proven here is what clients write."""
    assert folder.accepts(form, LAB.bundle(form), LAB.roots(form))


def test_cosign_refuses_what_is_forged(folder: Folder) -> None:
    """But for what it leaves to its caller, or does not ask."""
    for negative in FORGED if FULL else random.sample(FORGED, DRAWN):
        forged = negative.spoil(LAB, LAB.bundle(negative.form))
        if not isinstance(forged, Forged):
            forged = Forged(forged, LAB.roots(negative.form))
        accepted = folder.accepts(negative.form, forged.bundle, forged.roots)

        assert not accepted or negative.name in TAKEN, negative
