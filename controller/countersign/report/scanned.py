"""What a scan found, as a report of the Policy Working Group's kind, and as a sentence.

One bounded object a namespace. Both kinds that are in use have the same shape, as far as
it is written here: ``Report`` of openreports.io/v1alpha1, and its predecessor
``PolicyReport`` of wgpolicyk8s.io/v1alpha2.

Source: openreports.io, ``apis/openreports.io/v1alpha1/report_types.go``.
"""

from collections.abc import Iterable
from datetime import datetime

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.scan import Fault, Found, Scanned
from countersign.report.owed import owed_text
from countersign.report.phrases import clean, listed

SOURCE = "countersign"
LABELS: Tree = {
    "app.kubernetes.io/managed-by": SOURCE,
    "app.kubernetes.io/part-of": SOURCE,
}
_MAX_SAID = 800  # characters of a message

_RESULTS = {
    Fault.NEVER_SEEN: ("fail", "high"),
    Fault.DRIFT: ("fail", "high"),
    Fault.REVOKED: ("fail", "critical"),
    Fault.OVERDUE: ("fail", "high"),
    Fault.OWED: ("warn", "medium"),
    Fault.EXPIRED: ("warn", "low"),
    Fault.UNKNOWN: ("error", "medium"),
}
_DEBTS = frozenset({Fault.OVERDUE.value, Fault.OWED.value})
_TALLY = ("pass", "fail", "warn", "error", "skip")


def render_report(
    scanned: Scanned,
    *,
    api: tuple[str, str],
    own_namespace: str,
    most: int,
    at: datetime,
    live: Tree | None,
) -> Tree | None:
    """Return the report to be applied; None: the live one says the same.

    When a result was found is kept from the live report: only what is new has a new
    time.

    Args:
        scanned: What was found.
        api: API version and kind of the report.
        own_namespace: Where reports lie.
        most: Results that are named; the rest is counted.
        at: Now.
        live: The report as the server has it; None: there is none.
    """
    before = {_key(one): one for one in _trees((live or {}).get("results"))}
    results = [*map(_result, scanned.found[:most])]
    left = len(scanned.found) - most
    if left > 0:
        results.append(_note("warn", f"{left} more findings are only counted here"))
    skipped = scanned.unseen[:most]
    results += [_note("skip", f"not looked at: {clean(why, 300)}") for why in skipped]
    for one in results:
        old = before.get(_key(one), {})
        one["timestamp"] = old.get("timestamp") or _stamp(at)
    wanted: Tree = {
        "scope": {
            "apiVersion": "v1",
            "kind": "Namespace",
            "name": scanned.namespace,
        },
        "summary": _summary(scanned),
        "results": [*results],
    }
    if live is not None and all(live.get(k) == v for k, v in wanted.items()):
        return None
    version, kind = api
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": scanned.namespace,
            "namespace": own_namespace,
            "labels": LABELS,
        },
        **wanted,
    }


def told_before(live: Tree | None) -> frozenset[tuple[str, Fault]]:
    """Return the faults that a live report names, by the uid of the object."""
    found = set()
    for one in _trees((live or {}).get("results")):
        for each in _trees(one.get("resources")):
            try:
                found.add((str(each.get("uid")), Fault(str(one.get("rule")))))
            except ValueError:
                continue
    return frozenset(found)


def said_of(found: Found) -> str:
    """Say what is wrong with an object, and what to do about it."""
    about, space = found.object, found.object.namespace
    if found.debt is not None:  # in days it would be another text each day
        late = 0 if found.fault is Fault.OVERDUE else None
        return owed_text(found.debt, late)[:_MAX_SAID]
    name = f"{about.kind}/{clean(about.name)}"
    sign = f"countersign sign-off --live -n {space} {name}"
    said = {
        Fault.NEVER_SEEN: "nobody ever signed it: it is older than the protection, or "
        f"came around the gate. Review it as it runs: {sign}",
        Fault.DRIFT: "it is not in the state that was signed: it was changed around the "
        "gate, or what spoke for it was taken away. Apply what was signed again, or "
        f"review it as it runs: {sign}",
        Fault.REVOKED: "what spoke for it was withdrawn. Take it away, or review it as "
        f"it runs: {sign}",
        Fault.EXPIRED: "the time of its sign-off has passed: it may run on, and would "
        f"not be admitted again. Review it as it runs: {sign}",
        Fault.UNKNOWN: f"nobody can tell whether it was signed: {clean(found.detail, 300)}",
    }
    more = f" (with {found.children} that were made of it)" if found.children else ""
    return f"{name}{more}: {said[found.fault]}"[:_MAX_SAID]


def _result(found: Found) -> Tree:
    about = found.object
    result, severity = _RESULTS[found.fault]
    group = f"{about.group}/{found.version}" if about.group else found.version
    properties: Tree = {"policies": listed(found.policies)}
    if found.decision:
        properties["decision"] = found.decision
    return {
        "source": SOURCE,
        "policy": found.policies[0],
        "rule": found.fault.value,
        "category": "Change control",
        "result": result,
        "severity": severity,
        "scored": True,
        "message": said_of(found),
        "properties": properties,
        "resources": [
            {
                "apiVersion": group,
                "kind": about.kind,
                "namespace": about.namespace,
                "name": about.name,
                "uid": found.uid,
            }
        ],
    }


def _note(result: str, message: str) -> Tree:
    return {
        "source": SOURCE,
        "policy": SOURCE,
        "rule": "scan",
        "result": result,
        "message": message,
    }


def _summary(scanned: Scanned) -> Tree:
    tally = dict.fromkeys(_TALLY, 0)
    tally["pass"] = scanned.passed
    for one in scanned.found:
        tally[_RESULTS[one.fault][0]] += 1
    tally["skip"] = len(scanned.unseen)
    return {**tally}


def _key(result: Tree) -> tuple[str, ...]:
    uids = [str(one.get("uid")) for one in _trees(result.get("resources"))]
    said = () if uids else (str(result.get("message")),)
    rule, told = str(result.get("rule")), result.get("properties")
    if rule in _DEBTS and isinstance(told, dict):  # of one object there may be many
        said = (str(told.get("decision")),)
    return rule, str(result.get("result")), *uids, *said


def _stamp(at: datetime) -> Tree:
    return {"seconds": int(at.timestamp()), "nanos": 0}


def _trees(value: Json) -> Iterable[Tree]:
    found = value if isinstance(value, list) else []
    return (one for one in found if isinstance(one, dict))
