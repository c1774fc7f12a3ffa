"""One next step for each reason: what to do now, with a command that exists.

Nobody here knows the names of files: ``FILE`` is what was applied, ``RANGE`` the commits,
such as ``origin/main..HEAD``; ``ATTESTED`` is what ``attest`` writes and ``SIGNED`` what
``sign-off`` writes, each with its evidence in it, to be used as it is; ``EVIDENCE`` holds
provenance for what is then signed as it was recorded; ``KIND/NAME`` runs; ``IMAGE`` is
each image that the object runs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from types import MappingProxyType

from countersign.core.types.change import Operation
from countersign.core.types.verdict import Differences, Finding, OpenSlots, Reason
from countersign.report.differences import changed_step, is_of_another_file
from countersign.report.facts import fields, is_rested_on, is_unseen
from countersign.report.phrases import clean, listed
from countersign.report.side_doors import INSTEAD, SCALED, side_door

SIGN = "countersign sign-off -f {file} --cluster {cluster} --out SIGNED"
ATTEST = (
    "countersign attest {commits} -f {file}{images} --cluster {cluster} "
    "--carrier {carrier} --out ATTESTED"
)
THEN = "    then: "
APPLY = f"{THEN}kubectl apply -f SIGNED"

DECIDED = "countersign sign-off --decision {decision}"
EVIDENCE = (
    "countersign attest RANGE -f FILE{images} --cluster {cluster} --sets-only "
    f"--out EVIDENCE{THEN}kubectl apply -f EVIDENCE"
)
AGAIN = "    then apply again"

RELEASE = (
    "helm template {release} CHART -n {namespace} | countersign sign-off -f - "
    "--namespace {namespace} --cluster {cluster} --sets-only --out SIGNED"
)
RELEASE_ATTEST = (
    "helm template {release} CHART -n {namespace} | countersign attest RANGE -f -{images} "
    "--namespace {namespace} --cluster {cluster} --carrier bundleset --out ATTESTED"
)
PLAN_SIGN = (
    "countersign sign-off {plan}{files} --cluster {cluster} --sets-only --out SIGNED"
)
PLAN_ATTEST = (
    "countersign attest {commits} {plan}{files} --cluster {cluster} --sets-only "
    "--out ATTESTED"
)
PLAN_AGAIN = "    then gate again with -f SIGNED, and apply that very plan"

HELM_AGAIN = f"{APPLY}    then helm again"

STEPS = MappingProxyType(
    {
        Reason.NOT_READY: "wait a few seconds and apply again",
        Reason.STALE: "wait a minute and apply again; if it stays, tell your platform team",
        Reason.NO_POLICY: "ask your platform team for a ProtectionPolicy of this namespace",
        Reason.POLICY_INVALID: "correct that policy: it denies what it would have matched",
        Reason.GOVERNANCE: "see who may change it, and how, in docs/governance.md; no sign-off helps",
        Reason.MALFORMED: "take out what is malformed, or make it again: {make}",
        Reason.UNSUPPORTED: "do it in a way that can be judged: create, apply or patch the object itself",
        Reason.OVER_LIMIT: "start from the plain manifest, without old bundles: {make}",
        Reason.FOREIGN_ANNOTATION: "remove those annotations and apply again",
        Reason.UNSIGNED_SOURCE: "take out what names it; no sign-off helps",
        Reason.EVIDENCE_REMOVED: "apply the signed file that holds its bundles, or sign the new one: {make}",
        Reason.STATUS_METADATA: "change labels and annotations on the object, not through its status",
        Reason.OWNER_UNPROVEN: "have the owner signed off: {make}",
        Reason.CHILD_DIFFERS: "change the owner, signed off, and let its controller follow",
        Reason.TOOL_BANNED: "make the change without {names}; no sign-off helps",
        Reason.AI_DENIED: "make the change without AI; no sign-off helps",
        Reason.REJECTED: "talk to {person}; what was rejected can only be changed, not signed by somebody else",
        Reason.IMAGE_UNPINNED: "see its digest: countersign inspect IMAGE    then write {pinned}, and have that signed: {make}",
        Reason.CHANGED: "apply exactly what was signed, or have this signed: {make}",
        Reason.CONVERTED: "write and sign it as {expected}; or have your platform team trust the conversion of its kind (conversion.trusted)",
        Reason.WRONG_CLUSTER: "have it signed for this cluster: {sign}",
        Reason.REVOKED: "have it signed by somebody else, or with another key: {sign}",
        Reason.SIGNER_UNKNOWN: "sign with an identity of the roster, or have this one added to it: {sign}",
        Reason.PERSON_INVALID: "ask somebody who is on the roster now: {sign}",
        Reason.EXPIRED: "have it reviewed again: {sign}",
        Reason.NOT_YET_VALID: "wait until then and apply again",
        Reason.WRONG_OPERATION: "have it signed for this operation: {sign} --operation {operation}",
        Reason.STALE_BASE: "review it against what runs now (a kubeconfig at hand sets the base): {sign}",
        Reason.WINDOW_TOO_LONG: "have it signed for less: {sign} --valid {expected}",
        Reason.TIME_MISSING: "sign keyless, or with a time-stamping authority: {sign} --signing-config CONFIG",
        Reason.TIME_IMPLAUSIBLE: "set the clock of the machine that signs, then: {sign}",
        Reason.PRESENCE_MISSING: "sign with a key that asks for a touch: {sign}",
        Reason.CONCERN: "settle the concern with the reviewer, who then signs anew: {sign}",
        Reason.QUESTIONS_OPEN: "answer every question: {sign} --answers ANSWERS",
        Reason.TRACEABILITY_MISSING: "name what it belongs to: {sign} --trace TYPE=ID",
        Reason.IMAGE_UNCOVERED: "have the images attested and signed with the object: {make}",
        Reason.WORSE_PROVENANCE: "let the reviewer see all provenance: {sign}",
        Reason.NOT_INDEPENDENT: "ask somebody else who may: {sign}",
        Reason.MEANING_MISSING: "sign for what is asked: {sign} --meaning {needed}",
        Reason.ROLE_MISSING: "ask somebody who holds the role: {sign}",
        Reason.AUTHOR_UNRESOLVED: "add the address to the person's aliases.git in the Roster, or to the policy's provenance.knownAuthors",
        Reason.AUTHORS_UNKNOWN: "let CI attest the whole range, and the reviewer see it: {make}",
        Reason.UNKNOWN_DENIED: "let CI attest the whole range, from an approved commit on: {attest}",
        Reason.PROOF_REJECTED: "look at what the bundle proves: countersign inspect BUNDLE",
        Reason.WRONG_OBJECT: "have this object signed, by this name and namespace: {make}",
        Reason.UNAVAILABLE: "apply again; if it stays, tell your platform team what the first line says",
        Reason.NO_EVIDENCE: "let CI attest it, and have it signed: {make}",
        Reason.SUBRESOURCE: "change the object instead, signed off; this way only break-glass goes",
        Reason.DELETION: "have the removal signed, then delete again: {sign} --operation delete",
        Reason.SLOT_OPEN: "ask {who} to run: {sign}",
        Reason.DECLARATION_REJECTED: "let everybody who made it declare what CI attests, or have it signed: {make}",
    }
)


DECIDED_STEPS = MappingProxyType(
    {
        Reason.WRONG_OPERATION: "have it signed for this operation: {sign}",
        Reason.STALE_BASE: "review it against what runs now: {sign}",
        Reason.DELETION: "ask {who} to run: {sign}",
        Reason.EVIDENCE_REMOVED: "apply what still holds its bundles, or have this signed: {make}",
    }
)
"""Where a recorded decision says what to sign."""

_BREAKING = "--break-glass --incident ID --justification TEXT"
ACCESS = f"in an emergency ask {{who}} to run: {{sign}} {_BREAKING}"

RESTED_ON = (
    "delete what rests on it first, or sign that as it runs: countersign sign-off "
    "--live -n {namespace} KIND/NAME --cluster {cluster}    then delete again"
)
"""Before a BundleSet may go; it is nobody's change, so nothing of it can be signed."""

