"""The gate as JUnit XML: a test case for each object and policy.

Source:
    ``junit-10.xsd`` of Jenkins' xUnit plugin, the form that CI systems have in common.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from countersign.core.types.policy import Enforcement
from countersign.report.explain import basis_lines
from countersign.report.gate import Case, Entry, Gate, cases_of, title
from countersign.report.phrases import clean

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def junit(gate: Gate) -> str:
    """Write the verdicts, the same each time.

    What denies is a failure, or an error where nobody could look. What only warns is a
    case that passes, with its words in ``system-out``. What no policy judges is skipped.
    """
    found = [case for entry in gate.entries for case in _of(entry, gate)]
    counts = {
        "tests": str(len(found)),
        "failures": str(sum(case.find("failure") is not None for case in found)),
        "errors": str(sum(case.find("error") is not None for case in found)),
    }
    skipped = sum(case.find("skipped") is not None for case in found)
    root = ET.Element("testsuites", {"name": "countersign", **counts})
    name = f"countersign gate of {clean(gate.cluster)}"
    suite = ET.SubElement(
        root, "testsuite", {"name": name, **counts, "skipped": str(skipped)}
    )
    suite.extend(found)
    ET.SubElement(suite, "system-out").text = title(gate)
    ET.indent(root)
    return f"{_HEAD}\n{ET.tostring(root, encoding='unicode')}\n"


def _of(entry: Entry, gate: Gate) -> Iterator[ET.Element]:
    against = cases_of(entry, gate)
    if entry.verdict.outside:
        outside = _case(entry, "no policy")
        ET.SubElement(outside, "skipped", {"message": "no policy applies"})
        yield outside
    for basis in entry.verdict.bases:
        if all(case.policy != basis.policy for case in against):
            met = _case(entry, basis.policy)
            lines = [line.strip() for line in basis_lines(basis)]
            ET.SubElement(met, "system-out").text = "\n".join(lines)
            yield met
    for one in against:
        case = _case(entry, one.policy or one.whose)
        if one.level is Enforcement.DENY:
            kind = "error" if one.undecided else "failure"
            about = {"message": one.headline, "type": str(one.findings[0].reason)}
            ET.SubElement(case, kind, about).text = _text(one)
        else:
            ET.SubElement(case, "system-out").text = _text(one)
        yield case


def _case(entry: Entry, policy: str) -> ET.Element:
    return ET.Element("testcase", {"classname": clean(policy), "name": entry.name})


def _text(case: Case) -> str:
    place = case.entry.place
    return "\n".join(
        (
            f"{case.level}: {case.headline} ({case.whose})",
            *case.details,
            f"next: {case.step}",
            f"{clean(place.file, 600)}:{place.line}",
        )
    )
