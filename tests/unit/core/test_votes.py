"""Which sign-offs count: each way not to count has a reason of its own."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from countersign.core import questions
from countersign.core.types.artifacts import Difference, ObjectRef
from countersign.core.types.bound import BoundChange, BoundIntent, Mismatch
from countersign.core.types.change import (
    Access,
    Deletion,
    Elastic,
    NamespaceWindow,
    Operation,
)
from countersign.core.types.evidence import (
    Answer,
    AnswerVerdict,
    Evidence,
    Presence,
    Result,
    Trace,
)
from countersign.core.types.policy import Revoked, RevokedKind, TraceDemand
from countersign.core.types.time import Interval
from countersign.core.types.verdict import (
    Differences,
    Expected,
    Names,
    Reason,
    SignedBy,
    Window,
)
from tests.support import a

OTHER = replace(a.OBJECT, name="other")


def with_answer(verdict: AnswerVerdict, text: str = "…") -> tuple[Answer, ...]:
    """Return the usual answers, the first of them with `verdict` and `text`."""
    first, *rest = a.ANSWERS
    return (Answer(first.id, verdict, text), *rest)


def denied(signed: Evidence, **given: Any) -> set[Reason]:
    """Return why a senior's sign-off does not count, the open slot aside."""
    verdict = a.decide(a.provenance(), signed, **given)

    assert not verdict.allowed
    return a.reasons(verdict) - {Reason.SLOT_OPEN}


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        pytest.param(
            a.sign_off(changes=(a.state(OTHER),)),
            Reason.WRONG_OBJECT,
            id="another name",
        ),
        pytest.param(
            a.sign_off(changes=(a.state(replace(a.OBJECT, namespace="ledger")),)),
            Reason.WRONG_OBJECT,
            id="another namespace",
        ),
        pytest.param(
            a.sign_off(changes=(a.state(replace(a.OBJECT, kind="StatefulSet")),)),
            Reason.WRONG_OBJECT,
            id="another kind",
        ),
        pytest.param(
            a.sign_off(changes=(a.state(replace(a.OBJECT, group="")),)),
            Reason.WRONG_OBJECT,
            id="another group",
        ),
        pytest.param(
            a.sign_off(changes=(), subjects=[a.MANIFEST, a.RUNS]),
            Reason.WRONG_OBJECT,
            id="the image but not the object",
        ),
        pytest.param(
            a.sign_off(changes=(NamespaceWindow(namespace="payments"),)),
            Reason.WRONG_OPERATION,
            id="a whole namespace, without an emergency",
        ),
        pytest.param(
            a.sign_off(clusters=frozenset({"staging"})),
            Reason.WRONG_CLUSTER,
            id="another cluster",
        ),
        pytest.param(
            a.sign_off(clusters=frozenset()), Reason.WRONG_CLUSTER, id="no cluster"
        ),
        pytest.param(
            a.sign_off(changes=(a.state(operation=Operation.UPDATE),)),
            Reason.WRONG_OPERATION,
            id="an update, where it is created",
        ),
        pytest.param(
            a.sign_off(changes=(Deletion(object=a.OBJECT, uid="1234"),)),
            Reason.WRONG_OPERATION,
            id="its removal",
        ),
        pytest.param(
            a.sign_off(
                changes=(
                    Access(
                        object=a.OBJECT,
                        uid="1234",
                        subresource="exec",
                        operation=Operation.CONNECT,
                    ),
                )
            ),
            Reason.WRONG_OPERATION,
            id="a shell",
        ),
        pytest.param(
            a.sign_off(changes=(a.state(intent=a.digest("more")),)),
            Reason.CHANGED,
            id="another state",
        ),
        pytest.param(
            a.sign_off(subjects=[a.RUNS]),
            Reason.CHANGED,
            id="a digest that is no subject",
        ),
        pytest.param(
            a.sign_off(changes=(a.state(elastic=(Elastic("/spec/replicas", 1, 2),)),)),
            Reason.CHANGED,
            id="bounds that the object was not matched with",
        ),
        pytest.param(
            a.sign_off(signer=a.STRANGER), Reason.SIGNER_UNKNOWN, id="a stranger"
        ),
        pytest.param(
            a.sign_off(validity=Interval(a.NOON - 9 * a.HOUR, a.NOON - a.HOUR)),
            Reason.EXPIRED,
            id="expired",
        ),
        pytest.param(
            a.sign_off(validity=Interval(a.NOON + a.HOUR, a.NOON + a.DAY)),
            Reason.NOT_YET_VALID,
            id="not yet valid",
        ),
        pytest.param(
            a.sign_off(validity=Interval(a.NOON - a.HOUR, a.NOON + 31 * a.DAY)),
            Reason.WINDOW_TOO_LONG,
            id="valid for too long",
        ),
        pytest.param(
            a.sign_off(validity=Interval(a.NOON + 9 * a.DAY, a.NOON + 31 * a.DAY)),
            Reason.WINDOW_TOO_LONG,
            id="a short window far ahead",
        ),
        pytest.param(
            a.sign_off(validity=Interval(a.NOON - a.HOUR, None)),
            Reason.WINDOW_TOO_LONG,
            id="valid for ever",
        ),
        pytest.param(
            a.sign_off(validity=Interval(None, a.NOON + a.HOUR)),
            Reason.WINDOW_TOO_LONG,
            id="valid since ever",
        ),
        pytest.param(
            a.sign_off(signed_at=a.NOON + a.HOUR),
            Reason.TIME_IMPLAUSIBLE,
            id="signed in the future",
        ),
        pytest.param(
            a.sign_off(signed_at=None, reviewed_on=a.NOON + a.HOUR),
            Reason.TIME_IMPLAUSIBLE,
            id="reviewed in the future",
        ),
        pytest.param(
            a.sign_off(started_on=a.NOON - a.HOUR + timedelta(seconds=1)),
            Reason.TIME_IMPLAUSIBLE,
            id="ended before it began",
        ),
        pytest.param(
            a.sign_off(reviewed_on=a.NOON - 2 * a.HOUR),
            Reason.TIME_IMPLAUSIBLE,
            id="reviewed long before it was stamped",
        ),
        pytest.param(
            a.sign_off(answers=with_answer(AnswerVerdict.CONCERN)),
            Reason.CONCERN,
            id="a concern",
        ),
        pytest.param(
            a.sign_off(
                answers=(*a.ANSWERS, Answer("own", AnswerVerdict.CONCERN, "hm"))
            ),
            Reason.CONCERN,
            id="a concern about what nobody asked",
        ),
        pytest.param(
            a.sign_off(answers=a.ANSWERS[1:]), Reason.QUESTIONS_OPEN, id="unanswered"
        ),
        pytest.param(
            a.sign_off(answers=with_answer(AnswerVerdict.ADDRESSED, " ")),
            Reason.QUESTIONS_OPEN,
            id="answered with nothing",
        ),
        pytest.param(
            a.sign_off(
                answers=(
                    *a.ANSWERS,
                    Answer(a.ANSWERS[0].id, AnswerVerdict.ADDRESSED, ""),
                )
            ),
            Reason.QUESTIONS_OPEN,
            id="answered twice, once with nothing",
        ),
        pytest.param(
            a.sign_off(answers=with_answer(AnswerVerdict.NOT_APPLICABLE, "")),
            Reason.QUESTIONS_OPEN,
            id="not applicable, without why",
        ),
        pytest.param(
            a.sign_off(question_set=None), Reason.QUESTIONS_OPEN, id="nothing was asked"
        ),
        pytest.param(
            a.sign_off(question_set=(questions.DEFAULT_URI, a.digest("easy ones"))),
            Reason.QUESTIONS_OPEN,
            id="easier questions by the same address",
        ),
        pytest.param(
            a.sign_off(a.LEE, saw=[]), Reason.ROLE_MISSING, id="nobody's senior"
        ),
    ],
)
def test_does_not_count(signed: Evidence, reason: Reason) -> None:
    """One thing wrong, one reason."""
    assert denied(signed) == {reason}


