"""Why a declaration did not count: said, and never what decides."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.change import Operation
from countersign.core.types.evidence import Assistance, Contributor, Evidence, Part
from countersign.core.types.policy import Revoked, RevokedKind, Treatment
from countersign.core.types.time import Interval
from countersign.core.types.verdict import (
    DeclarationGap,
    Gap,
    Reason,
    Verdict,
    WordGap,
)
from tests.support import a

CLEAN, WORD = a.provenance(), a.declaration()
CUT = a.provenance(complete=False)
FLOATING = a.provenance(base="nobody approved this")
MARKED = a.marked()
STRANGE = a.provenance(signer=a.STRANGER)
BOTH = a.provenance(a.LEE, a.RAVI)
OVER = a.provenance(validity=Interval(None, a.NOON - a.HOUR))
DEVELOPERS: dict[str, Any] = {"declaring_roles": frozenset({"developer"})}
NO_SLOTS: dict[str, Any] = {
    "slots": (),
    "unknown": Treatment.DENY,
    "ai": Treatment.DENY,
}
REFUSED = Reason.DECLARATION_REJECTED


def told(verdict: Verdict) -> list[DeclarationGap]:
    """Return what is said of declarations."""
    facts = (f.facts for f in verdict.findings if f.reason is REFUSED)
    return [fact for fact in facts if isinstance(fact, DeclarationGap)]


@pytest.mark.parametrize(
    ("evidence", "gap", "seen"),
    [
        pytest.param(
            [CLEAN, a.declaration(signer=a.STRANGER)], WordGap.UNKNOWN, "", id="who"
        ),
        pytest.param(
            [CLEAN, a.declaration(a.DANA)], WordGap.ROLE, "developer", id="role"
        ),
        pytest.param([WORD], WordGap.ELSEWHERE, "@", id="nobody attests the range"),
        pytest.param(
            [CLEAN, a.declaration(about=a.provenance(base=None))],
            WordGap.ELSEWHERE,
            "@",
            id="another range",
        ),
        pytest.param(
            [p := a.provenance(a.RAVI), a.declaration(about=p)],
            WordGap.NO_PART,
            "",
            id="of somebody else's change",
        ),
        pytest.param(
            [MARKED, a.declaration(about=MARKED)],
            WordGap.MARKED,
            "amazon-q 2026-03",
            id="a mark",
        ),
        pytest.param(
            [p := a.provenance(assistance=Assistance.MIXED), a.declaration(about=p)],
            WordGap.MARKED,
            "",
            id="a claim",
        ),
        pytest.param(
            [BOTH, a.declaration(about=BOTH)],
            WordGap.SILENT,
            "ravi@acme.example",
            id="one of two",
        ),
    ],
)
def test_says_what_is_in_the_way(
    evidence: list[Evidence], gap: WordGap, seen: str
) -> None:
    """The first thing that is."""
    (fact,) = told(a.decide(*evidence, **DEVELOPERS))

    assert fact.gap is gap
    assert seen in fact.seen
    assert bool(fact.seen) == bool(seen)


@pytest.mark.parametrize(
    ("provenance", "gap"),
    [
        pytest.param(CUT, Gap.INCOMPLETE, id="it did not see everything"),
        pytest.param(FLOATING, Gap.UNANCHORED, id="it begins anywhere"),
        pytest.param(STRANGE, Gap.UNTRUSTED, id="it is by no collector"),
        pytest.param(OVER, Gap.OUT_OF_TIME, id="it is over"),
    ],
)
def test_says_that_provenance_does_not_count(provenance: Evidence, gap: Gap) -> None:
    """A word is as good as what attests its range."""
    (fact,) = told(a.decide(provenance, a.declaration(about=provenance)))

    assert fact.gap is WordGap.PROVENANCE
    assert fact.provenance is not None
    assert fact.provenance.gap is gap


def test_names_the_nearest_of_several() -> None:
    """What has to be mended, not what is beyond mending."""
    (fact,) = told(a.decide(CUT, MARKED, a.declaration(about=CUT), policies=None))

    assert fact.gap is WordGap.MARKED


def test_a_withdrawn_person_is_named() -> None:
    """The bundle is fine; the person is not any more."""
    verdict = a.decide(CLEAN, WORD, revoked=[Revoked(RevokedKind.PERSON, "lee")])

    assert [fact.gap for fact in told(verdict)] == [WordGap.REVOKED]


def test_another_persons_word_is_not_blamed() -> None:
    """Whose word lacks is said of that one; of the other, that it is not enough."""
    words = [a.declaration(who, BOTH) for who in (a.LEE, a.RAVI)]

    found = told(a.decide(BOTH, *words, **DEVELOPERS))

    assert {(f.person, f.gap) for f in found} == {
        ("lee", WordGap.SILENT),
        ("ravi", WordGap.ROLE),
    }


def test_a_word_that_holds_is_not_doubted() -> None:
    """Here the image's makers are not known; the declaration is as it should be."""
    manifest = a.provenance(subjects=[a.MANIFEST])

    assert not told(a.decide(manifest, a.declaration(about=manifest)))


@pytest.mark.parametrize("human", [Treatment.SIGN_OFF, Treatment.ADMIT])
def test_silent_where_no_word_would_help(human: Treatment) -> None:
    """Where the policy wants a senior anyway, and of a removal."""
    word = a.declaration(a.DANA)
    removal = replace(a.update(), operation=Operation.DELETE, intents=frozenset())

    assert not told(a.decide(CLEAN, word, request=removal, human=human, **DEVELOPERS))
    found = told(a.decide(CLEAN, word, human=human, **DEVELOPERS))
    assert bool(found) == (human is Treatment.ADMIT)


EVERYTHING = (
    *(CLEAN, WORD, CUT, FLOATING, MARKED, STRANGE, BOTH, OVER),
    *(a.declaration(a.DANA), a.declaration(signer=a.STRANGER)),
    *(a.declaration(about=p) for p in (CUT, FLOATING, MARKED, BOTH)),
    a.declaration(a.RAVI, BOTH),
    a.provenance(
        contributors=frozenset({Contributor(Part.AUTHOR, "x@y.example", agent=True)})
    ),
    a.sign_off(a.DANA),
    a.sign_off(a.DANA, saw=(MARKED,)),
)


@given(st.sets(st.sampled_from(EVERYTHING)), st.sampled_from([{}, NO_SLOTS]))
def test_is_never_what_denies(evidence: set[Evidence], fields: dict[str, Any]) -> None:
    """It comes only beside what denies anyway, and never with an admission."""
    verdict = a.decide(*evidence, nothing=True, **fields)

    others = [f for f in verdict.findings if f.reason is not REFUSED]
    assert bool(verdict.findings) == bool(others)
    assert verdict.allowed == bool(verdict.bases)
    assert not (verdict.allowed and told(verdict))
    assert len(told(verdict)) <= len(evidence)


def test_names_all_roles_that_may_declare() -> None:
    """So that the reader knows whom to ask."""
    roles: dict[str, Any] = {"declaring_roles": frozenset({"owner", "developer"})}
    (fact,) = told(a.decide(CLEAN, a.declaration(a.DANA), **roles))

    assert fact.seen == "developer, owner"