UNSEEN = (
    "apply again, its registry is asked meanwhile; if it stays, your platform team names "
    "its repository in images.registries, or asks for less than allPlatforms"
)
"""Before anything about the platforms of an index can be signed for sure."""

RESTARTED = (
    "a restart writes the time, which nobody can sign beforehand: delete its Pods one by "
    "one instead, their controller makes them again; or have your platform team name "
    "your group in exceptions.restart"
)
_RESTARTED_AT = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"

_NEW_FILE = frozenset(
    {
        Reason.MALFORMED,
        Reason.OVER_LIMIT,
        Reason.IMAGE_UNPINNED,
        Reason.OWNER_UNPROVEN,
    }
)
"""What was denied will never do: something else has to be signed."""

_COMMANDS = ("attest", "sign", "make")
_BEGINS = "\0"  # before a command: text from outside has no control characters
NEXT = "    then"  # four spaces: no text from outside has two in a row
_MAX_WHO = 60  # characters; the line above names them all
_MAX_STEP = 460  # characters: a denial has room for no more
_IMAGE = re.compile(r"[A-Za-z0-9._:/@-]{1,200}")  # it is in a command
_ANY_IMAGE = " --image IMAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a signature gets to what was denied.

    Attributes:
        decision: Id of a recorded decision that says what to sign; ``""``: by file.
        access: It is an access, which only break-glass lets in.
        release: Helm's name of what the object belongs to, fit for a shell, or ``""``.
        namespace: Of the object.
        plan: Options that name a plan of infrastructure, which no server sees, fit for
            a shell; ``""``: it is none.
        file: What ``-f`` is to name, and options that belong to it, fit for a shell;
            a placeholder where nobody knows.
        commits: The range that CI attests, likewise.
        ahead: Before the change itself is applied, so that only its evidence is.
        on_call: Who could let it in by break-glass; empty: nobody, or it is not known.
    """

    decision: str = ""
    access: bool = False
    release: str = ""
    namespace: str = ""
    plan: str = ""
    file: str = "FILE"
    commits: str = "RANGE"
    ahead: bool = False
    on_call: tuple[str, ...] = ()


BY_FILE = Way()


def next_step(
    finding: Finding, cluster: str, asks: OpenSlots | None = None, way: Way = BY_FILE
) -> str:
    """Say what to do about `finding`, without a full stop.

    Args:
        finding: The one that matters most.
        cluster: Our name, for the command.
        asks: The open slots of the same policy, where there are any.
        way: How a signature gets to it.
    """
    if instead := _instead(finding, cluster, way):
        return instead
    step, pieces, end = _fitting(finding, cluster, asks, way)
    return step.format_map(pieces) + end


def emergency_step(way: Way) -> str:
    """Say who may let a denied change in unreviewed, and how; ``""``: nobody may.

    What only break-glass lets in says so in `next_step`.
    """
    if not way.decision or not way.on_call or way.access:
        return ""
    sign = DECIDED.format(decision=way.decision)
    return f"ask {_one_of(way.on_call)} to run: {sign} {_BREAKING}"


def commands_of(
    finding: Finding, cluster: str, asks: OpenSlots | None = None, way: Way = BY_FILE
) -> tuple[str, ...]:
    """Return the commands of `next_step` alone, in their order; none where it has none.

    They are not cut out of the sentence: who names a tool or an image could else write
    a command of their own into it.
    """
    if _instead(finding, cluster, way):
        return ()
    step, pieces, end = _fitting(finding, cluster, asks, way)
    marked = {key: text.replace(_BEGINS, "") for key, text in pieces.items()} | {
        key: f"{_BEGINS}{pieces[key]}" for key in _COMMANDS
    }
    _, begins, said = step.format_map(marked).partition(_BEGINS)
    if not begins:
        return ()
    first, *rest = f"{said}{end}".split(NEXT)
    return (first, *(one.removeprefix(": ") for one in rest if one.startswith(": ")))


def _fitting(
    finding: Finding, cluster: str, asks: OpenSlots | None, way: Way
) -> tuple[str, dict[str, str], str]:
    """Return `_composed` with the image's own name where a denial has room for it."""
    images = _images(asks)
    step, pieces, end = _composed(finding, cluster, asks, way, images)
    if images and len(step.format_map(pieces) + end) > _MAX_STEP:
        return _composed(finding, cluster, asks, way, _ANY_IMAGE)
    return step, pieces, end


