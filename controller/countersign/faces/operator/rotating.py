"""The loop that renews our certificates; who shows them loads them by himself."""

import asyncio
import logging

from countersign.adapters.cluster.renewing import Renewer
from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.faces.operator.loops import News
from countersign.ports import Clock
from countersign.telemetry import LEAF_EXPIRY

logger = logging.getLogger(__name__)


class Rotation:
    """Renews certificates for ever.

    Args:
        renewer: Does it.
        clock: The present.
        every_s: Between two looks, in seconds.
    """

    def __init__(self, renewer: Renewer, clock: Clock, every_s: float) -> None:
        self._renewer = renewer
        self._clock = clock
        self._every_s = every_s

    async def run(self, news: News) -> None:
        """Look, and look again.

        Raises:
            Unavailable: something is in the way; the last certificates hold meanwhile.
        """
        del news
        while True:
            try:
                found = await self._renewer.renew(self._clock.now())
            except (Malformed, Rejected) as error:
                raise Unavailable(str(error)) from error
            for secret, (end, new) in found.items():
                LEAF_EXPIRY.labels(secret).set(end.timestamp())
                if new:
                    told = {"secret": secret, "until": end.isoformat()}
                    logger.info("certificate_renewed", extra=told)
            await asyncio.sleep(self._every_s)
