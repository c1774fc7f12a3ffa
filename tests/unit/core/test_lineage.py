"""Image, commit, provenance, sign-off: one line, and no other (rules 3, 4 and 7)."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.attestors import Attestor
from countersign.core.types.bound import BoundChange
from countersign.core.types.evidence import (
    Assistance,
    CertificateClaims,
    Evidence,
    Lines,
)
from countersign.core.types.people import KeyIdentity
from countersign.core.types.policy import Revoked, RevokedKind, Treatment
from countersign.core.types.verdict import (
    Basis,
    Gap,
    ProvenanceGap,
    Reason,
    Verdict,
)
from tests.support import a

BUILD = a.build()
OBJECT = a.provenance(subjects=[a.MANIFEST])
SOURCE = a.provenance(target="app", subjects=[])  # of the image's commit, no more
BUILT = a.build(target="app")
KEY = KeyIdentity("keys", "tekton")
TEKTON = Attestor(name="tekton", trust_root="keys", key="tekton")


def signed(*saw: Evidence, subjects: Any = (a.MANIFEST,), **fields: Any) -> Evidence:
    """Return Dana's sign-off of the manifest, which does not name the image."""
    return a.sign_off(saw=saw, subjects=[*subjects], **fields)


def decide(*evidence: Evidence, **fields: Any) -> Verdict:
    """Judge by a policy that wants authors known, and proves nothing human."""
    return a.decide(*evidence, **{"human": Treatment.SIGN_OFF, **fields})


def covered(*evidence: Evidence, **fields: Any) -> bool:
    """Tell whether a sign-off for the object covers the image, whoever made it."""
    slots = (a.slot("senior", "deployer"),)
    verdict = decide(*evidence, slots=slots, **fields)
    assert a.reasons(verdict) <= {Reason.IMAGE_UNCOVERED, Reason.SLOT_OPEN}
    return verdict.allowed


