"""Where sigstore-python can judge too, it judges alike.

It is the reference that others verify with. It knows fewer forms, so it is asked about
those that it knows; and it leaves more to its caller, so what we refuse beyond it is
named here, reason by reason.
"""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.adapters.proof.judge import Material, Proof, Refusal, judge
from tests.support.proving import STATEMENT, sigstore_root
from tests.support.sigstore import DANA, ISSUER, Outsider, shared, stranger
from tools.sigstore import Identity, Part
from tools.sigstore.entries import EntryKind
from tools.sigstore.forms import Form, Media, Parts, make

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
MATERIAL = Material((sigstore_root(shared()),))
OUTSIDER = Outsider(shared())

FORMS = [
    Form(),
    Form(stamps=1),
    Form(promise=False, stamps=1),
    Form(entry=EntryKind.HASHED_V2, stamps=1),
    Form(chained=True, media=Media.V01),
    Form(chained=True, media=Media.V02, stamps=1),
    Form(media=Media.V03_OLD),
]
STRICTER = re.compile(  # what sigstore-python does not ask
    "transparency log of the trust root"  # it tries every key under a foreign name
    "|a checkpoint of |in the log's name"  # it does not look at names
    "|another root"  # nor at a checkpoint's size
    "|inside of its tree"  # nor at an index beyond it, where the path is the same
    "|a log that says when"  # it skips a promise without a time
    "|expected one kind of log entry"
    "|body of the log entry"  # it ignores unknown fields
    "|a stamp by an authority"  # it skips stamps that do not hold
    "|an entry of a transparency log, saw none"
)


def bundle(form: Form) -> bytes:
    """Sign as dana, an hour ago."""
    parts = Parts(identity=Identity(san=DANA, issuer=ISSUER), at=AT)
    return json.dumps(make(shared(), form, STATEMENT, parts)).encode()


BUNDLES = [bundle(form) for form in FORMS]


def theirs(raw: bytes) -> str:
    """Return ``""`` if sigstore-python accepts, or what it raises."""
    try:
        payload = OUTSIDER.payload(raw)
    except Exception as error:  # noqa: BLE001  it leaks more than its own
        return f"{type(error).__name__}: {error}"
    assert payload == STATEMENT
    return ""


def ours(raw: bytes) -> str:
    """Return ``""`` if we accept, or why not."""
    outcome = judge(raw, MATERIAL)
    if isinstance(outcome, Proof):
        return ""
    assert isinstance(outcome, Refusal)
    return "" if outcome.malformed else outcome.reason


def agree(raw: bytes) -> None:
    """Check that nobody accepts what the other refuses, but for what is named."""
    malformed = isinstance(judge(raw, MATERIAL), Refusal) and not ours(raw)
    mine, other = ours(raw), theirs(_leaf_alone(raw))
    if malformed:  # stricter by design: see tests/unit/wire
        return
    assert mine or not other, f"accepted here alone: {other}"
    assert other or not mine or STRICTER.search(mine), f"refused here alone: {mine}"


def _leaf_alone(raw: bytes) -> bytes:
    """Take from a chain what we never look at, and sigstore-python parses."""
    document = json.loads(raw)
    chain = document.get("verificationMaterial", {}).get("x509CertificateChain")
    if isinstance(chain, dict) and isinstance(chain.get("certificates"), list):
        del chain["certificates"][1:]
    return json.dumps(document).encode()


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_both_accept_what_is_sound(form: Form) -> None:
    """Or the properties below would be about nothing."""
    raw = bundle(form)

    assert (ours(raw), theirs(raw)) == ("", "")


@pytest.mark.parametrize("rekor", ["v1", "v2"])
@pytest.mark.parametrize("part", [*Part])
def test_both_refuse_what_is_forged(rekor: str, part: Part) -> None:
    """Whatever a stranger vouches for, and all of it together."""
    how: dict[str, Any] = {"san": DANA, "issuer": ISSUER, "rekor": rekor, "at": AT}
    stamped = part is Part.STAMP or rekor == "v2"
    if (rekor, part) == ("v2", Part.PROMISE):
        forged = stranger().attest(STATEMENT, **how)
    else:
        forged = shared().attest(STATEMENT, forged=[part], stamped=stamped, **how)

    assert ours(forged)
    if (rekor, part) != ("v1", Part.STAMP):  # it skips that: the promise is left
        assert theirs(forged)


@settings(max_examples=40)
@given(st.sampled_from(BUNDLES), st.data())
def test_both_judge_a_flipped_bit_alike(raw: bytes, data: st.DataObject) -> None:
    """Any bit under the base64 of any field, or of any number.

    Seen to fail with the promise unchecked, and with the chain's.
    """
    document = json.loads(raw)
    holder, key = data.draw(st.sampled_from([*_leaves(document)]))
    bits = bytearray(_bytes(holder[key]))
    bits[data.draw(st.integers(0, len(bits) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    holder[key] = _like(holder[key], bytes(bits))

    agree(json.dumps(document).encode())


@settings(max_examples=40)
@given(st.sampled_from(BUNDLES), st.sampled_from(BUNDLES), st.data())
def test_both_judge_a_foreign_part_alike(
    raw: bytes, other: bytes, data: st.DataObject
) -> None:
    """Any one place replaced by what stands there in another bundle."""
    document, found = json.loads(raw), json.loads(other)
    holder, key, path = data.draw(st.sampled_from([*_places(document, ())]))
    try:
        for step in path:
            found = found[step]
        holder[key] = found
    except (KeyError, IndexError, TypeError):
        del holder[key]

    agree(json.dumps(document).encode())


def _places(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, Any, Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in list(items):
        yield node, key, (*path, key)
        if isinstance(child, dict | list):
            yield from _places(child, (*path, key))


def _leaves(document: Any) -> Iterator[tuple[Any, Any]]:
    for holder, key, _ in _places(document, ()):
        if isinstance(holder[key], str) and holder[key] and key != "mediaType":
            yield holder, key


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True) or text.encode()
    except ValueError:
        return text.encode()


def _like(text: str, raw: bytes) -> str:
    """Write `raw` as `text` was written."""
    if _bytes(text) != text.encode():
        return base64.b64encode(raw).decode()
    return raw.decode(errors="replace")
