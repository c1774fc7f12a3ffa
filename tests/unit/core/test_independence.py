"""Who may not approve because they made it, and when nobody knows who did (rule 1)."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.artifacts import Subject
from countersign.core.types.bound import OldState
from countersign.core.types.change import Deletion, Operation
from countersign.core.types.evidence import (
    CertificateClaims,
    Contributor,
    Evidence,
    Part,
)
from countersign.core.types.people import Alias, AliasKind, Person
from countersign.core.types.policy import Revoked, RevokedKind, Slot, Treatment
from countersign.core.types.request import Requester
from countersign.core.types.time import Interval
from countersign.core.types.verdict import (
    Gap,
    Names,
    ProvenanceGap,
    Reason,
    SignedBy,
    Verdict,
)
from tests.support import a


def made(*parts: Contributor, **fields: Any) -> Evidence:
    """Return provenance of a range in which exactly `parts` had a part."""
    return a.provenance(contributors=frozenset(parts), **fields)


def signed_after(seen: Evidence, *by: Person, **given: Any) -> Verdict:
    """Judge what each of `by` (default: Dana) signed having seen `seen`."""
    signed = [a.sign_off(who, saw=[seen]) for who in by or (a.DANA,)]
    return a.decide(seen, *signed, **given)


class TestMaker:
    """Everybody with a part in a change is its author."""

    @pytest.mark.parametrize("part", list(Part))
    def test_does_not_approve_as_independent_of_the_author(self, part: Part) -> None:
        """Committers, prompters, pushers, openers and requesters too."""
        seen = made(a.by(a.LEE), a.by(a.DANA, part))

        verdict = signed_after(seen, slots=(a.slot("senior", "author"),))

        facts = a.finding(verdict, Reason.NOT_INDEPENDENT).facts
        assert facts == SignedBy(
            "https://accounts.acme.example dana@acme.example", "dana", "senior", part
        )

    @pytest.mark.parametrize(
        ("of", "excluded"),
        [
            ("committer", {Part.COMMITTER}),
            ("prompter", {Part.PROMPTER, Part.REQUESTER}),
        ],
    )
    @pytest.mark.parametrize("part", list(Part))
    def test_is_excluded_by_the_part_that_the_slot_names(
        self, of: str, excluded: set[Part], part: Part
    ) -> None:
        """A slot independent of the prompter lets a committer approve."""
        seen = made(a.by(a.LEE), a.by(a.DANA, part))

        verdict = signed_after(seen, slots=(a.slot("senior", of),))

        assert verdict.allowed is (part not in excluded)

    def test_of_the_image_does_not_approve_the_manifest(self) -> None:
        """Each artifact has its makers."""
        manifest = a.provenance(subjects=[a.MANIFEST])
        image = a.provenance(a.DANA, target="image", subjects=[a.RUNS])

        verdict = a.decide(manifest, image, a.sign_off(saw=[manifest, image]))

        assert Reason.NOT_INDEPENDENT in a.reasons(verdict)

    def test_signs_for_himself_in_vain(self) -> None:
        """Lee is no senior, and Dana's own change needs somebody else."""
        verdict = signed_after(a.provenance(a.DANA))

        assert a.reasons(verdict) == {Reason.NOT_INDEPENDENT, Reason.SLOT_OPEN}

    def test_is_known_by_adverse_provenance_too(self) -> None:
        """Another statement about the same source adds who made it."""
        other = a.provenance(a.DANA, subjects=[], collector="again")
        request = a.decide(adverse=[a.provenance(), other])

        assert a.reasons(request) == {Reason.NOT_INDEPENDENT, Reason.SLOT_OPEN}

    def test_of_an_older_case_is_spelt_the_same(self) -> None:
        """Addresses compare in lower case."""
        seen = made(Contributor(Part.AUTHOR, "DANA@acme.example"))

        assert Reason.NOT_INDEPENDENT in a.reasons(signed_after(seen))