def test_a_sign_off_counts_when_nothing_is_wrong() -> None:
    """The base line of the cases above."""
    assert a.decide(a.provenance(), a.sign_off()).allowed


def test_a_rejection_supports_nothing() -> None:
    """Even among the supporting evidence."""
    assert denied(a.sign_off(result=Result.REJECTED)) == set()


def test_sign_offs_for_other_objects_are_not_worth_telling_beside_a_nearer_one() -> (
    None
):
    """A release's bundles name many objects."""
    other = a.sign_off(a.RAVI, changes=(a.state(OTHER),))
    expired = a.sign_off(validity=Interval(a.NOON - 2 * a.HOUR, a.NOON - a.HOUR))

    assert a.reasons(a.decide(a.provenance(), other, expired)) == {
        Reason.EXPIRED,
        Reason.SLOT_OPEN,
    }


def test_says_which_objects_were_signed_instead() -> None:
    """Three of them, then enough."""
    many = tuple(a.state(replace(a.OBJECT, name=f"w{i}")) for i in range(5))

    verdict = a.decide(a.provenance(), a.sign_off(changes=many))

    assert a.finding(verdict, Reason.WRONG_OBJECT).facts == Expected(
        "payments/Deployment/ledger",
        "payments/Deployment/w0, payments/Deployment/w1, payments/Deployment/w2",
    )


