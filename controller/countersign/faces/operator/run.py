"""The parts of the operator, put together and run."""

import asyncio

from countersign.adapters.clock import SystemClock
from countersign.adapters.cluster.bundle_sets import WatchedBundleSets
from countersign.adapters.cluster.client import connect, credentials
from countersign.adapters.cluster.watch import Pace
from countersign.adapters.proof.prover import BundleProver
from countersign.config import OperateSettings
from countersign.faces.operator.election import Election, while_held
from countersign.faces.operator.keeper import Keeper
from countersign.faces.operator.loops import operate
from countersign.ports import Archive
from countersign.usecases.debts import Debtors


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

        def work() -> asyncio.Task[None]:
            return asyncio.create_task(
                operate(
                    keeper,
                    Debtors(archive, sets, prover, keeper, clock).settle,
                    lambda: credentials(
                        kubeconfig=told.kubeconfig, context=told.context
                    ),
                    sets.watch.run,
                    {},
                )
            )

        try:
            await while_held(election, stop, work)
        finally:
            prover.close()