def _composed(
    finding: Finding, cluster: str, asks: OpenSlots | None, way: Way, images: str
) -> tuple[str, dict[str, str], str]:
    """Return a sentence with places in it, what goes there, and what comes after."""
    reason = finding.reason
    attested = asks is None or asks.authors
    unseen = asks is None or _is_unattested(asks, decided=True)
    who = _one_of(way.on_call) if way.access and way.on_call else _who(asks)
    anew = reason in _NEW_FILE or is_of_another_file(finding)
    decided = bool(way.decision) and not anew
    if decided:
        commands, end = _decided(way, cluster, who, images, unseen=unseen)
    elif way.release:
        commands = _released(way, cluster, images, attested=attested)
        end = HELM_AGAIN
    elif way.plan:
        commands = _planned(way, cluster, attested=attested)
        end = PLAN_AGAIN
    else:
        commands, end = _filed(way, cluster, images, attested=attested), APPLY
    step = _words(finding, asks, way, decided=decided)
    if way.access:
        end = "    then try again"
    if reason is Reason.DELETION:
        end = f"{'' if decided else APPLY}    then delete again"
    signed = "{sign}" in step or "{make}" in step
    pieces = {**fields(finding), **commands, "who": who}
    deletes = pieces["expected"] == Operation.DELETE
    pieces["operation"] = "delete" if deletes else "createOrUpdate"
    return step, pieces, end if signed else ""