class TestDeployer:
    """Who applies the change."""

    MANUAL = (a.slot("senior", "deployer"),)

    def test_does_not_approve_where_the_slot_says_so(self) -> None:
        """Known by the alias of the cluster."""
        request = a.change(requester=Requester("dana"))

        verdict = a.decide(request=request, slots=self.MANUAL)

        facts = a.finding(verdict, Reason.NOT_INDEPENDENT).facts
        assert getattr(facts, "seen", None) == "deployer"

    @pytest.mark.parametrize("name", ["lee", "system:serviceaccount:argocd:controller"])
    def test_who_is_somebody_else_or_unknown_excludes_nobody(self, name: str) -> None:
        """A GitOps controller is no person."""
        request = a.change(requester=Requester(name))

        assert a.decide(request=request, slots=self.MANUAL).allowed

    def test_may_approve_where_the_slot_does_not_say_so(self) -> None:
        """Authors are another matter."""
        assert a.decide(request=a.change(requester=Requester("dana"))).allowed

    def test_is_who_pushed_where_a_pipeline_deploys(self) -> None:
        """As far as provenance says so."""
        pushed = made(a.by(a.LEE), a.by(a.DANA, Part.PUSHER))

        verdict = a.decide(pushed, a.sign_off(), slots=self.MANUAL)

        assert Reason.NOT_INDEPENDENT in a.reasons(verdict)


class TestUnknownMakers:
    """Without dependable provenance nobody is independent of anybody."""

    @pytest.mark.parametrize(
        ("seen", "gap"),
        [
            pytest.param(a.provenance(subjects=[]), Gap.ABSENT, id="of something else"),
            pytest.param(
                a.provenance(signer=a.STRANGER), Gap.UNTRUSTED, id="by a stranger"
            ),
            pytest.param(
                a.provenance(repository="https://git.acme.example/fork"),
                Gap.MISMATCHED,
                id="of another repository than the certificate's",
            ),
            pytest.param(
                a.provenance(
                    certificate=CertificateClaims(
                        source_repository=a.REPOSITORY,
                        source_digest=a.commit("other").value,
                    )
                ),
                Gap.MISMATCHED,
                id="of another revision than the certificate's",
            ),
            pytest.param(
                a.provenance(
                    certificate=CertificateClaims(source_repository=a.REPOSITORY)
                ),
                Gap.MISMATCHED,
                id="of no revision that the certificate knows",
            ),
            pytest.param(
                a.provenance(clusters=frozenset({"staging"})),
                Gap.OUT_OF_SCOPE,
                id="for another cluster",
            ),
            pytest.param(
                a.provenance(namespaces=frozenset({"ledger"})),
                Gap.OUT_OF_SCOPE,
                id="for another namespace",
            ),
            pytest.param(
                a.provenance(validity=Interval(None, a.NOON - a.HOUR)),
                Gap.OUT_OF_TIME,
                id="expired",
            ),
            pytest.param(
                a.provenance(complete=False),
                Gap.INCOMPLETE,
                id="of a part of the range",
            ),
            pytest.param(made(), Gap.INCOMPLETE, id="of a range nobody made"),
            pytest.param(
                a.provenance(base="somewhere"), Gap.UNANCHORED, id="from anywhere"
            ),
        ],
    )
    def test_leave_the_slot_open(self, seen: Evidence, gap: Gap) -> None:
        """And the finding says what is wrong with the provenance."""
        verdict = signed_after(seen)

        found = [f for f in verdict.findings if f.reason is Reason.AUTHORS_UNKNOWN]
        assert not verdict.allowed
        assert {f.facts.gap for f in found if isinstance(f.facts, ProvenanceGap)} == {
            gap
        }

    def test_a_sign_off_without_provenance_says_so(self) -> None:
        """Independence was asked for, and nobody knows of whom."""
        verdict = a.decide(a.sign_off())

        assert a.reasons(verdict) == {Reason.AUTHORS_UNKNOWN, Reason.SLOT_OPEN}

    def test_provenance_the_reviewer_did_not_see_does_not_count(self) -> None:
        """It has to be named in the sign-off."""
        verdict = a.decide(a.provenance(), a.sign_off(saw=[]))

        facts = a.finding(verdict, Reason.AUTHORS_UNKNOWN).facts
        assert facts == ProvenanceGap(Gap.UNNAMED, str(a.provenance().statement))

    def test_tells_of_the_provenance_that_came_nearest(self) -> None:
        """Incomplete is nearer than a stranger's."""
        seen = [a.provenance(signer=a.STRANGER), a.provenance(complete=False)]

        verdict = a.decide(*seen, a.sign_off(saw=seen), images=a.policy().images)

        gaps = {getattr(f.facts, "gap", None) for f in verdict.findings}
        assert Gap.INCOMPLETE in gaps
        assert Gap.UNTRUSTED not in gaps

    @pytest.mark.parametrize("value", ["ci", "other"])
    def test_a_withdrawn_collector_says_nothing(self, value: str) -> None:
        """By its name in the policy."""
        verdict = a.decide(revoked=[Revoked(RevokedKind.COLLECTOR, value)])

        assert verdict.allowed is (value != "ci")

    def test_do_not_matter_to_a_slot_that_does_not_ask(self) -> None:
        """A policy for all changes, whoever made them."""
        assert a.decide(
            a.sign_off(saw=[]), slots=(a.slot("senior", "deployer"),)
        ).allowed

    @pytest.mark.parametrize(
        "uri", ["git+{}", "{}.git", "{}/", "git+{}.git", "git+{}.git/"]
    )
    def test_a_repository_has_several_spellings(self, uri: str) -> None:
        """All of the same address."""
        assert signed_after(a.provenance(repository=uri.format(a.REPOSITORY))).allowed

    def test_a_key_says_nothing_to_compare_with(self) -> None:
        """A collector's key speaks for itself."""
        key = a.key("ci", "runner")
        seen = a.provenance(signer=key)
        collector = a.collector(
            key=key.key, trust_root="keys", issuer="", san="", source_repositories=()
        )

        assert signed_after(
            seen, collectors=(collector,), builders=(collector,)
        ).allowed

    def test_for_a_named_namespace_is_known_there(self) -> None:
        """Scope holds where it says."""
        assert signed_after(a.provenance(namespaces=frozenset({"payments"}))).allowed


