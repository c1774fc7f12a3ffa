"""Whatever is done to a bundle, it proves what it proved, or nothing.

Never another exception, never more work than its form can cost. ``COUNTERSIGN_SWEEP=full``
tries eighty times as much; ``COUNTERSIGN_SEED`` names what is tried.
"""

import base64
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from countersign.adapters.proof.judge import Material, Outcome, Proof, Refusal, judge
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Evidence
from tests.support.forging import Json, Lab, raw, sound
from tests.support.mutating import (
    as_json,
    asn1_changed,
    base64_changed,
    body_changed,
    bytes_changed,
    json_changed,
)
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
EXAMPLES = 5_000 if FULL else 60  # of each way to change a bundle
SEED = int(os.environ.get("COUNTERSIGN_SEED", "0")) or random.getrandbits(32)

MAX_VERIFIED = 40  # signatures a bundle costs at most, under the trust roots here

LAB = Lab()
FORMS = [
    KEYLESS_V1,
    replace(KEYLESS_V1, entry=EntryKind.INTOTO),
    replace(KEYLESS_V1, entry=EntryKind.INTOTO_OLD),
    replace(KEYLESS_V1, entry=EntryKind.HASHED),
    replace(KEYLESS_V2, entry=EntryKind.DSSE_V2),
    replace(KEYLESS_V1, stamps=2),
    replace(KEYLESS_V1, promise=False, stamps=1),
    Form(media=Media.V01, chained=True),
    Form(media=Media.V01, chained=True, proof=False),
    Form(media=Media.V02, chained=True),
    Form(media=Media.V03_OLD),
    KEYLESS_V2,
    PRIVATE,
    KEYED_V2,
    Form(certified=False, entry=None, stamps=1),
    *[
        replace(form, key=kind)
        for kind in KeyKind
        if kind is not KeyKind.P521
        for form in (KEYLESS_V1, KEYED, KEYED_V1)
    ],
]
QUICK = [form for form in FORMS if "RSA" not in form.key]  # to be signed anew
LOGGED = [form for form in QUICK if form.entry is not None]
MATERIALS = {form: Material(LAB.roots(form)) for form in FORMS}
ANY = Digest.sha256(b"the bytes may differ, not what they prove")
ways = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class _Count:
    verified: int = 0


@contextmanager
def counted() -> Iterator[_Count]:
    """Count the signatures that are verified meanwhile."""
    names = ("verify", "verify_directly_issued_by", "verify_message")
    count = _Count()

    def seen(_: Any, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in names:
            count.verified += 1

    sys.setprofile(seen)
    try:
        yield count
    finally:
        sys.setprofile(None)


def facts(outcome: Outcome) -> Evidence | None:
    """Return what was proven, but for the digest of the bundle."""
    if isinstance(outcome, Refusal):
        assert outcome.reason
        return None
    assert isinstance(outcome, Proof)
    return replace(outcome.evidence, bundle=ANY)


def _undated(evidence: Evidence) -> Evidence:
    return replace(evidence, signed_at=None)


SOUND = {form: facts(judge(raw(sound(form)), MATERIALS[form])) for form in FORMS}
TIMES = {evidence.signed_at for evidence in SOUND.values() if evidence}


def require(form: Form, data: bytes) -> None:
    """Require the facts of the sound bundle, or none, at a bounded price.

    What dates a key's signature can be taken off: then nobody says when. A time may
    stand in another bundle of the same signer, whose parts were mixed in.
    """
    with counted() as count:
        found = facts(judge(data, MATERIALS[form]))

    assert count.verified <= MAX_VERIFIED
    if found is not None:
        assert _undated(found) in [_undated(s) for s in SOUND.values() if s]
        assert found.signed_at in TIMES or (
            not form.certified and found.signed_at is None
        )


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_sound_ones_prove_something(form: Form) -> None:
    """Or the properties would be about nothing."""
    assert SOUND[form]


@seed(SEED)
@ways
@given(st.sampled_from(FORMS), st.data())
def test_bytes_changed(form: Form, data: st.DataObject) -> None:
    """Anywhere in the JSON."""
    require(form, data.draw(bytes_changed(raw(sound(form)))))


@seed(SEED)
@ways
@given(st.sampled_from(FORMS), st.sampled_from(FORMS), st.data())
def test_json_changed(form: Form, other: Form, data: st.DataObject) -> None:
    """Any place: another value, none, twice, or what stands there in another bundle."""
    changed = data.draw(json_changed(sound(form), [sound(other)]))

    require(form, as_json(changed))


@seed(SEED)
@ways
@given(st.sampled_from(FORMS), st.data())
def test_bytes_under_base64_changed(form: Form, data: st.DataObject) -> None:
    """Certificates, signatures, stamps, hashes, bodies, payloads."""
    require(form, raw(data.draw(base64_changed(sound(form)))))


@seed(SEED)
@ways
@given(st.sampled_from(FORMS), st.data())
def test_asn1_changed(form: Form, data: st.DataObject) -> None:
    """One element, with lengths that fit, or are written as they may not be."""
    require(form, raw(data.draw(asn1_changed(sound(form)))))


@seed(SEED)
@ways
@given(st.sampled_from(LOGGED), st.data())
def test_what_the_log_took_changed(form: Form, data: st.DataObject) -> None:
    """The log wrote down something else, promised and proved it."""

    def change(body: Json) -> Json:
        changed = data.draw(body_changed(body))
        try:
            rfc8785.dumps(changed)
        except (rfc8785.CanonicalizationError, UnicodeEncodeError):
            return body
        named = isinstance(changed.get("kind"), str)
        return changed if named and "apiVersion" in changed else body

    require_undated(form, LAB.bundle(form, body=change))


def require_undated(form: Form, bundle: Json) -> None:
    """Require the facts of the sound bundle, but for the time, or none."""
    sound_facts, found = SOUND[form], facts(judge(as_json(bundle), MATERIALS[form]))

    assert (
        found is None or sound_facts is None or _undated(found) == _undated(sound_facts)
    )


@seed(SEED)
@ways
@given(st.binary(max_size=2000) | st.text(max_size=500).map(str.encode))
def test_anything(data: bytes) -> None:
    """Bytes that are no bundle."""
    assert facts(judge(data, MATERIALS[KEYLESS_V1])) is None


@seed(SEED)
@ways
@given(st.sampled_from(QUICK), st.binary(max_size=600))
def test_any_bytes_in_place_of_a_payload(form: Form, data: bytes) -> None:
    """A statement that somebody signed, whatever it says."""
    bundle = replace(LAB, statement=data).bundle(form)

    assert isinstance(judge(raw(bundle), MATERIALS[form]), Proof | Refusal)
    assert base64.b64decode(bundle["dsseEnvelope"]["payload"]) == data