def _words(finding: Finding, asks: OpenSlots | None, way: Way, *, decided: bool) -> str:
    """Return the sentence, with its pieces in braces."""
    reason = finding.reason
    step = changed_step(finding) or STEPS[reason]
    if reason is Reason.NO_EVIDENCE and asks is not None and not asks.authors:
        step = STEPS[Reason.SLOT_OPEN]
    step = INSTEAD.get(side_door(finding), step)
    if decided:
        step = DECIDED_STEPS.get(reason, step)
        if reason is Reason.SUBRESOURCE and way.access:
            scaled = side_door(finding) == "scale"
            step = f"{SCALED}; or {ACCESS}" if scaled else ACCESS
    lacks = asks is not None and _is_unattested(asks, decided=decided)
    return STEPS[Reason.NO_EVIDENCE] if lacks and reason is Reason.SLOT_OPEN else step


def _instead(finding: Finding, cluster: str, way: Way) -> str:
    """Return what to do where no signature of it helps, or ``""``."""
    if is_rested_on(finding):
        return RESTED_ON.format(
            namespace=quote(clean(way.namespace)), cluster=quote(clean(cluster))
        )
    if is_unseen(finding):
        return UNSEEN
    return RESTARTED if _is_restart(finding) else ""


def _is_restart(finding: Finding) -> bool:
    """Tell whether nothing differs from what was signed but the time of a restart."""
    facts = finding.facts
    return isinstance(facts, Differences) and all(
        one.path == _RESTARTED_AT for one in facts.differences
    )


def _is_unattested(asks: OpenSlots, *, decided: bool) -> bool:
    """Tell whether CI has to attest more before a signature can count.

    Of a file nobody here knows what it carries, but for what was judged of it.
    """
    nothing = asks.authors and asks.collected is None
    return bool(asks.unattested) or (decided and nothing)


def _images(asks: OpenSlots | None) -> str:
    """Return the flags that name the images that CI has to attest, too."""
    lacking = [name for name in asks.unattested if name] if asks else []
    if not lacking:
        return ""
    one = len(lacking) == 1 and _IMAGE.fullmatch(lacking[0])
    return f" --image {lacking[0]}" if one else _ANY_IMAGE


def _filed(way: Way, cluster: str, images: str, *, attested: bool) -> dict[str, str]:
    """Return the commands on files that are then applied."""
    name = quote(clean(cluster))
    carrier, only = ("bundleset", " --sets-only") if way.ahead else ("annotations", "")
    attest = ATTEST.format(
        cluster=name,
        images=images,
        file=way.file,
        commits=way.commits,
        carrier=carrier,
    )
    made = SIGN.format(cluster=name, file="ATTESTED") + only
    sign = SIGN.format(cluster=name, file=way.file) + only
    make = f"{attest}{THEN}{made}" if attested else sign
    return {"attest": attest, "sign": sign, "make": make}


def _decided(
    way: Way, cluster: str, who: str, images: str, *, unseen: bool
) -> tuple[dict[str, str], str]:
    """Return the commands on what was recorded: then the same is applied again."""
    attest = EVIDENCE.format(cluster=quote(clean(cluster)), images=images)
    sign = DECIDED.format(decision=way.decision)
    make = f"{attest}    then ask {who} to run: {sign}" if unseen else sign
    return {"attest": f"{attest}{AGAIN}", "sign": sign, "make": make}, AGAIN


def _released(way: Way, cluster: str, images: str, *, attested: bool) -> dict[str, str]:
    """Return the commands on all that belongs to a release of Helm."""
    name = quote(clean(cluster))
    pieces = {
        "release": way.release,
        "namespace": quote(clean(way.namespace)),
        "cluster": name,
        "images": images,
    }
    attest, sign = RELEASE_ATTEST.format_map(pieces), RELEASE.format_map(pieces)
    made = f"{SIGN.format(cluster=name, file='ATTESTED')} --sets-only"
    make = f"{attest}{THEN}{made}" if attested else sign
    return {"attest": attest, "sign": sign, "make": make}


def _planned(way: Way, cluster: str, *, attested: bool) -> dict[str, str]:
    """Return the commands on a plan, whose evidence comes to the gate as a file."""
    pieces = {
        "plan": way.plan,
        "files": f" -f {way.file}" if way.file else "",
        "cluster": quote(clean(cluster)),
        "commits": way.commits,
    }
    attest, sign = PLAN_ATTEST.format_map(pieces), PLAN_SIGN.format_map(pieces)
    made = PLAN_SIGN.format_map({**pieces, "files": " -f ATTESTED"})
    make = f"{attest}{THEN}{made}" if attested else sign
    return {"attest": attest, "sign": sign, "make": make}


def _who(asks: OpenSlots | None) -> str:
    if asks is None or not asks.eligible:
        return "whoever may sign"
    return _one_of(asks.eligible)


def _one_of(persons: Sequence[str]) -> str:
    if len(persons) == 1:
        return clean(persons[0])
    named = f"one of {listed(persons)}"
    return named if len(named) <= _MAX_WHO else "one of those eligible"
