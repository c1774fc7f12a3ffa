"""A denial as the person at ``kubectl apply`` reads it."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from countersign.core.types.artifacts import Difference, ObjectRef, Tree
from countersign.core.types.change import (
    Access,
    Deletion,
    ObjectChange,
    Operation,
)
from countersign.core.types.decision import Decision, Proposal
from countersign.core.types.evidence import Assistance
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import (
    Detail,
    Differences,
    Expected,
    Facts,
    Finding,
    Gap,
    Ineligible,
    Names,
    OpenSlots,
    ProvenanceGap,
    Reason,
    SignedBy,
    Verdict,
)
from countersign.report.denial import MAX_DENIAL, MAX_WARNING, denial, warnings
from tests.support import a, findings
from tests.support.decisions import denied
from tests.support.findings import OPEN, finding

ID = "01J8Z000000000000000000000"
RECORDED = denied(
    id=ID,
    proposal=Proposal(
        change=ObjectChange(
            object=a.OBJECT, digest=a.MANIFEST, operation=Operation.CREATE_OR_UPDATE
        ),
        version="v1",
    ),
)
UNSIGNABLE = denied(id=ID)
OF_HELM: Tree = {
    "metadata": {
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "web"},
    }
}

OF_ENGINES: list[Tree] = [
    {"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "web"}}},
    {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "a:/b:c/d"}}},
]


@dataclass(frozen=True)
class Asked:
    """A request, as far as a denial knows of it."""

    ref: ObjectRef = a.OBJECT
    object: Tree | None = None
    dry_run: bool = False


def deny(*found: Finding, **given: Any) -> str:
    """Say why."""
    names = ("ref", "object", "dry_run")
    asked = Asked(**{name: given.pop(name) for name in names if name in given})
    return denial(Verdict.of((), found), asked, "prod-eu", **given)


def test_reads_as_designed() -> None:
    """The first line says it all; then what is missing, and the exact next step."""
    text = deny(finding(Reason.SLOT_OPEN), decision=RECORDED)

    assert text == (
        "payments/Deployment/ledger: an AI-assisted change without sign-offs by senior, "
        "service-owner (policy payments)\n"
        "  provenance: mixed (amazon-q 2026-03, 41 of 60 lines), "
        "attested by ci at 2026-11-22T12:00Z\n"
        "  missing: senior (0 of 1), service-owner (0 of 1); eligible now: dana, ravi; "
        "not eligible: lee (author)\n"
        f"  next: ask one of dana, ravi to run: countersign sign-off --decision {ID}"
        "    then apply again\n"
        f"  decision {ID}; countersign explain {ID}"
    )


def test_the_law_and_the_words_fit() -> None:
    """A real verdict of the law, in words."""
    verdict = a.decide(a.marked(), a.sign_off(a.LEE, saw=[a.marked()]))

    text = denial(verdict, Asked(), "prod-eu")

    head, *rest = text.splitlines()
    assert head == (
        "payments/Deployment/ledger: signed by lee, who does not hold the role senior "
        "here (policy payments)"
    )
    assert rest[1] == "  missing: senior (0 of 1); eligible now: dana, ravi"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Assistance.AI, "an AI-made change"),
        (Assistance.MIXED, "an AI-assisted change"),
        (Assistance.UNKNOWN, "a change not proven human-made"),
        (Assistance.HUMAN, "a human-made change"),
    ],
)
def test_names_the_kind_of_change(state: Assistance, words: str) -> None:
    """And the one slot that is open."""
    facts = OpenSlots(open=("senior",), assistance=state)

    text = deny(finding(Reason.SLOT_OPEN, facts=facts))

    assert text.startswith(
        f"payments/Deployment/ledger: {words} without a senior sign-off (policy payments)"
    )


def test_an_article_fits_its_role() -> None:
    """``an on-call sign-off``."""
    facts = OpenSlots(open=("on-call",))

    assert "without an on-call sign-off" in deny(finding(Reason.SLOT_OPEN, facts=facts))


def test_a_dry_run_has_no_decision() -> None:
    """It leaves no record."""
    text = deny(finding(Reason.SLOT_OPEN), decision=RECORDED, dry_run=True)

    assert "decision" not in text
    assert "countersign sign-off -f FILE --cluster prod-eu --out SIGNED" in text


def test_nobody_to_ask_is_said() -> None:
    """Where the roster has nobody who may."""
    facts = OpenSlots(open=("senior",))

    text = deny(finding(Reason.SLOT_OPEN, facts=facts))

    assert "eligible now: nobody" in text
    assert "ask whoever may sign to run" in text
    assert "provenance:" not in text


def test_one_person_is_asked_by_name() -> None:
    """And provenance is not asked for where no slot wants it."""
    facts = OpenSlots(open=("senior",), eligible=("dana",))

    assert "ask dana to run: countersign sign-off -f FILE --cluster" in deny(
        finding(Reason.SLOT_OPEN, facts=facts)
    )


def test_no_evidence_at_all_where_nobody_asks_who_made_it() -> None:
    """The step is the sign-off alone."""
    facts = OpenSlots(open=("senior",), eligible=("dana",))

    text = deny(finding(Reason.NO_EVIDENCE), finding(Reason.SLOT_OPEN, facts=facts))

    assert "a change that comes without any evidence" in text
    assert "attest" not in text


def test_wanted_provenance_that_is_not_there_is_said() -> None:
    """`none` beside what is missing."""
    facts = OpenSlots(open=("senior",), authors=True)

    assert "  provenance: none that speaks of this state\n" in deny(
        finding(Reason.SLOT_OPEN, facts=facts)
    )


def test_a_tag_says_how_its_digest_is_seen() -> None:
    """Nobody knows it by heart."""
    text = deny(finding(Reason.IMAGE_UNPINNED, facts=Names(("ghcr.io/a/b:1",))))

    assert "next: see its digest: countersign inspect IMAGE    then write" in text
    assert "ghcr.io/a/b:1@sha256:DIGEST" in text


def test_provenance_that_does_not_count_is_told_from_none() -> None:
    """Else whoever attested as nobody's collector attests the same again."""
    gap = ProvenanceGap(Gap.UNTRUSTED, "lee")
    facts = OpenSlots(open=("senior",), authors=True, unattested=("",), gap=gap)

    assert (
        "  provenance: none that counts: its provenance is signed by lee, "
        "no collector of this policy\n"
    ) in deny(finding(Reason.SLOT_OPEN, facts=facts))