def test_a_window_for_another_namespace_is_for_another_object() -> None:
    """Its place is written as such."""
    signed = a.sign_off(changes=(NamespaceWindow(namespace="ledger"),))

    facts = a.finding(a.decide(a.provenance(), signed), Reason.WRONG_OBJECT).facts

    assert facts == Expected("payments/Deployment/ledger", "ledger/*")


@pytest.mark.parametrize(
    ("instants", "allowed"),
    [
        pytest.param({"signed_at": a.NOON + timedelta(minutes=10)}, True, id="future"),
        pytest.param(
            {"signed_at": a.NOON, "reviewed_on": a.NOON - timedelta(minutes=10)},
            True,
            id="stamp after review",
        ),
        pytest.param(
            {
                "signed_at": a.NOON - timedelta(minutes=10),
                "reviewed_on": a.NOON,
            },
            True,
            id="review after stamp",
        ),
        pytest.param(
            {
                "signed_at": a.NOON,
                "reviewed_on": a.NOON - timedelta(minutes=10, seconds=1),
            },
            False,
            id="a second too much",
        ),
        pytest.param(
            {
                "signed_at": a.NOON + timedelta(minutes=10, seconds=1),
                "reviewed_on": a.NOON + timedelta(minutes=5),
            },
            False,
            id="a stamp further ahead than the review",
        ),
        pytest.param(
            {"signed_at": a.NOON, "started_on": a.NOON}, True, id="a review of no time"
        ),
        pytest.param(
            {"signed_at": a.NOON, "started_on": a.NOON - a.HOUR}, True, id="of an hour"
        ),
    ],
)
def test_clocks_may_differ_by_the_skew(
    instants: dict[str, Any], *, allowed: bool
) -> None:
    """Ten minutes either way."""
    signed = a.sign_off(**instants, validity=Interval(a.NOON - a.HOUR, a.NOON + a.HOUR))

    assert a.decide(a.provenance(), signed).allowed is allowed


def test_a_window_as_long_as_allowed_counts() -> None:
    """Measured from the review, to the second."""
    whole = a.sign_off(validity=Interval(a.NOON - a.HOUR, a.NOON - a.HOUR + 30 * a.DAY))

    assert a.decide(a.provenance(), whole).allowed


def test_says_how_long_was_asked_for() -> None:
    """In the form of a policy's durations; a window far ahead counts from the review."""
    signed = a.sign_off(
        validity=Interval(a.NOON, a.NOON + 30 * a.DAY + timedelta(seconds=30))
    )

    verdict = a.decide(a.provenance(), signed, max_validity=timedelta(hours=36))

    facts = a.finding(verdict, Reason.WINDOW_TOO_LONG).facts
    assert facts == Expected("1d12h", "30d1h1m")


@pytest.mark.parametrize(
    ("at", "allowed"), [(a.NOON - a.HOUR, True), (a.NOON + 29 * a.DAY, True)]
)
def test_is_valid_from_start_to_end(at: Any, *, allowed: bool) -> None:
    """Inside of its window."""
    assert a.decide(at=at).allowed is allowed


def test_tells_the_window_that_does_not_hold() -> None:
    """With the moment it was compared to."""
    window = Interval(a.NOON - 9 * a.HOUR, a.NOON - a.HOUR)

    verdict = a.decide(a.provenance(), a.sign_off(validity=window))

    assert a.finding(verdict, Reason.EXPIRED).facts == Window(
        window.start, window.end, a.NOON
    )


