"""The gate for GitHub Actions: annotations of a run, and its job summary.

Source:
    docs.github.com, "Workflow commands for GitHub Actions"; escaping as
    actions/toolkit, ``packages/core/src/command.ts``, does it.
"""

from countersign.core.types.policy import Enforcement
from countersign.report.comment import body
from countersign.report.gate import Case, Gate, cases, quiet
from countersign.report.phrases import clean

COMMANDS = {
    Enforcement.DENY: "error",
    Enforcement.WARN: "warning",
    Enforcement.AUDIT: "notice",
}
MAX_SUMMARY = 900_000  # bytes; a step may write 1 MiB


def github_annotations(gate: Gate) -> str:
    """Write a workflow command for each object and policy; ``""`` for none.

    GitHub shows ten of each kind and step: what denies comes first.
    """
    found = sorted(cases(gate), key=lambda case: list(COMMANDS).index(case.level))
    return "".join(f"{_command(case)}\n" for case in found)


def github_summary(gate: Gate) -> str:
    """Write the page of the job, as Markdown."""
    return f"{body(gate, MAX_SUMMARY)}\n"


def _command(case: Case) -> str:
    place = case.entry.place
    about = {
        "file": place.file,
        "line": str(place.line),
        "title": f"countersign: {case.findings[0].reason}",
    }
    given = ",".join(f"{key}={_property(value)}" for key, value in about.items())
    said = "\n".join(
        (
            f"{case.entry.name}: {case.headline} ({case.whose})",
            *case.details,
            f"next: {case.step}",
        )
    )
    return f"::{COMMANDS[case.level]} {given}::{_data(quiet(said))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(quiet(clean(text, 600))).replace(":", "%3A").replace(",", "%2C")
