"""Inspect: what is said and what is proven are two things."""

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Tree
from countersign.core.types.people import KeyIdentity
from countersign.usecases.attest import Attested
from countersign.usecases.inspect import carried_bundles, inspect
from countersign.wire.annotations import Carried, render_annotations
from countersign.wire.bundle import parse_bundle
from tests.support.commits import commit, history
from tests.support.signing import Keyring
from tests.unit.usecases.test_attest import attested

KEYS = Keyring("ci")


async def provenance() -> Attested:
    """Return a provenance signed by somebody's ``ci``."""
    return await attested(history(commit("x\n\nAI-Assisted: amazon-q")))


async def test_without_trust_it_says_and_proves_nothing() -> None:
    """The claim is there to be read, the evidence is not."""
    done = await provenance()

    found = await inspect(done.bundle, None)

    assert found.claim == done.claim
    assert found.statement == done.statement
    assert found.bundle == Digest.sha256(done.bundle)
    assert found.key_hint is not None
    assert found.evidence is None
    assert "no trust roots" in found.problem


async def test_a_stranger_proves_nothing() -> None:
    """A name in a bundle is no identity."""
    done = await provenance()

    found = await inspect(done.bundle, KEYS.prover())

    assert found.evidence is None
    assert found.problem
    assert found.claim == done.claim


async def test_proves_who_signed() -> None:
    """Under a trust root that knows the key."""
    statement = parse_bundle((await provenance()).bundle).envelope.payload
    bundle = await KEYS.signer("ci").sign(statement)

    found = await inspect(bundle, KEYS.prover())

    assert found.problem == ""
    assert found.evidence is not None
    assert found.evidence.signer == KeyIdentity("keys", "ci")


async def test_what_is_no_bundle_is_malformed() -> None:
    """Nothing can be read from it, verified or not."""
    with pytest.raises(Malformed):
        await inspect(b"{}", None)


async def test_finds_what_an_object_carries() -> None:
    """And what the object is called."""
    done = await provenance()
    annotations: Tree = {**render_annotations(Carried((done.bundle,)))}
    metadata: Tree = {"name": "x", "annotations": annotations}

    found = carried_bundles({"kind": "ConfigMap", "metadata": metadata})

    assert found == ("ConfigMap/x", (done.bundle,))
    assert carried_bundles({"kind": "ConfigMap"})[1] == ()
