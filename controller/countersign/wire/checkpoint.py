"""Checkpoints: what a log signs about its tree, unverified.

Source:
    C2SP signed-note and tlog-checkpoint; github.com/sigstore/rekor, pkg/util.
"""

import base64
import binascii
from dataclasses import dataclass

from countersign.core.errors import Malformed

MAX_CHECKPOINT = 16384  # characters; a note with 16 witnesses has 2 thousand
MAX_SIGNATURES = 16  # of a note; the log's own is one of them
_KEY_HASH = 4  # bytes before a signature, naming its key
_LINES = 3  # origin, size and root; more may follow
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature of a note.

    Attributes:
        name: Whose it claims to be.
        key_hash: First 4 bytes of what names the key; a hint.
        value: The signature.
    """

    name: str
    key_hash: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says about its tree.

    Attributes:
        signed: What the signatures are over.
        origin: First line: which log, which tree.
        size: Leaves.
        root: Hash of the tree.
        signatures: At least one, at most `MAX_SIGNATURES`.
    """

    signed: bytes
    origin: str
    size: int
    root: bytes
    signatures: tuple[NoteSignature, ...]

    @property
    def host(self) -> str:
        """The log's name: the first log writes the id of its tree behind it."""
        name, dash, tree = self.origin.rpartition(" - ")
        return name if dash and tree.isdecimal() else self.origin


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a signed note over the head of a tree.

    Raises:
        Malformed: it is none, or over a limit.

    Limits:
        `MAX_CHECKPOINT`, `MAX_SIGNATURES`.
    """
    if len(text) > MAX_CHECKPOINT:
        raise Malformed(f"expected a checkpoint of at most {MAX_CHECKPOINT} characters")
    note, blank, tail = text.rpartition("\n\n")
    lines = note.split("\n")
    if not blank or not tail.endswith("\n") or len(lines) < _LINES or not all(lines):
        raise Malformed("expected a checkpoint: lines, a blank one, signatures")
    signed_lines = tail.removesuffix("\n").split("\n")
    if len(signed_lines) > MAX_SIGNATURES:
        raise Malformed(f"expected at most {MAX_SIGNATURES} signatures of a checkpoint")
    return Checkpoint(
        signed=f"{note}\n".encode(),
        origin=lines[0],
        size=_size(lines[1]),
        root=_base64(lines[2]),
        signatures=tuple(_signature(line) for line in signed_lines),
    )


def _size(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or text != str(int(text[:20])):
        raise Malformed("expected the size of a tree in the checkpoint")
    return int(text)


def _signature(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _base64(encoded)
    if not line.startswith(_DASH) or not name or not space or len(raw) <= _KEY_HASH:
        raise Malformed("expected a name and a signature in the checkpoint")
    return NoteSignature(name, raw[:_KEY_HASH], raw[_KEY_HASH:])


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("expected base64 in the checkpoint") from error
