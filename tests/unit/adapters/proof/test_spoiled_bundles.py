"""No spoiled bundle proves anything else than the sound one did."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.adapters.proof.judge import Material, Proof, Refusal, judge
from countersign.adapters.signatures import sign
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Evidence
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope, signed_bytes
from tests.support.proving import STATEMENT, key_root, sigstore_root
from tests.support.sigstore import DANA, ISSUER, shared
from tools.sigstore.encoding import sha256
from tools.sigstore.tsa import StampRequest

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ANY = Digest.sha256(b"the bytes may differ, not what they prove")
MATERIAL = Material((sigstore_root(shared()), key_root(dana=PEM)))


def _keyed() -> bytes:
    signature = sign(KEY, signed_bytes(STATEMENT))
    at = shared().since.replace(year=shared().since.year + 1)
    stamp = shared().tsa.stamp(StampRequest(sha256(signature)), at=at)
    return render_key_bundle(Envelope(STATEMENT, signature), "dana", [stamp])


BUNDLES = {
    "v1": shared().attest(STATEMENT, san=DANA, issuer=ISSUER),
    "v1 stamped": shared().attest(STATEMENT, san=DANA, issuer=ISSUER, stamped=True),
    "v2": shared().attest(STATEMENT, san=DANA, issuer=ISSUER, rekor="v2"),
    "key": _keyed(),
}


def facts(raw: bytes) -> Evidence | None:
    """Return what `raw` proves, but for its own digest."""
    outcome = judge(raw, MATERIAL)
    if not isinstance(outcome, Proof):
        return None
    return replace(outcome.evidence, bundle=ANY)


SOUND = {name: facts(raw) for name, raw in BUNDLES.items()}


def test_whatever_is_thrown_is_a_refusal() -> None:
    """The thread that judges must not end by it; Rust's panics are no exceptions."""

    class Panic(BaseException):
        """What no handler of exceptions sees."""

    class Panicking(bytes):
        """Bytes that cannot be read."""

        def decode(self, *_: object) -> str:
            """Fail as no bytes do."""
            raise Panic("a library gave up")

    outcome = judge(Panicking(b"{}"), MATERIAL)

    assert isinstance(outcome, Refusal)
    assert outcome.reason == "a library gave up"


@pytest.mark.parametrize("name", BUNDLES)
def test_the_sound_ones_prove_something(name: str) -> None:
    """Or the properties below would be about nothing."""
    assert SOUND[name]


@settings(max_examples=150)
@given(st.sampled_from(sorted(BUNDLES)), st.data())
def test_a_flipped_bit_of_a_bundle_changes_no_fact(
    name: str, data: st.DataObject
) -> None:
    """Any bit of the JSON. Seen to fail with stamps that do not hold skipped."""
    raw = bytearray(BUNDLES[name])
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))

    assert facts(bytes(raw)) in (None, SOUND[name])


@settings(max_examples=150)
@given(st.sampled_from(sorted(BUNDLES)), st.data())
def test_a_flipped_bit_inside_of_a_field_changes_no_fact(
    name: str, data: st.DataObject
) -> None:
    """Any bit under the base64. Seen to fail with stamps that do not hold skipped."""
    document = json.loads(BUNDLES[name])
    holder, key = data.draw(st.sampled_from([*_binary(document)]))
    raw = bytearray(base64.b64decode(holder[key]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    holder[key] = base64.b64encode(raw).decode()

    assert facts(json.dumps(document).encode()) in (None, SOUND[name])


@settings(max_examples=150)
@given(st.sampled_from(sorted(BUNDLES)), st.sampled_from(sorted(BUNDLES)), st.data())
def test_a_part_of_another_bundle_adds_no_fact(
    name: str, other: str, data: st.DataObject
) -> None:
    """Any one place replaced by what stands there in another bundle, or taken away.

    A stamp can be taken off: then nobody says when, and that is all that may be lost.
    Seen to fail with the check of stamps of key-signed bundles taken out.
    """
    document = json.loads(BUNDLES[name])
    holder, key, path = data.draw(st.sampled_from([*_places(document, ())]))
    found: Any = json.loads(BUNDLES[other])
    try:
        for step in path:
            found = found[step]
        holder[key] = found
    except (KeyError, IndexError, TypeError):
        del holder[key]

    found = facts(json.dumps(document).encode())

    sound = [s for s in SOUND.values() if s and found and s.signer == found.signer]

    assert found is None or _undated(found) in [_undated(s) for s in sound]
    assert found is None or found.signed_at in [None, *(s.signed_at for s in sound)]


def _undated(evidence: Evidence) -> Evidence:
    return replace(evidence, signed_at=None)


def _places(node: Any, path: tuple[Any, ...]) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in list(items):
        yield node, key, (*path, key)
        if isinstance(child, dict | list):
            yield from _places(child, (*path, key))


def _binary(document: Any) -> Any:
    numbers = ("logIndex", "treeSize", "integratedTime")
    for holder, key, _ in _places(document, ()):
        value = holder[key]
        if isinstance(value, str) and key not in numbers:
            try:
                decoded = base64.b64decode(value, validate=True)
            except ValueError:
                continue
            if decoded:
                yield holder, key
