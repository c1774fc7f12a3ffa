"""What a gate in CI has to say: each object, policy by policy, with the way out.

The formats beside (`sarif`, `junit`, `github`, `gitlab`, `comment`) write this down, each
in the words of its readers, and decide nothing.
"""

from collections import Counter
from dataclasses import dataclass

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Finding, OpenSlots, Reason, Verdict
from countersign.report.denial import missing_line, provenance_line, slots_of
from countersign.report.explain import basis_lines
from countersign.report.phrases import clean
from countersign.report.records import outcome
from countersign.report.sentences import by_weight, says
from countersign.report.steps import BY_FILE, Way, commands_of, next_step

RUNBOOK = "https://countersign.dev/docs/runbook"
"""Where the runbook is published; `Gate.runbook` names another place."""

UNDECIDED = frozenset({Reason.NOT_READY, Reason.STALE, Reason.UNAVAILABLE})
"""Reasons that say that nobody could look, not that something is missing."""

_BY_FORCE = (Enforcement.DENY, Enforcement.WARN, Enforcement.AUDIT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is written.

    Attributes:
        file: Path, relative to the repository's root where it lies below it.
        line: On which its document begins, from 1.
    """

    file: str
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object, where it is written, and the verdict on it."""

    ref: ObjectRef
    verdict: Verdict
    place: Place

    @property
    def name(self) -> str:
        """Name the object."""
        return clean(str(self.ref), 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One run of the gate.

    Attributes:
        cluster: For which it was judged.
        entries: In the order of the manifests.
        version: Of countersign.
        way: Files and commits, for the commands.
        runbook: Address of the runbook's page.
        run: Address of the CI's run, or ``""``.
    """

    cluster: str
    entries: tuple[Entry, ...]
    version: str
    way: Way = BY_FILE
    runbook: str = RUNBOOK
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one policy has against one object.

    Attributes:
        entry: The object.
        policy: Name; ``""`` for the gate itself.
        level: What it does: the strongest of its findings.
        findings: All of them, the weightiest first.
        asks: The slots that are open, or None.
        step: What to do, in words.
        commands: The same to be run, in order; empty where no command helps.
    """

    entry: Entry
    policy: str
    level: Enforcement
    findings: tuple[Finding, ...]
    asks: OpenSlots | None
    step: str
    commands: tuple[str, ...]

    @property
    def headline(self) -> str:
        """Say what is amiss most."""
        return says(self.findings[0])

    @property
    def whose(self) -> str:
        """Name the policy."""
        return f"policy {clean(self.policy)}" if self.policy else "the gate itself"

    @property
    def undecided(self) -> bool:
        """Whether nobody could look, and nothing else is amiss."""
        return all(finding.reason in UNDECIDED for finding in self.findings)

    @property
    def details(self) -> tuple[str, ...]:
        """Return a line each: how it was made, what is missing, what else is amiss."""
        lines = []
        if self.asks and (self.asks.collected or self.asks.authors):
            lines.append(f"provenance: {provenance_line(self.asks)}")
        if self.asks:
            lines.append(f"missing: {missing_line(self.asks)}")
        others = (f"also: {says(finding)}" for finding in self.findings[1:])
        return (*lines, *(o for o in dict.fromkeys(others) if o[6:] != self.headline))


def cases(gate: Gate) -> tuple[Case, ...]:
    """Return what policies have against objects: object by object, what denies first."""
    return tuple(case for entry in gate.entries for case in cases_of(entry, gate))


def cases_of(entry: Entry, gate: Gate) -> tuple[Case, ...]:
    """Return what policies have against one object, what denies first."""
    names = {finding.policy for finding in entry.verdict.findings}
    found = [_case(entry, name, gate) for name in sorted(names)]
    return tuple(sorted(found, key=lambda case: _BY_FORCE.index(case.level)))


def _case(entry: Entry, policy: str, gate: Gate) -> Case:
    verdict = entry.verdict
    mine = [f for f in verdict.findings if f.policy == policy]
    findings = sorted(mine, key=by_weight)
    asks = slots_of(verdict, policy)
    return Case(
        entry=entry,
        policy=policy,
        level=next(e for e in _BY_FORCE if any(f.enforcement is e for f in mine)),
        findings=tuple(findings),
        asks=asks,
        step=next_step(findings[0], gate.cluster, asks, gate.way),
        commands=commands_of(findings[0], gate.cluster, asks, gate.way),
    )


def title(gate: Gate) -> str:
    """Say in one line how it went."""
    seen = Counter(outcome(entry.verdict) for entry in gate.entries)
    judged = len(gate.entries) - seen["outOfScope"]
    where = f"in {clean(gate.cluster)}"
    if seen["denied"]:
        return f"{seen['denied']} of {_objects(judged)} would be denied {where}"
    if not judged:
        return f"no policy judges any of {_objects(len(gate.entries))} {where}"
    warned = f", {seen['warned']} with warnings" if seen["warned"] else ""
    return f"{_objects(judged)} would be admitted {where}{warned}"


def plain(gate: Gate) -> str:
    """Write it for a person who reads the log of the run.

    No line begins with what came from outside: some CI systems take a line that begins
    in a certain way for a command.
    """
    lines = [f"countersign: {title(gate)}", *met_lines(gate)]
    for entry in gate.entries:
        if not entry.verdict.findings and not entry.verdict.outside:
            continue
        lines.append(f"{outcome(entry.verdict)}: {entry.name}")
        for case in cases_of(entry, gate):
            lines.append(f"  {case.level}, {case.whose}: {case.headline}")
            lines += [f"    {detail}" for detail in case.details]
            lines.append(f"    next: {case.step}")
    return quiet("\n".join(lines))


def quiet(text: str) -> str:
    """Return `text` without what GitHub's runner takes for a command within a line.

    Source:
        actions/runner, ``ActionCommand.TryParse``, which looks for it anywhere.
    """
    return text.replace("##[", "## [")


def met_lines(gate: Gate) -> tuple[str, ...]:
    """Return who, or what, lets each judged object in that nothing is held against."""
    lines = []
    for entry in gate.entries:
        if entry.verdict.bases and not entry.verdict.findings:
            lines.append(f"allowed: {entry.name}")
            for basis in entry.verdict.bases:
                lines.append(f"  policy {clean(basis.policy)}:")
                lines += [f"  {line}" for line in basis_lines(basis)]
    return tuple(lines)


def page(gate: Gate, reason: Reason) -> str:
    """Return the address of what the runbook says of `reason`."""
    return f"{gate.runbook}#{reason}"


def _objects(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'}"
