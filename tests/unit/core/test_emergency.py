"""Break-glass: signed by somebody on call, for hours, about one thing (rule 23)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from countersign.core.rules.governance import governance
from countersign.core.types.artifacts import Digest, Image, ObjectRef
from countersign.core.types.bound import BoundChange, BoundIntent
from countersign.core.types.change import (
    Access,
    Change,
    Deletion,
    NamespaceWindow,
    Operation,
)
from countersign.core.types.evidence import Emergency, Evidence, Result
from countersign.core.types.people import Person, Roster
from countersign.core.types.policy import (
    Images,
    ImageSubject,
    Revoked,
    RevokedKind,
    ThirdParty,
    Treatment,
)
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Names, OpenSlots, Reason, SignedBy, Verdict
from tests.support import a

SHELL = Access(
    object=a.OBJECT, uid="1234", subresource="exec", operation=Operation.CONNECT
)
WINDOW = NamespaceWindow(namespace="payments")
HOUR_AROUND = Interval(a.NOON - a.HOUR / 2, a.NOON + a.HOUR / 2)


def opens(
    *signed: Evidence, request: BoundChange | None = None, **fields: Any
) -> Verdict:
    """Judge break-glass sign-offs alone."""
    return a.decide(*signed, request=request, **fields)


def window(who: Person, incident: str = "INC-7", **fields: Any) -> Evidence:
    """Return an opening of the whole namespace."""
    given: dict[str, Any] = {
        "changes": (WINDOW,),
        "subjects": [a.digest("window")],
        "validity": HOUR_AROUND,
        "signed_at": a.NOON - a.HOUR / 2,
        "emergency": Emergency(incident, "all is down"),
    }
    return a.emergency(who, **{**given, **fields})


def test_admits_what_somebody_on_call_signs() -> None:
    """Without provenance or questions; the basis names the incident."""
    signed = a.emergency()

    verdict = opens(signed)
    (basis,) = verdict.bases

    assert verdict.emergency == basis.emergency == "INC-7"
    assert [(f.role, f.person) for f in basis.filled] == [("on-call", "omar")]
    assert basis.bundles == (signed.bundle,)


def test_stands_above_how_the_change_was_made() -> None:
    """And above the state it goes back to."""
    request = a.update()

    assert opens(a.emergency(), request=request, ai=Treatment.DENY).allowed
    assert a.decide(
        a.emergency(), a.marked(), request=request, ai=Treatment.DENY
    ).allowed


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        pytest.param(a.emergency(a.DANA), Reason.ROLE_MISSING, id="not on call"),
        pytest.param(
            a.emergency(signer=a.STRANGER), Reason.SIGNER_UNKNOWN, id="a stranger"
        ),
        pytest.param(
            a.emergency(clusters=frozenset({"staging"})),
            Reason.WRONG_CLUSTER,
            id="another cluster",
        ),
        pytest.param(
            a.emergency(changes=(a.state(replace(a.OBJECT, name="x")),)),
            Reason.WRONG_OBJECT,
            id="another object",
        ),
        pytest.param(
            a.emergency(changes=(a.state(intent=a.digest("x")),)),
            Reason.CHANGED,
            id="another state",
        ),
        pytest.param(
            a.emergency(changes=(a.state(operation=Operation.UPDATE),)),
            Reason.WRONG_OPERATION,
            id="another operation",
        ),
        pytest.param(
            a.emergency(subjects=[a.MANIFEST]),
            Reason.IMAGE_UNCOVERED,
            id="not the image",
        ),
        pytest.param(
            a.emergency(validity=Interval(a.NOON - a.HOUR, a.NOON + 4 * a.HOUR)),
            Reason.WINDOW_TOO_LONG,
            id="for too long",
        ),
        pytest.param(
            a.emergency(validity=Interval(a.NOON - 2 * a.HOUR, a.NOON - a.HOUR)),
            Reason.EXPIRED,
            id="over",
        ),
        pytest.param(
            a.emergency(reviewed_on=a.NOON - 3 * a.HOUR),
            Reason.TIME_IMPLAUSIBLE,
            id="at no possible time",
        ),
        pytest.param(
            a.emergency(emergency=Emergency(" ", "down")),
            Reason.QUESTIONS_OPEN,
            id="without an incident",
        ),
        pytest.param(
            a.emergency(emergency=Emergency("INC-7", "")),
            Reason.QUESTIONS_OPEN,
            id="without a justification",
        ),
        pytest.param(
            a.emergency(emergency=Emergency("INC-7", "down", a.NOON + 72 * a.HOUR)),
            Reason.WINDOW_TOO_LONG,
            id="to be reviewed too late",
        ),
        pytest.param(
            a.emergency(changes=(SHELL,)), Reason.SUBRESOURCE, id="for a shell"
        ),
        pytest.param(
            a.emergency(changes=(Deletion(object=a.OBJECT, uid="1234"),)),
            Reason.WRONG_OPERATION,
            id="for its removal",
        ),
    ],
)
def test_does_not_open(signed: Evidence, reason: Reason) -> None:
    """Who, when, where and for what are still asked."""
    verdict = opens(signed)

    assert not verdict.allowed
    assert reason in a.reasons(verdict)


def test_may_be_due_for_review_in_time() -> None:
    """Measured from the signature."""
    due = Emergency("INC-7", "down", a.NOON + 71 * a.HOUR)

    assert opens(a.emergency(emergency=due)).allowed


def test_a_policy_without_break_glass_opens_nothing() -> None:
    """And says so."""
    verdict = opens(a.emergency(), break_glass=None)

    facts = a.finding(verdict, Reason.ROLE_MISSING).facts
    assert isinstance(facts, SignedBy)
    assert facts.seen == "break-glass"


class TestAgain:
    """A grant holds for hours: not to undo what people signed for meanwhile."""

    NEWER = a.digest("newer")

    def _after(self, grant: Evidence, later: Evidence) -> Verdict:
        live = a.old(
            digest=self.NEWER,
            intents=frozenset({BoundIntent(self.NEWER)}),
            evidence=(later,),
        )
        return opens(grant, request=a.update(live))

    def _signed(self, at: datetime, who: Person = a.DANA, **fields: Any) -> Evidence:
        given: dict[str, Any] = {
            "changes": (a.state(intent=self.NEWER),),
            "subjects": [self.NEWER],
            "signed_at": at,
            "reviewed_on": at,
        }
        return a.sign_off(who, **{**given, **fields})

    def test_does_not_undo_what_was_signed_since(self) -> None:
        """By whoever did not know of it.

        Fault seen caught: an emergency that asks nothing of its base.
        """
        grant = a.emergency(signed_at=a.NOON - a.HOUR, reviewed_on=a.NOON - a.HOUR)
        later = self._signed(a.NOON - a.HOUR / 2)

        assert a.reasons(self._after(grant, later)) >= {Reason.STALE_BASE}

    @pytest.mark.parametrize("stamped", [True, False])
    def test_taking_a_stamp_off_changes_nothing(self, *, stamped: bool) -> None:
        """Neither off what is live, nor off the grant."""
        then, since = a.NOON - a.HOUR, a.NOON - a.HOUR / 2
        off: dict[str, Any] = {"signed_at": None}
        grant = a.emergency(
            reviewed_on=then, **({"signed_at": then} if stamped else off)
        )
        later = self._signed(since, **({} if not stamped else off))

        assert Reason.STALE_BASE in a.reasons(self._after(grant, later))

    @pytest.mark.parametrize(
        "later",
        [
            pytest.param({"who": a.DANA, "at": a.NOON - 2 * a.HOUR}, id="earlier"),
            pytest.param(
                {"who": a.DANA, "at": a.NOON, "signer": a.STRANGER}, id="a stranger"
            ),
        ],
    )
    def test_follows_on_the_rest(self, later: Any) -> None:
        """What nobody signed, what was signed before, and what is signed anew."""
        grant = a.emergency(signed_at=a.NOON - a.HOUR, reviewed_on=a.NOON - a.HOUR)

        assert self._after(grant, self._signed(**later)).allowed

    def test_is_not_stopped_by_a_date_in_the_future(self) -> None:
        """Nor by a key that was withdrawn: whoever has one would stop every emergency.

        Fault seen caught: what nobody trusted dated, taken at its word without end.
        """
        grant = a.emergency()
        ahead: dict[str, Any] = {"signed_at": None, "reviewed_on": a.NOON + 366 * a.DAY}

        assert self._after(grant, self._signed(a.NOON, **ahead)).allowed

    def test_is_not_stopped_by_who_rejects_what_is_live(self) -> None:
        """That is why the glass is broken.

        Fault seen caught: a rejection taken for a word for the live state.
        """
        grant = a.emergency(signed_at=a.NOON - a.HOUR, reviewed_on=a.NOON - a.HOUR)
        later = self._signed(a.NOON - a.HOUR / 2, result=Result.REJECTED)

        assert self._after(grant, later).allowed

    def test_by_the_state_that_was_seen(self) -> None:
        """Whoever signed knew what was live."""
        grant = a.emergency(
            signed_at=a.NOON - a.HOUR,
            reviewed_on=a.NOON - a.HOUR,
            changes=(a.state(base=self.NEWER),),
        )

        assert self._after(grant, self._signed(a.NOON - a.HOUR / 2)).allowed


@pytest.mark.parametrize("window_too", [False, True])
def test_changes_no_rule(*, window_too: bool) -> None:
    """Policies, rosters, trust: admins alone, also where one is on call and an admin.

    Fault seen caught: a policy of governance that has break-glass.
    """
    admin = a.person("ada", "policy-admin", "roster-admin", "on-call")
    asked = governance(Roster("platform", (admin, a.OMAR)), "policy-admin", at=a.NOON)
    rule = ObjectRef("countersign.dev", "ProtectionPolicy", "", "payments")
    grants = [a.emergency(admin, changes=(a.state(rule),))]
    if window_too:
        grants += [window(admin), window(a.OMAR)]

    verdict = opens(*grants, request=a.change(object=rule, images=()), policies=[asked])

    assert not verdict.allowed
    assert not verdict.bases


def test_never_fills_an_ordinary_slot() -> None:
    """Even where the person on call is a senior too."""
    both = a.emergency(a.DANA)

    verdict = a.decide(a.provenance(), both)

    facts = a.finding(verdict, Reason.SLOT_OPEN).facts
    assert isinstance(facts, OpenSlots)
    assert facts.filled == ()


def test_images_stay_pinned() -> None:
    """A tag could be moved within the hours."""
    tagged = Image("acme/ledger:1", "docker.io/acme/ledger", "1")
    loose = replace(
        a.policy().images,
        third_party=(ThirdParty("docker.io/acme/*"),),
    )

    verdict = opens(a.emergency(), request=a.change(images=(tagged,)), images=loose)

    assert a.finding(verdict, Reason.IMAGE_UNPINNED).facts == Names(("acme/ledger:1",))


@pytest.mark.parametrize("platforms", [None, frozenset({a.digest("amd64")})])
@pytest.mark.parametrize("subject", ImageSubject)
def test_needs_no_registry_to_tell_what_is_in_an_index(
    subject: ImageSubject, platforms: frozenset[Digest] | None
) -> None:
    """It may be the registry that is down; what it names must be what runs."""
    rule = Images(subject=subject, registries=("docker.io/acme/*",))
    request = a.change(images=(replace(a.IMAGE, platforms=platforms),))

    assert opens(a.emergency(), request=request, images=rule).allowed
    for named in (a.digest("another"), a.digest("amd64")):
        other = a.emergency(subjects=[a.MANIFEST, named])
        verdict = opens(other, request=request, images=rule)
        is_each = named in (platforms or ()) and subject is not ImageSubject.INDEX
        assert verdict.allowed == is_each


def test_is_withdrawn_like_any_other() -> None:
    """A stolen key of somebody on call."""
    revoked = [Revoked(RevokedKind.PERSON, "omar")]

    assert Reason.REVOKED in a.reasons(opens(a.emergency(), revoked=revoked))


class TestAccess:
    """One subresource of one object."""

    REQUEST = a.update(
        operation=Operation.CONNECT, subresource="exec", intents=frozenset(), images=()
    )

    @pytest.mark.parametrize(
        ("change", "opens_it"),
        [
            pytest.param(SHELL, True, id="this"),
            pytest.param(replace(SHELL, uid="other"), False, id="another uid"),
            pytest.param(
                replace(SHELL, subresource="attach"), False, id="another subresource"
            ),
            pytest.param(
                replace(SHELL, operation=Operation.CREATE),
                False,
                id="another operation",
            ),
            pytest.param(
                replace(SHELL, object=replace(a.OBJECT, name="x")),
                False,
                id="another object",
            ),
            pytest.param(a.state(), False, id="a state"),
            pytest.param(Deletion(object=a.OBJECT, uid="1234"), False, id="a removal"),
        ],
    )
    def test_is_signed_as_such(self, change: Change, *, opens_it: bool) -> None:
        """Object, uid, subresource and operation."""
        signed = a.emergency(changes=(change,), subjects=[a.digest("shell")])

        assert opens(signed, request=self.REQUEST).allowed is opens_it

    def test_of_what_cannot_be_seen_is_stale(self) -> None:
        """A caller that lost the object gets a denial."""
        request = replace(self.REQUEST, old=None)
        signed = a.emergency(changes=(SHELL,), subjects=[a.digest("shell")])

        assert Reason.STALE_BASE in a.reasons(opens(signed, request=request))


class TestDeletion:
    """A removal."""

    def test_is_signed_by_uid(self) -> None:
        """As ever."""
        request = a.update(operation=Operation.DELETE, intents=frozenset(), images=())
        signed = a.emergency(
            changes=(Deletion(object=a.OBJECT, uid="1234"),), subjects=[a.digest("x")]
        )

        assert opens(signed, request=request).allowed


class TestWindow:
    """A whole namespace, for an hour, by two persons."""

    PAIR = (window(a.OMAR), window(a.INES))

    def test_opens_for_two(self) -> None:
        """For anything in it."""
        anything = a.change(object=replace(a.OBJECT, name="other"), intents=frozenset())

        (basis,) = opens(*self.PAIR, request=anything).bases

        assert basis.emergency == "INC-7"
        assert {f.person for f in basis.filled} == {"omar", "ines"}

    def test_does_not_open_for_one(self) -> None:
        """The denial asks for another."""
        verdict = opens(self.PAIR[0])

        asked = [
            f.facts.open for f in verdict.findings if isinstance(f.facts, OpenSlots)
        ]
        assert not verdict.allowed
        assert ("on-call",) in asked

    @pytest.mark.parametrize(
        "second",
        [
            pytest.param(window(a.OMAR, device="phone"), id="one person, two keys"),
            pytest.param(window(a.INES, "INC-8"), id="another incident"),
            pytest.param(
                window(a.INES, changes=(NamespaceWindow(namespace="ledger"),)),
                id="another namespace",
            ),
            pytest.param(
                window(
                    a.INES,
                    validity=Interval(
                        a.NOON - a.HOUR / 2, a.NOON + a.HOUR / 2 + timedelta(seconds=1)
                    ),
                ),
                id="more than an hour",
            ),
        ],
    )
    def test_does_not_open_for_less(self, second: Evidence) -> None:
        """Two persons, one incident, this namespace, an hour."""
        assert not opens(self.PAIR[0], second).allowed

    def test_is_of_no_cluster_scoped_object(self) -> None:
        """An empty namespace is none."""
        nowhere = NamespaceWindow(namespace="")
        pair = [window(who, changes=(nowhere,)) for who in (a.OMAR, a.INES)]
        role = a.change(object=replace(a.OBJECT, namespace=""))

        assert not opens(*pair, request=role).allowed

    def test_opens_subresources_too(self) -> None:
        """Anything."""
        shell = a.update(operation=Operation.CONNECT, subresource="exec")

        assert opens(*self.PAIR, request=shell).allowed


def test_names_what_is_to_be_told() -> None:
    """As the questions are called."""
    verdict = opens(a.emergency(emergency=Emergency(" ", "down")))
    (found,) = (f for f in verdict.findings if f.reason is Reason.QUESTIONS_OPEN)

    assert found.facts == Names(("incident", "justification"))
