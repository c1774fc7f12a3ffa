"""Alerts and panels ask for metrics that exist, and lead to where something is said."""

import re
from pathlib import Path

import pytest

from countersign import telemetry
from tools.doclinks import anchors
from tools.gen.monitoring import ALERTS, PANELS

_ROOT = Path(__file__).parents[3]
_METRIC = re.compile(r"\bcountersign_\w+")
_LABEL = re.compile(r'(\w+)=~?"([^"]*)"')
_GIVEN = {"job", "pod"}  # labels that Prometheus adds

EXPRESSIONS = {
    **{alert.name: alert.expression for alert in ALERTS},
    **{
        f"{title}: {legend}": query
        for title, _, queries in PANELS
        for legend, query in queries.items()
    },
}


def known() -> dict[str, set[str]]:
    """Return the labels of every series that a process may show, by its name."""
    found: dict[str, set[str]] = {}
    for collector in vars(telemetry).values():
        if not hasattr(collector, "_labelnames"):
            continue
        labels = set(collector._labelnames)
        (family,) = collector.describe()
        names = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        for suffix in names.get(family.type, [""]):
            found[family.name + suffix] = labels
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_asks_for_metrics_that_exist(expression: str) -> None:
    """Of a series that nobody shows, an alert is silent for ever."""
    series = known()
    asked = set(_METRIC.findall(expression))

    assert asked <= series.keys()
    labels = {"le", *_GIVEN}.union(*(series[name] for name in asked))
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    used = {one.strip() for group in grouped for one in group.split(",")}
    used |= {name for name, _ in _LABEL.findall(expression)}
    assert used <= labels


def test_every_part_of_the_gate_is_watched() -> None:
    """What is worth a metric of its end is worth an alert before it."""
    ends = {name for name in known() if name.endswith("expiry_timestamp_seconds")}
    told = set(_METRIC.findall(" ".join(alert.expression for alert in ALERTS)))

    assert ends <= told


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_leads_to_the_runbook(alert: object) -> None:
    """Whoever is woken is told what to do."""
    assert getattr(alert, "anchor", "") in anchors(_ROOT / "docs" / "runbook.md")


def test_the_page_names_every_metric_and_alert() -> None:
    """What nobody can look up, nobody draws. Failed with one left without its text."""
    page = (_ROOT / "docs" / "metrics.md").read_text()
    short = {re.sub("_(bucket|sum|count)$", "", name) for name in known()}
    named = set(_METRIC.findall(page)) | set(re.findall(r"`Countersign(\w+)`", page))

    assert short | {alert.name for alert in ALERTS} == named


_KIND = "ValidatingWebhookConfiguration"
_OPERATOR = ("usecases/status.py", "usecases/reminders.py", "faces/operator/telling.py")


@pytest.mark.parametrize("file", _OPERATOR)
def test_the_runbook_names_each_event_and_condition(file: str) -> None:
    """`kubectl describe` shows a word: it has to be found. Four events were not."""
    source = (_ROOT / "controller" / "countersign" / file).read_text()
    told = set(re.findall(r'"([A-Z][a-z]+[A-Z][A-Za-z]*|Drifted)"', source))
    page = (_ROOT / "docs" / "runbook.md").read_text()

    assert told
    assert {word for word in told if f"`{word}`" not in page} <= {_KIND}
