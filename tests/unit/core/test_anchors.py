"""Where a range begins must be approved already (rule 3).

The story of every case: AI commits lie between ``start`` and ``middle``; a human's commit
lies on top, and its own short range ``middle..head`` is spotless.
"""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.artifacts import Digest
from countersign.core.types.bound import BoundChange, BoundIntent
from countersign.core.types.change import Elastic
from countersign.core.types.evidence import Contributor, Emergency, Evidence, Part
from countersign.core.types.people import Alias, AliasKind, Person
from countersign.core.types.policy import (
    Baseline,
    BaseRule,
    Revoked,
    RevokedKind,
    Treatment,
)
from countersign.core.types.request import Requester
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Gap, ProvenanceGap, Reason, Verdict
from tests.support import a

MIDDLE = "middle"
TOP = a.provenance(base=MIDDLE)
WORD = a.declaration(about=TOP)
NOBODY = Contributor(Part.AUTHOR, "x@elsewhere.example")
GROUND_SUBJECTS = (a.OLD_MANIFEST, a.OLD_IMAGE)
GROUND = a.marked(target=MIDDLE, subjects=GROUND_SUBJECTS)
FOUND = a.state(intent=a.OLD_MANIFEST)


def human(
    *evidence: Evidence, request: BoundChange | None = None, **fields: Any
) -> Verdict:
    """Judge the human commit on top, with whatever else is supplied."""
    return a.decide(TOP, WORD, *evidence, request=request, **fields)


def approval(*extra: Digest, **fields: Any) -> Evidence:
    """Return Dana's sign-off of the ground, `extra` among its subjects."""
    given: dict[str, Any] = {
        "changes": (FOUND,),
        "saw": [GROUND],
        "subjects": [a.OLD_MANIFEST, a.OLD_IMAGE, *extra],
        "signed_at": a.NOON - 3 * a.HOUR,
    }
    return a.sign_off(**{**given, **fields})


def below(*makers: Person, **fields: Any) -> Evidence:
    """Return marked provenance of the ground: the old manifest and image."""
    given: dict[str, Any] = {"target": MIDDLE, "subjects": GROUND_SUBJECTS}
    return a.marked(*makers, **{**given, **fields})


def approved(seen: Evidence, *extra: Digest, **fields: Any) -> list[Evidence]:
    """Return provenance together with Dana's sign-off that saw it."""
    return [seen, approval(*extra, saw=[seen], **fields)]


def over(*carried: Evidence, **fields: Any) -> BoundChange:
    """Return an update of the live ledger that carries `carried`."""
    return a.update(a.old(*carried, **fields))


def test_a_human_commit_on_unapproved_ground_opens_nothing() -> None:
    """Its own range is spotless; what is deployed is not."""
    verdict = human()

    assert not verdict.allowed
    gaps = {f.facts for f in verdict.findings if f.reason is Reason.AUTHORS_UNKNOWN}
    assert gaps == {ProvenanceGap(Gap.UNANCHORED, str(a.commit(MIDDLE)))}


class TestRootAndBaseline:
    """(b) and (d)."""

    def test_the_root_needs_no_ground(self) -> None:
        """Nothing lies before it."""
        top = a.provenance(base=None)

        assert a.decide(top, a.declaration(about=top)).allowed

    @pytest.mark.parametrize(
        ("baseline", "stands"),
        [
            pytest.param(
                Baseline(a.REPOSITORY, a.commit(MIDDLE)), True, id="its commit"
            ),
            pytest.param(
                Baseline(f"git+{a.REPOSITORY}.git", a.commit(MIDDLE)),
                True,
                id="another spelling",
            ),
            pytest.param(
                Baseline("https://git.acme.example/fork", a.commit(MIDDLE)),
                False,
                id="of another repository",
            ),
            pytest.param(
                Baseline(a.REPOSITORY, a.commit("x")), False, id="another commit"
            ),
        ],
    )
    def test_a_policy_names_baselines(
        self, baseline: Baseline, *, stands: bool
    ) -> None:
        """Repository and commit."""
        other = Baseline(a.REPOSITORY, a.commit("another one"))

        assert human(baselines=frozenset({baseline, other})).allowed is stands


