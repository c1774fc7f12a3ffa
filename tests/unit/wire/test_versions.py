"""What was signed once stays readable; what is newer is refused, and told (ADR 0026).

The files in tests/golden/predicates were signed once by a key that nobody has any more.
They are never made anew: a version of ours that cannot read one has broken its word.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Foreign, Malformed
from countersign.core.types.evidence import Declaration, Provenance, SignOff
from countersign.wire import declaration, provenance, signoff
from countersign.wire.attestation import parse_attestation
from tests.support.proving import key_root, prover

GOLDEN = Path(__file__).parents[2] / "golden" / "predicates"
KEPT = sorted(GOLDEN.glob("*.sigstore.json"))
BUNDLES = {file: file.read_bytes() for file in KEPT}
ROOT = key_root("kept", signer=(GOLDEN / "signer.pub").read_bytes())
CLAIMS = {
    "ai-provenance-v0.1": Provenance,
    "human-declaration-v0.1": Declaration,
    "senior-signoff-v0.1": SignOff,
}
OURS = (declaration.TYPE, provenance.TYPE, signoff.TYPE)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=8, max_size=12).map("x{}".format)


def payload(file: Path) -> dict[str, Any]:
    """Return the statement in a bundle."""
    envelope = json.loads(file.read_bytes())["dsseEnvelope"]
    return dict(json.loads(base64.b64decode(envelope["payload"])))


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
async def test_what_was_signed_once_is_still_proven(file: Path) -> None:
    """Each predicate of each version; seen to fail with the type of one raised."""
    mine = prover(ROOT)
    try:
        evidence = await mine.prove(BUNDLES[file])
    finally:
        mine.close()

    name = file.name.removesuffix(".sigstore.json")
    assert type(evidence.claim) is CLAIMS[name]
    assert evidence.claim == parse_attestation(json.dumps(payload(file)).encode()).claim


def test_every_version_that_is_written_is_kept() -> None:
    """A new one gets its file here before it is released, and the old one stays."""
    written = {"-".join(uri.split("/")[-2:]) for uri in OURS}

    assert written <= CLAIMS.keys()
    assert {file.name.removesuffix(".sigstore.json") for file in KEPT} == CLAIMS.keys()


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
@given(names=st.lists(NAMES, min_size=1, max_size=3), at=st.integers(0, 200))
def test_a_field_that_is_added_changes_nothing(
    file: Path, names: list[str], at: int
) -> None:
    """So that a version may say more within the same type: in any object, at any depth."""
    document = payload(file)
    before = parse_attestation(json.dumps(document).encode())
    objects = list(_objects(document["predicate"]))
    objects[at % len(objects)].update({key: {"more": [1, "two"]} for key in names})

    after = parse_attestation(json.dumps(document).encode())

    assert after.claim == before.claim


def _objects(tree: Any, above: str = "") -> list[dict[str, Any]]:
    # a digest set is of the form of in-toto, whose keys are algorithms
    if isinstance(tree, dict):
        mine = [] if above == "digest" else [tree]
        return mine + [o for key, value in tree.items() for o in _objects(value, key)]
    return (
        [o for item in tree for o in _objects(item)] if isinstance(tree, list) else []
    )


@pytest.mark.parametrize("uri", OURS)
@pytest.mark.parametrize("version", ["v0.2", "v1", "v0.10", "v0.1.1", ""])
def test_a_version_that_nobody_here_knows_is_refused_and_told(
    uri: str, version: str
) -> None:
    """It is ours, so it is no stranger's statement that may be passed over in silence."""
    document = payload(KEPT[0])
    document["predicateType"] = f"{uri.rpartition('/')[0]}/{version}"

    with pytest.raises(Malformed, match="upgrade what judges before what signs") as e:
        parse_attestation(json.dumps(document).encode())

    assert not isinstance(e.value, Foreign)
    assert f"({uri})" in str(e.value)


@pytest.mark.parametrize(
    "uri", ["https://cyclonedx.org/bom", "https://countersign.dev.evil.example/x/v1"]
)
def test_of_others_there_is_more_beside_an_image(uri: str) -> None:
    """Lists of parts, scans, and what looks like ours and is not."""
    document = payload(KEPT[0])
    document["predicateType"] = uri

    with pytest.raises(Foreign):
        parse_attestation(json.dumps(document).encode())
