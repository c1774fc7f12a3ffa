"""Metrics and the log format. Only faces and adapters observe; use cases return.

Labels are bounded: their values stand beside each metric. Never a namespace, an image
or a policy's name.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, TextIO

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

REGISTRY = CollectorRegistry()
for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)

REVIEWS = Counter(
    "countersign_reviews",
    "Admission requests answered.",
    ["outcome"],
    registry=REGISTRY,
)
"""outcome: allowed | denied | warned | outOfScope | shed | failed."""

REVIEW_DURATION = Histogram(
    "countersign_review_duration_seconds",
    "From the first byte of a request to its answer.",
    buckets=(
        0.001,
        0.0025,
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1,
        2.5,
        5,
        10,
        30,
    ),
    registry=REGISTRY,
)
"""Up to the longest timeout that a webhook may have."""

FINDINGS = Counter(
    "countersign_findings",
    "Shortfalls found.",
    ["reason", "enforcement"],
    registry=REGISTRY,
)
"""reason: values of Reason; enforcement: deny | warn | audit."""

PROOFS = Counter(
    "countersign_proofs",
    "Bundles verified, cached results not counted.",
    ["result"],
    registry=REGISTRY,
)
"""result: proven | rejected | malformed | unavailable."""

CACHE_REQUESTS = Counter(
    "countersign_cache_requests",
    "Look-ups in caches.",
    ["cache", "result"],
    registry=REGISTRY,
)
"""cache: proofs; result: hit | miss."""

POLICIES = Gauge(
    "countersign_policies",
    "ProtectionPolicies in force, by whether they could be read.",
    ["state"],
    registry=REGISTRY,
)
"""state: valid | invalid."""

WATCH_AGE = Gauge(
    "countersign_watch_age_seconds",
    "Since the API server last confirmed what we know of a kind; +Inf before that.",
    ["kind"],
    registry=REGISTRY,
)
"""kind: the kinds that serve watches."""

WATCH_FAILURES = Counter(
    "countersign_watch_failures",
    "Lists and watches that ended in an error.",
    ["kind"],
    registry=REGISTRY,
)
"""kind: the same."""

TRUST_ROOT_EXPIRY = Gauge(
    "countersign_trust_root_expiry_timestamp_seconds",
    "When the last certificate authority or key of a trust root ends.",
    ["trust_root"],
    registry=REGISTRY,
)
"""trust_root: as many as there are TrustRoot objects."""

CERTIFICATE_EXPIRY = Gauge(
    "countersign_certificate_expiry_timestamp_seconds",
    "When the serving certificate ends.",
    registry=REGISTRY,
)
"""No label."""

BUILD_INFO = Gauge(
    "countersign_build_info",
    "The version that runs.",
    ["version"],
    registry=REGISTRY,
)
BUILD_INFO.labels(version("countersign")).set(1)


def metrics_page() -> tuple[bytes, str]:
    """Return all metrics in Prometheus' text format, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, event, logger, and the `extra` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return `record` as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line |= _extra(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """The same for a terminal: ``event key=value …``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return `record` as one line, and the traceback below it."""
        fields = "".join(f" {key}={value}" for key, value in _extra(record).items())
        line = f"{record.levelname.lower()} {record.getMessage()}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {k: v for k, v in vars(record).items() if k not in _STANDARD}


def start_logging(*, as_json: bool, level: str, stream: TextIO | None = None) -> None:
    """Send everything that is logged to `stream` (default: stdout).

    Args:
        as_json: One JSON object a line; else text.
        level: Name of the lowest level, such as ``INFO``.
        stream: Where to.
    """
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
