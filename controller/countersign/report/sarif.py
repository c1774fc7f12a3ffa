"""The gate as SARIF, for code scanning: a rule for each reason, a result for each finding.

Source:
    OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0; of what is
    optional there what docs.github.com, "SARIF support for code scanning", asks for.
"""

import hashlib
import json
from collections import defaultdict
from urllib.parse import quote

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Finding, OpenSlots, Reason
from countersign.report.gate import Case, Gate, cases, page
from countersign.report.phrases import clean, thing
from countersign.report.sentences import SENTENCES, says

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {
    Enforcement.DENY: "error",
    Enforcement.WARN: "warning",
    Enforcement.AUDIT: "note",
}
_OPEN = defaultdict(
    lambda: "…",
    making="a change",
    roles="the sign-offs that are asked for",
    about="it",
    person="somebody",
)
"""What a finding would say of its facts, and a rule cannot know."""
MAX_RESULTS = 5000  # of one run, as code scanning shows them; it refuses above 25 000


def sarif(gate: Gate) -> str:
    """Write the findings of all policies, the same each time."""
    found = [(case, f) for case in cases(gate) for f in case.findings][:MAX_RESULTS]
    rules = sorted({finding.reason for _, finding in found})
    run: Tree = {
        "tool": {
            "driver": {
                "name": "countersign",
                "informationUri": gate.runbook,
                "version": gate.version,
                "rules": [_rule(gate, reason) for reason in rules],
            }
        },
        # of two clusters neither replaces what was found for the other
        "automationDetails": {"id": f"countersign/{clean(gate.cluster)}/"},
        "invocations": [
            {"executionSuccessful": not any(case.undecided for case, _ in found)}
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(case, f, rules.index(f.reason)) for case, f in found],
    }
    log: Tree = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(gate: Gate, reason: Reason) -> Json:
    said = SENTENCES[reason].format_map(_OPEN)
    address = page(gate, reason)
    return {
        "id": str(reason),
        "name": str(reason).title().replace("_", ""),
        "shortDescription": {"text": reason.replace("_", " ").capitalize()},
        "fullDescription": {"text": said},
        "help": {
            "text": f"What it means and what to do: {address}",
            "markdown": f"[What it means and what to do]({address})",
        },
        "helpUri": address,
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", "provenance"]},
    }


def _result(case: Case, finding: Finding, rule: int) -> Json:
    entry = case.entry
    return {
        "ruleId": str(finding.reason),
        "ruleIndex": rule,
        "level": LEVELS[finding.enforcement],
        "message": {"text": _message(case, finding)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": quote(entry.place.file, errors="surrogateescape"),
                        "uriBaseId": "%SRCROOT%",
                    },
                    "region": {"startLine": entry.place.line},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": entry.name, "kind": "object"}
                ],
            }
        ],
        "partialFingerprints": {"countersignFinding/v1": fingerprint(case, finding)},
    }


def fingerprint(case: Case, finding: Finding) -> str:
    """Return what stays the same while an object lacks the same for the same policy.

    Neither where it is written nor who could sign belongs to it.
    """
    about = (case.policy, finding.reason, str(case.entry.ref), str(finding.about))
    return hashlib.sha256("\0".join(about).encode(errors="replace")).hexdigest()


def _message(case: Case, finding: Finding) -> str:
    lines = [f"{thing(finding.about)}: {says(finding)} ({case.whose})"]
    if isinstance(finding.facts, OpenSlots):
        lines += [d for d in case.details if not d.startswith("also: ")]
    if finding is case.findings[0]:
        lines.append(f"next: {case.step}")
    text = "\n".join(lines)
    if "](" not in text:
        return text
    # a link, in the plain text of a message (section 3.11.6)
    return "".join(f"\\{c}" if c in "\\[]" else c for c in text)
