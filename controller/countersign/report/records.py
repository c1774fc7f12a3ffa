"""A verdict for machines: JSON of every finding, and the audit log's annotations."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import IntEnum

from countersign.core.types.artifacts import Digest, Json, Tree
from countersign.core.types.decision import Told
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Basis, Finding, Verdict
from countersign.report.phrases import clean, listed, thing
from countersign.report.sentences import by_weight, says

RUNBOOK = "docs/runbook.md"


def outcome(verdict: Verdict) -> str:
    """Name the outcome: ``outOfScope``, ``denied``, ``warned`` or ``allowed``."""
    if verdict.outside:
        return "outOfScope"
    if not verdict.allowed:
        return "denied"
    warned = any(f.enforcement is Enforcement.WARN for f in verdict.findings)
    return "warned" if warned else "allowed"


def as_json(verdict: Verdict) -> Tree:
    """Return the whole verdict. Fields are added in later versions, never renamed."""
    return {
        "outcome": outcome(verdict),
        "allowed": verdict.allowed,
        "bases": [_basis(basis) for basis in verdict.bases],
        "findings": [_finding(f) for f in sorted(verdict.findings, key=by_weight)],
    }


def told(finding: Finding) -> Told:
    """Return a finding as it is kept: with its sentence, and its facts as JSON."""
    return Told(
        policy=finding.policy,
        reason=finding.reason,
        enforcement=finding.enforcement,
        message=says(finding),
        facts=_plain(finding.facts),
    )


def annotations(verdict: Verdict, decision: str = "") -> dict[str, str]:
    """Return what the cluster's own audit log shall keep of the verdict.

    Keys are short, without the prefix that the API server puts before them.

    Args:
        verdict: Any.
        decision: Id of the recorded decision; ``""`` where nothing recorded it.
    """
    found = {
        "verdict": outcome(verdict),
        "policies": listed(
            sorted(
                {b.policy for b in verdict.bases} | {f.policy for f in verdict.findings}
            ),
            "none",
        ),
    }
    if verdict.bases:
        found["basis"] = clean("; ".join(map(_basis_line, verdict.bases)), 400)
    if persons := sorted({person for b in verdict.bases for person in _persons(b)}):
        found["persons"] = listed(persons)
    if verdict.findings:
        found["findings"] = listed(
            sorted({f"{f.reason} ({f.enforcement})" for f in verdict.findings})
        )
    if decision:
        found["decision"] = decision
    return found


def _basis_line(basis: Basis) -> str:
    by = ", ".join(f"{f.role}={f.person}" for f in basis.filled)
    how = by or ", ".join(f"declared={p}" for p in basis.declared_by) or basis.rule
    broken = f" break-glass={basis.emergency}" if basis.emergency else ""
    return f"{basis.policy}: {basis.door} {how}{broken}".rstrip()


def _persons(basis: Basis) -> set[str]:
    return {f.person for f in basis.filled} | set(basis.declared_by)


def _basis(basis: Basis) -> Tree:
    return {
        "policy": basis.policy,
        "door": basis.door,
        "rule": basis.rule,
        "filled": [
            {"role": f.role, "person": f.person, "bundle": str(f.bundle)}
            for f in basis.filled
        ],
        "declaredBy": list(basis.declared_by),
        "emergency": basis.emergency,
        "assistance": basis.assistance.label if basis.assistance is not None else None,
        "bundles": [str(bundle) for bundle in basis.bundles],
    }


def _finding(finding: Finding) -> Tree:
    return {
        "policy": finding.policy,
        "reason": finding.reason,
        "enforcement": finding.enforcement,
        "about": thing(finding.about),
        "message": says(finding),
        "facts": _plain(finding.facts),
        "runbook": f"{RUNBOOK}#{finding.reason}",
    }


def _plain(value: object) -> Json:
    """Write facts as JSON: their fields in camelCase, digests and instants as text."""
    if isinstance(value, IntEnum):
        return value.name.lower()
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, Digest):
        return {_camel(f.name): _plain(getattr(value, f.name)) for f in fields(value)}
    return str(value)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