def test_a_policy_may_allow_no_time_at_all() -> None:
    """Written as such."""
    verdict = a.decide(max_validity=timedelta())

    assert a.finding(verdict, Reason.WINDOW_TOO_LONG).facts == Expected("0m", "30d")


class TestTime:
    """Trusted time, and its absence."""

    def test_is_not_asked_for_by_default(self) -> None:
        """A key without a stamp signs."""
        assert a.decide(a.provenance(), a.sign_off(signed_at=None)).allowed

    def test_may_be_asked_for(self) -> None:
        """`trustedTime: required`."""
        unstamped = a.sign_off(signed_at=None)

        assert denied(unstamped, trusted_time=True) == {Reason.TIME_MISSING}
        assert a.decide(a.provenance(), a.sign_off(), trusted_time=True).allowed


class TestPresence:
    """A proof may say that a person was there."""

    @pytest.mark.parametrize("seen", list(Presence))
    @pytest.mark.parametrize("needed", list(Presence))
    def test_is_at_least_what_is_asked_for(
        self, needed: Presence, seen: Presence
    ) -> None:
        """Verified is more than a touch, a touch more than nothing."""
        verdict = a.decide(a.provenance(), a.sign_off(presence=seen), presence=needed)

        assert verdict.allowed is (seen >= needed)
        assert verdict.allowed or Reason.PRESENCE_MISSING in a.reasons(verdict)


class TestPerson:
    """Who leaves, leaves by validity, not by removal."""

    def test_signs_while_on_the_roster(self) -> None:
        """Left since: what was signed before still counts."""
        left = replace(a.DANA, valid=Interval(None, a.NOON - timedelta(minutes=30)))

        assert a.decide(
            roster=replace(a.policy().roster, persons=(left, a.LEE))
        ).allowed

    def test_signs_nothing_after_leaving(self) -> None:
        """The trusted time decides."""
        left = replace(a.DANA, valid=Interval(None, a.NOON - 2 * a.HOUR))
        roster = replace(a.policy().roster, persons=(left, a.LEE))

        verdict = a.decide(roster=roster)

        assert a.finding(verdict, Reason.PERSON_INVALID).facts == SignedBy(
            "https://accounts.acme.example dana@acme.example",
            "dana",
            seen="2026-11-22T11:00:00+00:00",
        )

    def test_gains_nothing_by_leaving_the_time_out(self) -> None:
        """Without trusted time it is now."""
        left = replace(a.DANA, valid=Interval(None, a.NOON - timedelta(minutes=30)))
        roster = replace(a.policy().roster, persons=(left, a.LEE))

        assert denied(a.sign_off(signed_at=None), roster=roster) == {
            Reason.PERSON_INVALID
        }


class TestRevocation:
    """Withdrawals of sign-offs."""

    @pytest.mark.parametrize(
        "kind_value",
        [
            pytest.param((RevokedKind.IDENTITY, "dana@acme.example"), id="identity"),
            pytest.param((RevokedKind.PERSON, "dana"), id="person"),
            pytest.param((RevokedKind.BUNDLE, str(a.sign_off().bundle)), id="bundle"),
            pytest.param((RevokedKind.BUNDLE, a.sign_off().bundle.value), id="bare"),
            pytest.param(
                (RevokedKind.BUNDLE, str(a.sign_off().statement)),
                id="all spellings of a bundle",
            ),
        ],
    )
    @pytest.mark.parametrize(
        ("since", "counts"),
        [
            pytest.param(None, False, id="for all time"),
            pytest.param(a.NOON - 2 * a.HOUR, False, id="since before"),
            pytest.param(a.NOON - a.HOUR, False, id="since then"),
            pytest.param(a.NOON, True, id="since after"),
        ],
    )
    def test_reaches_what_was_signed_after(
        self, kind_value: tuple[RevokedKind, str], since: Any, *, counts: bool
    ) -> None:
        """Evidence from before `since` still counts."""
        revoked = [Revoked(*kind_value, since)]

        verdict = a.decide(revoked=revoked)

        assert verdict.allowed is counts
        assert counts or Reason.REVOKED in a.reasons(verdict)

    def test_reaches_all_without_trusted_time(self) -> None:
        """Else leaving out the time would undo it."""
        revoked = [Revoked(RevokedKind.PERSON, "dana", a.NOON + a.DAY)]

        assert denied(a.sign_off(signed_at=None), revoked=revoked) == {Reason.REVOKED}

    def test_of_a_key_leaves_the_other_keys(self) -> None:
        """A lost phone is not a lost person; an identity's name is no key's."""
        lost = [
            Revoked(RevokedKind.KEY, "dana-phone"),
            Revoked(RevokedKind.IDENTITY, "dana-laptop"),
            Revoked(RevokedKind.COLLECTOR, "dana"),
        ]

        assert denied(a.sign_off(device="phone"), revoked=lost) == {Reason.REVOKED}
        assert a.decide(
            a.provenance(), a.sign_off(device="laptop"), revoked=lost
        ).allowed