class TestLink:
    """A build makes the provenance of its commit speak of its image."""

    def test_carries_provenance_to_the_image(self) -> None:
        """No statement names image and people, and the line holds all the same."""
        saw = [OBJECT, SOURCE]

        assert decide(OBJECT, SOURCE, BUILT, signed(*saw)).allowed

    def test_is_part_of_the_basis(self) -> None:
        """A set that only holds the link is not idle."""
        verdict = decide(OBJECT, SOURCE, BUILT, signed(OBJECT, SOURCE))

        (basis,) = verdict.bases
        relied = {OBJECT.bundle, SOURCE.bundle, BUILT.bundle}
        assert isinstance(basis, Basis)
        assert relied < set(basis.bundles)

    @pytest.mark.parametrize(
        ("built", "gap"),
        [
            pytest.param([], Gap.ABSENT, id="no build"),
            pytest.param(
                [a.build(target="other")], Gap.UNSOURCED, id="of another commit"
            ),
            pytest.param(
                [a.build(a.OLD_IMAGE, target="app")], Gap.ABSENT, id="of another image"
            ),
            pytest.param(
                [a.build(target="app", signer=a.STRANGER)],
                Gap.NOT_BUILT,
                id="by a stranger",
            ),
            pytest.param(
                [a.build(target="app", repository="https://git.acme.example/fork")],
                Gap.NOT_BUILT,
                id="from a repository that its builder is not pinned to",
            ),
            pytest.param(
                [a.build(target="app", signer=KEY, repository="https://x.example/y")],
                Gap.UNSOURCED,
                id="from another repository",
            ),
            pytest.param(
                [
                    a.build(
                        target="app",
                        certificate=CertificateClaims(
                            source_repository=a.REPOSITORY,
                            source_digest=a.commit("x").value,
                        ),
                    )
                ],
                Gap.NOT_BUILT,
                id="whose certificate is of another commit",
            ),
            pytest.param(
                [
                    replace(
                        BUILT,
                        certificate=CertificateClaims(
                            source_digest=a.commit("app").value
                        ),
                    )
                ],
                Gap.NOT_BUILT,
                id="whose certificate is of no repository",
            ),
        ],
    )
    def test_holds_for_one_image_of_one_commit(
        self, built: list[Evidence], gap: Gap
    ) -> None:
        """Each end of the link is exact; what is near it says how near."""
        verdict = decide(
            OBJECT,
            SOURCE,
            *built,
            signed(OBJECT, SOURCE, subjects=[a.MANIFEST, a.RUNS]),
            builders=(a.collector(), TEKTON),
        )

        facts = a.finding(verdict, Reason.AUTHORS_UNKNOWN).facts
        assert isinstance(facts, ProvenanceGap)
        assert facts.gap is gap

    def test_of_a_key_has_no_certificate_to_compare(self) -> None:
        """Tekton Chains signs with one as a rule."""
        built = a.build(target="app", signer=KEY)

        verdict = decide(
            OBJECT, SOURCE, built, signed(OBJECT, SOURCE), builders=(TEKTON,)
        )

        assert verdict.allowed

    @pytest.mark.parametrize(
        ("repository", "counts"),
        [
            (a.REPOSITORY, True),
            (f"git+{a.REPOSITORY}.git/", True),
            ("https://x", False),
        ],
    )
    def test_of_a_key_counts_for_the_repositories_it_is_pinned_to(
        self, repository: str, *, counts: bool
    ) -> None:
        """One key signs all that a cluster of Tekton's builds."""
        built = a.build(target="app", signer=KEY)
        pinned = replace(TEKTON, source_repositories=(repository,))
        evidence = [built, signed(subjects=[a.MANIFEST, a.commit("app")])]

        assert covered(*evidence, builders=(pinned,)) is counts

    def test_needs_no_builder_to_sign_the_provenance(self) -> None:
        """Who collects and who builds may be two."""
        builder = a.collector(name="other", san=f"{a.CI_SAN}-of-builds")
        signer = replace(a.CI, san=f"{a.CI_SAN}-of-builds")
        built = a.build(target="app", signer=signer)
        evidence = [OBJECT, SOURCE, signed(OBJECT, SOURCE)]

        assert decide(*evidence, built, builders=(builder,)).allowed
        assert not decide(*evidence, BUILT, builders=(builder,)).allowed

    def test_ends_on_the_last_commit_of_the_range(self) -> None:
        """What came later is in no provenance that ends before."""
        below = a.provenance(target="app", subjects=[a.commit("later")])

        verdict = decide(OBJECT, below, a.build(target="later"), signed(OBJECT, below))

        assert Reason.AUTHORS_UNKNOWN in a.reasons(verdict)

    def test_needs_the_commit_among_the_subjects(self) -> None:
        """As where provenance names the image itself."""
        bare = replace(
            SOURCE,
            subjects=frozenset(
                s for s in SOURCE.subjects if s.digest != a.commit("app")
            ),
        )

        assert not decide(OBJECT, bare, BUILT, signed(OBJECT, bare)).allowed

    @pytest.mark.parametrize(
        "entry",
        [
            pytest.param(Revoked(RevokedKind.COLLECTOR, "ci"), id="the builder"),
            pytest.param(Revoked(RevokedKind.COLLECTOR, "same"), id="the same by name"),
            pytest.param(Revoked(RevokedKind.BUNDLE, str(BUILT.bundle)), id="it"),
            pytest.param(
                Revoked(RevokedKind.BUNDLE, BUILT.statement.value), id="its statement"
            ),
            pytest.param(Revoked(RevokedKind.IDENTITY, a.CI_SAN), id="the identity"),
        ],
    )
    def test_is_gone_when_withdrawn(self, entry: Revoked) -> None:
        """Named as builder, or as the collector that it is too."""
        evidence = [BUILT, signed(subjects=[a.MANIFEST, a.commit("app")])]
        builders = (a.collector(), a.collector(name="same"))

        assert covered(*evidence, builders=builders)
        assert not covered(*evidence, builders=builders, revoked=[entry])

    def test_is_of_images_and_never_of_the_object(self) -> None:
        """What is signed of an object is written, not built."""
        built = a.build(a.MANIFEST, a.RUNS, target="app")

        verdict = decide(SOURCE, built, signed(SOURCE))

        found = a.finding(verdict, Reason.AUTHORS_UNKNOWN)
        assert found.about == a.OBJECT
        assert found.facts == ProvenanceGap(Gap.ABSENT)

    def test_says_of_what_nobody_attests(self) -> None:
        """So that CI can."""
        verdict = decide(OBJECT, BUILT, signed(OBJECT))

        seen = f"{a.REPOSITORY}@{a.commit('app').value[:12]}"
        found = a.finding(verdict, Reason.AUTHORS_UNKNOWN)
        assert found.facts == ProvenanceGap(Gap.UNSOURCED, seen)


