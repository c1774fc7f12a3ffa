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
"""cache: proofs | images; result: hit | miss."""

REGISTRY_LOOKS = Counter(
    "countersign_registry_looks",
    "Looks at registries: all requests about one image, or one signed text.",
    ["registry", "outcome"],
    registry=REGISTRY,
)
"""registry: hosts, 32 at most, the rest is other;
outcome: found | nothing | incomplete | throttled | unavailable | failed."""

REGISTRY_SECONDS = Histogram(
    "countersign_registry_look_seconds",
    "How long a look at a registry took.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
"""No label."""

IMAGE_CACHE_BYTES = Gauge(
    "countersign_image_cache_bytes",
    "What is remembered of registries, in bytes.",
    registry=REGISTRY,
)
"""No label."""

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

BUNDLE_SETS = Gauge(
    "countersign_bundle_sets",
    "BundleSets that are known, by whether they are read.",
    ["state"],
    registry=REGISTRY,
)
"""state: kept | overLimit | invalid."""

TRUST_ROOT_EXPIRY = Gauge(
    "countersign_trust_root_expiry_timestamp_seconds",
    "When the last certificate authority or key of a trust root ends.",
    ["trust_root"],
    registry=REGISTRY,
)
"""trust_root: as many as there are TrustRoot objects."""

TRUST_MIRRORED = Gauge(
    "countersign_trust_mirror",
    "1 for what came of the last look where a trust root is published.",
    ["trust_root", "outcome"],
    registry=REGISTRY,
)
"""trust_root: as above; outcome: same | differs | unreachable | expired | rejected."""

TRUST_MIRRORED_AT = Gauge(
    "countersign_trust_mirror_timestamp_seconds",
    "When it was last looked there, and somebody answered.",
    ["trust_root"],
    registry=REGISTRY,
)
"""trust_root: as above."""

DECISIONS = Counter(
    "countersign_decisions",
    "Decisions worth keeping, by what was known of them when the answer went out.",
    ["result"],
    registry=REGISTRY,
)
"""result: kept | late (the answer does not name it) | failed."""

SPOOLED = Counter(
    "countersign_spool_entries",
    "Entries that were to be written into the spool.",
    ["kind"],
    registry=REGISTRY,
)
"""kind: decision | sighting."""

SPOOL_LOST = Counter(
    "countersign_spool_lost",
    "Decisions that the spool could not keep.",
    ["cause"],
    registry=REGISTRY,
)
"""cause: full | failed | hanging | unusable | malformed | fault."""

SPOOL_BYTES = Gauge(
    "countersign_spool_bytes",
    "What the spool holds and the recorder has not acknowledged, in bytes.",
    registry=REGISTRY,
)
"""No label."""

SPOOL_CERTIFICATE_EXPIRY = Gauge(
    "countersign_spool_certificate_expiry_timestamp_seconds",
    "When the certificate of the spool's listener ends.",
    registry=REGISTRY,
)
"""No label."""

CERTIFICATE_EXPIRY = Gauge(
    "countersign_certificate_expiry_timestamp_seconds",
    "When the serving certificate ends.",
    registry=REGISTRY,
)
"""No label."""

PULLS = Counter(
    "countersign_spool_pulls",
    "Looks of the recorder at the spool of a replica.",
    ["result"],
    registry=REGISTRY,
)
"""result: done | failed."""

RECORDED = Counter(
    "countersign_spool_entries_recorded",
    "Entries of spools that are in the audit store.",
    registry=REGISTRY,
)
"""No label."""

SPOOLS_LOST = Gauge(
    "countersign_spool_entries_lost",
    "Decisions that the spools known to the recorder could not keep, ever.",
    registry=REGISTRY,
)
"""No label. Anything but 0 is a gap in the audit log."""

SPOOL_AGE = Gauge(
    "countersign_spool_pull_age_seconds",
    "Since the spool that is longest without one was pulled; 0 without any replica.",
    registry=REGISTRY,
)
"""No label."""

READS = Counter(
    "countersign_record_reads",
    "Requests to the recorder's service.",
    ["result"],
    registry=REGISTRY,
)
"""result: done | unauthenticated | forbidden | notFound | refused | failed."""

RECOVERIES = Counter(
    "countersign_recoveries",
    "Changes of the root roster or of trust by those who may recover, unsigned.",
    registry=REGISTRY,
)
"""No label. Any growth is worth an alert: see the runbook."""

BREAK_GLASS = Counter(
    "countersign_break_glass",
    "Requests that were admitted under break-glass.",
    registry=REGISTRY,
)
"""No label. Any growth is announced; countersign_review_debts says what is owed."""

STATUS_WRITES = Counter(
    "countersign_status_writes",
    "Writes to the status of our objects.",
    registry=REGISTRY,
)
"""No label. It stands still where nothing changes."""

GATE = Gauge(
    "countersign_gate_closed",
    "0 while the gate is seen to be open: not registered as it should be, or admitting.",
    ["check"],
    registry=REGISTRY,
)
"""check: registration | probe. Alert on 0, and on its absence."""

REVIEW_DEBTS = Gauge(
    "countersign_review_debts",
    "Break-glass admissions that nobody has reviewed.",
    ["state"],
    registry=REGISTRY,
)
"""state: open | overdue."""

LEADING = Gauge(
    "countersign_operator_leading",
    "1 while this process is the one that operates and records.",
    registry=REGISTRY,
)
"""No label. Summed over all processes it is 1."""

SCANNED = Gauge(
    "countersign_scan_objects",
    "Live objects by what the last scan found out.",
    ["result"],
    registry=REGISTRY,
)
"""result: pass | neverSeen | drift | revoked | expired | unknown |
reviewOwed | reviewOverdue."""

SCANNED_AT = Gauge(
    "countersign_scan_timestamp_seconds",
    "When the last scan of everything ended; 0 before the first.",
    registry=REGISTRY,
)
"""No label."""

EVENTS = Counter(
    "countersign_operator_events",
    "Events that were written, or could not be.",
    ["result"],
    registry=REGISTRY,
)
"""result: written | failed."""

LEAF_EXPIRY = Gauge(
    "countersign_leaf_expiry_timestamp_seconds",
    "When the certificates end that the operator renews.",
    ["secret"],
    registry=REGISTRY,
)
"""secret: the four that it renews."""

OPERATOR_FAILURES = Counter(
    "countersign_operator_failures",
    "Times that a part of the operator ended, and was started again.",
    ["part"],
    registry=REGISTRY,
)
"""part: kopf | evidence | conditions | debts | scan | certificates | mirrors |
founding | watchdog."""

BUILD_INFO = Gauge(
    "countersign_build_info",
    "The version that runs.",
    ["version"],
    registry=REGISTRY,
)
"""version: ours."""
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