class TestTraceability:
    """Links that a policy asks for."""

    DEMAND = (TraceDemand("TICKET", "PAY-[0-9]+"),)

    @pytest.mark.parametrize(
        ("links", "allowed"),
        [
            pytest.param((), False, id="none"),
            pytest.param((Trace("TICKET", "PAY-7"),), True, id="the right one"),
            pytest.param((Trace("TEST", "PAY-7"),), False, id="another type"),
            pytest.param((Trace("TICKET", "PAY-7x"),), False, id="more than the form"),
            pytest.param(
                (Trace("TICKET", "PAY-" + "7" * 252),), True, id="as long as is tried"
            ),
            pytest.param(
                (Trace("TICKET", "PAY-" + "7" * 253),), False, id="too long to try"
            ),
        ],
    )
    def test_is_there_in_its_form(
        self, links: tuple[Trace, ...], *, allowed: bool
    ) -> None:
        """The whole id matches the pattern."""
        signed = a.sign_off(traceability=links)

        verdict = a.decide(a.provenance(), signed, traceability=self.DEMAND)

        assert verdict.allowed is allowed
        assert allowed or a.finding(
            verdict, Reason.TRACEABILITY_MISSING
        ).facts == Names(("TICKET",))


class TestQuestions:
    """A policy may ask nothing."""

    def test_need_not_be_asked(self) -> None:
        """Then none need be answered."""
        signed = a.sign_off(question_set=None, answers=())

        assert a.decide(a.provenance(), signed, questions=None).allowed

    def test_that_do_not_apply_are_answered_with_why(self) -> None:
        """In words."""
        answers = with_answer(AnswerVerdict.NOT_APPLICABLE, "only a comment")

        assert a.decide(a.provenance(), a.sign_off(answers=answers)).allowed


class TestGeneratedNames:
    """A prefix may be signed where the server makes the name."""

    PREFIX = ObjectRef("batch", "Job", "payments", "", "migrate-")
    SEEN = ObjectRef("batch", "Job", "payments", "migrate-x7k2p", "migrate-")

    @pytest.mark.parametrize(
        ("seen", "allowed"),
        [
            pytest.param(SEEN, True, id="named from the prefix"),
            pytest.param(replace(SEEN, name=""), True, id="not named yet"),
            pytest.param(replace(SEEN, name="evil"), False, id="named otherwise"),
            pytest.param(
                replace(SEEN, generate_name="mig"), False, id="another prefix"
            ),
            pytest.param(replace(SEEN, generate_name=""), False, id="no prefix"),
        ],
    )
    def test_create(self, seen: ObjectRef, *, allowed: bool) -> None:
        """As the server named it."""
        signed = a.sign_off(changes=(a.state(self.PREFIX),))

        request = a.change(object=seen)

        assert a.decide(a.provenance(), signed, request=request).allowed is allowed

    def test_never_update(self) -> None:
        """What was created before has a name by now."""
        signed = a.sign_off(changes=(a.state(self.PREFIX),))
        request = a.update(a.old(a.sign_off(a.RAVI)), object=self.SEEN)

        assert denied(signed, request=request) == {Reason.WRONG_OPERATION}

    def test_empty_names_name_nothing(self) -> None:
        """No name and no prefix is no wildcard."""
        nothing = replace(self.PREFIX, generate_name="")
        signed = a.sign_off(changes=(a.state(nothing),))

        assert denied(signed, request=a.change(object=nothing)) == {Reason.WRONG_OBJECT}