class TestCoverage:
    """What a sign-off has to name for an image that a builder made."""

    @pytest.mark.parametrize(
        "sign_off",
        [
            pytest.param(signed(subjects=[a.MANIFEST, a.RUNS]), id="the image"),
            pytest.param(
                signed(subjects=[a.MANIFEST, a.commit("app")]), id="its commit"
            ),
            pytest.param(signed(subjects=[a.MANIFEST, a.tree("app")]), id="its tree"),
            pytest.param(signed(BUILT), id="having seen the build"),
            pytest.param(signed(SOURCE), id="having seen the provenance"),
        ],
    )
    def test_follows_the_line(self, sign_off: Evidence) -> None:
        """Any place of it."""
        assert covered(BUILT, SOURCE, sign_off)

    def test_of_a_tree_needs_who_knows_the_tree(self) -> None:
        """A build names a commit only."""
        sign_off = signed(subjects=[a.MANIFEST, a.tree("app")])

        assert not covered(BUILT, sign_off)

    @pytest.mark.parametrize(
        "evidence",
        [
            pytest.param(
                [BUILT, signed(subjects=[a.MANIFEST, a.commit(a.HEAD)])],
                id="another commit signed",
            ),
            pytest.param(
                [BUILD, SOURCE, signed(subjects=[a.MANIFEST, a.tree("app")])],
                id="built from another than signed and attested",
            ),
            pytest.param(
                [BUILT, OBJECT, signed(OBJECT)], id="another commit attested and seen"
            ),
            pytest.param(
                [BUILT, SOURCE, signed(BUILD)], id="another build seen, not there"
            ),
            pytest.param(
                [a.build(a.OLD_IMAGE, target="app"), SOURCE, signed(SOURCE)],
                id="another image built of what was seen",
            ),
            pytest.param(
                [
                    BUILT,
                    a.provenance(
                        target="app",
                        subjects=[],
                        repository="https://git.acme.example/fork",
                        certificate=CertificateClaims(
                            source_repository=a.REPOSITORY,
                            source_digest=a.commit("app").value,
                        ),
                    ),
                    signed(subjects=[a.MANIFEST, a.tree("app")]),
                ],
                id="attested in another repository",
            ),
            pytest.param([SOURCE, signed(SOURCE)], id="no build"),
        ],
    )
    def test_never_joins_what_is_of_different_commits(
        self, evidence: list[Evidence]
    ) -> None:
        """A scan from one run and an approval from another say nothing together."""
        assert not covered(*evidence)

    def test_never_reaches_the_object(self) -> None:
        """The same image with more rights is another change."""
        sign_off = signed(changes=(), subjects=[a.RUNS, a.commit("app")])
        slots = (a.slot("senior", "deployer"),)

        assert not decide(BUILT, SOURCE, sign_off, slots=slots).allowed


class TestReviewer:
    """What the reviewer saw is what counts, and nothing worse."""

    def test_must_have_seen_the_provenance(self) -> None:
        """Of the image's commit as of the object's."""
        verdict = decide(OBJECT, SOURCE, BUILT, signed(OBJECT, BUILT))

        facts = a.finding(verdict, Reason.AUTHORS_UNKNOWN).facts
        assert facts == ProvenanceGap(Gap.UNNAMED, str(SOURCE.statement))

    def test_may_not_have_made_it(self) -> None:
        """Dana wrote the image, not the manifest."""
        hers = a.provenance(a.DANA, target="app", subjects=[])

        verdict = decide(OBJECT, hers, BUILT, signed(OBJECT, hers))

        assert Reason.NOT_INDEPENDENT in a.reasons(verdict)

    def test_who_saw_assistance_in_the_commit_saw_it_in_the_image(self) -> None:
        """Another run over the same commit adds nothing."""
        seen = a.marked(target="app", subjects=[])
        again = a.marked(target="app", subjects=[], lines=Lines(ai=1))
        sign_off = signed(OBJECT, seen, subjects=[a.MANIFEST, a.RUNS])

        assert decide(OBJECT, seen, again, BUILT, sign_off).allowed

    def test_is_void_where_the_commit_is_worse_than_seen(self) -> None:
        """Though nothing that is worse names the image."""
        worse = a.marked(target="app", subjects=[])
        sign_off = signed(OBJECT, SOURCE, subjects=[a.MANIFEST, a.RUNS])

        verdict = decide(OBJECT, SOURCE, BUILT, worse, sign_off)

        assert Reason.WORSE_PROVENANCE in a.reasons(verdict)


