"""An index, and what evidence must name of it (``images.subject``, rule 7)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.core.types.bound import BoundChange
from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import Images, ImageSubject, Treatment
from countersign.core.types.verdict import Gap, ProvenanceGap, Reason, Verdict
from tests.support import a

AMD, ARM = a.digest("for amd64"), a.digest("for arm64")
BOTH = frozenset({AMD, ARM})
EITHER, INDEX, EACH = ImageSubject
OBJECT = a.provenance(subjects=[a.MANIFEST])


def asking(subject: ImageSubject) -> Images:
    """Return what a policy asks of images."""
    return Images(subject=subject, registries=("docker.io/acme/*",))


def running(platforms: Iterable[Digest] | None = BOTH) -> BoundChange:
    """Return the creation of a ledger that runs an index of `platforms`."""
    seen = None if platforms is None else frozenset(platforms)
    return a.change(images=(replace(a.IMAGE, platforms=seen),))


def signed(*images: Digest) -> Evidence:
    """Return Dana's sign-off of the manifest and `images`."""
    return a.sign_off(subjects=[a.MANIFEST, *images], saw=[])


def decide(
    *evidence: Evidence,
    subject: ImageSubject,
    platforms: Iterable[Digest] | None = BOTH,
    **fields: Any,
) -> Verdict:
    """Judge by a policy that does not care who made it."""
    given = {"slots": (a.slot("senior", "deployer"),), "human": Treatment.SIGN_OFF}
    return a.decide(
        *evidence,
        request=running(platforms),
        images=asking(subject),
        **{**given, **fields},
    )


HALVES = [
    a.provenance(target="app", subjects=[AMD]),
    a.provenance(target="app", subjects=[ARM]),
]
SOURCE = a.provenance(target="app", subjects=[])
SAW_BOTH = a.sign_off(subjects=[a.MANIFEST], saw=[*HALVES, SOURCE])


class TestCoverage:
    """By what a sign-off names, and what builders link to it."""

    @pytest.mark.parametrize(
        ("evidence", "admitting"),
        [
            pytest.param([signed(a.RUNS)], {EITHER, INDEX}, id="the index"),
            pytest.param([signed(AMD, ARM)], {EITHER, EACH}, id="each platform"),
            pytest.param([signed(a.RUNS, AMD, ARM)], set(ImageSubject), id="all"),
            pytest.param([signed(AMD)], set(), id="one child, not the index"),
            pytest.param([signed(a.RUNS, AMD)], {EITHER, INDEX}, id="not every child"),
            pytest.param(
                [signed(AMD), signed(ARM)], set(), id="each child by another sign-off"
            ),
            pytest.param([signed(a.digest("x"))], set(), id="something else"),
            pytest.param(
                [SAW_BOTH, *HALVES], {EACH}, id="each child by a builder's statement"
            ),
            pytest.param([SAW_BOTH, HALVES[0]], set(), id="one child by a builder"),
            pytest.param(
                [SAW_BOTH, SOURCE, a.build(AMD, ARM, target="app")],
                {EITHER, EACH},
                id="both children by one build",
            ),
            pytest.param(
                [
                    SAW_BOTH,
                    SOURCE,
                    a.build(AMD, target="app"),
                    a.build(ARM, target="app"),
                ],
                {EACH},
                id="each child by its own build",
            ),
            pytest.param(
                [SAW_BOTH, SOURCE, a.build(AMD, target="app")],
                set(),
                id="a build of one child",
            ),
            pytest.param(
                [SAW_BOTH, SOURCE, a.build(a.RUNS, target="app")],
                {EITHER, INDEX},
                id="a build of the index",
            ),
            pytest.param(
                [
                    SAW_BOTH,
                    SOURCE,
                    a.build(AMD, target="app"),
                    a.build(ARM, target="other"),
                ],
                set(),
                id="one child of another commit",
            ),
        ],
    )
    @pytest.mark.parametrize("subject", ImageSubject)
    def test_is_as_the_policy_says(
        self,
        evidence: list[Evidence],
        admitting: set[ImageSubject],
        subject: ImageSubject,
    ) -> None:
        """What is in an index follows from its digest, and evidence may name either."""
        verdict = decide(*evidence, subject=subject)

        assert verdict.allowed is (subject in admitting)
        if not verdict.allowed:
            assert Reason.IMAGE_UNCOVERED in a.reasons(verdict)

    def test_names_the_platform_that_is_missing(self) -> None:
        """By its own digest, in the repository of the index."""
        verdict = decide(signed(a.RUNS, AMD), subject=EACH)

        about = a.finding(verdict, Reason.IMAGE_UNCOVERED).about
        assert getattr(about, "digest", None) == ARM

    @pytest.mark.parametrize("subject", ImageSubject)
    def test_what_is_no_index_is_named_itself(self, subject: ImageSubject) -> None:
        """It has no platforms that could be named instead."""
        assert decide(signed(a.RUNS), subject=subject, platforms=()).allowed
        assert not decide(signed(AMD, ARM), subject=subject, platforms=()).allowed
        assert not decide(signed(), subject=subject, platforms=()).allowed

    @pytest.mark.parametrize("subject", [EITHER, INDEX])
    def test_without_a_look_only_the_digest_counts(self, subject: ImageSubject) -> None:
        """Nobody knows what else could."""
        assert decide(signed(a.RUNS), subject=subject, platforms=None).allowed
        assert not decide(signed(AMD, ARM), subject=subject, platforms=None).allowed