class TestChanged:
    """What differs from what was signed."""

    def test_shows_the_smallest_difference(self) -> None:
        """Of all signed intents that name the object, the nearest."""
        near = Mismatch(a.digest("near"), (Difference("/spec/x", "1", "2"),))
        far = Mismatch(
            a.MANIFEST,
            (Difference("/spec/x", "1", "2"), Difference("/spec/y", "1", None)),
        )
        request = a.change(intents=frozenset(), mismatches=(far, near))

        verdict = a.decide(a.provenance(), request=request)

        facts = a.finding(verdict, Reason.CHANGED).facts
        assert facts == Differences(near.digest, near.differences)

    def test_shows_a_sign_offs_own_difference(self) -> None:
        """Not that of somebody else's intent."""
        verdict = a.decide(request=a.changed("/spec/replicas", "/spec/paused"))

        facts = a.finding(verdict, Reason.CHANGED).facts
        assert isinstance(facts, Differences)
        assert facts.intent == a.MANIFEST

    def test_shows_a_sign_offs_own_difference_even_if_another_is_nearer(self) -> None:
        """One finding: what this reviewer signed, and how it differs."""
        own = Mismatch(
            a.MANIFEST,
            (Difference("/spec/x", "1", "2"), Difference("/spec/y", "1", "2")),
        )
        near = Mismatch(a.digest("near"), (Difference("/spec/x", "1", "2"),))
        request = a.change(intents=frozenset(), mismatches=(near, own))

        facts = a.finding(a.decide(request=request), Reason.CHANGED).facts

        assert facts == Differences(own.digest, own.differences)

    def test_says_nothing_of_older_states_where_this_one_is_attested(self) -> None:
        """What was signed before stays beside the object: it is not what is amiss."""
        now = a.digest("what is attested now")
        old = Mismatch(a.MANIFEST, (Difference("/spec/x", "1", "2"),))
        request = a.change(
            intents=frozenset({BoundIntent(now)}), mismatches=(old,), images=()
        )

        verdict = a.decide(request=request)

        assert Reason.SLOT_OPEN in a.reasons(verdict)
        assert Reason.CHANGED not in a.reasons(verdict)

    def test_shows_what_differs_where_the_sign_off_is_for_something_else(self) -> None:
        """Provenance of this object, a sign-off of another."""
        other = a.sign_off(changes=(a.state(OTHER),))

        verdict = a.decide(a.provenance(), other, request=a.changed("/spec/x"))

        assert a.reasons(verdict) == {
            Reason.CHANGED,
            Reason.WRONG_OBJECT,
            Reason.SLOT_OPEN,
        }

    def test_any_of_several_signed_states_suffices(self) -> None:
        """A sign-off may approve a creation and the update after it."""
        states = (a.state(intent=a.digest("v1")), a.state(), a.state(OTHER))

        assert a.decide(a.provenance(), a.sign_off(changes=states)).allowed

    def test_tells_of_the_state_that_came_nearest(self) -> None:
        """Of a wrong operation and a stale base the base."""
        states = (a.state(operation=Operation.CREATE), a.state())
        signed = a.sign_off(changes=states)

        assert denied(signed, request=a.update()) == {Reason.STALE_BASE}


class TestElastic:
    """Values that a reviewer allowed scaling to move."""

    BOUNDS = (Elastic("/spec/replicas", 2, 20),)

    def request(self) -> BoundChange:
        """Return a ledger that equals the intent within the bounds only."""
        return a.change(intents=frozenset({BoundIntent(a.MANIFEST, self.BOUNDS)}))

    def test_count_with_the_sign_off_that_allows_them(self) -> None:
        """The provenance of the same intent speaks for it then."""
        signed = a.sign_off(changes=(a.state(elastic=self.BOUNDS),))

        assert a.decide(a.provenance(), signed, request=self.request()).allowed

    def test_do_not_count_with_another(self) -> None:
        """Whose reviewer allowed nothing of the sort."""
        assert denied(a.sign_off(), request=self.request()) == {
            Reason.CHANGED,
            Reason.AUTHORS_UNKNOWN,
        }


def test_a_fault_names_the_signer() -> None:
    """Issuer and SAN, or trust root and key."""
    certified = a.decide(a.provenance(), a.sign_off(signer=a.STRANGER))
    keyed = a.decide(a.provenance(), a.sign_off(signer=a.key("eve", "laptop")))

    assert a.finding(certified, Reason.SIGNER_UNKNOWN).facts == SignedBy(
        "https://accounts.acme.example mallory@elsewhere.example"
    )
    assert a.finding(keyed, Reason.SIGNER_UNKNOWN).facts == SignedBy("keys eve-laptop")
