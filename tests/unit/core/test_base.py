"""The same state again, an older state, another state (rule 8)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from countersign.core.types.artifacts import Digest
from countersign.core.types.bound import BoundIntent
from countersign.core.types.change import Base
from countersign.core.types.evidence import REVIEW_OF, Evidence, Trace
from countersign.core.types.people import Identity
from countersign.core.types.policy import BaseRule, Revoked, RevokedKind
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Expected, Reason
from tests.support import a

LIVE = a.old().digest
SEEN = a.provenance()


def signed(
    base: Digest | Base = Base.ANY,
    at: datetime | None = a.NOON - a.HOUR,
    **fields: Any,
) -> Evidence:
    """Return Dana's sign-off of the new state, on top of `base`."""
    return a.sign_off(changes=(a.state(base=base),), signed_at=at, **fields)


def carried(at: datetime | None) -> Evidence:
    """Return what admitted the live object."""
    return a.sign_off(a.RAVI, changes=(a.state(intent=a.OLD_MANIFEST),), signed_at=at)


HOURS_AGO = {n: a.NOON - n * a.HOUR for n in range(1, 6)}


@pytest.mark.parametrize(
    ("sign_off", "live", "allowed"),
    [
        pytest.param(
            signed(), [carried(HOURS_AGO[2])], True, id="newer than what runs"
        ),
        pytest.param(signed(), [carried(HOURS_AGO[1])], True, id="as new as what runs"),
        pytest.param(
            signed(at=HOURS_AGO[3]), [carried(HOURS_AGO[2])], False, id="older"
        ),
        pytest.param(
            signed(at=HOURS_AGO[3]),
            [carried(HOURS_AGO[4]), carried(HOURS_AGO[2])],
            False,
            id="older than the newest of several",
        ),
        pytest.param(signed(), [carried(None)], False, id="timed over untimed"),
        pytest.param(
            signed(),
            [carried(None), carried(HOURS_AGO[2])],
            False,
            id="timed over what is partly untimed",
        ),
        pytest.param(
            signed(LIVE), [carried(None)], True, id="timed over untimed, seeing it"
        ),
        pytest.param(
            signed(at=None), [carried(None)], False, id="untimed over untimed"
        ),
        pytest.param(
            signed(at=None), [carried(HOURS_AGO[5])], False, id="untimed over timed"
        ),
        pytest.param(signed(), [], False, id="over what nobody signed"),
        pytest.param(signed(LIVE), [], True, id="over what nobody signed, seeing it"),
        pytest.param(
            signed(LIVE, None), [carried(HOURS_AGO[1])], True, id="untimed, seeing it"
        ),
        pytest.param(
            signed(LIVE, HOURS_AGO[3]),
            [carried(HOURS_AGO[2])],
            True,
            id="older, seeing it",
        ),
        pytest.param(
            signed(a.digest("other state"), HOURS_AGO[3]),
            [carried(HOURS_AGO[2])],
            False,
            id="older, seeing another state",
        ),
        pytest.param(
            signed(Base.ABSENT, HOURS_AGO[3]),
            [carried(HOURS_AGO[2])],
            False,
            id="older, seeing nothing",
        ),
    ],
)
def test_lineage(sign_off: Evidence, live: list[Evidence], *, allowed: bool) -> None:
    """By default an update is not older than what it replaces, or has seen it."""
    verdict = a.decide(SEEN, sign_off, request=a.update(a.old(*live)))

    assert verdict.allowed is allowed
    assert allowed or Reason.STALE_BASE in a.reasons(verdict)


def test_what_a_stranger_hangs_on_the_live_object_holds_nothing_up() -> None:
    """Only people of the roster approve at a time that nobody knows."""
    stranger = a.sign_off(signer=a.STRANGER, signed_at=None)
    live = a.old(carried(HOURS_AGO[2]), stranger)

    assert a.decide(SEEN, signed(), request=a.update(live)).allowed


def test_two_persons_may_apply_again_what_they_signed() -> None:
    """The earlier of two sign-offs is older than the later, and of the same state."""
    policy = a.policy(slots=(a.slot("senior"), a.slot("service-owner")))
    pair = [signed(at=HOURS_AGO[3]), a.sign_off(a.RAVI, signed_at=HOURS_AGO[1])]
    live = a.old(*pair, intents=frozenset({BoundIntent(a.MANIFEST)}))

    assert a.decide(SEEN, *pair, request=a.update(live), policies=[policy]).allowed


