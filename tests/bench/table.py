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
