"""``sign-off --live``: a baseline over what runs in a namespace."""

import asyncio
import json
import secrets
from collections.abc import Sequence

import click

from countersign.binding.facts import ClusterFacts
from countersign.binding.masking import SALT_BYTES
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.evidence import Carrier
from countersign.faces.cli.conversation import Ask, Case, converse
from countersign.faces.cli.manifests import write_to_apply
from countersign.faces.cli.progress import working
from countersign.faces.cli.rulebook import Rulebook, open_rulebook
from countersign.faces.cli.session import Exit, NoInput
from countersign.faces.cli.signer import (
    create,
    reach,
    require_cluster,
    warn_of_clock,
)
from countersign.faces.cli.signing import choose
from countersign.ports import Right
from countersign.usecases.baseline import Wanted, kinds, rights, running
from countersign.usecases.deliver import deliver
from countersign.usecases.denied import require_rights
from countersign.usecases.look import look
from countersign.usecases.prepare import with_declared
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP


def sign_live(ask: Ask, namespace: str, what: Sequence[str]) -> int:
    """Review what runs, sign it as it stands, and create the BundleSets.

    Args:
        ask: What was said on the command line.
        namespace: Which.
        what: ``KIND`` or ``KIND/NAME``; empty is all.

    Raises:
        NoInput: nothing runs there that is signed.
        Malformed: a kind that we do not know.
        Rejected: the signer lacks a right, or the server refused a BundleSet.
        Unavailable: the cluster did not answer.
    """
    where = require_cluster(ask.where, "of the cluster it runs in")
    began = ask.session.now()
    signatory = choose(ask.signing, ask.session)
    wanted = [_wanted(text) for text in what]
    rules = open_rulebook(ask.policies, ask.signing.trusted_root, ask.session, where)
    with rules as rulebook:
        with working(ask.session, "looking"):
            sheet, left = asyncio.run(_look(ask, namespace, wanted, rulebook))
        for ref in left:
            click.echo(f"left out: {ref}: it cannot be signed yet", err=True)
        case = Case(sheet=sheet, began=began, split=True)
        done = converse(ask, case, rulebook, signatory)
    sets = tuple(
        tree
        for part, signed in done.parts
        for tree in deliver(part, signed, Carrier.BUNDLE_SET).sets
    )
    if ask.out is not None:
        write_to_apply(ask.out, sets)
    else:
        asyncio.run(create(where, sets))
    if ask.output == "json":
        click.echo(json.dumps(done.summary(), indent=2))
    return Exit.DONE


def _wanted(text: str) -> Wanted:
    kind, _, name = text.partition("/")
    return Wanted(kind, name)


async def _look(
    ask: Ask, namespace: str, wanted: Sequence[Wanted], rulebook: Rulebook
) -> tuple[Sheet, tuple[ObjectRef, ...]]:
    assert ask.where is not None  # noqa: S101 - the caller has one
    needed = [*rights(namespace, kinds(wanted))]
    if ask.out is None:
        needed.append(Right("create", GROUP, BUNDLE_SET.plural, namespace))
    async with reach(ask.where) as signers:
        await require_rights(signers.store, needed)
        warn_of_clock(ask.session, signers.store)
        found = await running(
            namespace,
            wanted,
            cluster=signers.state,
            settings=ClusterFacts(),
            salt=lambda: secrets.token_bytes(SALT_BYTES),
        )
        if not found.objects:
            raise NoInput(f"expected objects in {namespace}, saw none that are signed")
        objects = with_declared(found.objects, rulebook.policies)
        order = ask.add_to(LookOrder(objects=objects))
        sheet = await look(order, prover=rulebook.prover, cluster=signers.state)
    return sheet, found.left
