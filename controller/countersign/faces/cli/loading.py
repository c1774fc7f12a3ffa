"""The objects that are attested, and what travels with them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from countersign.binding.kinds import BUILT_IN
from countersign.binding.masking import SALT_BYTES, is_secret
from countersign.faces.cli.attest import ANNOTATIONS, BUNDLE_SET, OCI
from countersign.faces.cli.carried_over import Before, CarriedOver
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.inputs import Inputs
from countersign.faces.cli.manifests import read_manifests, warn_of_places
from countersign.usecases.carry import Placed, unload
from countersign.usecases.prepare import Prepared, prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The objects that were made of the range, and what travels with them.

    Attributes:
        objects: Of ``-f``, with their digests.
        sets: BundleSets that were among them.
        beside: Bundles to travel with the objects.
        over: Objects that are as they were, which keep their evidence.
        carrier: How evidence travels; None: the bundle is written alone.
        sets_only: The objects are not written: something else brings them.
    """

    objects: tuple[Prepared, ...] = ()
    sets: tuple[Placed, ...] = ()
    beside: tuple[bytes, ...] = ()
    over: CarriedOver = field(default_factory=CarriedOver)
    carrier: str | None = None
    sets_only: bool = False


def load(
    inputs: Inputs,
    carrier: str | None,
    beside: Sequence[str],
    *,
    sets_only: bool = False,
    before: Before | None = None,
) -> Load:
    """Read the objects of ``-f``, the BundleSets among them, and what goes with them.

    Args:
        inputs: What names them.
        carrier: How evidence travels; None: the bundle is written alone.
        beside: Files of bundles to travel along.
        sets_only: The objects are not written.
        before: What unchanged objects keep evidence of; None: nothing.

    Raises:
        click.UsageError: the carrier does not fit what was read.
        Malformed, NoInput, Unavailable: a file cannot be read.
    """
    intents = before.earlier.intents if before else ()
    objects, sets = _objects(inputs, carrier, intents)
    over = before.attested(objects, sets) if before else CarriedOver(changed=objects)
    bundles = [raw for _, raw in read_inputs(beside)] if beside else []
    return Load(
        objects=over.changed,
        sets=sets,
        beside=tuple(bundles),
        over=over,
        carrier=carrier,
        sets_only=sets_only,
    )


def _objects(
    inputs: Inputs, carrier: str | None, intents: Sequence[bytes]
) -> tuple[tuple[Prepared, ...], tuple[Placed, ...]]:
    """Read the objects of ``-f``, and the BundleSets that are among them.

    Intents of before are given for the salts of their Secrets.
    """
    if not inputs.given:
        return (), ()
    manifests, sets = unload(read_manifests(inputs))
    if sets and carrier in {ANNOTATIONS, OCI}:
        raise click.UsageError(
            "expected no BundleSet among objects that carry evidence themselves, saw "
            f"{sets[0][1].name}: give --carrier {BUNDLE_SET}"
        )
    if not carrier and any(is_secret(manifest) for manifest in manifests):
        # the salt would be lost, and with it the only way to find the digest again
        raise click.UsageError(
            "expected a carrier for the salted digests of a Secret, saw none: "
            f"give --carrier {BUNDLE_SET}"
        )
    kinds = BUILT_IN.adding(manifests)
    warn_of_places(manifests, inputs.namespace, kinds)
    prepared = prepare(
        manifests,
        namespace=inputs.namespace,
        salt=lambda: secrets.token_bytes(SALT_BYTES),
        beside=[*intents, *(raw for _, one in sets for raw in one.intents)],
        kinds=kinds,
    )
    return prepared, sets
