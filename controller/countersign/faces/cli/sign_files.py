"""``sign-off -f``: manifests as they would land, objects to delete, or a source."""

import asyncio
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import click

from countersign.binding.kinds import Kinds
from countersign.binding.masking import SALT_BYTES
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.change import Operation
from countersign.core.types.evidence import Carrier
from countersign.faces.cli import judgement
from countersign.faces.cli.carried_over import CarriedOver
from countersign.faces.cli.cluster import kinds_at, look_at
from countersign.faces.cli.conversation import Ask, Case, Outcome, converse
from countersign.faces.cli.files import write_result
from countersign.faces.cli.images import sent_json
from countersign.faces.cli.inputs import Inputs
from countersign.faces.cli.manifests import (
    read_manifests,
    warn_of_places,
    write_to_apply,
)
from countersign.faces.cli.progress import working
from countersign.faces.cli.rulebook import Rulebook, open_rulebook
from countersign.faces.cli.session import Exit
from countersign.faces.cli.sign_beside import Places, deliver_signed, looked_beside
from countersign.faces.cli.sign_release import (
    parted,
    read_previous,
    read_release,
    removal_of,
)
from countersign.faces.cli.signing import choose
from countersign.ports import Detached
from countersign.usecases.deliver import Delivery, deliver
from countersign.usecases.look import look
from countersign.usecases.prepare import name_of, prepare, with_declared
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.usecases.source import Source
from countersign.wire.resources.kinds import API_VERSION, BUNDLE_SET
from countersign.wire.resources.objects import bundle_set
from countersign.wire.resources.read import Invalid


def sign_files(
    ask: Ask, inputs: Inputs, seen: Source | None, earlier: Sequence[str] = ()
) -> int:
    """Review what the files hold, sign it, and write it as it is to be applied.

    Args:
        ask: What was said on the command line.
        inputs: Manifests, and BundleSets about them.
        seen: Commits to be approved besides, or instead.
        earlier: Files of which unchanged objects keep the evidence.

    Raises:
        NoInput: there is no file, or nothing in it.
        Malformed, Rejected, Unavailable: as the use cases say.
    """
    began = ask.session.now()
    trees = read_manifests(inputs) if inputs.given else ()
    previous = read_previous(ask)
    plain = [tree for tree in (*trees, *previous) if not _is_set(tree)]
    kinds = asyncio.run(kinds_at(ask.where, plain))
    release = read_release(ask, earlier, inputs.namespace, kinds, previous)
    order = _order(ask, trees, Known(inputs.namespace, kinds, release.intents), seen)
    order, over = parted(ask, order, release, inputs.namespace, kinds)
    if earlier and not (order.objects or order.removals or seen or ask.images):
        click.echo("nothing changed, so nothing was signed", err=True)
        write_to_apply(ask.out, over.with_kept((), (), sets_only=ask.sets_only))
        return Exit.DONE
    signatory = choose(ask.signing, ask.session)
    root = ask.signing.trusted_root
    with open_rulebook(ask.policies, root, ask.session, ask.where) as rulebook:
        sheet, places = _look(ask, order, rulebook)
        done = converse(ask, Case(sheet=sheet, began=began), rulebook, signatory)
    ((sheet, signed),) = done.parts
    delivery = deliver_signed(ask, sheet, signed, places)
    if order.objects or order.removals or over.kept:
        _write(ask, sheet, delivery, over)
    elif ask.out or not delivery.parcels:
        write_result(ask.out, signed.bundle)
    if ask.output == "json":
        beside = {"beside": sent_json(delivery.parcels)} if delivery.parcels else {}
        kept = {"carriedOver": [*map(str, over.refs)]} if earlier else {}
        click.echo(json.dumps({**done.summary(), **beside, **kept}, indent=2))
    if ask.policies and order.objects and not ask.review.reject:
        judgement.tell(
            line
            for name in ask.clusters
            for line in judgement.outlook(
                _carrying(done), ask.policies, name, ask.session
            )
        )
    return Exit.DONE


