"""The gate as GitLab's code quality report, which the merge request shows.

Source:
    docs.gitlab.com, "Code Quality", "Code Quality report format".
"""

import json

from countersign.core.types.artifacts import Json
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Finding
from countersign.report.gate import Case, Gate, cases
from countersign.report.phrases import thing, written
from countersign.report.sarif import fingerprint
from countersign.report.sentences import says

SEVERITIES = {
    Enforcement.DENY: "blocker",
    Enforcement.WARN: "minor",
    Enforcement.AUDIT: "info",
}


def code_quality(gate: Gate) -> str:
    """Write the findings of all policies, the same each time; an empty list for none."""
    found = [_one(case, f) for case in cases(gate) for f in case.findings]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _one(case: Case, finding: Finding) -> Json:
    step = f"; next: {case.step}" if finding is case.findings[0] else ""
    place = case.entry.place
    return {
        "description": f"{thing(finding.about)}: {says(finding)} ({case.whose}){step}",
        "check_name": str(finding.reason),
        "fingerprint": fingerprint(case, finding),
        "severity": SEVERITIES[finding.enforcement],
        "location": {"path": written(place.file), "lines": {"begin": place.line}},
    }