@pytest.mark.parametrize(
    ("person", "shown"),
    [
        (Ineligible("lee", Reason.NOT_INDEPENDENT, "author"), "lee (author)"),
        (Ineligible("lee", Reason.SLOT_OPEN, "senior"), "lee (fills senior)"),
        (Ineligible("lee", Reason.REVOKED), "lee (revoked)"),
        (Ineligible("lee", Reason.PERSON_INVALID), "lee (not on the roster now)"),
    ],
)
def test_says_why_somebody_may_not(person: Ineligible, shown: str) -> None:
    """In a word."""
    facts = replace(OPEN, ineligible=(person,))

    assert f"not eligible: {shown}\n" in deny(finding(Reason.SLOT_OPEN, facts=facts))


def test_counts_filled_slots_of_the_same_role() -> None:
    """Two seniors, one of whom signed."""
    facts = OpenSlots(open=("senior",), filled=(("senior", "dana"), ("quality", "x")))

    assert "missing: senior (1 of 2);" in deny(finding(Reason.SLOT_OPEN, facts=facts))


def test_the_weightiest_comes_first_and_the_rest_after() -> None:
    """What is wrong with the sign-off before that a slot is open; each other once."""
    other = Finding(policy="strict", reason=Reason.NO_EVIDENCE, about=a.OBJECT)
    text = deny(
        finding(Reason.SLOT_OPEN),
        finding(Reason.AUTHORS_UNKNOWN),
        finding(Reason.EXPIRED),
        other,
        replace(other, reason=Reason.SLOT_OPEN, facts=OPEN),
    )

    lines = text.splitlines()
    also = [line for line in lines if line.startswith("  also: ")]
    assert "a sign-off that was valid until" in lines[0]
    assert len(also) == 2
    assert "nobody knows who made image" in also[0]
    assert also[1] == "  also: a change that comes without any evidence (policy strict)"


def test_what_is_said_is_not_said_again() -> None:
    """Two artifacts of one unknown author."""
    unknown = [
        finding(Reason.AUTHOR_UNRESOLVED),
        replace(finding(Reason.AUTHOR_UNRESOLVED), about=findings.IMAGE),
    ]

    assert "also" not in deny(*unknown)


