"""Alerts and dashboard of the chart. A test holds each metric against `telemetry`.

An alert is about what somebody has to do, and says where the runbook tells how.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from countersign.core.types.artifacts import Json, Tree
from countersign.wire.yaml_text import render_yaml
from tools.gen import Generator

ALERTS_FILE = "charts/countersign/files/alerts.yaml"
DASHBOARD_FILE = "charts/countersign/files/dashboard.json"
_HEADER = "# Generated from tools/gen/monitoring.py by `make gen`.\n"
_DAY = 86400
_SPOOL_MIB = 256  # the default of spool.max_mib


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        name: Without the prefix.
        expression: PromQL. ``JOB`` and ``OPERATE`` stand for the jobs of the processes.
        lasts: How long it has to hold.
        severity: critical: changes are denied, or go unrecorded. warning: they will be.
        means: One sentence.
        anchor: Of the runbook.
    """

    name: str
    expression: str
    lasts: str
    severity: str
    means: str
    anchor: str


ALERTS = (
    Alert(
        "WebhookAway",
        'absent(up{job="JOB"} == 1)',
        "2m",
        "critical",
        "No replica of the webhook answers: protected namespaces admit nothing.",
        "the-webhook-is-away",
    ),
    Alert(
        "GateOpen",
        "min(countersign_gate_closed) == 0",
        "0m",
        "critical",
        "What must be denied was admitted, or the registration is not ours any more.",
        "the-gate-is-open",
    ),
    Alert(
        "Recovered",
        "increase(countersign_recoveries_total[1h]) > 0",
        "0m",
        "critical",
        "Somebody used the recovery group's right over the gate.",
        "somebody-recovered",
    ),
    Alert(
        "BreakGlass",
        "sum(increase(countersign_break_glass_total[1h])) > 0",
        "0m",
        "warning",
        "Somebody on call let in what was not reviewed: it owes a review.",
        "the-glass-was-broken",
    ),
    Alert(
        "NothingKnown",
        "max by (kind) (countersign_watch_age_seconds) > 45",
        "1m",
        "critical",
        "A replica hears nothing of {{ $labels.kind }}: it is about to deny everything.",
        "stale",
    ),
    Alert(
        "Shedding",
        'sum(rate(countersign_reviews_total{outcome=~"shed|failed"}[5m])) > 0',
        "5m",
        "critical",
        "Requests are denied because there are too many, or because we failed.",
        "unavailable",
    ),
    Alert(
        "Slow",
        "histogram_quantile(0.99, sum by (le) "
        "(rate(countersign_review_duration_seconds_bucket[5m]))) > 5",
        "10m",
        "warning",
        "One review of a hundred takes half of the default timeout.",
        "unavailable",
    ),
    Alert(
        "PolicyInvalid",
        'max(countersign_policies{state="invalid"}) > 0',
        "5m",
        "critical",
        "A policy cannot be read, and denies all that it would have matched.",
        "policy_invalid",
    ),
    Alert(
        "CertificateEnds",
        "min(countersign_certificate_expiry_timestamp_seconds > 0) - time() "
        f"< {7 * _DAY}",
        "1h",
        "critical",
        "The webhook's certificate ends within a week: after that nothing is admitted.",
        "certificates",
    ),
    Alert(
        "SpoolCertificateEnds",
        "min(countersign_spool_certificate_expiry_timestamp_seconds > 0) - time() "
        f"< {7 * _DAY}",
        "1h",
        "warning",
        "The spools' certificate ends within a week: after that nothing is recorded.",
        "certificates",
    ),
    Alert(
        "RenewalFails",
        "min by (secret) (countersign_leaf_expiry_timestamp_seconds > 0) "
        f"- time() < {7 * _DAY}",
        "1h",
        "warning",
        "The operator should have renewed {{ $labels.secret }} by now.",
        "certificates",
    ),
    Alert(
        "TrustRootEnds",
        "min by (trust_root) (countersign_trust_root_expiry_timestamp_seconds > 0) "
        f"- time() < {30 * _DAY}",
        "1h",
        "warning",
        "Trust root {{ $labels.trust_root }} ends within a month.",
        "certificates",
    ),
    Alert(
        "TrustPublished",
        'max by (trust_root) (countersign_trust_mirror{outcome="differs"}) == 1',
        "1h",
        "warning",
        "Other trust is published than is in force as {{ $labels.trust_root }}.",
        "trust-that-is-published",
    ),
    Alert(
        "TrustMirrorFails",
        "max by (trust_root, outcome) "
        '(countersign_trust_mirror{outcome=~"expired|rejected"}) == 1',
        "10m",
        "warning",
        "What is published for {{ $labels.trust_root }} is {{ $labels.outcome }}.",
        "trust-that-is-published",
    ),
    Alert(
        "TrustMirrorAway",
        'max by (trust_root) (countersign_trust_mirror{outcome="unreachable"}) == 1',
        "1d",
        "warning",
        "Where {{ $labels.trust_root }} is published, nobody has answered for a day.",
        "trust-that-is-published",
    ),
    Alert(
        "DecisionsLost",
        "sum(increase(countersign_spool_lost_total[1h])) > 0",
        "0m",
        "critical",
        "Decisions could not be kept: there is a gap in the audit log.",
        "decisions-were-lost",
    ),
    Alert(
        "NotRecording",
        "max(countersign_spool_pull_age_seconds) > 300",
        "5m",
        "warning",
        "A replica's decisions have not been recorded for 5 minutes; it keeps them.",
        "the-recorder-is-down",
    ),
    Alert(
        "SpoolFills",
        f"max(countersign_spool_bytes) > {int(0.75 * (_SPOOL_MIB << 20))}",
        "5m",
        "critical",
        "A replica's spool is nearly full: decisions are about to be lost.",
        "the-recorder-is-down",
    ),
    Alert(
        "OperatorAway",
        'absent(up{job="OPERATE"} == 1)',
        "10m",
        "warning",
        "No operator answers: verdicts stay, status gets old, decisions wait.",
        "the-operator-is-down-or-a-condition-is-false",
    ),
    Alert(
        "OperatorFails",
        "sum by (part) (increase(countersign_operator_failures_total[30m])) > 3",
        "0m",
        "warning",
        "The operator's {{ $labels.part }} ends again and again.",
        "the-operator-is-down-or-a-condition-is-false",
    ),
    Alert(
        "UnprovenRuns",
        'sum(countersign_scan_objects{result=~"neverSeen|drift|revoked"}) > 0',
        "15m",
        "warning",
        "Something runs that nobody's word stands for any more, or never did.",
        "what-runs-is-verified-again",
    ),
    Alert(
        "ScanStopped",  # 0: none yet, or none is wanted
        "time() - max(countersign_scan_timestamp_seconds) > 10800"
        " and max(countersign_scan_timestamp_seconds) > 0",
        "15m",
        "warning",
        "What runs has not been verified again for three hours.",
        "what-runs-is-verified-again",
    ),
    Alert(
        "ReviewOverdue",
        'max(countersign_review_debts{state="overdue"}) > 0',
        "5m",
        "warning",
        "What was admitted under break-glass was not reviewed in time.",
        "review-debts",
    ),
)