class TestUnseen:
    """Each platform is asked for, and nobody could look."""

    def test_denies_whatever_is_named(self) -> None:
        """An index has platforms that the evidence may not name."""
        verdict = decide(signed(a.RUNS, AMD, ARM), subject=EACH, platforms=None)

        found = a.finding(verdict, Reason.IMAGE_UNCOVERED)
        assert found.facts == ProvenanceGap(Gap.UNSEEN)
        assert getattr(found.about, "digest", None) == a.RUNS

    def test_denies_what_is_human(self) -> None:
        """A declaration covers no more than a signature."""
        whole = a.provenance(subjects=[a.MANIFEST, a.RUNS, AMD, ARM])
        fields: dict[str, Any] = {"images": asking(EACH)}
        evidence = [whole, a.declaration(about=whole)]

        assert a.decide(*evidence, request=running(), **fields).allowed
        assert not a.decide(*evidence, request=running(None), **fields).allowed

    def test_says_why_nobody_knows_who_made_it(self) -> None:
        """The same, where the policy asks for makers."""
        whole = a.provenance(subjects=[a.MANIFEST, a.RUNS, AMD, ARM])
        verdict = decide(
            whole,
            a.sign_off(saw=[whole]),
            subject=EACH,
            platforms=None,
            slots=(a.slot("senior"),),
        )

        facts = a.finding(verdict, Reason.AUTHORS_UNKNOWN).facts
        assert facts == ProvenanceGap(Gap.UNSEEN)

    def test_one_that_was_seen_does_not_speak_for_one_that_was_not(self) -> None:
        """Two references to one digest, and a look at one of them that was lost."""
        seen = replace(a.IMAGE, platforms=BOTH)
        request = a.change(images=(seen, replace(seen, platforms=None)))

        verdict = a.decide(
            signed(a.RUNS, AMD, ARM),
            request=request,
            images=asking(EACH),
            slots=(a.slot("senior", "deployer"),),
        )

        assert not verdict.allowed


