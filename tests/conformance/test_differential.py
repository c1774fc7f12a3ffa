"""Where sigstore-python reads a form, its verdict and ours are the same.

Except for what it leaves to its caller, does not ask, or does not read: those are named
here, each with the reason.
"""

import json
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier

from countersign.core.errors import Malformed, Rejected
from countersign.core.types.trust import TrustRoot
from tests.conformance.cases import CASES, Case
from tests.conformance.test_negatives import FORMS, NEGATIVES, describe
from tests.support.forging import Forged, Json, Lab, Negative, raw, sound
from tests.support.proving import prover
from tools.sigstore.entries import EntryKind
from tools.sigstore.forms import Form
from tools.sigstore.keys import KeyKind

LAB = Lab()


def supported(form: Form) -> bool:
    """Tell whether sigstore-python reads bundles of `form`."""
    return (
        form.certified
        and form.proof
        and form.key is KeyKind.P256
        and form.entry in (EntryKind.DSSE, EntryKind.HASHED_V2)
    )


_IDENTITY = "who it is, its policies ask; several names are matched one by one"
_ANCHORS = "whatever certificate the trust root names is an anchor of its own"
_WINDOWS = "the end of validFor is asked of no key but a stamping one's"
_ONE_TIME = "one source of time is enough; stamps that do not hold are passed over"
_CHECKPOINT = "of a checkpoint, the signature and the root are asked"
_LENIENT = "its readers take more than one spelling"
_PRESENT = "times in the future are the caller's to ask"
_CAPS = "its limits are others, or none"
LEFT_OUT = {
    "two names": _IDENTITY,
    "a host's name": _IDENTITY,
    "an address that is a URI": _IDENTITY,
    "a URI that is an address": _IDENTITY,
    "two issuers of the identity": _IDENTITY,
    "no issuer of the identity": _IDENTITY,
    "an authority for another purpose": _ANCHORS,
    "an authority for certain names only": _ANCHORS,
    "an authority below one whose certificate ended": _ANCHORS,
    "an authority below one that did not issue it": _ANCHORS,
    "an authority below two of which one has none below": _ANCHORS,
    "ca key retired before": _WINDOWS,
    "ct key retired before": _WINDOWS,
    "log key retired before": _WINDOWS,
    "tsa key retired before": _ONE_TIME,
    "tsa key not yet begun": _ONE_TIME,
    "tsa key not the one that the trust root names": _ONE_TIME,
    "a stamp over another signature": _ONE_TIME,
    "a stamp by a stranger in the name": _ONE_TIME,
    "a stamp by another of the same name": _ONE_TIME,
    "a stamp of a time before the authority": _ONE_TIME,
    "a bit of a stamp's signature flipped": _ONE_TIME,
    "a stranger's stamp beside the right one": _ONE_TIME,
    "a stamp over another signature beside the right one": _ONE_TIME,
    "an entry with something more in it": _LENIENT,
    "a checkpoint of another log": _CHECKPOINT,
    "a checkpoint of another size": _CHECKPOINT,
    "a checkpoint in another name, by the log's key": _CHECKPOINT,
    "a checkpoint with more signatures than anybody needs": _CAPS,
    "a size with zeros before it in a checkpoint": _LENIENT,
    "a root that is no base64 in a checkpoint": _LENIENT,
    "a checkpoint longer than any": _CAPS,
    "five stamps": _CAPS,
    "more than a mebibyte": _CAPS,
    "an index of 2^63": _CAPS,
    "certified, logged and stamped in the future": _PRESENT,
    "fields as protobuf spells them in its own files": _LENIENT,
    "a size in other digits": _LENIENT,
    "a size with leading zeros": _LENIENT,
    "base64 with a space": _LENIENT,
    "base64 with a line break": _LENIENT,
}
UNREAD = {
    "happy-path-intoto-in-dsse-v3": "no `intoto` entries",
    "intoto-with-custom-trust-root": "no `intoto` entries",
    "intoto-canonical-log-entry": "no `intoto` entries",
    "dsse-with-hashedrekord-happy-path": "no `hashedrekord` 0.0.1 about an envelope",
    "rekor2-dsse-happy-path": "no keys but P-256",
    "managed-key-happy-path": "no keys without certificate",
    "managed-key-and-trusted-root": "no keys without certificate",
    "managed-key-no-tlog": "no keys without certificate",
    "tsa-only-no-tlog": "no trust root without logs",
    "trust-root-tsa-validity-end-inclusive": "the end of a window is outside of it",
}
TAKEN = {
    "integrated-time-in-future_fail": _PRESENT,
    "trust-root-ca-outside-validity_fail": _WINDOWS,
}
SUPPORTED = [negative for negative in NEGATIVES if supported(negative.form)]
_NO_SIGNING = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
_CONFIG = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"


class _Anybody:
    """A policy of sigstore-python's that accepts anybody: who it is, we ask ourselves."""

    def verify(self, cert: x509.Certificate) -> None:
        """Accept `cert`."""


def theirs(bundle: Json | bytes, roots: tuple[TrustRoot, ...]) -> bool:
    """Ask sigstore-python."""
    root = next(root.sigstore for root in roots if root.sigstore)
    config = {
        "mediaType": _CONFIG,
        "trustedRoot": json.loads(root),
        "signingConfig": {"mediaType": _NO_SIGNING},
    }
    try:
        trusted = ClientTrustConfig.from_json(json.dumps(config)).trusted_root
        read = Bundle.from_json(raw(bundle))
        Verifier(trusted_root=trusted).verify_dsse(read, _Anybody())
    except Exception:  # noqa: BLE001  it leaks what its libraries raise
        return False
    return True


async def ours(bundle: Json | bytes, roots: tuple[TrustRoot, ...]) -> bool:
    """Ask our prover."""
    proving = prover(*roots, at=datetime.now(UTC))
    try:
        await proving.prove(raw(bundle))
    except (Malformed, Rejected):
        return False
    finally:
        proving.close()
    return True


@pytest.mark.parametrize("form", [f for f in FORMS if supported(f)], ids=describe)
async def test_both_accept_what_is_sound(form: Form) -> None:
    """Every form that both read."""
    bundle, roots = sound(form), LAB.roots(form)

    assert theirs(bundle, roots)
    assert await ours(bundle, roots)


@pytest.mark.parametrize(
    "negative",
    SUPPORTED,
    ids=lambda negative: f"{negative.name} ({describe(negative.form)})",
)
def test_it_refuses_what_we_refuse(negative: Negative) -> None:
    """But for what is named above. That we refuse it is asked elsewhere."""
    assert not _taken_in_by(negative) or negative.name in LEFT_OUT


def test_each_exception_is_one() -> None:
    """What it refuses in every form is no longer to be excepted."""
    taken = {negative.name for negative in SUPPORTED if _taken_in_by(negative)}

    assert set(LEFT_OUT) == taken


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_ends_the_cases_as_we_do(case: Case) -> None:
    """But for what it does not read, and for what it takes."""
    made = case.make(LAB)
    if not any(root.sigstore for root in made.roots):
        assert case.name in UNREAD
        return
    accepted = theirs(made.bundle, made.roots)

    assert accepted == (
        case.name not in UNREAD and (not case.refused or case.name in TAKEN)
    )


@cache
def _taken_in_by(negative: Negative) -> bool:
    """Tell whether sigstore-python accepts a forged bundle."""
    forged = negative.spoil(LAB, sound(negative.form))
    if not isinstance(forged, Forged):
        forged = Forged(forged, LAB.roots(negative.form))
    return theirs(forged.bundle, forged.roots)
