"""Forged proofs of a log: that it holds an entry, and its promises."""

import base64
import copy
from collections.abc import Callable
from typing import Any

import rfc8785

from tests.conformance.negatives.logs import (
    PROMISE_ONLY,
    PROVEN,
    V1,
    V2,
    just_after,
)
from tests.support.forging import (
    ENTRY,
    PROOF,
    Json,
    Lab,
    Spoil,
    b64,
    changed,
    entry_of,
    flipped,
    negatives,
    proof_of,
)
from tests.support.sigstore import stranger as other_sigstore
from tools.sigstore.encoding import sha256
from tools.sigstore.entries import EntryKind
from tools.sigstore.merkle import MerkleTree
from tools.sigstore.rekor import TransparencyLog
from tools.sigstore.vault import stranger

NOTED = (V1[0], V2[0])


def _log(lab: Lab, bundle: Json) -> TransparencyLog:
    kind = entry_of(bundle)["kindVersion"]
    second = EntryKind(f"{kind['kind']} {kind['version']}").second
    return lab.sigstore.rekor_v2 if second else lab.sigstore.rekor_v1


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


def _signed_note(change: Callable[[list[str]], list[str]]) -> Spoil:
    """The log signed a note of other lines."""

    def spoil(lab: Lab, bundle: Json) -> Json:
        text = proof_of(bundle)["checkpoint"]["envelope"]
        note = "\n".join(change(text.rpartition("\n\n")[0].split("\n"))) + "\n"
        line = _log(lab, bundle).signature_line(note)
        return changed(bundle, *PROOF, "checkpoint", "envelope", to=f"{note}\n{line}")

    return spoil


def _written(change: Callable[[str], str]) -> Spoil:
    """The checkpoint is written otherwise than it was."""
    return lambda _, b: changed(b, *PROOF, "checkpoint", "envelope", to=change)


def _promised_by_second(lab: Lab, bundle: Json) -> Json:
    """The log that knows no time promised one."""
    entry = entry_of(bundle) | {"integratedTime": just_after()}
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


NEGATIVES = [
    *negatives(
        (
            "a proof for a tree of the forger's",
            PROVEN,
            "another root",
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
            "expected a checkpoint of|in the log's name",
            _checkpoint(headline="log.evil.example"),
        ),
        (
            "a checkpoint that a stranger signed",
            PROVEN,
            "checkpoint that the log signed",
            _checkpoint(key="stranger"),
        ),
        (
            "a checkpoint of another root",
            PROVEN,
            "another root",
            _checkpoint(root=sha256(b"another")),
        ),
        (
            "a checkpoint of another size",
            PROVEN,
            "another root",
            _checkpoint(size=7_000_000),
        ),
        (
            "a checkpoint with a bit of its signature flipped",
            PROVEN,
            "checkpoint that the log signed",
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
            "in the log's name",
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
        (
            "a checkpoint with lines put in",
            PROVEN,
            "checkpoint that the log signed",
            _two_faced,
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
            "a checkpoint with more signatures than anybody needs",
            PROVEN,
            "signatures of a checkpoint",
            _too_many_lines,
        ),
    ),
    *negatives(
        (
            "a size with zeros before it in a checkpoint",
            NOTED,
            "size of a tree in the checkpoint",
            _signed_note(lambda lines: [lines[0], f"00{lines[1]}", *lines[2:]]),
        ),
        (
            "a root that is no base64 in a checkpoint",
            NOTED,
            "base64 in the checkpoint",
            _signed_note(lambda lines: [*lines[:2], f"{lines[2]}!", *lines[3:]]),
        ),
        (
            "an empty line in a checkpoint",
            NOTED,
            "lines, a blank one, signatures",
            _signed_note(lambda lines: [*lines, "", "more"]),
        ),
        (
            "a checkpoint of two lines",
            NOTED,
            "lines, a blank one, signatures",
            _signed_note(lambda lines: lines[:2]),
        ),
        (
            "a checkpoint without its end",
            NOTED,
            "lines, a blank one, signatures",
            _written(lambda text: text.rstrip("\n")),
        ),
        (
            "a checkpoint that nobody signed",
            NOTED,
            "lines, a blank one, signatures",
            _written(lambda text: text.rpartition("\n\n")[0] + "\n\n\n"),
        ),
        (
            "a signature of a checkpoint without its dash",
            NOTED,
            "a name and a signature in the checkpoint",
            _written(lambda text: text.replace("\u2014 ", "")),
        ),
        (
            "a checkpoint longer than any",
            NOTED,
            "at most 16384 characters",
            _signed_note(lambda lines: [*lines, "more" * 5000]),
        ),
    ),
]