def test_findings_that_only_warn_are_no_part_of_it() -> None:
    """They have their own way to kubectl."""
    warn = replace(
        finding(Reason.EXPIRED), enforcement=Enforcement.WARN, policy="looking"
    )

    text = deny(finding(Reason.SLOT_OPEN), warn)

    assert "looking" not in text
    line, soon, last = warnings(Verdict.of((), [warn]), Asked(), "prod-eu")
    assert line == (
        "payments/Deployment/ledger: a sign-off that was valid until "
        "2026-11-22T11:00Z (policy looking)"
    )
    assert soon.startswith("admitted for now; before it is denied: have it reviewed")
    assert soon.endswith(
        ": countersign sign-off -f FILE --cluster prod-eu --out SIGNED"
    )
    assert last == "then: kubectl apply -f SIGNED"


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("kept", [RECORDED, UNSIGNABLE, None])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_warning_says_what_to_do_before_it_is_a_denial(
    reason: Reason, kept: Decision | None, *, dry_run: bool
) -> None:
    """In a line that the API server does not cut, and a command is whole or not there.

    Caught: the step cut to the length of the line.
    """
    warn = replace(finding(reason), enforcement=Enforcement.WARN)

    _, soon, *more = warnings(
        Verdict.of((), [warn]), Asked(dry_run=dry_run), "c" * 60, decision=kept
    )

    assert soon.startswith("admitted for now; before it is denied: ")
    assert all(one.startswith("then") for one in more)
    for line in (soon, *more):
        assert len(line.encode()) <= MAX_WARNING
        assert "…" not in line
        assert not (dry_run and ID in line)


def test_the_gate_itself_has_no_policy() -> None:
    """Nothing in brackets then."""
    text = deny(finding(Reason.NOT_READY, policy=""))

    assert text.splitlines()[0].endswith("until it has")


@pytest.mark.parametrize(
    ("difference", "shown"),
    [
        (Difference("/spec/x", "1", "2"), "/spec/x is 2, 1 was signed"),
        (Difference("/spec/x", "1", None), "/spec/x is missing, 1 was signed"),
        (
            Difference("/spec/x", None, "2"),
            "/spec/x is 2, nothing of the sort was signed",
        ),
        (
            Difference("/spec/x", None, None),
            "/spec/x is , nothing of the sort was signed",
        ),
    ],
)
def test_shows_the_first_difference(difference: Difference, shown: str) -> None:
    """And how many more there are."""
    facts = Differences(a.MANIFEST, (difference, difference))

    assert f"not what was signed: {shown} (and 1 more)" in deny(
        finding(Reason.CHANGED, facts=facts)
    )


HOSTILE = "\x1b[2Jx\r\ny\u202e" + "z" * 999


