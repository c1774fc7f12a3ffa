"""cosign's older layers: envelope and annotations must be of one signing."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from countersign.core.errors import CountersignError, Malformed, Rejected
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Evidence
from countersign.wire.cosign import BUNDLE, CERTIFICATE, STAMP, legacy_attestation
from tests.support.forging import ME, Json, Lab, changed, flipped
from tests.support.proving import prover
from tests.support.sigstore import stranger
from tools.sigstore.forms import KEYED_V1, KEYLESS_V1, Form, layer

Layer = tuple[bytes, dict[str, str]]

LAB = Lab()
STAMPED = replace(KEYLESS_V1, stamps=1)
FORMS = (KEYLESS_V1, STAMPED, KEYED_V1)
CHAIN = (LAB.sigstore.ca.intermediate, LAB.sigstore.ca.root)
MALLORY = replace(ME, san="mallory@acme.example")
OTHER = replace(LAB, statement=LAB.statement + b" ")


def _layer(form: Form, lab: Lab = LAB) -> Layer:
    return layer(lab.bundle(form), CHAIN if form.certified else ())


def _other(form: Form) -> Layer:
    """A layer that mallory signed, over another statement."""
    parts = {"identity": MALLORY} if form.certified else {}
    return layer(OTHER.bundle(form, **parts), CHAIN if form.certified else ())


async def _prove(found: Layer, form: Form) -> Evidence:
    proving = prover(*LAB.roots(form), at=datetime.now(UTC))
    try:
        return await proving.prove(legacy_attestation(*found))
    finally:
        proving.close()


def _promise(*path: str, to: Callable[[object], object]) -> Callable[[Form], Layer]:
    """Something else in the annotation that holds the log's promise."""

    def spoil(form: Form) -> Layer:
        envelope, annotations = _layer(form)
        document = changed(json.loads(annotations[BUNDLE]), *path, to=to)
        return envelope, annotations | {BUNDLE: json.dumps(document)}

    return spoil


def _of_other(*names: str) -> Callable[[Form], Layer]:
    """Annotations of another layer."""

    def spoil(form: Form) -> Layer:
        envelope, annotations = _layer(form)
        others = _other(form)[1]
        return envelope, annotations | {name: others[name] for name in names}

    return spoil


def _without(name: str) -> Callable[[Form], Layer]:
    def spoil(form: Form) -> Layer:
        envelope, annotations = _layer(form)
        del annotations[name]
        return envelope, annotations

    return spoil


def _envelope(change: Callable[[Json], Json]) -> Callable[[Form], Layer]:
    def spoil(form: Form) -> Layer:
        envelope, annotations = _layer(form)
        return json.dumps(change(json.loads(envelope))).encode(), annotations

    return spoil


def _foreign(form: Form) -> Layer:
    return layer(replace(LAB, sigstore=stranger()).bundle(form), CHAIN)


SPOILED: list[
    tuple[str, tuple[Form, ...], Callable[[Form], Layer], str, type[CountersignError]]
] = [
    (
        "the annotations of another layer",
        (KEYLESS_V1,),
        _of_other(CERTIFICATE, BUNDLE),
        "signature for this key",
        Rejected,
    ),
    (
        "the certificate of another layer",
        (KEYLESS_V1, STAMPED),
        _of_other(CERTIFICATE),
        "signature for this key",
        Rejected,
    ),
    (
        "the promise of another layer",
        FORMS,
        _of_other(BUNDLE),
        "log entry of this",
        Rejected,
    ),
    ("the stamp of another layer", (STAMPED,), _of_other(STAMP), "stamp", Rejected),
    (
        "the envelope of another layer",
        FORMS,
        lambda form: (_other(form)[0], _layer(form)[1]),
        "signature|log entry|stamp",
        Rejected,
    ),
    (
        "no certificate",
        (KEYLESS_V1, STAMPED),
        _without(CERTIFICATE),
        "key of the trust root",
        Rejected,
    ),
    (
        "no promise",
        (KEYLESS_V1, STAMPED),
        _without(BUNDLE),
        "entry of a transparency log",
        Rejected,
    ),
    (
        "the promised time moved",
        FORMS,
        _promise("Payload", "integratedTime", to=lambda at: int(str(at)) - 1),
        "promise that the log signed",
        Rejected,
    ),
    (
        "the promised place moved",
        FORMS,
        _promise("Payload", "logIndex", to=lambda _: 1),
        "promise that the log signed",
        Rejected,
    ),
    (
        "another log's name",
        FORMS,
        _promise("Payload", "logID", to=lambda _: "00" * 32),
        "transparency log of the trust root",
        Rejected,
    ),
    (
        "a bit of the promise flipped",
        FORMS,
        _promise("SignedEntryTimestamp", to=lambda text: flipped(str(text))),
        "promise that the log signed",
        Rejected,
    ),
    (
        "of a Sigstore of the same name",
        (KEYLESS_V1,),
        _foreign,
        "certificate chain",
        Rejected,
    ),
    (
        "two signatures",
        FORMS,
        _envelope(lambda e: e | {"signatures": e["signatures"] * 2}),
        "one signature",
        Malformed,
    ),
    (
        "another payload type",
        FORMS,
        _envelope(lambda e: e | {"payloadType": "text/plain"}),
        "payload type",
        Malformed,
    ),
]


@pytest.mark.parametrize("form", FORMS, ids=str)
async def test_the_twin_is_proven(form: Form) -> None:
    """Or the refusals below would be about nothing."""
    evidence = await _prove(_layer(form), form)

    assert evidence.statement == Digest.sha256(LAB.statement)
    assert evidence.signed_at


@pytest.mark.parametrize(
    ("name", "form", "spoil", "reason", "error"),
    [
        (name, form, spoil, reason, error)
        for name, forms, spoil, reason, error in SPOILED
        for form in forms
    ],
)
async def test_a_forged_layer_is_refused_for_its_reason(
    name: str,
    form: Form,
    spoil: Callable[[Form], Layer],
    reason: str,
    error: type[CountersignError],
) -> None:
    """By the type and the words of the refusal."""
    with pytest.raises(error) as refused:
        await _prove(spoil(form), form)

    assert type(refused.value) is error, name
    assert re.search(reason, str(refused.value)), name
