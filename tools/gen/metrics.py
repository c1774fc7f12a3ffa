"""The page of metrics and alerts, read from where both are written.

The sentence below a metric in `telemetry` names the values of its labels.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from countersign import telemetry
from tools.gen import Generator
from tools.gen.monitoring import ALERTS

FILE = "docs/metrics.md"
_SERIES = {"counter": "_total"}
_INTRODUCTION = """\
<!-- Generated from countersign.telemetry and tools/gen/monitoring.py by `make gen`. -->

# Alerts and metrics

`monitoring.prometheusRule`, `.serviceMonitor` and `.dashboard` of the
[chart](values.md) bring the alerts, have the metrics read, and draw them.

## Alerts

Critical: changes are denied that should not be, the gate is open, or decisions go
unrecorded, now or soon. Each links to what to do.

"""
_METRICS = """
## Metrics

`serve` shows them at `/metrics` of its port, `operate` at that of the recorder. Both
list all; what a process does not do stays at 0, or without a series. No label names a
namespace, an image or a policy.

"""


def _below() -> Iterator[tuple[str, str]]:
    """Yield each name of `telemetry` with the text below it, in order."""
    tree = ast.parse(Path(telemetry.__file__).read_text())
    for one, after in zip(tree.body, tree.body[1:], strict=False):
        match one, after:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, " ".join(text.split())
            case _:
                pass


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _metric(name: str, below: str) -> str:
    (family,) = getattr(telemetry, name).describe()
    shown = f"`{family.name}{_SERIES.get(family.type, '')}`"
    labels = below.replace(" | ", ", ") if re.match(r"\w+: ", below) else ""
    more = "" if labels else below.removeprefix("No label.")
    told = f"{family.documentation} {more.strip()}".rstrip()
    return _row(shown, family.type, told, labels)


def _make() -> Mapping[str, bytes]:
    text = _INTRODUCTION + _row("alert", "severity", "means") + "|---|---|---|\n"
    for alert in ALERTS:
        link = f"[`Countersign{alert.name}`](runbook.md#{alert.anchor})"
        means = alert.means.replace("{{ $labels.", "`").replace(" }}", "`")
        text += _row(link, alert.severity, means)
    text += _METRICS + _row("metric", "type", "what it is", "labels")
    text += "|---|---|---|---|\n" + "".join(_metric(*one) for one in _below())
    return {FILE: text.encode()}


METRICS = Generator(name="metrics", owns=FILE, make=_make)