@pytest.mark.parametrize(
    "facts",
    [
        Expected(HOSTILE, HOSTILE),
        Names((HOSTILE,) * 20),
        SignedBy(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        Detail(HOSTILE),
        Differences(a.MANIFEST, (Difference(HOSTILE, HOSTILE, HOSTILE),)),
        replace(OPEN, open=(HOSTILE,) * 9, eligible=(HOSTILE,) * 9, tools=(HOSTILE,)),
    ],
)
def test_nothing_that_others_wrote_reaches_the_terminal_raw(facts: Facts) -> None:
    """No control characters, no lines of their own, no more than 1 KB."""
    ref = ObjectRef("apps", "Deployment", "p" * 63, "n" * 253)
    also = [finding(reason) for reason in Reason]

    text = deny(
        finding(Reason.UNAVAILABLE, facts=facts), *also, ref=ref, decision=RECORDED
    )

    assert "".join(text.split("\n")).isprintable()
    assert len(text.encode()) <= MAX_DENIAL
    assert text.splitlines()[-2].startswith("  next: ")


WIDE = ("漢" * 300, "字" * 300)
texts = st.text("a漢 ", min_size=200, max_size=300) | st.text(max_size=300)


@example([finding(Reason.IMAGE_UNPINNED, facts=Names(WIDE * 9))], WIDE[0], WIDE)
@given(
    st.lists(st.sampled_from(findings.ALL), min_size=1, max_size=40),
    texts,
    st.tuples(texts, texts),
)
def test_a_denial_never_exceeds_its_bound(
    found: list[Finding], cluster: str, names: tuple[str, str]
) -> None:
    """Whatever names people choose.

    Caught: lines cut by characters instead of bytes.
    """
    ref = ObjectRef("", "ConfigMap", *names)
    facts = Names(names * 9)
    named = [replace(f, facts=facts) for f in found if isinstance(f.facts, Names)]

    text = denial(
        Verdict.of((), [*found, *named]), Asked(ref), cluster, RECORDED, on_call=names
    )

    assert len(text.encode()) <= MAX_DENIAL
    assert "\n  next: " in text


def test_more_than_there_is_room_for_is_counted() -> None:
    """The rest is in the JSON."""
    text = deny(*(f for f in findings.ALL if f.reason is not Reason.NOT_READY))

    assert text.splitlines()[-2].startswith("  also: ")
    assert text.splitlines()[-2].endswith(" more")


def test_the_same_verdict_reads_the_same() -> None:
    """Deterministic but for the decision."""
    assert deny(*findings.ALL) == deny(*reversed(findings.ALL))


@pytest.mark.parametrize(
    ("expected", "said"),
    [("delete", "--operation delete"), ("update", "--operation createOrUpdate")],
)
def test_the_next_step_names_the_operation_that_is_asked(
    expected: str, said: str
) -> None:
    """A removal is not signed for by what is signed for a change."""
    facts = Expected(expected, "create")

    assert said in deny(finding(Reason.WRONG_OPERATION, facts=facts))


def test_a_deletion_can_be_signed() -> None:
    """And says how."""
    assert "--operation delete" in deny(finding(Reason.DELETION))


def test_provenance_that_is_missing_comes_first() -> None:
    """It travels beside the object: what is applied again is the same."""
    facts = OpenSlots(open=("senior",), eligible=("dana",), authors=True)

    step = deny(
        finding(Reason.NO_EVIDENCE),
        finding(Reason.SLOT_OPEN, facts=facts),
        decision=RECORDED,
    ).splitlines()[-2]

    assert step == (
        "  next: let CI attest it, and have it signed: countersign attest RANGE -f FILE "
        "--cluster prod-eu --sets-only --out EVIDENCE"
        "    then: kubectl apply -f EVIDENCE"
        f"    then ask dana to run: countersign sign-off --decision {ID}"
        "    then apply again"
    )


@pytest.mark.parametrize(
    ("images", "flags"),
    [
        ((), ""),
        (("ghcr.io/a/b@sha256:1",), " --image ghcr.io/a/b@sha256:1"),
        (("a@sha256:1", "b@sha256:2"), " --image IMAGE"),
        (("$(reboot)@sha256:1",), " --image IMAGE"),
        ((f"{'long/' * 39}b@x",), " --image IMAGE"),
    ],
)
def test_what_nobody_attested_is_attested_before_it_is_signed(
    images: tuple[str, ...], flags: str
) -> None:
    """Else the signature is made in vain: nobody is independent of who is unknown.

    Names come from whoever applies, and end up in somebody's shell.
    """
    facts = OpenSlots(
        open=("senior",),
        collected=("ci", None),
        authors=True,
        unattested=("", *images),
    )

    text = deny(finding(Reason.SLOT_OPEN, facts=facts), decision=RECORDED)

    assert f"countersign attest RANGE -f FILE{flags} --cluster prod-eu --sets" in text
    assert "none of the object itself" in text
    assert text.splitlines()[-2].endswith(f"--decision {ID}    then apply again")


def test_a_recorded_deletion_is_signed_by_its_decision() -> None:
    """The uid is in it."""
    change = Deletion(object=a.OBJECT, uid="u")
    decision = denied(id=ID, proposal=Proposal(change=change, version="v1"))
    facts = OpenSlots(open=("senior",), eligible=("dana",))

    assert (
        f"next: ask dana to run: countersign sign-off --decision {ID}"
        "    then delete again\n"
    ) in deny(finding(Reason.DELETION, facts=facts), decision=decision)


def test_an_emergency_has_its_own_line() -> None:
    """Whom to wake, and the one command; nothing of it where nobody may."""
    found, told = finding(Reason.SLOT_OPEN), {"decision": RECORDED}
    text = deny(found, **told, on_call=("ines", "omar"))
    line = (
        f"  emergency: ask one of ines, omar to run: countersign sign-off --decision {ID} "
        "--break-glass --incident ID --justification TEXT"
    )

    assert text.splitlines()[-2] == line
    assert deny(found, **told) == text.replace(f"{line}\n", "")
    assert "emergency" not in deny(found, **told, on_call=("omar",), dry_run=True)


def test_an_access_names_who_is_on_call() -> None:
    """Once: it is the next step itself.

    Fault seen caught: whoever may sign is asked, whoever that is.
    """
    change = Access(
        object=a.OBJECT, uid="1", subresource="exec", operation=Operation.CONNECT
    )
    decision = denied(id=ID, proposal=Proposal(change=change, version="v1"))
    text = deny(finding(Reason.SUBRESOURCE), decision=decision, on_call=("omar",))

    assert (
        f"ask omar to run: countersign sign-off --decision {ID} --break-glass" in text
    )
    assert text.count("--break-glass") == 1


def test_an_access_is_let_in_by_break_glass_alone() -> None:
    """With what such a signature must say."""
    change = Access(
        object=a.OBJECT, uid="u", subresource="exec", operation=Operation.CONNECT
    )
    decision = denied(id=ID, proposal=Proposal(change=change, version="v1"))

    text = deny(finding(Reason.SUBRESOURCE), decision=decision)

    assert (
        f"countersign sign-off --decision {ID} --break-glass --incident ID "
        "--justification TEXT    then try again"
    ) in text


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        pytest.param(UNSIGNABLE, Reason.SLOT_OPEN, id="nothing to sign"),
        pytest.param(RECORDED, Reason.IMAGE_UNPINNED, id="something else to sign"),
        pytest.param(RECORDED, Reason.OWNER_UNPROVEN, id="another object to sign"),
    ],
)
def test_a_decision_that_nobody_should_sign_is_only_named(
    decision: Decision, reason: Reason
) -> None:
    """The step is on files."""
    text = deny(finding(reason), decision=decision)

    assert "--decision" not in text
    assert text.endswith(f"  decision {ID}; countersign explain {ID}")