STRANGE = Contributor(Part.AUTHOR, "mallory@elsewhere.example")
AGENT = Contributor(Part.AUTHOR, "209825114+claude[bot]@users.example", agent=True)


class TestUnresolved:
    """Authors have to be somebody."""

    def test_an_address_nobody_has_leaves_the_change_unapproved(self) -> None:
        """It might be the approver's."""
        verdict = signed_after(made(a.by(a.LEE), STRANGE))

        found = [f for f in verdict.findings if f.reason is Reason.AUTHOR_UNRESOLVED]
        assert {f.facts for f in found} == {Names(("mallory@elsewhere.example",))}
        assert {f.about for f in found} == {
            a.OBJECT,
            Subject("docker.io/acme/ledger", a.RUNS),
        }

    @pytest.mark.parametrize(
        ("pattern", "known"),
        [
            pytest.param("*@elsewhere.example", True, id="a pattern"),
            pytest.param("Mallory@Elsewhere.example", True, id="another case"),
            pytest.param("*", False, id="a star crosses no @"),
            pytest.param("*.example", False, id="nor in front of one"),
        ],
    )
    def test_a_policy_may_know_authors_without_a_roster(
        self, pattern: str, *, known: bool
    ) -> None:
        """They never approve."""
        verdict = signed_after(made(a.by(a.LEE), STRANGE), known_authors=(pattern,))

        assert verdict.allowed is known

    def test_a_part_that_the_slot_does_not_name_may_be_anybodys(self) -> None:
        """Independent of the committer only."""
        seen = made(a.by(a.LEE, Part.COMMITTER), STRANGE)

        assert signed_after(seen, slots=(a.slot("senior", "committer"),)).allowed

    @pytest.mark.parametrize("part", list(Part))
    def test_an_agent_resolves_through_who_answers_for_it(self, part: Part) -> None:
        """A human who prompted, requested, opened or committed."""
        verdict = signed_after(made(AGENT, a.by(a.LEE, part)))

        answers = {Part.PROMPTER, Part.REQUESTER, Part.OPENER, Part.COMMITTER}
        assert verdict.allowed is (part in answers)
        assert verdict.allowed or Reason.AUTHOR_UNRESOLVED in a.reasons(verdict)

    def test_one_who_answers_for_an_agent_suffices(self) -> None:
        """Of several with a part in the range."""
        seen = made(AGENT, a.by(a.LEE), a.by(a.LEE, Part.COMMITTER))

        assert signed_after(seen).allowed

    def test_adverse_provenance_can_unresolve(self) -> None:
        """Somebody else had a hand in the same source."""
        other = made(STRANGE, subjects=[])

        verdict = a.decide(adverse=[a.provenance(), other])

        assert a.reasons(verdict) == {Reason.AUTHOR_UNRESOLVED, Reason.SLOT_OPEN}

    def test_one_good_provenance_suffices(self) -> None:
        """A worse one beside it, which counts against nothing, takes nothing away."""
        seen = [a.provenance(), a.provenance(target="x", complete=False)]

        assert a.decide(*seen, a.sign_off(saw=seen), adverse=[]).allowed

    def test_an_alias_of_the_cluster_is_none_of_git(self) -> None:
        """Names of one world are not those of another."""
        lee = replace(
            a.LEE, aliases=frozenset({Alias(AliasKind.KUBERNETES, "lee@acme.example")})
        )
        roster = replace(a.policy().roster, persons=(a.DANA, lee))

        assert Reason.AUTHOR_UNRESOLVED in a.reasons(a.decide(roster=roster))


