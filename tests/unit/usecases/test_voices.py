"""Whose word fills a slot, and who only signed as well."""

import pytest

from countersign.core.rules.case import said
from countersign.core.types.evidence import Evidence, Provenance
from countersign.core.types.policy import Slot
from countersign.core.types.running import Bar, Word
from countersign.usecases.voices import about_images, merged, voices
from tests.support import a, robots

SENIOR = a.policy(slots=(Slot(role="senior", independent_of=frozenset({"author"})),))


def heard(*evidence: Evidence, **given: str) -> list[tuple[str, Word, object]]:
    """Return who spoke, how, and why not for a slot."""
    made = said(evidence, Provenance)
    where = {"cluster": a.CLUSTER, **given}
    found = voices(SENIOR, a.OBJECT, {a.MANIFEST}, made, evidence, **where)
    return [(v.person, v.word, v.bar) for v in merged(found)]


@pytest.mark.parametrize(
    ("evidence", "bar"),
    [
        pytest.param([a.provenance(), a.sign_off()], None, id="a senior"),
        pytest.param([a.provenance(a.DANA), a.sign_off()], Bar.MAKER, id="the author"),
        pytest.param([a.sign_off()], Bar.AUTHORS_UNKNOWN, id="of what nobody knows"),
    ],
)
def test_a_sign_off_may_fill_a_slot(evidence: list[Evidence], bar: Bar | None) -> None:
    """If its person holds the role, and made none of it."""
    assert heard(*evidence) == [("dana", Word.SIGN_OFF, bar)]


def test_without_the_role_it_fills_none() -> None:
    """It comes after those that do."""
    assert heard(a.provenance(), a.sign_off(a.LEE), a.sign_off()) == [
        ("dana", Word.SIGN_OFF, None),
        ("lee", Word.SIGN_OFF, Bar.NO_ROLE),
    ]


def test_what_is_of_another_state_or_cluster_is_not_heard() -> None:
    """Nor a rejection, nor a stranger."""
    other = a.sign_off(changes=(a.state(intent=a.digest("x")),))
    assert not heard(other, a.rejection(), a.sign_off(signer=a.STRANGER))
    assert not heard(a.sign_off(), cluster="elsewhere")


def test_an_emergency_and_a_declaration_are_words_of_their_own() -> None:
    """Neither is measured by slots."""
    found = heard(a.provenance(), a.emergency(), a.declaration())
    assert {(word, bar) for _, word, bar in found} == {
        (Word.BREAK_GLASS, None),
        (Word.DECLARATION, None),
    }


def test_a_robot_is_heard_as_one() -> None:
    """Where its word counts; outside of its paths it said nothing."""
    policy = a.policy(robots=(robots.robot(),))

    def spoken(about: Evidence) -> list[str]:
        made, evidence = said([about], Provenance), [robots.word(about)]
        states = {a.MANIFEST}
        found = voices(policy, a.OBJECT, states, made, evidence, cluster=a.CLUSTER)
        return [voice.person for voice in found if voice.word is Word.DECLARATION]

    assert spoken(robots.made()) == ["robot:versions"]
    assert not spoken(robots.made(paths=["src/ledger.go"]))


def test_a_word_counts_if_it_does_for_any_policy() -> None:
    """It is told once."""
    made, evidence = (), [a.sign_off()]
    asks = (
        (Slot(role="senior"),),
        (Slot(role="senior", independent_of=frozenset({"author"})),),
    )
    found = [
        voice
        for slots in asks
        for voice in voices(
            a.policy(slots=slots),
            a.OBJECT,
            {a.MANIFEST},
            made,
            evidence,
            cluster=a.CLUSTER,
        )
    ]
    (one,) = merged(found)

    assert len(found) == 2
    assert one.bar is None
    assert one.roles == ("senior",)


@pytest.mark.parametrize(
    ("built", "heard_of"),
    [
        pytest.param([a.build(target="app")], True, id="built of its commit"),
        pytest.param([a.build(target="other")], False, id="built of another commit"),
        pytest.param([a.build(a.OLD_IMAGE, target="app")], False, id="another image"),
        pytest.param(
            [a.build(target="app", signer=a.STRANGER)], False, id="by a stranger"
        ),
        pytest.param([], False, id="nobody says what it was built of"),
    ],
)
def test_the_makers_of_an_image_are_those_of_its_commit(
    built: list[Evidence], *, heard_of: bool
) -> None:
    """As a builder of the policy says; what names the image needs no builder."""
    made = said([a.provenance(target="app", subjects=[])], Provenance)
    named = said([a.provenance(subjects=[a.RUNS])], Provenance)

    assert about_images(SENIOR, named, built, {a.RUNS}) == [*named]
    assert about_images(SENIOR, made, built, {a.RUNS}) == [*made] * heard_of