def test_the_review_of_the_past_brings_nothing_back() -> None:
    """Neither over a newer state, nor on its own base, nor where nothing is."""
    link = (Trace(REVIEW_OF, "2AKR3TZ8RJE82D982JVDM1KAHB"),)
    review = signed(traceability=link)
    seeing = signed(LIVE, traceability=link)
    live = a.old(carried(HOURS_AGO[2]))
    absent = a.sign_off(changes=(a.state(base=Base.ABSENT),), traceability=link)
    still = a.old(review, intents=frozenset({BoundIntent(a.MANIFEST)}))
    demands = replace(a.policy().demands, base=BaseRule.ANY)
    anything = replace(a.policy(), demands=demands)

    assert not a.decide(SEEN, review, request=a.update(live)).allowed
    assert not a.decide(SEEN, seeing, request=a.update(live)).allowed
    assert not a.decide(SEEN, absent).allowed
    assert a.decide(SEEN, review, request=a.update(still)).allowed
    assert a.decide(SEEN, review, request=a.update(live), policies=[anything]).allowed


@pytest.mark.parametrize(
    ("base", "rule", "allowed"),
    [
        pytest.param(LIVE, BaseRule.EXACT, True, id="exact, seeing it"),
        pytest.param(Base.ANY, BaseRule.EXACT, False, id="exact, seeing nothing"),
        pytest.param(Base.ABSENT, BaseRule.ANY, True, id="any"),
    ],
)
def test_other_rules_on_update(
    base: Digest | Base, rule: BaseRule, *, allowed: bool
) -> None:
    """`exact` asks for the base, `any` for nothing."""
    request = a.update(a.old(carried(HOURS_AGO[5])))

    assert a.decide(SEEN, signed(base), request=request, base=rule).allowed is allowed


@pytest.mark.parametrize(
    ("signer", "at", "allowed"),
    [
        pytest.param(None, HOURS_AGO[4], True, id="before"),
        pytest.param(None, HOURS_AGO[3], True, id="at the same time"),
        pytest.param(None, HOURS_AGO[2], False, id="since"),
        pytest.param(None, None, False, id="since, as the signer says"),
        pytest.param(a.STRANGER, HOURS_AGO[2], True, id="since, by nobody we know"),
    ],
)
def test_a_state_that_was_left_and_is_back(
    signer: Identity | None, at: datetime | None, *, allowed: bool
) -> None:
    """Who saw it before it was left did not see why it came back."""
    changes = (a.state(intent=a.OLD_MANIFEST),)
    live = a.old(a.sign_off(a.RAVI, signer=signer, changes=changes, signed_at=at))
    sign_off = signed(LIVE, HOURS_AGO[3])

    verdict = a.decide(SEEN, sign_off, request=a.update(live), base=BaseRule.EXACT)

    assert verdict.allowed is allowed
    assert allowed or Reason.STALE_BASE in a.reasons(verdict)


@pytest.mark.parametrize(
    ("said_at", "withdrawn", "allowed"),
    [
        pytest.param(a.NOON, (), False, id="now"),
        pytest.param(a.NOON + 366 * a.DAY, (), True, id="in a year"),
        pytest.param(a.NOON, ("ravi",), True, id="by who was withdrawn"),
        pytest.param(a.NOON, ("omar",), False, id="another was withdrawn"),
    ],
)
def test_nobody_dates_a_word_of_the_live_state_so_that_nothing_follows_it(
    said_at: datetime, withdrawn: tuple[str, ...], *, allowed: bool
) -> None:
    """Governance, too, asks for what is exactly so: it could never be changed again.

    Fault seen caught: any date that somebody of the roster writes, withdrawn or not.
    """
    changes = (a.state(intent=a.OLD_MANIFEST),)
    later = a.sign_off(a.RAVI, changes=changes, signed_at=None, reviewed_on=said_at)
    sign_off = signed(LIVE, HOURS_AGO[3])
    revoked = [Revoked(RevokedKind.PERSON, who) for who in withdrawn]

    verdict = a.decide(
        SEEN,
        sign_off,
        request=a.update(a.old(later)),
        base=BaseRule.EXACT,
        revoked=revoked,
    )

    assert verdict.allowed is allowed


@pytest.mark.parametrize(
    ("base", "rule", "allowed"),
    [
        pytest.param(Base.ABSENT, BaseRule.EXACT, True, id="exact, seeing none"),
        pytest.param(Base.ANY, BaseRule.EXACT, False, id="exact, seeing anything"),
        pytest.param(LIVE, BaseRule.EXACT, False, id="exact, seeing one"),
        pytest.param(LIVE, BaseRule.LINEAGE, True, id="lineage"),
    ],
)
def test_on_create(base: Digest | Base, rule: BaseRule, *, allowed: bool) -> None:
    """There is nothing to go back from; `exact` still wants to have been told so."""
    assert a.decide(SEEN, signed(base), base=rule).allowed is allowed