def _rule(alert: Alert) -> Tree:
    return {
        "alert": f"Countersign{alert.name}",
        "expr": alert.expression,
        "for": alert.lasts,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.means,
            # the template puts the address before it
            "runbook_url": f"#{alert.anchor}",
        },
    }


# title, unit of Grafana, queries by legend
PANELS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    (
        "Reviews a second",
        "reqps",
        {"{{outcome}}": "sum by (outcome) (rate(countersign_reviews_total[5m]))"},
    ),
    (
        "Time of a review",
        "s",
        {
            f"{quantile}": f"histogram_quantile({quantile}, sum by (le) "
            "(rate(countersign_review_duration_seconds_bucket[5m])))"
            for quantile in (0.5, 0.95, 0.99)
        },
    ),
    (
        "Findings an hour",
        "short",
        {
            "{{reason}} {{enforcement}}": "sum by (reason, enforcement) "
            "(increase(countersign_findings_total[1h]))"
        },
    ),
    (
        "Age of what is known",
        "s",
        {"{{kind}}": "max by (kind) (countersign_watch_age_seconds)"},
    ),
    (
        "Policies",
        "short",
        {"{{state}}": "max by (state) (countersign_policies)"},
    ),
    (
        "Spools",
        "bytes",
        {"{{pod}}": "max by (pod) (countersign_spool_bytes)"},
    ),
    (
        "Since the last pull",
        "s",
        {"oldest": "max(countersign_spool_pull_age_seconds)"},
    ),
    (
        "Decisions lost",
        "short",
        {"{{cause}}": "sum by (cause) (countersign_spool_lost_total)"},
    ),
    (
        "Looks at registries a second",
        "reqps",
        {
            "{{registry}} {{outcome}}": "sum by (registry, outcome) "
            "(rate(countersign_registry_looks_total[5m]))"
        },
    ),
    (
        "Review debts",
        "short",
        {
            "{{state}}": "max by (state) (countersign_review_debts)",
            "admitted in the last hour": "sum("
            "increase(countersign_break_glass_total[1h]))",
        },
    ),
    (
        "Certificates end in",
        "s",
        {
            "webhook": "min(countersign_certificate_expiry_timestamp_seconds) - time()",
            "spools": "min(countersign_spool_certificate_expiry_timestamp_seconds) "
            "- time()",
            "{{trust_root}}": "min by (trust_root) "
            "(countersign_trust_root_expiry_timestamp_seconds) - time()",
        },
    ),
    (
        "Memory",
        "bytes",
        {"{{pod}}": 'process_resident_memory_bytes{job=~"countersign.*"}'},
    ),
)


def _panel(number: int, title: str, unit: str, queries: Mapping[str, str]) -> Tree:
    across, high = 2, 8
    place: Tree = {
        "x": number % across * 12,
        "y": number // across * high,
        "w": 12,
        "h": high,
    }
    targets: list[Json] = [
        {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend}
        for index, (legend, query) in enumerate(queries.items())
    ]
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def _dashboard() -> Tree:
    panels: list[Json] = [_panel(n, *told) for n, told in enumerate(PANELS)]
    source: Tree = {"name": "datasource", "type": "prometheus", "query": "prometheus"}
    return {
        "uid": "countersign",
        "title": "countersign",
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }


def _alerts() -> Mapping[str, bytes]:
    rules: list[Json] = [_rule(alert) for alert in ALERTS]
    return {ALERTS_FILE: (_HEADER + render_yaml([{"rules": rules}])).encode()}


def _page() -> Mapping[str, bytes]:
    return {DASHBOARD_FILE: (json.dumps(_dashboard(), indent=1) + "\n").encode()}


MONITORING = (
    Generator(name="alerts", owns=ALERTS_FILE, make=_alerts),
    Generator(name="dashboard", owns=DASHBOARD_FILE, make=_page),
)