class TestMakers:
    """Who made each platform, and what counts against any."""

    def known(self, *evidence: Evidence, subject: ImageSubject) -> Verdict:
        """Judge by a policy that asks for makers."""
        saw = [e for e in evidence if e.claim.__class__.__name__ == "Provenance"]
        sign_off = a.sign_off(subjects=[a.MANIFEST, a.RUNS, AMD, ARM], saw=saw)
        return decide(*evidence, sign_off, subject=subject, slots=(a.slot("senior"),))

    @pytest.mark.parametrize(
        ("evidence", "admitting"),
        [
            pytest.param(HALVES, {EACH}, id="of each child"),
            pytest.param([SOURCE], set(), id="of the commit, without a build"),
            pytest.param(
                [SOURCE, a.build(AMD, ARM, target="app")],
                {EITHER, EACH},
                id="of the commit that both were built of",
            ),
            pytest.param(
                [SOURCE, a.build(a.RUNS, target="app")],
                {EITHER, INDEX},
                id="of the commit that the index was built of",
            ),
            pytest.param(
                [a.provenance(target="app", subjects=[AMD, ARM])],
                {EITHER, EACH},
                id="of both children at once",
            ),
        ],
    )
    @pytest.mark.parametrize("subject", ImageSubject)
    def test_are_known_as_the_policy_says(
        self,
        evidence: list[Evidence],
        admitting: set[ImageSubject],
        subject: ImageSubject,
    ) -> None:
        """Provenance and builds name what sign-offs name."""
        verdict = self.known(OBJECT, *evidence, subject=subject)

        assert verdict.allowed is (subject in admitting)

    def test_a_child_that_is_known_does_not_make_the_index_known(self) -> None:
        """Where the unknown is denied, as everywhere."""
        whole = a.marked(subjects=[a.MANIFEST])
        child = a.marked(subjects=[AMD], target="app")
        evidence = [whole, child, signed(a.RUNS)]

        found = decide(*evidence, subject=INDEX, unknown=Treatment.DENY)

        unknown = a.finding(found, Reason.UNKNOWN_DENIED)
        assert getattr(unknown.about, "digest", None) == a.RUNS

    @pytest.mark.parametrize("bad", [AMD, ARM, a.RUNS], ids=["amd64", "arm64", "index"])
    @pytest.mark.parametrize("subject", ImageSubject)
    def test_the_worst_of_what_runs_counts(
        self, bad: Digest, subject: ImageSubject
    ) -> None:
        """A child is what a node runs, whatever evidence must name."""
        ai = a.marked(target="other", subjects=[bad])
        evidence = [signed(a.RUNS, AMD, ARM), ai]

        asked: dict[str, Any] = {"banned_tools": frozenset({"amazon-q"})}
        verdict = decide(*evidence, subject=subject, **asked)

        assert Reason.TOOL_BANNED in a.reasons(verdict)

    @pytest.mark.parametrize("subject", ImageSubject)
    def test_the_worst_of_what_a_child_was_built_of_counts(
        self, subject: ImageSubject
    ) -> None:
        """Two steps down."""
        ai = a.marked(target="other", subjects=[])
        evidence = [signed(a.RUNS, AMD, ARM), ai]

        assert decide(*evidence, subject=subject).allowed
        assert not decide(
            *evidence, a.build(ARM, target="other"), subject=subject
        ).allowed


@pytest.mark.parametrize("subject", ImageSubject)
def test_a_tag_stays_what_it_is(subject: ImageSubject) -> None:
    """Nothing can be in what nothing pins."""
    loose = replace(a.IMAGE, digest=None, platforms=BOTH)

    verdict = a.decide(
        signed(a.RUNS, AMD, ARM),
        request=a.change(images=(loose,)),
        images=asking(subject),
        slots=(a.slot("senior", "deployer"),),
    )

    assert {Reason.IMAGE_UNPINNED, Reason.IMAGE_UNCOVERED} <= a.reasons(verdict)


def test_what_an_index_holds_makes_no_other_image_of_it() -> None:
    """What an object ran before is not newly run because somebody looked now."""
    assert {replace(a.IMAGE, platforms=BOTH)} - {a.IMAGE} == set()


def test_each_platform_cannot_be_asked_for_where_no_registry_can_tell() -> None:
    """Every index would be denied, for ever."""
    with pytest.raises(Malformed, match="registries beside allPlatforms"):
        Images(subject=EACH)
