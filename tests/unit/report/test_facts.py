"""The words for facts that have several of them."""

import pytest

from countersign.core.rules.emergency import BREAK_GLASS
from countersign.core.types.verdict import (
    DeclarationGap,
    Expected,
    Facts,
    Finding,
    Gap,
    ProvenanceGap,
    Reason,
    SignedBy,
    WordGap,
)
from countersign.report.sentences import says
from tests.support import a

LEE = "https://accounts.acme.example lee@acme.example"


def said(reason: Reason, facts: Facts) -> str:
    """Return the sentence."""
    return says(Finding(policy="p", reason=reason, about=a.OBJECT, facts=facts))


@pytest.mark.parametrize("gap", WordGap)
def test_each_gap_of_a_declaration_has_its_words(gap: WordGap) -> None:
    """Whose it is, what is in the way, and what was seen."""
    under = ProvenanceGap(Gap.UNANCHORED, "1234") if gap is WordGap.PROVENANCE else None
    text = said(
        Reason.DECLARATION_REJECTED, DeclarationGap(gap, LEE, "lee", "seen", under)
    )

    assert text.startswith("the declaration of lee does not count: ")
    assert not set("{}?") & set(text)
    assert text != said(
        Reason.DECLARATION_REJECTED,
        DeclarationGap(
            WordGap.UNKNOWN if gap is not WordGap.UNKNOWN else WordGap.REVOKED, LEE
        ),
    )


def test_an_unknown_declarer_is_named_by_the_proof() -> None:
    """There is no person to name."""
    facts = DeclarationGap(WordGap.UNKNOWN, LEE)

    assert f"the declaration of {LEE}" in said(Reason.DECLARATION_REJECTED, facts)


def test_what_was_broken_and_what_was_wanted() -> None:
    """An access for which the glass was broken, and the one that was tried."""
    facts = Expected("connect exec", "connect attach")

    assert said(Reason.SUBRESOURCE, facts) == (
        "goes past what is signed: expected connect exec, saw connect attach"
    )
    assert said(Reason.SUBRESOURCE, Expected("", "connect exec")) == (
        "goes past what is signed: connect exec"
    )


def test_a_policy_without_break_glass_says_so() -> None:
    """There is no role that somebody could be given."""
    facts = SignedBy(LEE, "lee", "", BREAK_GLASS)

    assert "break-glass (this policy has none)" in said(Reason.ROLE_MISSING, facts)
    assert "the role on-call" in said(
        Reason.ROLE_MISSING, SignedBy(LEE, "lee", "on-call", BREAK_GLASS)
    )
