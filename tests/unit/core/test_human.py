"""What counts as human: everybody's word, and a collector who saw nothing else."""

from dataclasses import replace

import pytest

from countersign.core.types.bound import BoundIntent
from countersign.core.types.change import Elastic
from countersign.core.types.evidence import Assistance, Contributor, Evidence, Part
from countersign.core.types.people import Grant, Roster
from countersign.core.types.policy import (
    BaseRule,
    Revoked,
    RevokedKind,
    Toggle,
    Treatment,
)
from countersign.core.types.verdict import Reason
from tests.support import a

CLEAN, WORD = a.provenance(), a.declaration()


def test_admits_what_its_author_declares_and_a_collector_confirms() -> None:
    """No senior is needed; the basis names who declared."""
    (basis,) = a.decide(CLEAN, WORD).bases

    assert basis.assistance is Assistance.HUMAN
    assert basis.declared_by == ("lee",)
    assert basis.bundles == tuple(sorted({CLEAN.bundle, WORD.bundle}))
    assert not basis.filled


def test_a_policy_may_want_a_senior_for_human_changes_too() -> None:
    """`human: signOff` leaves the slot open."""
    verdict = a.decide(CLEAN, WORD, human=Treatment.SIGN_OFF)

    facts = a.finding(verdict, Reason.SLOT_OPEN).facts
    assert a.reasons(verdict) == {Reason.SLOT_OPEN}
    assert getattr(facts, "assistance", None) is Assistance.HUMAN


LEES_AGENT = Contributor(Part.COMMITTER, "lee@acme.example", agent=True)
NOBODY = Contributor(Part.AUTHOR, "mallory@elsewhere.example")
AGENT = Contributor(Part.AUTHOR, "noreply@anthropic.example", agent=True)


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param([CLEAN], id="nobody declares"),
        pytest.param([WORD], id="no collector confirms"),
        pytest.param(
            [a.marked(), a.declaration(about=a.marked())], id="a mark was seen"
        ),
        pytest.param(
            [
                p := a.provenance(assistance=Assistance.MIXED),
                a.declaration(about=p),
            ],
            id="a claim without a mark",
        ),
        pytest.param(
            [
                p := a.provenance(contributors=frozenset({a.by(a.LEE), LEES_AGENT})),
                a.declaration(about=p),
            ],
            id="an agent that commits as its user",
        ),
        pytest.param(
            [
                p := a.provenance(contributors=frozenset({NOBODY})),
                a.declaration(about=p, signer=a.STRANGER),
            ],
            id="an unknown author declares with an unknown key",
        ),
        pytest.param(
            [p := a.provenance(marked=True), a.declaration(about=p)],
            id="a mark that claims nothing",
        ),
        pytest.param(
            [p := a.provenance(tools=("x 1",)), a.declaration(about=p)],
            id="a tool was seen",
        ),
        pytest.param(
            [p := a.provenance(complete=False), a.declaration(about=p)],
            id="the collector did not see everything",
        ),
        pytest.param(
            [p := a.provenance(contributors=frozenset()), a.declaration(about=p)],
            id="nobody had a part in it",
        ),
        pytest.param(
            [
                p := a.provenance(contributors=frozenset({a.by(a.LEE), AGENT})),
                a.declaration(about=p),
            ],
            id="an agent had a part in it",
        ),
        pytest.param(
            [p := a.provenance(a.LEE, a.RAVI), a.declaration(about=p)],
            id="one of two authors declares",
        ),
        pytest.param([CLEAN, a.declaration(a.DANA)], id="somebody else declares"),
        pytest.param(
            [CLEAN, a.declaration(signer=a.STRANGER)], id="an unknown key declares"
        ),
        pytest.param(
            [CLEAN, a.declaration(subjects=[a.commit(a.HEAD)])], id="no tree declared"
        ),
        pytest.param(
            [CLEAN, a.declaration(subjects=[a.tree(a.HEAD)])], id="no commit declared"
        ),
        pytest.param(
            [CLEAN, a.declaration(about=a.provenance(base=None))],
            id="another range declared",
        ),
        pytest.param(
            [CLEAN, a.declaration(repository="https://git.acme.example/other")],
            id="another repository declared",
        ),
        pytest.param(
            [p := a.provenance(subjects=[]), a.declaration(about=p)],
            id="the manifest is not what was attested",
        ),
        pytest.param(
            [p := a.provenance(subjects=[a.MANIFEST]), a.declaration(about=p)],
            id="the image is not what was attested",
        ),
    ],
)
def test_anything_less_is_not_human(evidence: list[Evidence]) -> None:
    """Silence opens nothing."""
    assert not a.decide(*evidence).allowed


