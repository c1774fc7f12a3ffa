"""Run a virtual Sigstore: ``python -m tools.sigstore --dir DIR --listen HOST:PORT``.

Writes ``trusted_root.json`` and ``signing_config.json`` into DIR, then prints its URL:
from that line on it answers. Stops on SIGINT and SIGTERM.
"""

import argparse
import asyncio
import json
import signal
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from tools.sigstore.instance import VirtualSigstore
from tools.sigstore.service import application
from tools.sigstore.trust_root import Rekor


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tools.sigstore")
    parser.add_argument("--dir", type=Path, required=True, help="keys and trust root")
    parser.add_argument("--listen", default="127.0.0.1:0", help="loopback HOST:PORT")
    parser.add_argument(
        "--rekor",
        choices=[*Rekor],
        type=Rekor,
        help="the one log to offer (default: both; clients take v2)",
    )
    parser.add_argument("--name", default="virtual", help="of a new instance")
    options = parser.parse_args(arguments)
    host, _, port = options.listen.rpartition(":")
    logs = (options.rekor,) if options.rekor else tuple(Rekor)
    asyncio.run(_serve(options.dir, options.name, host, int(port), logs))


async def _serve(
    folder: Path, name: str, host: str, port: int, logs: Sequence[Rekor]
) -> None:
    sigstore = VirtualSigstore(folder, name=name)
    runner = web.AppRunner(application(sigstore), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        url = f"http://{host}:{runner.addresses[0][1]}"
        _write(folder / "trusted_root.json", sigstore.trusted_root())
        _write(folder / "signing_config.json", sigstore.signing_config(url, logs=logs))
        print(url, flush=True)
        await _stop_signal()
    finally:
        await runner.cleanup()


async def _stop_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _write(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