class TestOldObject:
    """(a): where what admitted the old object ends."""

    def test_continues_what_was_approved(self) -> None:
        """Dana saw the AI commits below, and approved that state."""
        assert human(request=over(approval(), GROUND)).allowed

    @pytest.mark.parametrize(
        "carried",
        [
            pytest.param([GROUND], id="nobody signed it"),
            pytest.param([approval()], id="nobody attested it"),
            pytest.param([approval(saw=[]), GROUND], id="the reviewer did not see it"),
            pytest.param([approval(who=a.LEE), GROUND], id="signed by nobody's senior"),
            pytest.param([approval(who=a.OMAR), GROUND], id="signed by who is on call"),
            pytest.param(
                approved(below(contributors=frozenset({a.by(a.LEE), NOBODY}))),
                id="made by somebody unknown too",
            ),
            pytest.param(
                [approval(signer=a.STRANGER), GROUND], id="signed by a stranger"
            ),
            pytest.param(
                [approval(changes=(a.state(),)), GROUND], id="signed for another state"
            ),
            pytest.param(
                [approval(subjects=[a.OLD_IMAGE]), GROUND], id="the state is no subject"
            ),
            pytest.param(
                [
                    approval(
                        changes=(
                            replace(FOUND, object=replace(a.OBJECT, name="other")),
                        )
                    ),
                    GROUND,
                ],
                id="signed for another object",
            ),
            pytest.param(
                [approval(emergency=Emergency("INC", "!")), GROUND],
                id="signed in an emergency",
            ),
            pytest.param(
                approved(below(subjects=[a.digest("x"), a.OLD_IMAGE])),
                id="of another manifest",
            ),
            pytest.param(
                approved(below(subjects=[a.OLD_MANIFEST])),
                id="of the manifest, not of the image",
            ),
            pytest.param(approved(below(target="other")), id="of another commit"),
            pytest.param(approved(below(complete=False)), id="of a part of the range"),
            pytest.param(
                approved(below(signer=a.STRANGER)), id="attested by a stranger"
            ),
            pytest.param(approved(below(a.DANA)), id="approved by who made it"),
        ],
    )
    def test_stands_on_nothing_less(self, carried: list[Evidence]) -> None:
        """Extra evidence on the old object that admitted nothing anchors nothing."""
        assert not human(request=over(*carried)).allowed

    def test_of_another_repository_is_no_ground(self) -> None:
        """A commit is of its repository."""
        fork = "https://git.acme.example/fork"
        key = a.key("ci", "runner")
        collector = a.collector(
            key=key.key, trust_root="keys", issuer="", san="", source_repositories=()
        )
        both = (a.collector(), collector)

        def stands(repository: str) -> bool:
            request = over(*approved(below(repository=repository, signer=key)))
            return human(request=request, collectors=both, builders=both).allowed

        assert stands(a.REPOSITORY)
        assert not stands(fork)

    def test_was_approved_by_everybody_who_had_to(self) -> None:
        """One of two slots admitted nothing."""
        slots = (a.slot("senior"), a.slot("service-owner"))
        both = [approval(), approval(who=a.RAVI)]

        assert not human(request=over(both[0], GROUND), slots=slots).allowed
        assert human(request=over(*both, GROUND), slots=slots).allowed

    def test_means_what_the_slot_asks(self) -> None:
        """A review is no approval."""
        slots = (a.slot("senior", meanings=frozenset({"approval"})),)
        review = approval(meanings=frozenset({"review"}))

        assert not human(request=over(review, GROUND), slots=slots).allowed

    def test_keeps_its_ground_after_it_expires(self) -> None:
        """Validity is of first admission (rule 9)."""
        past = Interval(a.NOON - 3 * a.HOUR, a.NOON - 2 * a.HOUR)

        assert human(
            request=over(*approved(below(validity=past), validity=past))
        ).allowed

    @pytest.mark.parametrize(
        "withdrawn",
        [(RevokedKind.PERSON, "dana"), (RevokedKind.BUNDLE, str(GROUND.bundle))],
    )
    def test_loses_its_ground_when_withdrawn(
        self, withdrawn: tuple[RevokedKind, str]
    ) -> None:
        """Revocation only ever adds denials."""
        request = over(approval(), GROUND)

        assert not human(request=request, revoked=[Revoked(*withdrawn)]).allowed

    def test_counts_with_the_bounds_it_was_matched_with(self) -> None:
        """A scaled object is still the one that was approved."""
        bounds = (Elastic("/spec/replicas", 1, 9),)
        intents = frozenset({BoundIntent(a.OLD_MANIFEST, bounds)})
        signed = approval(changes=(replace(FOUND, elastic=bounds),))

        assert human(request=over(signed, GROUND, intents=intents)).allowed
        assert not human(request=over(approval(), GROUND, intents=intents)).allowed

    def test_of_an_image_needs_a_builder(self) -> None:
        """Who links the old image to the commit where the new range begins."""
        key = a.key("ci", "runner")
        collector = a.collector(
            key=key.key, trust_root="keys", issuer="", san="", source_repositories=()
        )
        both = (a.collector(), collector)
        request = over(*approved(below(signer=key)))

        assert human(request=request, collectors=both, builders=both).allowed
        assert not human(request=request, collectors=both).allowed

    def test_that_was_human_stands_on_its_own_ground(self) -> None:
        """Below lies nothing but what is approved."""
        lower = a.provenance(target=MIDDLE, subjects=GROUND_SUBJECTS)
        words = a.declaration(about=lower)

        assert human(request=over(lower, words)).allowed
        assert not human(request=over(lower)).allowed

    def test_that_was_marked_is_not_human_by_anybodys_word(self) -> None:
        """A declaration does not outweigh what a collector saw."""
        lower = below()

        assert not human(request=over(lower, a.declaration(about=lower))).allowed

    def test_equals_one_of_several_intents(self) -> None:
        """Two spellings of the same state."""
        intents = frozenset({BoundIntent(a.OLD_MANIFEST), BoundIntent(a.digest("x"))})

        assert human(request=over(approval(), GROUND, intents=intents)).allowed

    def test_was_seen_by_its_reviewer_even_if_no_slot_asks_who_made_it(self) -> None:
        """Provenance hung on the object later anchors nothing."""
        slots = (a.slot("senior", "other"),)

        assert human(request=over(approval(), GROUND), slots=slots).allowed
        assert not human(request=over(approval(saw=[]), GROUND), slots=slots).allowed

    def test_that_was_human_on_no_ground_is_none(self) -> None:
        """Else two human commits would do what one may not."""
        lower = a.provenance(target=MIDDLE, base="nowhere", subjects=GROUND_SUBJECTS)

        assert not human(request=over(lower, a.declaration(about=lower))).allowed

    def test_that_was_human_until_somebody_saw_more_is_none(self) -> None:
        """Adverse evidence about the ground counts too."""
        lower = a.provenance(target=MIDDLE, subjects=GROUND_SUBJECTS)
        request = over(lower, a.declaration(about=lower))
        worse = below(subjects=[])

        assert not human(request=request, adverse=[TOP, worse]).allowed

    def test_whose_state_is_not_told_is_no_ground(self) -> None:
        """A caller that does not say what the old object equals gets a denial."""
        assert not human(request=over(approval(), GROUND, intents=frozenset())).allowed


