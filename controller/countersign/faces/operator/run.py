"""The parts of the operator, put together and run."""

import asyncio
from datetime import timedelta
from socket import gethostname

from countersign.adapters.clock import SystemClock
from countersign.adapters.cluster.bundle_sets import WatchedBundleSets
from countersign.adapters.cluster.client import ApiServer, connect, credentials
from countersign.adapters.cluster.events import Events
from countersign.adapters.cluster.paced import Paced, Remembering
from countersign.adapters.cluster.renewing import Renewer
from countersign.adapters.cluster.reports import Reports
from countersign.adapters.cluster.state import LiveCluster
from countersign.adapters.cluster.watch import Pace
from countersign.adapters.proof.prover import BundleProver
from countersign.adapters.published.proposing import reach
from countersign.config import OperateSettings
from countersign.faces.operator import founder
from countersign.faces.operator.election import Election, while_held
from countersign.faces.operator.keeper import Keeper
from countersign.faces.operator.loops import Work, operate
from countersign.faces.operator.mirrors import Mirrors
from countersign.faces.operator.rotating import Rotation
from countersign.faces.operator.scanning import Scanner, Told
from countersign.faces.operator.telling import Teller
from countersign.faces.operator.watchdog import Watchdog
from countersign.ports import Archive, Clock, Prover
from countersign.usecases.debts import Debtors
from countersign.usecases.rescan import Rescanner


async def run(
    settings: OperateSettings,
    archive: Archive,
    stop: asyncio.Event,
    election: Election,
) -> None:
    """Keep conditions and review debts true until `stop` is set.

    What fails meanwhile starts again by itself. Nothing is written while somebody else
    might be the one to do it.

    Args:
        settings: How the API server is reached, and where we run.
        archive: Where debts are kept.
        stop: Set at the end of the process.
        election: Knows whether we are the one.

    Raises:
        Misconfigured: no usable credentials for the API server.
    """
    told, own = settings.cluster, settings.own_namespace
    clock, pace = SystemClock(), Pace(watch_s=told.watch_s, stale_s=told.stale_s)
    async with connect(
        kubeconfig=told.kubeconfig, context=told.context, request_s=told.request_s
    ) as api:
        sets = WatchedBundleSets(api, pace, own_namespace=own)
        keeper = Keeper(api, clock, own)
        prover = BundleProver(keeper, clock)

        teller = Teller(Events(api, settings.lease.identity or gethostname()), clock)
        more = _further(
            settings,
            api,
            archive=archive,
            sets=sets,
            keeper=keeper,
            prover=prover,
            teller=teller,
            clock=clock,
        )

        def work() -> asyncio.Task[None]:
            return asyncio.create_task(
                operate(
                    keeper,
                    Debtors(archive, sets, prover, keeper, clock).settle,
                    remind=teller.owed,
                    login=lambda: credentials(
                        kubeconfig=told.kubeconfig, context=told.context
                    ),
                    follow=sets.watch.run,
                    more=more,
                )
            )

        try:
            await while_held(election, stop, work)
        finally:
            prover.close()


def _further(
    settings: OperateSettings,
    api: ApiServer,
    *,
    archive: Archive,
    sets: WatchedBundleSets,
    keeper: Keeper,
    prover: Prover,
    teller: Teller,
    clock: Clock,
) -> dict[str, Work]:
    """Return the loops that the settings ask for, by the name of the part."""
    own, more = settings.own_namespace, dict[str, Work]()
    if settings.cluster_name and settings.scan.every_s:
        paced = Paced(api, settings.scan.rate)
        rescanner = Rescanner(
            lambda: Remembering(LiveCluster(paced)),
            prover=prover,
            sets=sets,
            policies=keeper,
            records=archive,
            clock=clock,
            cluster=settings.cluster_name,
        )
        more["scan"] = Scanner(
            rescanner,
            source=paced,
            reports=Reports(api, own),
            teller=teller,
            keeper=keeper,
            clock=clock,
            told=Told(
                trouble=sets.trouble,
                own_namespace=own,
                every_s=settings.scan.every_s,
                most=settings.scan.max_results,
            ),
        ).run
    if (renewed := settings.certificates).authorities:
        lasts = timedelta(days=renewed.days)
        renewer = Renewer(api, own, renewed.authorities, lasts)
        more["certificates"] = Rotation(renewer, clock, renewed.every_s).run
    if (asked := settings.mirrors).every_s:
        how = reach(
            ca_file=asked.ca_file, loopback=asked.allow_loopback, look_s=asked.look_s
        )
        more["mirrors"] = Mirrors(
            keeper, teller, clock, reach=how, every_s=asked.every_s
        ).run
    begun = settings.beginning
    if begun.directory is not None:
        given = founder.read(begun.directory, begun.root_roster)
        more["founding"] = founder.Founder(api, given).run
    if settings.watchdog.every_s:
        more["watchdog"] = Watchdog(
            api, keeper, teller, own, settings.watchdog.every_s
        ).run
    return more