class TestWorseProvenance:
    """A sign-off is void if the change is worse than its reviewer saw."""

    WORSE = a.marked(subjects=[a.MANIFEST], target="before the mark was stripped")

    def test_of_the_manifest(self) -> None:
        """An attacker carried the statement without the mark only."""
        verdict = a.decide(adverse=[a.provenance(), self.WORSE])

        assert a.reasons(verdict) == {Reason.WORSE_PROVENANCE, Reason.SLOT_OPEN}

    def test_of_the_manifest_carried_openly(self) -> None:
        """Both statements come with the object; the reviewer was shown one."""
        verdict = a.decide(a.provenance(), self.WORSE, a.sign_off())

        assert a.reasons(verdict) == {Reason.WORSE_PROVENANCE, Reason.SLOT_OPEN}

    def test_of_the_source_that_the_sign_off_names(self) -> None:
        """A sign-off over commit and tree is one over what is known of them."""
        worse = a.marked(subjects=[], target="x")
        signed = a.sign_off(subjects=[a.MANIFEST, a.RUNS, a.tree("x")])

        verdict = a.decide(a.provenance(), signed, adverse=[a.provenance(), worse])

        assert a.reasons(verdict) == {Reason.WORSE_PROVENANCE, Reason.SLOT_OPEN}

    def test_of_the_commit_that_was_attested(self) -> None:
        """The same tree, amended to lose its mark."""
        worse = a.marked(subjects=[])

        verdict = a.decide(adverse=[a.provenance(), worse])

        assert a.reasons(verdict) == {Reason.WORSE_PROVENANCE, Reason.SLOT_OPEN}

    def test_is_none_if_the_reviewer_saw_it(self) -> None:
        """Knowing is what counts."""
        signed = a.sign_off(saw=[a.provenance(), self.WORSE])

        verdict = a.decide(a.provenance(), signed, adverse=[a.provenance(), self.WORSE])

        assert verdict.allowed

    def test_is_none_if_the_reviewer_saw_as_bad(self) -> None:
        """Mixed gates as AI does."""
        seen = a.marked()
        signed = a.sign_off(saw=[seen])

        assert a.decide(seen, signed, adverse=[seen, self.WORSE]).allowed

    def test_is_not_outweighed_by_bad_news_of_something_else(self) -> None:
        """That the reviewer saw AI elsewhere says nothing of this object."""
        elsewhere = a.marked(target="elsewhere", subjects=[a.digest("other")])
        signed = a.sign_off(saw=[a.provenance(), elsewhere])

        verdict = a.decide(
            a.provenance(), elsewhere, signed, adverse=[a.provenance(), self.WORSE]
        )

        assert Reason.WORSE_PROVENANCE in a.reasons(verdict)

    def test_is_not_read_from_strangers(self) -> None:
        """What nobody trusted says voids nothing."""
        stranger = a.marked(signer=a.STRANGER)

        assert a.decide(adverse=[a.provenance(), stranger]).allowed

    def test_counts_where_no_provenance_was_asked_for(self) -> None:
        """Who saw none saw a change nobody spoke of."""
        slots: tuple[Slot, ...] = (a.slot("senior", "deployer"),)

        verdict = a.decide(a.sign_off(saw=[]), adverse=[self.WORSE], slots=slots)

        assert Reason.WORSE_PROVENANCE in a.reasons(verdict)