SOURCE = approval(a.commit(MIDDLE))


class TestSignedSource:
    """(c): where a sign-off names the commit, or its tree."""

    def test_continues_what_was_reviewed_as_source(self) -> None:
        """Also when the object is new."""
        assert human(GROUND, SOURCE).allowed

    def test_by_the_tree_where_provenance_names_both(self) -> None:
        """A tree is known to be the commit's from the collector."""
        assert human(GROUND, approval(a.tree(MIDDLE))).allowed

    def test_counts_from_the_old_object_too(self) -> None:
        """Where it came with what runs now."""
        live = a.digest("another manifest")
        signed = a.sign_off(
            changes=(a.state(intent=live),), signed_at=a.NOON - 3 * a.HOUR
        )
        ran = {"intents": frozenset({BoundIntent(live)}), "images": frozenset()}

        assert human(request=over(GROUND, SOURCE, signed, **ran)).allowed

    @pytest.mark.parametrize(
        "evidence",
        [
            pytest.param([GROUND, approval()], id="not named"),
            pytest.param([SOURCE], id="nobody knows who made it"),
            pytest.param(
                [approval(a.tree(MIDDLE))], id="nobody knows whose tree it is"
            ),
            pytest.param([GROUND, approval(a.commit(MIDDLE), saw=[])], id="unseen"),
            pytest.param(
                [GROUND, approval(a.commit(MIDDLE), who=a.LEE)], id="no senior"
            ),
            pytest.param(
                approved(below(a.DANA), a.commit(MIDDLE)), id="by who made it"
            ),
            pytest.param(
                approved(below(complete=False), a.commit(MIDDLE)),
                id="of a part of the range",
            ),
            pytest.param(
                approved(below(signer=a.STRANGER), a.commit(MIDDLE)),
                id="attested by a stranger",
            ),
            pytest.param(
                approved(below(target="elsewhere"), a.commit("elsewhere")),
                id="of another commit",
            ),
            pytest.param(
                approved(below(base="nowhere"), a.commit(MIDDLE)),
                id="on no ground itself",
            ),
            pytest.param(
                approved(below(base=a.HEAD), a.commit(MIDDLE), a.commit(a.HEAD)),
                id="in a circle",
            ),
            pytest.param(
                [
                    GROUND,
                    approval(a.commit(MIDDLE), clusters=frozenset({"staging"})),
                ],
                id="for another cluster",
            ),
            pytest.param(
                [GROUND, approval(a.commit(MIDDLE), answers=())], id="without answers"
            ),
            pytest.param(
                [
                    GROUND,
                    approval(a.commit(MIDDLE), emergency=Emergency("INC", "!")),
                ],
                id="in an emergency",
            ),
            pytest.param(
                [
                    GROUND,
                    approval(
                        a.commit(MIDDLE),
                        validity=Interval(a.NOON - 4 * a.HOUR, a.NOON - 3 * a.HOUR),
                    ),
                ],
                id="expired",
            ),
            pytest.param(
                [
                    GROUND,
                    approval(
                        a.commit(MIDDLE), validity=Interval(a.NOON - 4 * a.HOUR, None)
                    ),
                ],
                id="for ever",
            ),
            pytest.param(
                [
                    GROUND,
                    approval(
                        a.commit(MIDDLE),
                        reviewed_on=a.NOON + a.DAY,
                        validity=Interval(a.NOON - a.DAY, a.NOON + a.DAY),
                    ),
                ],
                id="at no possible time",
            ),
            pytest.param(
                [GROUND, approval(a.commit(MIDDLE), signer=a.STRANGER)], id="a stranger"
            ),
        ],
    )
    def test_by_nothing_less(self, evidence: list[Evidence]) -> None:
        """An author cannot approve the ground that his next change stands on."""
        assert not human(*evidence).allowed

    def test_at_a_trusted_time_where_one_is_asked_for(self) -> None:
        """As for any other sign-off."""
        untimed = approval(a.commit(MIDDLE), signed_at=None, reviewed_on=a.NOON)

        assert human(GROUND, untimed).allowed
        assert not human(GROUND, untimed, trusted_time=True).allowed

    def test_meaning_exactly_what_the_slot_asks(self) -> None:
        """No more is needed."""
        meanings = frozenset({"approval"})
        slots = (a.slot("senior", meanings=meanings),)

        assert human(
            GROUND, approval(a.commit(MIDDLE), meanings=meanings), slots=slots
        ).allowed

    def test_does_not_ask_who_made_it_where_no_slot_does(self) -> None:
        """A policy that is not about authors."""
        slots = (a.slot("senior", "other"),)

        assert human(approval(a.commit(MIDDLE), saw=[]), slots=slots).allowed

    @pytest.mark.parametrize(("requester", "stands"), [("lee", True), ("dana", False)])
    def test_not_by_the_deployer_where_a_slot_says_so(
        self, requester: str, *, stands: bool
    ) -> None:
        """Whoever applies this has not approved what it stands on."""
        request = a.change(requester=Requester(requester))
        slots = (a.slot("senior", "deployer"),)
        signed = approval(a.commit(MIDDLE), saw=[])

        assert human(signed, request=request, slots=slots).allowed is stands

    def test_by_the_deployer_where_no_slot_says_otherwise(self) -> None:
        """Deploying is not making."""
        request = a.change(requester=Requester("dana"))

        assert human(GROUND, SOURCE, request=request).allowed

    def test_not_by_the_deployer_where_any_slot_says_so(self) -> None:
        """One of two is enough."""
        slots = (a.slot("senior", "deployer"), a.slot("senior", "other"))
        signed = [
            approval(a.commit(MIDDLE), saw=[], who=who) for who in (a.DANA, a.RAVI)
        ]
        request = a.change(requester=Requester("dana"))

        assert human(*signed, slots=slots).allowed
        assert not human(*signed, request=request, slots=slots).allowed

    def test_may_itself_stand_on_signed_source(self) -> None:
        """Range after range, each approved."""
        first = a.marked(target="first", subjects=[])
        second = a.marked(target=MIDDLE, base="first", subjects=[])
        signed = [
            approval(a.commit("first"), saw=[first]),
            approval(a.commit(MIDDLE), saw=[second]),
        ]

        assert human(first, second, *signed).allowed
        assert not human(first, second, signed[1]).allowed


