"""``sign-off`` and the registries: what lies beside images, and what is put there."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import click

from countersign.core.errors import CountersignError, Malformed, Unavailable
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.evidence import Carrier
from countersign.core.types.policy import Policy
from countersign.faces.cli.conversation import Ask
from countersign.faces.cli.files import write_result
from countersign.faces.cli.images import open_registries, pinned_now, send
from countersign.faces.cli.manifests import write_to_apply
from countersign.faces.cli.text import one_line
from countersign.ports import Attached, Pinned
from countersign.usecases.attach import asked_about, fetch, looked_for
from countersign.usecases.deliver import Delivery, deliver, deliver_beside
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.usecases.sign_off import SignedOff

Places = Mapping[ObjectRef, frozenset[Pinned]]
"""For each object the images beside which its evidence may be put."""


async def looked_beside(
    ask: Ask, order: LookOrder, policies: Collection[Policy] | None
) -> tuple[LookOrder, Places]:
    """Add what lies beside the images, as far as the registries may be asked.

    They may where images are named or evidence is to be put there, and where policies
    say that whoever judges asks them, too.

    Raises:
        click.UsageError: an image by its tag, or nothing to put evidence beside.
        Misconfigured: the authority of registries cannot be read.
        Unavailable: a registry did not answer about what was named.
    """
    oci = ask.carrier is Carrier.OCI
    places = {one.ref: looked_for(one, policies) for one in order.objects}
    if oci and not (ask.images or any(places.values())):
        raise click.UsageError(
            f"expected an image to put evidence beside, saw none: {_nowhere(order)}; "
            "give --image, or another --carrier"
        )
    if policies is not None:
        run = asked_about(order.objects, policies)
    else:
        told = oci or bool(ask.images)
        run = tuple(i for one in order.objects for i in one.pinned if told)
    if not (run or ask.images):
        return order, {}
    async with open_registries(ask.session, ask.registry) as store:
        named = await pinned_now(ask.images, store)
        attached = await fetch(named, store)
        try:
            attached += await fetch((i for i in run if i not in named), store)
        except Unavailable as error:
            if oci and not named:
                raise
            why = one_line(str(error), 400)
            click.echo(f"without evidence beside images: {why}", err=True)
    _tell(attached)
    if named:
        places = {ref: found & {*named} for ref, found in places.items()}
    return replace(order, images=named, attached=attached), places


def _nowhere(order: LookOrder) -> str:
    """Say why nobody would look beside any image."""
    run = sorted({i.repository for one in order.objects for i in one.pinned})
    if not run:
        return "no object runs one that is pinned by digest"
    named = one_line(", ".join(run), 400)
    return (
        f"evidence beside {named} is not looked for by all policies that judge this "
        "(images.registries)"
    )


def _tell(attached: Iterable[tuple[Pinned, Attached]]) -> None:
    """Say what could not be read: a reviewer must know what was not seen."""
    for image, found in attached:
        for problem in found.problems:
            click.echo(f"beside {image}: {one_line(problem, 400)}", err=True)
        if not found.complete:
            click.echo(f"beside {image}: NOT all that lies there was seen", err=True)


def deliver_signed(
    ask: Ask, sheet: Sheet, signed: SignedOff, places: Places
) -> Delivery:
    """Return where the evidence goes, and put beside images what belongs there.

    Raises:
        Malformed: as `deliver`.
        Unavailable: a registry did not take it. What was signed is not lost: then it is
            written as it would travel otherwise, and the message says so.
    """
    if ask.carrier is not Carrier.OCI:
        return deliver(sheet, signed, ask.carrier)
    found = deliver_beside(sheet, signed, places)
    try:
        send(ask.session, ask.registry, found.parcels)
    except CountersignError as error:
        raise _saved(ask, sheet, signed, error) from error
    return found


def _saved(
    ask: Ask, sheet: Sheet, signed: SignedOff, error: CountersignError
) -> CountersignError:
    """Write what was signed in another way, and return the error that says so."""
    if sheet.changes:
        other = deliver(sheet, signed, None)
        objects: tuple[Tree, ...] = () if ask.sets_only else other.objects
        write_to_apply(ask.out, [*other.sets, *objects])
        how = "what was written has it in " + (
            "a BundleSet" if other.sets else "annotations"
        )
    else:
        write_result(ask.out, signed.bundle)
        how = "its bundle was written"
    said = f"{error}; the signature is not lost: {how}"
    return Malformed(said) if isinstance(error, Malformed) else Unavailable(said)