class TestDeletion:
    """Who removes an object is the author of its removal."""

    LIVE: OldState = a.old()
    BASE = Deletion(object=a.OBJECT, uid="1234")

    def verdict(
        self, *changes: Deletion, requester: str = "lee", **fields: Any
    ) -> Verdict:
        """Judge a deletion that Dana signed."""
        request = a.update(
            self.LIVE,
            operation=Operation.DELETE,
            intents=frozenset(),
            images=(),
            requester=Requester(requester),
            **fields,
        )
        signed = a.sign_off(changes=changes or (self.BASE,), saw=[], subjects=[a.RUNS])
        return a.decide(signed, request=request)

    def test_is_admitted_by_a_sign_off_over_the_uid(self) -> None:
        """Nobody makes a deletion: no provenance is asked for."""
        assert self.verdict().allowed

    def test_is_not_signed_by_who_removes(self) -> None:
        """Independent of the author."""
        verdict = self.verdict(requester="dana")

        assert a.reasons(verdict) == {Reason.NOT_INDEPENDENT, Reason.DELETION}

    def test_may_be_signed_by_who_removes_where_no_slot_says_otherwise(self) -> None:
        """Independence is the policy's to ask."""
        request = a.update(
            operation=Operation.DELETE, requester=Requester("dana"), images=()
        )
        signed = a.sign_off(changes=(self.BASE,), subjects=[a.RUNS])

        assert a.decide(signed, request=request, slots=(a.slot("senior", "x"),)).allowed

    def test_is_denied_by_a_policy_without_slots(self) -> None:
        """Nobody could sign for it."""
        request = a.update(operation=Operation.DELETE)
        ban = a.policy(slots=(), unknown=Treatment.DENY, ai=Treatment.DENY)

        verdict = a.decide(nothing=True, request=request, policies=[ban])

        assert a.reasons(verdict) == {Reason.DELETION}

    def test_of_another_uid_is_another(self) -> None:
        """The name alone comes back."""
        verdict = self.verdict(replace(self.BASE, uid="other"))

        assert a.reasons(verdict) == {Reason.STALE_BASE, Reason.DELETION}

    @pytest.mark.parametrize(
        ("signed", "seen", "allowed"),
        [
            ("", "Orphan", False),
            ("Orphan", "Orphan", True),
            ("", "Background", True),
            ("Orphan", "", True),
        ],
    )
    def test_that_orphans_is_signed_as_such(
        self, signed: str, seen: str, *, allowed: bool
    ) -> None:
        """Leaving the children behind is another deed."""
        change = replace(self.BASE, propagation_policy=signed)

        verdict = self.verdict(change, propagation=seen)

        assert verdict.allowed is allowed
        assert allowed or Reason.WRONG_OPERATION in a.reasons(verdict)

    def test_that_nobody_signed_says_so(self) -> None:
        """With who could."""
        request = a.update(self.LIVE, operation=Operation.DELETE)

        verdict = a.decide(nothing=True, request=request)

        assert a.reasons(verdict) == {Reason.DELETION}

    def test_expires_like_everything(self) -> None:
        """Its validity holds or does not."""
        request = a.update(self.LIVE, operation=Operation.DELETE)
        past = Interval(a.NOON - 2 * a.HOUR, a.NOON - a.HOUR)
        signed = a.sign_off(changes=(self.BASE,), subjects=[a.RUNS], validity=past)

        assert Reason.EXPIRED in a.reasons(a.decide(signed, request=request))

    def test_is_not_approved_by_approving_a_state(self) -> None:
        """Not even one that says delete."""
        request = a.update(self.LIVE, operation=Operation.DELETE)
        state = a.state(operation=Operation.DELETE)
        signed = a.sign_off(changes=(state,))

        verdict = a.decide(a.provenance(), signed, request=request)

        assert a.reasons(verdict) == {Reason.WRONG_OPERATION, Reason.DELETION}

    def test_of_what_cannot_be_seen_is_stale(self) -> None:
        """A caller that lost the old object gets a denial."""
        request = a.change(operation=Operation.DELETE)
        signed = a.sign_off(changes=(self.BASE,), subjects=[a.RUNS])

        assert Reason.STALE_BASE in a.reasons(a.decide(signed, request=request))