def declared(seen: Evidence) -> list[Evidence]:
    """Return provenance together with Lee's word about it."""
    return [seen, a.declaration(about=seen)]


BELOW = a.provenance(target=MIDDLE, subjects=[])
BELOW_WORD = a.declaration(about=BELOW)


class TestHumanInParts:
    """What is declared in parts is declared."""

    def test_stands_as_the_whole_would(self) -> None:
        """Two ranges, whatever else was made of the first."""
        assert human(BELOW, BELOW_WORD).allowed

    def test_in_any_number_of_parts(self) -> None:
        """Each begins where one before it ends."""
        first = a.provenance(target="first", subjects=[])
        second = a.provenance(base="first", target=MIDDLE, subjects=[])
        words = [a.declaration(about=part) for part in (first, second)]

        assert human(first, second, *words).allowed
        assert not human(second, *words).allowed

    def test_with_what_the_live_object_carries(self) -> None:
        """The next update has the last one's evidence at hand."""
        live = a.old(BELOW, BELOW_WORD, intents=frozenset(), images=frozenset())

        assert human(request=a.update(live), base=BaseRule.ANY).allowed

    @pytest.mark.parametrize(
        "evidence",
        [
            pytest.param([BELOW], id="nobody declared it"),
            pytest.param([BELOW_WORD], id="nobody attested it"),
            pytest.param(
                [BELOW, a.declaration(a.DANA, BELOW)], id="somebody else declared it"
            ),
            pytest.param(declared(below(base=a.START)), id="marked"),
            pytest.param(
                [
                    BELOW,
                    BELOW_WORD,
                    below(base="elsewhere", subjects=[]),
                ],
                id="somebody saw a mark in it",
            ),
            pytest.param(
                declared(a.provenance(target=MIDDLE, base="nowhere", subjects=[])),
                id="on no ground itself",
            ),
            pytest.param(
                declared(a.provenance(target=MIDDLE, complete=False, subjects=[])),
                id="not all of it seen",
            ),
            pytest.param(
                declared(
                    a.provenance(
                        target=MIDDLE,
                        subjects=[],
                        validity=Interval(a.NOON - a.DAY, a.NOON - a.HOUR),
                    )
                ),
                id="attested for yesterday",
            ),
            pytest.param(
                declared(a.provenance(target=MIDDLE, subjects=[], signer=a.STRANGER)),
                id="attested by a stranger",
            ),
        ],
    )
    def test_by_nothing_less(self, evidence: list[Evidence]) -> None:
        """A part is judged as any range is."""
        assert not human(*evidence).allowed

    def test_not_where_what_is_human_is_to_be_approved(self) -> None:
        """`human: signOff` wants a senior for every part."""
        signed = a.sign_off(saw=[TOP])

        assert human(BELOW, BELOW_WORD, signed, human=Treatment.ADMIT).allowed
        verdict = a.decide(TOP, BELOW, BELOW_WORD, signed, human=Treatment.SIGN_OFF)
        assert Reason.AUTHORS_UNKNOWN in a.reasons(verdict)


def test_a_sign_off_needs_approved_ground_too() -> None:
    """Independence is of everybody below as well."""
    verdict = a.decide(TOP, a.sign_off(saw=[TOP]))

    assert a.reasons(verdict) == {Reason.AUTHORS_UNKNOWN, Reason.SLOT_OPEN}


def test_an_alias_is_not_needed_to_anchor() -> None:
    """A deployer nobody knows excludes nobody."""
    nobody = replace(
        a.DANA, aliases=frozenset({Alias(AliasKind.GIT, "d@acme.example")})
    )
    roster = replace(a.policy().roster, persons=(nobody, a.LEE))

    assert human(GROUND, SOURCE, roster=roster).allowed