class Known(NamedTuple):
    """What helps to read manifests.

    Attributes:
        namespace: Of those that name none.
        kinds: Those that are known.
        intents: Of Secrets that were signed before, raw: their salts stay.
    """

    namespace: str
    kinds: Kinds
    intents: tuple[bytes, ...] = ()


def _order(
    ask: Ask, trees: Sequence[Tree], known: Known, seen: Source | None
) -> LookOrder:
    said = ask.review
    sets = tuple(_sets(trees))
    manifests = [tree for tree in trees if not _is_set(tree)]
    order = ask.add_to(LookOrder(source=seen, detached=sets))
    if said.operation == Operation.DELETE:
        way = (said.propagation or "").title()
        removals = (removal_of(t, known.namespace, known.kinds, way) for t in manifests)
        return replace(order, removals=tuple(removals))
    warn_of_places(manifests, known.namespace, known.kinds)
    objects = prepare(
        manifests,
        namespace=known.namespace,
        salt=lambda: secrets.token_bytes(SALT_BYTES),
        beside=[*known.intents, *(raw for _, one in sets for raw in one.intents)],
        kinds=known.kinds,
    )
    return replace(order, objects=objects, operation=Operation(said.operation))


def _is_set(tree: Tree) -> bool:
    return (tree.get("apiVersion"), tree.get("kind")) == (API_VERSION, BUNDLE_SET.name)


def _sets(trees: Iterable[Tree]) -> Iterator[tuple[str, Detached]]:
    """Yield the BundleSets among the objects, with their namespaces.

    Raises:
        Malformed: one cannot be read.
    """
    for tree in filter(_is_set, trees):
        metadata = tree.get("metadata")
        about = metadata if isinstance(metadata, dict) else {}
        try:
            bundles, intents = bundle_set(tree)
        except Invalid as error:
            problems = "; ".join(error.problems)
            raise Malformed(f"{name_of(tree)}: {problems}") from error
        name = str(about.get("name", ""))
        found = Detached(name=name, bundles=bundles, intents=intents)
        yield str(about.get("namespace", "")), found


def _look(ask: Ask, order: LookOrder, rulebook: Rulebook) -> tuple[Sheet, Places]:
    objects = with_declared(order.objects, rulebook.policies)
    order = replace(order, objects=objects)

    async def looked() -> tuple[Sheet, Places]:
        full, places = await looked_beside(ask, order, rulebook.policies)
        try:
            async with look_at(ask.where) as cluster:
                return await look(full, prover=rulebook.prover, cluster=cluster), places
        except Unavailable as error:
            raise Unavailable(
                f"could not compare with the cluster: {error}; nothing was signed "
                "(--no-diff signs without looking)"
            ) from error

    with working(ask.session, "looking"):
        return asyncio.run(looked())


def _write(ask: Ask, sheet: Sheet, delivery: Delivery, over: CarriedOver) -> None:
    """Write one file to apply as it is: BundleSets first, then the objects, if any."""
    if delivery.why and delivery.carrier is Carrier.BUNDLE_SET:
        click.echo(f"the evidence goes into a BundleSet: {delivery.why}", err=True)
    elif delivery.why:
        click.echo(delivery.why, err=True)
    all_of_it = over.with_kept(delivery.sets, delivery.objects, sets_only=ask.sets_only)
    write_to_apply(ask.out, all_of_it)
    if ask.out and sheet.going and not ask.sets_only:
        click.echo("then delete what was signed for", err=True)


def _carrying(done: Outcome) -> tuple[Tree, ...]:
    """Return the objects with all evidence on them, however it travels."""
    ((sheet, signed),) = done.parts
    try:
        return deliver(sheet, signed, Carrier.ANNOTATIONS).objects
    except Malformed:  # too much for annotations: the gate will judge it
        return ()
