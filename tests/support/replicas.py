"""A replica as the recorder sees it: a real spool on disk, behind its real listener."""

import asyncio
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from aiohttp import web

from countersign.adapters.spool.journal import SpoolJournal
from countersign.core.types.decision import Decision
from countersign.faces.webhook.spool import make_spool_app
from tools.stack.ready import until

LOOPBACK, NAME = "127.0.0.1", "countersign-serve"
_RECORDER = "countersign-recorder"
_MIB = 1 << 20


@dataclass
class Certificates:
    """Files of both sides of the recorder's connections to replicas."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        self.authority.cert_pem.write_to_path(self.folder / "spool-ca.crt")
        mine = self.authority.issue_cert("recorder", common_name=_RECORDER)
        mine.private_key_and_cert_chain_pem.write_to_path(self.folder / "spool.pem")

    def settings(self, *replicas: "Replica") -> dict[str, object]:
        """Return what ``operate`` has to be told to pull from `replicas`."""
        return {
            "spools__sources": ",".join(replica.url for replica in replicas),
            "spools__ca_file": self.folder / "spool-ca.crt",
            "spools__certificate_file": self.folder / "spool.pem",
            "spools__key_file": self.folder / "spool.pem",
            "spools__poll_s": 0.1,
        }

    def serving(self) -> ssl.SSLContext:
        """Return the context of a replica."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.verify_mode = ssl.CERT_REQUIRED
        self.authority.configure_trust(context)
        self.authority.issue_cert(NAME).configure_cert(context)
        return context


class Replica:
    """Keeps decisions and hands them out. Set a fact, and look at what happens.

    Attributes:
        url: Of its spool.
        hanging: It takes requests to read, and does not answer.
        deaf: It takes acknowledgements, and neither heeds nor answers them.
        deafened: An acknowledgement came while it was deaf.
        reached: The last sequence that was acknowledged.
    """

    def __init__(self, journal: SpoolJournal) -> None:
        self._journal = journal
        self._loop = asyncio.new_event_loop()
        self.url = ""
        self.hanging = self.deaf = False
        self.deafened = threading.Event()
        self.reached = 0

    def keep(self, decisions: Iterable[Decision]) -> None:
        """Let it decide."""

        async def keep() -> None:
            for decision in decisions:
                await self._journal.keep(decision)
                until(lambda: "late" if self._journal.hangs else "", what="the disk")

        asyncio.run_coroutine_threadsafe(keep(), self._loop).result(60)

    async def batch(self, positions: Mapping[str, int], limit: int) -> bytes:
        """Answer the recorder, as the spool does."""
        if self.hanging:
            await asyncio.Event().wait()
        return await self._journal.batch(positions, limit)

    async def acknowledge(self, spool: str, sequence: int) -> bool:
        """Heed the recorder, as the spool does."""
        if self.deaf:
            self.deafened.set()
            await asyncio.Event().wait()
        self.reached = max(self.reached, sequence)
        return await self._journal.acknowledge(spool, sequence)

    def _run(self, certificates: Certificates, up: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(make_spool_app(self), shutdown_timeout=0)

        async def start() -> None:
            await runner.setup()
            context = certificates.serving()
            await web.TCPSite(runner, LOOPBACK, 0, ssl_context=context).start()
            self.url = f"https://{LOOPBACK}:{runner.addresses[0][1]}"
            up.set()

        self._loop.run_until_complete(start())
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@contextmanager
def replica(folder: Path, certificates: Certificates) -> Iterator[Replica]:
    """Run a replica while the block lasts; its spool is in `folder`."""
    journal = SpoolJournal(folder, limit=64 * _MIB)
    made, up = Replica(journal), threading.Event()
    thread = threading.Thread(target=made._run, args=(certificates, up))
    thread.start()
    try:
        assert up.wait(10)
        yield made
    finally:
        made._loop.call_soon_threadsafe(made._loop.stop)
        thread.join()
        journal.close()