def test_everybody_with_a_part_declares_once() -> None:
    """Two authors, two words."""
    clean = a.provenance(a.LEE, a.RAVI)
    words = [a.declaration(who, clean) for who in (a.LEE, a.RAVI)]
    policy = a.policy(declaring_roles=frozenset({"developer", "service-owner"}))

    (basis,) = a.decide(clean, *words, policies=[policy]).bases

    assert basis.declared_by == ("lee", "ravi")


@pytest.mark.parametrize(
    "withdrawn",
    [
        (RevokedKind.PERSON, "lee"),
        (RevokedKind.BUNDLE, str(WORD.bundle)),
        (RevokedKind.COLLECTOR, "ci"),
    ],
)
def test_nobody_declares_or_attests_who_was_withdrawn(
    withdrawn: tuple[RevokedKind, str],
) -> None:
    """The word goes with its author."""
    assert not a.decide(CLEAN, WORD, revoked=[Revoked(*withdrawn)]).allowed


def test_only_those_whose_role_may_declare_do() -> None:
    """A policy that names no declaring role has no human change."""
    assert not a.decide(CLEAN, WORD, declaring_roles=frozenset()).allowed


def test_the_declaring_role_is_one_in_this_namespace() -> None:
    """A role elsewhere is none here."""
    elsewhere = replace(a.LEE, grants=(Grant("developer", ("ledger",)),))

    assert not a.decide(CLEAN, WORD, roster=Roster("platform", (elsewhere,))).allowed


@pytest.mark.parametrize(
    "adverse",
    [
        pytest.param(a.marked(target="other"), id="of the artifacts"),
        pytest.param(a.marked(subjects=[]), id="of the same commit"),
    ],
)
def test_what_a_collector_saw_elsewhere_wins(adverse: Evidence) -> None:
    """A stripped mark does not help while the other statement is there."""
    verdict = a.decide(CLEAN, WORD, adverse=[CLEAN, adverse])

    assert not verdict.allowed


def test_what_nobody_trusted_says_does_not_count_against_it() -> None:
    """Else anybody could deny anything."""
    stranger = a.marked(signer=a.STRANGER)

    assert a.decide(CLEAN, WORD, adverse=[CLEAN, stranger]).allowed


def test_each_image_has_to_be_human_too() -> None:
    """The worst artifact counts; one made elsewhere by AI closes the door."""
    manifest = a.provenance(subjects=[a.MANIFEST])
    image = a.marked(target="image", subjects=[a.RUNS])
    words = [a.declaration(about=manifest), a.declaration(about=image)]

    assert not a.decide(manifest, image, *words).allowed


def test_each_image_may_come_from_a_range_of_its_own() -> None:
    """Manifest and image from two repositories, both human."""
    manifest = a.provenance(subjects=[a.MANIFEST])
    image = a.provenance(target="image", subjects=[a.RUNS])
    words = [a.declaration(about=manifest), a.declaration(about=image)]

    assert a.decide(manifest, image, *words).allowed


def test_images_do_not_matter_where_none_is_asked_for() -> None:
    """`images.attestations: off`."""
    manifest = a.provenance(subjects=[a.MANIFEST])
    images = replace(a.policy().images, attestations=Toggle.OFF)

    assert a.decide(manifest, a.declaration(about=manifest), images=images).allowed


def test_a_human_change_matches_exactly() -> None:
    """Bounds for scaling are a reviewer's to allow: no reviewer, no bounds."""
    stretched = BoundIntent(a.MANIFEST, (Elastic("/spec/replicas", 1, 9),))
    request = a.change(intents=frozenset({stretched}))

    assert not a.decide(CLEAN, WORD, request=request).allowed


