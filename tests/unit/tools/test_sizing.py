"""What the chart gives its containers is what was measured, and some more."""

import json
import re
from typing import Any

import pytest

from tools.gen import ROOT
from tools.gen.values import Chart

_MEASURED = json.loads((ROOT / "bench" / "results.json").read_text())
_PAGE = (ROOT / "docs" / "sizing.md").read_text()
_CACHE_MIB = 64  # the setting's default, which this measurement filled


def mebibytes(text: str) -> int:
    """Return the number in ``192Mi``."""
    (number,) = re.fullmatch(r"(\d+)Mi", text).groups()  # type: ignore[union-attr]  # None fails the test
    return int(number)


def peak() -> float:
    """Return the most that any case of any number of connections used, MiB."""
    return max(
        float(run["rss_mb"])
        for case in _MEASURED["cases"].values()
        for run in (case, *case["connections"].values())
    )


def test_the_webhook_gets_what_it_needs() -> None:
    """Seen to fail with the request of before, which the peak of the load exceeded."""
    given = Chart.model_construct().resources

    assert mebibytes(given["requests"]["memory"]) > peak()
    assert mebibytes(given["limits"]["memory"]) >= 2 * (peak() + _CACHE_MIB)
    assert "cpu" not in given["limits"]


def test_a_tenth_of_a_core_judges_what_a_rollout_sends() -> None:
    """Fifty known reviews a second, by the time that one costs."""
    milli = int(Chart.model_construct().resources["requests"]["cpu"].rstrip("m"))
    case: dict[str, Any] = _MEASURED["cases"]["signed-warm"]

    assert milli / case["cpu_ms"] >= 50


@pytest.mark.parametrize("who", ["serve", "operate"])
def test_the_page_says_what_the_chart_gives(who: str) -> None:
    """Row by row."""
    chart = Chart.model_construct()
    given = chart.resources if who == "serve" else chart.operate.resources
    memory = mebibytes(given["requests"]["memory"])
    limit = mebibytes(given["limits"]["memory"])

    assert re.search(rf"\| `{who}` memory \| {memory} MiB \|.*\| {limit} MiB \|", _PAGE)
    assert f"| `{who}` CPU | {given['requests']['cpu']} |" in _PAGE


def test_the_cache_is_the_one_that_was_measured() -> None:
    """Ten thousand images, no more than its bound."""
    digests = _MEASURED["image_evidence"]["digests"]

    assert digests["kept_mib"] <= _CACHE_MIB
    assert digests["rss_mib"] <= _CACHE_MIB