class TestManyBuilds:
    """The same bytes, made again of another commit."""

    OTHER = a.build(target="again")

    def test_each_links_by_itself(self) -> None:
        """A rebuild whose commit nobody attested takes nothing away."""
        saw = [OBJECT, SOURCE]

        assert decide(OBJECT, SOURCE, BUILT, self.OTHER, signed(*saw)).allowed

    def test_the_worst_counts(self) -> None:
        """What is known of any of their commits is known of the image."""
        worse = a.marked(target="again", subjects=[])
        evidence = [OBJECT, SOURCE, BUILT, signed(OBJECT, SOURCE), worse]

        assert decide(*evidence).allowed
        assert not decide(*evidence, self.OTHER).allowed

    def test_withdrawing_one_does_not_clear_the_image(self) -> None:
        """It still was said (rule 6)."""
        worse = a.marked(target="again", subjects=[])
        evidence = [OBJECT, SOURCE, BUILT, signed(OBJECT, SOURCE), worse, self.OTHER]
        gone = Revoked(RevokedKind.BUNDLE, str(self.OTHER.bundle))

        assert not decide(*evidence, revoked=[gone]).allowed

    def test_what_only_counts_against_it_lets_nobody_know_more(self) -> None:
        """A reviewer who saw the worst of one commit did not see that of another."""
        seen = a.marked(target="again", subjects=[])
        worse = a.marked(target="app", subjects=[])
        evidence = [OBJECT, SOURCE, seen, worse, BUILT]
        sign_off = signed(OBJECT, SOURCE, seen, subjects=[a.MANIFEST, a.RUNS])

        anybody = (a.slot("senior", "deployer"),)
        for adverse in (evidence, [*evidence, self.OTHER]):
            verdict = decide(*evidence, sign_off, adverse=adverse, slots=anybody)

            assert Reason.WORSE_PROVENANCE in a.reasons(verdict)

    def test_what_a_stranger_calls_its_source_does_not_count_against_it(self) -> None:
        """Else anybody could spoil an image by a build of somebody's worst commit."""
        worse = a.marked(target="again", subjects=[])
        claimed = a.build(target="again", signer=a.STRANGER)
        evidence = [OBJECT, SOURCE, BUILT, signed(OBJECT, SOURCE), worse]

        assert decide(*evidence, claimed).allowed

    def test_what_only_supports_counts_nothing_against_it(self) -> None:
        """Losing it must not admit: what counts against comes on its own side."""
        worse = a.marked(target="again", subjects=[])
        evidence = [OBJECT, SOURCE, BUILT, signed(OBJECT, SOURCE), self.OTHER]

        assert decide(*evidence, adverse=[worse, BUILT]).allowed

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            pytest.param({"ai": Treatment.DENY}, Reason.AI_DENIED, id="AI denied"),
            pytest.param(
                {"banned_tools": frozenset({"amazon-q"})},
                Reason.TOOL_BANNED,
                id="a tool banned",
            ),
        ],
    )
    def test_what_is_forbidden_is_found_through_builds(
        self, fields: dict[str, Any], reason: Reason
    ) -> None:
        """In the commit, though nothing names the image."""
        ai = a.marked(target="app", subjects=[], assistance=Assistance.AI)

        verdict = decide(OBJECT, ai, BUILT, signed(OBJECT, ai), **fields)

        assert getattr(a.finding(verdict, reason).about, "digest", None) == a.RUNS


