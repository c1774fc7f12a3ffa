"""Images: pinned, covered, or of others (rule 7)."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.artifacts import Image
from countersign.core.types.bound import BoundChange
from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import Images, ThirdParty, Toggle, Treatment
from countersign.core.types.verdict import Gap, Names, ProvenanceGap, Reason
from tests.support import a

TAGGED = Image("acme/ledger:1.2", "docker.io/acme/ledger", "1.2")
PAUSE = Image("registry.k8s.io/pause@…", "registry.k8s.io/pause", "", a.digest("pause"))
OTHERS = (ThirdParty("registry.k8s.io/*"),)
OFF = Images(attestations=Toggle.OFF, pinning=Toggle.OFF)


def running(*images: Image) -> BoundChange:
    """Return the creation of a ledger that runs `images`."""
    return a.change(images=images)


def manual(**fields: Any) -> dict[str, Any]:
    """Return what a policy asks that does not care who made the change."""
    return {"slots": (a.slot("senior", "deployer"),), **fields}


def reasons(*evidence: Evidence, request: BoundChange, **fields: Any) -> set[Reason]:
    """Return why it is denied, the open slot aside."""
    verdict = a.decide(*evidence, request=request, **manual(**fields))
    return a.reasons(verdict) - {Reason.SLOT_OPEN}


class TestPinning:
    """A tag can be moved after the review."""

    def test_denies_a_tag(self) -> None:
        """Whoever signed it."""
        verdict = a.decide(a.sign_off(), request=running(TAGGED), images=Images())

        assert a.finding(verdict, Reason.IMAGE_UNPINNED).facts == Names(
            ("acme/ledger:1.2",)
        )

    def test_denies_a_tag_of_others_too(self) -> None:
        """Trusting a registry is not trusting its tags."""
        tag = replace(PAUSE, reference="registry.k8s.io/pause:3", digest=None)

        found = reasons(
            a.sign_off(), request=running(tag), images=Images(third_party=OTHERS)
        )

        assert found == {Reason.IMAGE_UNPINNED}

    def test_names_each_once_in_order(self) -> None:
        """So that the denial is the same each time."""
        other = replace(TAGGED, reference="a:1")
        verdict = a.decide(a.sign_off(), request=running(TAGGED, other, TAGGED))

        names = [f.facts for f in verdict.findings if f.reason is Reason.IMAGE_UNPINNED]
        assert names == [Names(("a:1",)), Names(("acme/ledger:1.2",))]

    def test_may_be_off(self) -> None:
        """Resolving tags without mutation can pin nothing."""
        assert reasons(a.sign_off(), request=running(TAGGED), images=OFF) == set()

    def test_off_still_leaves_a_tag_uncovered(self) -> None:
        """Nothing that is signed says which image it is."""
        loose = Images(pinning=Toggle.OFF)
        verdict = a.decide(
            a.sign_off(), request=running(TAGGED), **manual(images=loose)
        )

        assert a.finding(verdict, Reason.IMAGE_UNCOVERED).facts == Names(
            ("acme/ledger:1.2",)
        )


class TestThirdParty:
    """Images of others need no attestation of ours."""

    @pytest.mark.parametrize(
        ("party", "covered"),
        [
            pytest.param(ThirdParty("registry.k8s.io/*"), True, id="by pattern"),
            pytest.param(ThirdParty("registry.k8s.io/pause"), True, id="by name"),
            pytest.param(ThirdParty("registry.k8s.io"), False, id="by a prefix"),
            pytest.param(ThirdParty("*"), False, id="a star crosses no slash"),
            pytest.param(
                ThirdParty("registry.k8s.io/*", frozenset({a.digest("pause")})),
                True,
                id="by digest",
            ),
            pytest.param(
                ThirdParty("registry.k8s.io/*", frozenset({a.digest("other")})),
                False,
                id="by another digest",
            ),
        ],
    )
    def test_match_by_repository_and_digest(
        self, party: ThirdParty, *, covered: bool
    ) -> None:
        """Both where both are given."""
        signed = a.sign_off(subjects=[a.MANIFEST])

        found = reasons(
            signed, request=running(PAUSE), images=Images(third_party=(party,))
        )

        assert found == (set() if covered else {Reason.IMAGE_UNCOVERED})


class TestCoverage:
    """A sign-off covers what it names, or what a builder links to what it names."""

    LINK = a.provenance(subjects=[a.RUNS])
    SOURCE = a.sign_off(subjects=[a.MANIFEST, a.commit(a.HEAD)], saw=[])
    TREE = a.sign_off(subjects=[a.MANIFEST, a.tree(a.HEAD)], saw=[])

    @pytest.mark.parametrize(
        ("evidence", "covered"),
        [
            pytest.param([a.sign_off(saw=[])], True, id="named"),
            pytest.param(
                [a.sign_off(subjects=[a.MANIFEST], saw=[])], False, id="not named"
            ),
            pytest.param([SOURCE, LINK], True, id="built from the named commit"),
            pytest.param([TREE, LINK], True, id="built from the named tree"),
            pytest.param([SOURCE], False, id="nobody says it was built from it"),
            pytest.param(
                [SOURCE, a.provenance(subjects=[a.digest("other")])],
                False,
                id="another image was built from it",
            ),
            pytest.param(
                [a.sign_off(subjects=[a.MANIFEST], saw=[LINK]), LINK],
                True,
                id="the builder's word was seen",
            ),
            pytest.param(
                [SOURCE, a.provenance(subjects=[a.RUNS], signer=a.STRANGER)],
                False,
                id="a stranger says so",
            ),
            pytest.param(
                [
                    SOURCE,
                    a.provenance(subjects=[a.RUNS], clusters=frozenset({"staging"})),
                ],
                False,
                id="a builder says so of another cluster",
            ),
            pytest.param(
                [SOURCE, a.provenance(target="x", subjects=[a.RUNS])],
                False,
                id="built from another commit",
            ),
        ],
    )
    def test_of_a_sign_off(self, evidence: list[Evidence], *, covered: bool) -> None:
        """The object is signed in all of these; the image may not be."""
        found = reasons(*evidence, request=running(a.IMAGE))

        assert found == (set() if covered else {Reason.IMAGE_UNCOVERED})

    def test_needs_the_word_of_a_builder(self) -> None:
        """A collector that is none links nothing."""
        evidence = [self.SOURCE, self.LINK]

        assert reasons(*evidence, request=running(a.IMAGE), builders=()) == {
            Reason.IMAGE_UNCOVERED
        }

    def test_needs_the_commit_beside_the_image(self) -> None:
        """A builder that does not name the commit links nothing to it."""
        bare = replace(
            self.LINK,
            subjects=frozenset(
                s for s in self.LINK.subjects if s.digest != a.commit(a.HEAD)
            ),
        )

        assert reasons(self.TREE, bare, request=running(a.IMAGE)) == {
            Reason.IMAGE_UNCOVERED
        }

    def test_a_proven_human_image_needs_no_name(self) -> None:
        """The manifest is signed, the image is human."""
        signed = a.sign_off(subjects=[a.MANIFEST], saw=[])
        human = [self.LINK, a.declaration(about=self.LINK)]

        assert reasons(signed, *human, request=running(a.IMAGE)) == set()

    def test_of_an_image_is_not_of_the_object(self) -> None:
        """The same image with more rights is another change."""
        signed = a.sign_off(changes=(), subjects=[a.RUNS])

        assert reasons(signed, request=running(a.IMAGE)) == {Reason.WRONG_OBJECT}

    def test_says_which_image_is_not_covered(self) -> None:
        """By its digest."""
        verdict = a.decide(a.sign_off(subjects=[a.MANIFEST], saw=[]), **manual())

        about = a.finding(verdict, Reason.IMAGE_UNCOVERED).about
        assert getattr(about, "digest", None) == a.RUNS

    def test_needs_none_where_nothing_is_newly_run(self) -> None:
        """Images the old object ran were judged when it came."""
        signed = a.sign_off(subjects=[a.MANIFEST], saw=[])

        assert reasons(signed, request=running()) == set()


class TestMakers:
    """Independence wants to know who made each image."""

    MANIFEST_ONLY = a.provenance(subjects=[a.MANIFEST])

    def test_denies_an_image_that_nobody_attests(self) -> None:
        """The manifest's authors are known, the image's are not."""
        signed = a.sign_off(saw=[self.MANIFEST_ONLY])

        verdict = a.decide(self.MANIFEST_ONLY, signed)

        found = a.finding(verdict, Reason.AUTHORS_UNKNOWN)
        assert found.facts == ProvenanceGap(Gap.ABSENT)
        assert getattr(found.about, "digest", None) == a.RUNS

    def test_denies_an_image_of_no_builder(self) -> None:
        """Its commit is nobody's word."""
        verdict = a.decide(builders=())

        facts = a.finding(verdict, Reason.AUTHORS_UNKNOWN).facts
        assert facts == ProvenanceGap(Gap.NOT_BUILT, "docker.io/acme/ledger")

    def test_does_not_ask_about_images_of_others(self) -> None:
        """Nor about any where attestations are off."""
        signed = a.sign_off(saw=[self.MANIFEST_ONLY])
        others = Images(third_party=(ThirdParty("docker.io/acme/*"),))

        assert a.decide(self.MANIFEST_ONLY, signed, images=others).allowed
        assert a.decide(self.MANIFEST_ONLY, signed, images=OFF).allowed

    def test_without_a_digest_is_never_known(self) -> None:
        """A policy that denies the unknown denies it."""
        loose = Images(pinning=Toggle.OFF)

        verdict = a.decide(
            request=running(TAGGED), images=loose, unknown=Treatment.DENY
        )

        assert Reason.UNKNOWN_DENIED in a.reasons(verdict)