def test_a_restart_is_not_to_be_signed() -> None:
    """The next one writes another time: what helps is said instead."""
    at = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"
    facts = Differences(a.MANIFEST, (Difference(at, None, '"2026-11-23T10:00:00Z"'),))

    text = deny(finding(Reason.CHANGED, facts=facts), decision=RECORDED)

    assert "delete its Pods one by one" in text
    assert "sign-off" not in text


def test_under_helm_the_whole_release_is_signed() -> None:
    """Where no decision is at hand."""
    facts = OpenSlots(open=("senior",), eligible=("dana",))

    assert (
        "ask dana to run: helm template web CHART -n payments | "
        "countersign sign-off -f - --namespace payments --cluster prod-eu "
        "--sets-only --out SIGNED"
        "    then: kubectl apply -f SIGNED    then helm again"
    ) in deny(finding(Reason.SLOT_OPEN, facts=facts), object=OF_HELM)


def test_a_release_with_a_name_that_helm_does_not_give_is_none() -> None:
    """Nobody pastes somebody else's commands into a shell."""
    metadata: Tree = {
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "x; curl evil | sh"},
    }

    assert "evil" not in deny(finding(Reason.SLOT_OPEN), object={"metadata": metadata})


@pytest.mark.parametrize("tree", OF_ENGINES, ids=["Flux", "Argo CD"])
def test_what_an_engine_keeps_is_not_applied_by_people(tree: Tree) -> None:
    """It would be taken back; so only the evidence is."""
    step = deny(finding(Reason.SLOT_OPEN), object=tree, dry_run=True).splitlines()[-1]

    assert "--out SIGNED --sets-only    then: kubectl apply -f SIGNED" in step


@pytest.mark.parametrize(
    "tree", [None, OF_HELM, *OF_ENGINES], ids=["by hand", "Helm", "Flux", "Argo CD"]
)
@pytest.mark.parametrize("decision", [None, RECORDED], ids=["unrecorded", "recorded"])
@pytest.mark.parametrize("head", findings.ALL, ids=lambda found: found.reason)
def test_a_step_is_never_cut(
    head: Finding, decision: Decision | None, tree: Tree | None
) -> None:
    """Half a command helps nobody; names of people and clusters are long."""
    people = tuple(f"somebody.with.a.long.name.{n}@acme.example" for n in range(6))
    slots = OpenSlots(open=("senior", "quality"), eligible=people, authors=True)
    text = deny(
        head, finding(Reason.SLOT_OPEN, facts=slots), decision=decision, object=tree
    )
    (step,) = [line for line in text.splitlines() if line.startswith("  next: ")]

    assert len(text.encode()) <= MAX_DENIAL
    assert not step.endswith("…")