def test_an_update_of_what_cannot_be_seen_is_stale() -> None:
    """A caller that lost the old object gets a denial."""
    request = a.change(operation=a.update().operation)

    facts = a.finding(a.decide(request=request), Reason.STALE_BASE).facts

    assert facts == Expected("any", "absent")


class TestRestore:
    """An older state may return until then, if the reviewer signed it."""

    WINDOW = Interval(HOURS_AGO[5], HOURS_AGO[2])
    LATER = a.NOON + a.DAY

    def older(self, **fields: Any) -> Evidence:
        """Return an expired sign-off that is older than what runs."""
        given = {
            "at": HOURS_AGO[5],
            "validity": self.WINDOW,
            "restore_until": self.LATER,
        }
        return signed(**{**given, **fields})

    def reasons(
        self, sign_off: Evidence, live: Evidence | None, **given: Any
    ) -> set[Reason]:
        """Return why it may not return."""
        request = given.pop("request", a.update(a.old(live) if live else a.old()))
        verdict = a.decide(SEEN, sign_off, request=request, **given)
        return a.reasons(verdict) - {Reason.SLOT_OPEN}

    def test_while_the_reviewer_allows_it(self) -> None:
        """Even after its validity, over something newer."""
        assert self.reasons(self.older(), carried(HOURS_AGO[3])) == set()

    def test_untimed(self) -> None:
        """What nobody dates is older than all."""
        untimed = self.older(at=None, reviewed_on=HOURS_AGO[5])

        assert self.reasons(untimed, carried(HOURS_AGO[3])) == set()

    def test_not_after(self) -> None:
        """Until then and no longer."""
        assert self.reasons(
            self.older(restore_until=HOURS_AGO[1]), carried(HOURS_AGO[3])
        ) == {Reason.STALE_BASE}

    def test_not_unless_signed(self) -> None:
        """Silence allows nothing."""
        assert self.reasons(self.older(restore_until=None), carried(HOURS_AGO[3])) == {
            Reason.STALE_BASE
        }

    def test_not_before_its_validity(self) -> None:
        """It was not approved yet."""
        ahead = Interval(a.NOON + a.HOUR, a.NOON + 2 * a.HOUR)

        assert self.reasons(self.older(validity=ahead), carried(HOURS_AGO[3])) == {
            Reason.STALE_BASE
        }

    def test_not_further_than_the_policy_allows(self) -> None:
        """`maxRestore` counts from the end of the validity."""
        assert self.reasons(
            self.older(), carried(HOURS_AGO[3]), max_restore=25 * a.HOUR
        ) == {Reason.STALE_BASE}
        assert (
            self.reasons(self.older(), carried(HOURS_AGO[3]), max_restore=26 * a.HOUR)
            == set()
        )

    def test_not_over_what_nobody_signed(self) -> None:
        """There only the base helps."""
        assert self.reasons(self.older(), None) == {Reason.STALE_BASE}

    def test_is_no_first_admission(self) -> None:
        """Over something older it is new, and has to be valid."""
        assert self.reasons(
            self.older(at=HOURS_AGO[3], reviewed_on=HOURS_AGO[3]), carried(HOURS_AGO[4])
        ) == {Reason.EXPIRED}

    def test_creates_nothing(self) -> None:
        """What is created does not return."""
        assert self.reasons(self.older(), None, request=a.change()) == {Reason.EXPIRED}

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [(BaseRule.EXACT, Reason.STALE_BASE), (BaseRule.ANY, Reason.EXPIRED)],
    )
    def test_is_of_lineage_only(self, rule: BaseRule, reason: Reason) -> None:
        """`exact` has no past, `any` needs no leave."""
        assert self.reasons(self.older(), carried(HOURS_AGO[3]), base=rule) == {reason}

    @pytest.mark.parametrize(
        "window", [Interval(HOURS_AGO[5], None), Interval(None, HOURS_AGO[2])]
    )
    def test_an_open_window_never_counts(self, window: Interval) -> None:
        """Whatever it allows to return."""
        assert self.reasons(self.older(validity=window), carried(HOURS_AGO[3])) == {
            Reason.WINDOW_TOO_LONG
        }


def test_old_provenance_stamped_anew_stays_old() -> None:
    """Whoever holds a signature may have it stamped; what it says of its age stays."""
    old = a.provenance(signed_at=a.NOON, collected_on=HOURS_AGO[5])
    live = a.old(carried(HOURS_AGO[2]))
    verdict = a.decide(old, a.declaration(about=old), request=a.update(live))

    assert Reason.STALE_BASE in a.reasons(verdict)
