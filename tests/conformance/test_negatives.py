"""What is subtly wrong with a bundle is found, and named.

Each way to forge is refused for its own reason; the same bundle, not forged, is proven.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Evidence
from countersign.core.types.trust import TrustRoot
from tests.conformance.negatives import (
    authorities,
    certificates,
    envelopes,
    formats,
    keys,
    logs,
    proofs,
    stamps,
    windows,
)
from tests.support.forging import Forged, Json, Lab, Negative, raw, sound
from tests.support.proving import prover
from tools.sigstore.forms import Form

NEGATIVES = [
    *envelopes.NEGATIVES,
    *certificates.NEGATIVES,
    *authorities.NEGATIVES,
    *windows.NEGATIVES,
    *logs.NEGATIVES,
    *proofs.NEGATIVES,
    *stamps.NEGATIVES,
    *keys.NEGATIVES,
    *formats.NEGATIVES,
]
FORMS = list(dict.fromkeys(negative.form for negative in NEGATIVES))
LAB = Lab()
AT_LEAST = 60


def describe(form: Form) -> str:
    """Name `form` in a test's id."""
    words = [
        form.key.value,
        "certificate" if form.certified else "key",
        form.entry.value if form.entry else "no log",
        *(["no promise"] if not form.promise else []),
        *(["no proof"] if not form.proof else []),
        *(["stamped"] if form.stamps else []),
        form.media.name,
    ]
    return " ".join(words)


async def _prove(bundle: Json | bytes, roots: tuple[TrustRoot, ...]) -> Evidence:
    proving = prover(*roots, at=datetime.now(UTC))
    try:
        return await proving.prove(raw(bundle))
    finally:
        proving.close()


def test_there_are_enough(record_testsuite_property: Callable[..., None]) -> None:
    """At least sixty ways, by name."""
    names = {negative.name for negative in NEGATIVES}
    record_testsuite_property("negatives", len(names))

    assert len(names) >= AT_LEAST


@pytest.mark.parametrize("form", FORMS, ids=describe)
async def test_the_twin_is_proven(form: Form) -> None:
    """Or the refusals below would be about nothing."""
    evidence = await _prove(sound(form), LAB.roots(form))

    assert evidence.statement == Digest.sha256(LAB.statement)


@pytest.mark.parametrize(
    "negative",
    NEGATIVES,
    ids=lambda negative: f"{negative.name} ({describe(negative.form)})",
)
async def test_a_forged_bundle_is_refused_for_its_reason(negative: Negative) -> None:
    """By the type and the words of the refusal."""
    forged = negative.spoil(LAB, sound(negative.form))
    if not isinstance(forged, Forged):
        forged = Forged(forged, LAB.roots(negative.form))

    with pytest.raises(negative.error) as refused:
        await _prove(forged.bundle, forged.roots)

    assert type(refused.value) is negative.error
    assert re.search(negative.reason, str(refused.value))
