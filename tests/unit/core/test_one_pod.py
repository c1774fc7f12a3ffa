"""What is done to one Pod while it runs: signed for that Pod, by its uid, or not at all."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.core.types.bound import POD_STATES, BoundChange
from countersign.core.types.change import Base, Deletion, Uid
from countersign.core.types.evidence import REVIEW_OF, Evidence, Trace
from countersign.core.types.policy import BaseRule, Treatment
from countersign.core.types.verdict import Expected, Reason
from tests.support import a

MINE = Uid(a.old().uid)


def asked(subresource: str = "ephemeralcontainers", **fields: Any) -> BoundChange:
    """Return another container in the live object, in the state that is signed."""
    return replace(a.update(), subresource=subresource, **fields)


def signed(base: Digest | Base | Uid = MINE, **fields: Any) -> Evidence:
    """Return Dana's sign-off of that state, for one object."""
    return a.sign_off(changes=(a.state(base=base),), **fields)


def why(*given: Evidence, request: BoundChange | None = None, **fields: Any) -> Any:
    """Return the reasons of a denial; none where it is let in."""
    asks = request or asked()
    return a.reasons(a.decide(a.provenance(), *given, request=asks, **fields))


@pytest.mark.parametrize("subresource", sorted(POD_STATES))
@pytest.mark.parametrize("rule", BaseRule)
def test_a_state_of_this_pod_is_let_in(subresource: str, rule: BaseRule) -> None:
    """By everybody who is asked, as any other state; whatever bases the policy wants."""
    assert not why(signed(), request=asked(subresource), base=rule)
    assert Reason.SLOT_OPEN in why(request=asked(subresource))
    assert Reason.CHANGED in why(
        signed(), request=asked(subresource, intents=frozenset())
    )


@pytest.mark.parametrize("rule", BaseRule)
@pytest.mark.parametrize(
    "base",
    [
        pytest.param(Uid("another"), id="another Pod of that name"),
        pytest.param(Base.ANY, id="any Pod of that name"),
        pytest.param(Base.ABSENT, id="none"),
        pytest.param(a.old().digest, id="any Pod in that state"),
    ],
)
def test_for_another_pod_it_is_not(base: Digest | Base | Uid, rule: BaseRule) -> None:
    """A Pod of a StatefulSet comes back under its name, and is another one."""
    verdict = a.decide(
        a.provenance(), signed(base), request=asked(), base=rule, nothing=False
    )

    facts = a.finding(verdict, Reason.STALE_BASE).facts
    assert facts == Expected(str(base), str(MINE))


def test_of_what_cannot_be_seen_it_is_not() -> None:
    """A caller that lost the object gets a denial."""
    verdict = a.decide(a.provenance(), signed(), request=asked(old=None))

    assert a.finding(verdict, Reason.STALE_BASE).facts == Expected(str(MINE), "absent")


@pytest.mark.parametrize("rule", BaseRule)
def test_a_uid_is_a_base_for_nothing_else(rule: BaseRule) -> None:
    """Else it would go round the lineage of an ordinary update."""
    assert Reason.STALE_BASE in why(signed(), request=a.update(), base=rule)


def test_a_review_of_the_past_lets_nothing_in_again() -> None:
    """It says that an emergency was right then."""
    link = (Trace(REVIEW_OF, "2AKR3TZ8RJE82D982JVDM1KAHB"),)

    assert Reason.STALE_BASE in why(signed(traceability=link))


def test_nobody_declares_it_human() -> None:
    """That a person typed it says nothing of what it does there."""
    human = (a.provenance(), a.declaration())
    given: dict[str, Any] = {"human": Treatment.ADMIT}

    assert a.decide(*human, request=a.change(), **given).allowed
    assert not a.decide(*human, request=asked(), **given).allowed


class TestEmergency:
    """As for any state: by somebody on call, for exactly this."""

    @pytest.mark.parametrize(
        ("change", "opens"),
        [
            pytest.param(a.state(base=MINE), True, id="this Pod"),
            pytest.param(a.state(base=Uid("another")), False, id="another Pod"),
            pytest.param(a.state(), False, id="any Pod"),
            pytest.param(Deletion(object=a.OBJECT, uid="1234"), False, id="its end"),
        ],
    )
    def test_is_for_one_pod(self, change: Any, *, opens: bool) -> None:
        """By its uid."""
        signed = a.emergency(changes=(change,))

        assert a.decide(signed, request=asked()).allowed is opens

    def test_a_uid_is_a_base_for_nothing_else(self) -> None:
        """Here neither."""
        signed = a.emergency(changes=(a.state(base=MINE),))

        assert Reason.STALE_BASE in a.reasons(a.decide(signed, request=a.update()))


def test_a_uid_says_something() -> None:
    """An empty one could equal what nobody saw."""
    with pytest.raises(Malformed):
        Uid("")
