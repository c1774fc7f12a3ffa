"""``countersign status``: what there is to say of an installation."""

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path

import click

from countersign.adapters.books import LOADED, bind_books
from countersign.adapters.cluster.rules import Reading, read_installation
from countersign.core.errors import CountersignError
from countersign.core.types.survey import Survey
from countersign.faces.cli import options
from countersign.faces.cli.cluster import REQUEST_S, Where, given
from countersign.faces.cli.recorder import open_records
from countersign.faces.cli.recorder import recorder as recorder_options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.ports import Query, Recorder
from countersign.report.status import attention, status_json, status_text
from countersign.usecases.coverage import registration
from countersign.usecases.survey import Material, items
from countersign.wire.resources.kinds import POLICY

OWN_NAMESPACE = "countersign"
_DEBTS = 1000  # review debts that are looked at, the newest


@click.command("status", cls=Command)
@click.option(
    "--system-namespace",
    default=OWN_NAMESPACE,
    show_default=True,
    help="Namespace that countersign runs in.",
)
@options.kubeconfig
@recorder_options
@click.option(
    "--strict", is_flag=True, help="Exit with 11 if something needs attention."
)
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    system_namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    recorder: str | None,
    recorder_ca: Path | None,
    strict: bool,
    output: str,
) -> int:
    """Say how an installation is, and what needs attention.

    Policies (valid? enforced? really asked about?) and the side doors that they leave
    open, rosters, trust roots and when they end, the recorder and its spools, and
    break-glass that nobody has reviewed yet, each with the command that closes it. What
    the user may not see is named, and the rest is shown.

    \b
    Example:
      countersign status
      countersign status --strict -o json
    """  # noqa: D301 - click's mark for "do not wrap"
    where = given(kubeconfig, context, session.environ)
    if where is None:
        raise click.UsageError(
            "expected a cluster, saw no kubeconfig: give --kubeconfig"
        )
    look = _Look(session, where, recorder, recorder_ca, system_namespace)
    survey = asyncio.run(look.survey())
    if output == "json":
        click.echo(json.dumps(status_json(survey), indent=2))
    else:
        for line in status_text(survey):
            click.echo(line)
    return Exit.WARNED if strict and attention(survey) else Exit.DONE


@dataclass(frozen=True, slots=True)
class _Look:
    session: Session
    where: Where
    url: str | None
    ca: Path | None
    own_namespace: str

    async def survey(self) -> Survey:
        """Look at everything; only a cluster that cannot be reached is an error.

        Raises:
            Misconfigured: the kubeconfig is not usable.
        """
        # the Kubernetes client costs a second, which --help need not pay
        from countersign.adapters.cluster.client import connect  # noqa: PLC0415

        async with connect(
            kubeconfig=self.where.kubeconfig,
            context=self.where.context,
            request_s=REQUEST_S,
        ) as server:
            found = self._of(await read_installation(server))
        return await self._with_records(found)

    def _of(self, seen: Reading) -> Survey:
        now = self.session.now()
        books = bind_books(lambda kind: seen.trees.get(kind, ()), ())
        material = Material(
            trees=seen.trees,
            whole=all(kind in seen.trees for kind in LOADED),
            policies={policy.name: policy for policy in books.policies.policies},
            expiry=books.expiry,
            problems={(p.kind, p.name): p.problems for p in books.problems},
            sent=registration(seen.registered, self.own_namespace)
            if seen.asked
            else None,
            own_namespace=self.own_namespace,
            at=now,
        )
        unseen = seen.unseen
        if POLICY in seen.trees and not seen.trees[POLICY]:
            unseen = (*unseen, "there is no ProtectionPolicy: nothing is protected")
        return Survey(at=now, items=items(material), unseen=unseen)

    async def _with_records(self, found: Survey) -> Survey:
        """Ask the recorder; what it does not say is named."""
        try:
            async with open_records(
                self.session, self.url, self.ca, self.where
            ) as records:
                return await self._asked(found, records)
        except CountersignError as error:
            return _missing(found, f"recorder: {error}")

    async def _asked(self, found: Survey, records: Recorder) -> Survey:
        try:
            found = replace(found, recording=await records.status())
        except CountersignError as error:
            found = _missing(found, f"spools of the recorder: {error}")
        try:
            debts = await records.find(Query(debts=True, limit=_DEBTS))
        except CountersignError as error:
            return _missing(found, f"review debts: {error}")
        return replace(found, debts=debts)


def _missing(found: Survey, what: str) -> Survey:
    return replace(found, unseen=(*found.unseen, what))