@pytest.mark.parametrize(
    ("base", "allowed"),
    [(BaseRule.ANY, True), (BaseRule.LINEAGE, True), (BaseRule.EXACT, False)],
)
def test_creating_goes_back_to_nothing(base: BaseRule, *, allowed: bool) -> None:
    """Only `exact` wants to know what was there; a range does not say `absent`."""
    assert a.decide(CLEAN, WORD, base=base).allowed is allowed


_LIVE = (a.state(intent=a.OLD_MANIFEST),)
LATER = a.sign_off(signed_at=a.NOON, changes=_LIVE)
EARLIER = a.sign_off(signed_at=a.NOON - 9 * a.HOUR, changes=_LIVE)
BEFORE = a.provenance(target=a.START, base=None, subjects=[a.OLD_MANIFEST])


@pytest.mark.parametrize(
    ("base", "carried", "allowed"),
    [
        pytest.param(BaseRule.LINEAGE, [EARLIER], True, id="newer than what runs"),
        pytest.param(BaseRule.LINEAGE, [LATER], False, id="older than what runs"),
        pytest.param(BaseRule.LINEAGE, [], False, id="over what nobody signed"),
        pytest.param(BaseRule.ANY, [LATER], True, id="where any state may return"),
        pytest.param(
            BaseRule.LINEAGE,
            [LATER, BEFORE],
            True,
            id="a range that begins at what runs",
        ),
        pytest.param(BaseRule.EXACT, [LATER, BEFORE], True, id="exactly so"),
        pytest.param(
            BaseRule.LINEAGE,
            [LATER, a.provenance(target="x", base=None, subjects=[a.OLD_MANIFEST])],
            False,
            id="a range that begins elsewhere",
        ),
        pytest.param(
            BaseRule.LINEAGE,
            [LATER, a.provenance(target=a.START, base=None, subjects=[])],
            False,
            id="a range that begins at what made something else",
        ),
        pytest.param(
            BaseRule.LINEAGE,
            [
                LATER,
                a.provenance(
                    target=a.START,
                    base=None,
                    subjects=[a.OLD_MANIFEST],
                    repository="https://git.acme.example/fork",
                ),
            ],
            False,
            id="a range that begins in another repository",
        ),
        pytest.param(BaseRule.EXACT, [EARLIER], False, id="newer, but not exactly so"),
    ],
)
def test_a_human_change_goes_forward(
    base: BaseRule, carried: list[Evidence], *, allowed: bool
) -> None:
    """`kubectl rollout undo` does not bring a human state back either (rule 8)."""
    request = a.update(a.old(*carried))

    assert a.decide(CLEAN, WORD, request=request, base=base).allowed is allowed


def test_the_same_human_state_may_be_applied_again() -> None:
    """What speaks of the live state is current, whatever its time."""
    live = a.old(CLEAN, LATER, intents=frozenset({BoundIntent(a.MANIFEST)}))

    assert a.decide(CLEAN, WORD, request=a.update(live)).allowed


def test_one_of_several_intents_of_the_live_state_suffices() -> None:
    """Two spellings of the same."""
    intents = frozenset({BoundIntent(a.MANIFEST), BoundIntent(a.digest("x"))})
    live = a.old(CLEAN, LATER, intents=intents)

    assert a.decide(CLEAN, WORD, request=a.update(live)).allowed


def test_an_unstamped_attestation_is_older_than_all() -> None:
    """On an update only its range helps, or that the state is the same."""
    unstamped = a.provenance(signed_at=None)
    words = a.declaration(about=unstamped)

    def allowed(*carried: Evidence) -> bool:
        request = a.update(a.old(*carried))
        return a.decide(unstamped, words, request=request).allowed

    assert not allowed(EARLIER)
    assert allowed(EARLIER, BEFORE)


def test_an_attestation_that_does_not_say_when_is_as_old_as_its_stamp() -> None:
    """`collectedOn` may be missing."""
    clean = a.provenance(collected_on=None)
    words = a.declaration(about=clean)

    assert a.decide(clean, words, request=a.update(a.old(EARLIER))).allowed


def test_an_update_of_what_cannot_be_seen_is_not_forward() -> None:
    """A caller who lost the old object gets a denial, not a crash."""
    request = a.change(operation=a.update().operation)

    assert a.reasons(a.decide(CLEAN, WORD, request=request)) == {
        Reason.STALE_BASE,
        Reason.SLOT_OPEN,
    }
