"""``sign-off --break-glass -n``: a whole namespace, for an hour, by two on call."""

import asyncio
import json
from datetime import timedelta

import click

from countersign.core.rules.emergency import MAX_WINDOW
from countersign.core.types.change import NamespaceWindow
from countersign.core.types.evidence import Carrier
from countersign.faces.cli import words
from countersign.faces.cli.conversation import Ask, Case, Outcome, converse
from countersign.faces.cli.manifests import write_to_apply
from countersign.faces.cli.rulebook import Rulebook, open_rulebook
from countersign.faces.cli.session import Exit
from countersign.faces.cli.signer import (
    create,
    reach,
    require_cluster,
    warn_of_clock,
)
from countersign.faces.cli.signing import choose
from countersign.ports import Right
from countersign.usecases.deliver import deliver
from countersign.usecases.denied import require_rights
from countersign.usecases.look import look
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP


def sign_window(ask: Ask, namespace: str) -> int:
    """Sign for whatever has to be done in a namespace, and create the BundleSet.

    Args:
        ask: What was said on the command line; it is an emergency.
        namespace: Which.

    Raises:
        click.UsageError: it would hold for longer than a window may.
        Rejected: the signer lacks a right, or the server refused the BundleSet.
        Unavailable: the cluster did not answer.
    """
    _require_short(ask.review.valid)
    began = ask.session.now()
    signatory = choose(ask.signing, ask.session)
    where = ask.where
    if ask.out is None:
        where = require_cluster(where, "of the cluster that the window is in")
    rules = open_rulebook(ask.policies, ask.signing.trusted_root, ask.session, where)
    with rules as rulebook:
        sheet = asyncio.run(_look(ask, namespace, rulebook))
        done = converse(ask, Case(sheet=sheet, began=began), rulebook, signatory)
    sets = deliver(sheet, done.parts[0][1], Carrier.BUNDLE_SET).sets
    if ask.out is not None:
        write_to_apply(ask.out, sets)
    elif where is not None:
        asyncio.run(create(where, sets))
    _say_next(ask, done)
    if ask.output == "json":
        click.echo(json.dumps(done.summary(), indent=2))
    return Exit.DONE


def _require_short(valid: timedelta) -> None:
    if valid > MAX_WINDOW:
        raise click.UsageError(
            f"expected --valid of at most 1h for a whole namespace, saw {valid}"
        )


async def _look(ask: Ask, namespace: str, rulebook: Rulebook) -> Sheet:
    if ask.out is None and ask.where is not None:
        needed = Right("create", GROUP, BUNDLE_SET.plural, namespace)
        async with reach(ask.where) as signers:
            await require_rights(signers.store, [needed])
            warn_of_clock(ask.session, signers.store)
    order = LookOrder(windows=(NamespaceWindow(namespace=namespace),))
    return await look(order, prover=rulebook.prover, cluster=None)


def _say_next(ask: Ask, done: Outcome) -> None:
    """One person's signature opens nothing: say so, and until when it waits."""
    ends = done.parts[0][1].claim.validity.end
    click.echo(
        "next: a second person on call runs the same, with --incident "
        f"{ask.review.incident.strip()}; it holds until {words.exactly(ends)}",
        err=True,
    )