class TestHuman:
    """An image is human if the commit that it was made of is."""

    def test_by_declaration_of_its_commit(self) -> None:
        """Admitted without any sign-off."""
        words = [a.declaration(about=OBJECT), a.declaration(about=SOURCE)]

        verdict = a.decide(OBJECT, SOURCE, BUILT, *words)

        (basis,) = verdict.bases
        assert basis.declared_by == ("lee",)
        assert BUILT.bundle in basis.bundles

    def test_is_not_where_another_of_its_commits_is_marked(self) -> None:
        """The worst counts."""
        words = [a.declaration(about=OBJECT), a.declaration(about=SOURCE)]
        other = [a.build(target="again"), a.marked(target="again", subjects=[])]

        assert not a.decide(OBJECT, SOURCE, BUILT, *words, *other).allowed

    def test_known_where_the_unknown_is_denied(self) -> None:
        """A collector's word about the commit is knowledge of the image."""
        ai = a.marked(target="app", subjects=[])
        whole = a.marked(subjects=[a.MANIFEST])
        evidence = [whole, ai, signed(whole, ai, subjects=[a.MANIFEST, a.RUNS])]

        assert decide(*evidence, BUILT, unknown=Treatment.DENY).allowed
        assert Reason.UNKNOWN_DENIED in a.reasons(
            decide(*evidence, unknown=Treatment.DENY)
        )


class TestGround:
    """The image that ran was built of the commit on which the next range begins."""

    BEFORE = a.marked(target="middle", base=a.START, subjects=[])
    OLD_BUILD = a.build(a.OLD_IMAGE, target="middle")
    ABOVE = a.provenance(target="app", base="middle", subjects=[])
    APPROVED = a.sign_off(
        changes=(a.state(intent=a.OLD_MANIFEST),),
        saw=[BEFORE],
        signed_at=a.NOON - 3 * a.HOUR,
    )

    def judged(self, *now: Evidence, carried: list[Evidence]) -> Verdict:
        """Judge an update whose image is built of a range above the old one."""
        request: BoundChange = a.update(a.old(*carried))
        sign_off = signed(OBJECT, self.ABOVE)
        return decide(OBJECT, self.ABOVE, BUILT, sign_off, *now, request=request)

    @pytest.mark.parametrize("beside", [True, False], ids=["old", "new"])
    def test_is_found_through_the_old_build(self, *, beside: bool) -> None:
        """Wherever it lies: what a digest was built of does not change."""
        carried = [self.BEFORE, self.APPROVED]
        now = [] if beside else [self.OLD_BUILD]

        assert self.judged(
            *now, carried=[*carried, *([self.OLD_BUILD] if beside else [])]
        ).allowed

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param([], id="no build"),
            pytest.param([a.build(a.OLD_IMAGE, target="x")], id="of another commit"),
            pytest.param([a.build(target="middle")], id="of another image"),
            pytest.param(
                [a.build(a.OLD_IMAGE, target="middle", signer=a.STRANGER)],
                id="by a stranger",
            ),
        ],
    )
    def test_is_not_where_nothing_links_it(self, other: list[Evidence]) -> None:
        """Somebody could hang any range on an object."""
        verdict = self.judged(carried=[self.BEFORE, self.APPROVED, *other])

        gap = ProvenanceGap(Gap.UNANCHORED, str(a.commit("middle")))
        assert gap in {f.facts for f in verdict.findings}

    def test_is_not_where_nobody_approved_it(self) -> None:
        """A build says what it is of, and nothing of how good that is."""
        carried = [self.BEFORE, self.OLD_BUILD]

        assert not self.judged(carried=carried).allowed


class TestBase:
    """A build of what runs says nothing of when that was admitted (rule 8)."""

    LIVE = a.sign_off(
        changes=(a.state(intent=a.OLD_MANIFEST),), signed_at=a.NOON - 9 * a.HOUR
    )

    def test_a_later_rebuild_makes_no_state_newer(self) -> None:
        """The same bytes may be built every night."""
        nightly = a.build(a.OLD_IMAGE, signed_at=a.NOON)
        request = a.update(a.old(self.LIVE, nightly))

        assert a.decide(request=request).allowed

    def test_an_object_is_not_known_by_its_images(self) -> None:
        """Nobody approved it: nothing older may come over it."""
        early = a.NOON - 9 * a.HOUR
        about = [
            a.build(a.OLD_IMAGE, signed_at=early),
            a.provenance(subjects=[a.OLD_IMAGE], signed_at=early),
        ]

        verdict = a.decide(request=a.update(a.old(*about)))

        assert Reason.STALE_BASE in a.reasons(verdict)
