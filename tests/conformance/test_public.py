"""Bundles that the public Sigstore signed are proven, and only as they are.

Their predicates are not ours to read: only the proof is asked for.
"""

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from countersign.adapters.proof.certificate import Owner
from countersign.adapters.proof.keyless import prove_keyless
from countersign.adapters.proof.trusted_root import TrustedRoot, parse_trusted_root
from countersign.core.errors import Malformed, Rejected
from countersign.wire.bundle import parse_bundle

HERE = Path(__file__).parent / "public"
ROOT = parse_trusted_root((HERE / "trusted_root.json").read_bytes())
PROVENANCE = "sigstore-js-2.0.0.sigstore.json"


def _prove(file: str, root: TrustedRoot = ROOT) -> tuple[Owner, datetime]:
    bundle = parse_bundle((HERE / file).read_bytes())
    assert bundle.certificate
    return prove_keyless(root, bundle, bundle.certificate)


def test_the_provenance_of_a_package_is_proven() -> None:
    """An `intoto` entry with promise and proof, in a bundle v0.1."""
    owner, at = _prove(PROVENANCE)

    assert owner.issuer == "https://token.actions.githubusercontent.com"
    assert owner.san == (
        "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml"
        "@refs/heads/main"
    )
    assert owner.claims.source_repository == "https://github.com/sigstore/sigstore-js"
    assert at == datetime(2023, 8, 18, 16, 5, 35, tzinfo=UTC)


def test_a_bundle_with_a_promise_only_is_proven() -> None:
    """An `intoto` entry without proof, in a bundle v0.1."""
    owner, at = _prove("dsse.sigstore.json")

    assert owner.issuer == "https://github.com/login/oauth"
    assert at == datetime(2022, 11, 9, 23, 0, 36, tzinfo=UTC)


def test_a_second_signature_is_refused() -> None:
    """Whose would the statement be?"""
    with pytest.raises(Malformed, match="one signature, saw 2"):
        _prove("dsse-2sigs.sigstore.json")


@pytest.mark.parametrize("place", ["sigstore.dev", "sigstage.dev"])
def test_the_trusted_roots_of_today_can_be_read(place: str) -> None:
    """Those that sigstore-python brings; only the public-good one has signed these."""
    store = resources.files("sigstore._store")
    name = f"https%3A%2F%2Ftuf-repo-cdn.{place}"
    root = parse_trusted_root((store / name / "trusted_root.json").read_bytes())

    assert root.promised
    assert root.logged
    if place == "sigstore.dev":
        assert _prove(PROVENANCE, root) == _prove(PROVENANCE)
    else:
        with pytest.raises(Rejected):
            _prove(PROVENANCE, root)
