"""The results as a table."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

# Narrow enough for 80 characters, with the longest name of a case.
_COLUMNS = {
    "n": ("", 0),
    "CPU": ("cpu_ms", 2),
    "floors": ("cpu_ratio", 2),
    "p50": ("p50_ms", 1),
    "p95": ("p95_ms", 1),
    "p99": ("p99_ms", 1),
    "rps": ("rps", 0),
    "MiB": ("rss_mb", 0),
}


def show(results: dict[str, Any], console: Console | None = None) -> None:
    """Print what was measured."""
    out = console or Console()
    out.print(_reviews(results))
    out.print(_others(results))
    if beside := results.get("image_evidence"):
        out.print(_beside_images(beside))


def _reviews(results: dict[str, Any]) -> Table:
    table = Table(
        title="A review over n connections: ms, requests a second, MiB",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("case", no_wrap=True)
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for name, case in {"floor": results["floor"], **results["cases"]}.items():
        for index, (connections, run) in enumerate(case["connections"].items()):
            table.add_row(
                "" if index else name,
                *(
                    f"{run[key]:.{digits}f}" if key else connections
                    for key, digits in _COLUMNS.values()
                ),
            )
    return table


def _others(results: dict[str, Any]) -> Table:
    table = Table(
        title="Through the API server: create a ConfigMap", box=box.SIMPLE_HEAD
    )
    for column in ("webhook", "p50 ms", "p95 ms", "p99 ms", "a second"):
        table.add_column(column, justify="left" if column == "webhook" else "right")
    for name, run in results["api_server"].items():
        numbers = (run["p50_ms"], run["p95_ms"], run["p99_ms"], run["rps"])
        table.add_row(name, *(f"{number:.1f}" for number in numbers))
    match = results["match"]
    table.caption = (
        f"ready {results['start']['ready_s']} s after its start; one comparison: "
        f"Deployment {match['match_deployment_ms']} ms, "
        f"definition of 200 KB {match['match_crd_ms']} ms"
    )
    return table


def _beside_images(results: dict[str, Any]) -> Table:
    table = Table(
        title="A request that needs evidence beside its image", box=box.SIMPLE_HEAD
    )
    for column in ("registry", "p50 ms", "requests to it"):
        table.add_column(column, justify="left" if column == "registry" else "right")
    for away, run in results["cold"].items():
        name = f"{away} ms away, never asked"
        table.add_row(name, f"{run['p50_ms']:.1f}", str(run["requests"]))
    warm, at_once, many = (results[key] for key in ("warm", "at_once", "digests"))
    table.add_row("asked before", f"{warm['p50_ms']:.1f}", str(warm["requests"]))
    table.caption = (
        f"{at_once['number']} at once, {at_once['away_ms']} ms away: "
        f"{at_once['fetches']} fetch of the image, all judged in "
        f"{at_once['all_ms']:.0f} ms; {many['number']} images with "
        f"{many['seen_mib']:.0f} MiB of evidence: {many['kept_mib']:.0f} MiB kept, "
        f"{many['rss_mib']:.0f} MiB of memory"
    )
    return table
