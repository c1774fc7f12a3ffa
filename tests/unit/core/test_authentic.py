"""Whether a live owner was admitted properly (rule 12)."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.rules.authentic import authentic
from countersign.core.types.bound import BoundIntent
from countersign.core.types.change import Elastic
from countersign.core.types.evidence import (
    CertificateClaims,
    Contributor,
    Evidence,
    Part,
)
from countersign.core.types.people import Roster
from countersign.core.types.time import Interval
from tests.support import a

PRESENT = frozenset({BoundIntent(a.MANIFEST)})
BOUNDS = (Elastic("/spec/replicas", 1, 9),)
STRETCHED = frozenset({BoundIntent(a.MANIFEST, BOUNDS)})


def stands(*evidence: Evidence, **given: Any) -> bool:
    """Tell whether the live ledger is authentic with `evidence`."""
    known = {
        "policy": a.policy(),
        "object": a.OBJECT,
        "bound": PRESENT,
        "cluster": a.CLUSTER,
    }
    return authentic(**{**known, **given}, evidence=evidence)


@pytest.mark.parametrize(
    "signed",
    [
        pytest.param(a.sign_off(), id="signed by a senior"),
        pytest.param(
            a.sign_off(validity=Interval(a.NOON - 9 * a.DAY, a.NOON - 8 * a.DAY)),
            id="expired since",
        ),
        pytest.param(a.sign_off(a.RAVI, saw=[], answers=()), id="by weaker demands"),
        pytest.param(a.sign_off(a.LEE), id="by somebody whose role was taken since"),
        pytest.param(a.emergency(), id="in an emergency"),
    ],
)
def test_a_signed_owner_is(signed: Evidence) -> None:
    """What is of first admission is not judged again."""
    assert stands(signed)


@pytest.mark.parametrize(
    "signed",
    [
        pytest.param(a.sign_off(signer=a.STRANGER), id="by a stranger"),
        pytest.param(a.rejection(), id="rejected"),
        pytest.param(
            a.sign_off(changes=(a.state(intent=a.digest("x")),)), id="another state"
        ),
        pytest.param(
            a.sign_off(changes=(a.state(replace(a.OBJECT, name="x")),)),
            id="another object",
        ),
        pytest.param(a.sign_off(subjects=[a.RUNS]), id="the state is no subject"),
        pytest.param(
            a.sign_off(changes=(a.state(elastic=BOUNDS),)), id="bounds it is not within"
        ),
        pytest.param(a.provenance(), id="attested only"),
        pytest.param(a.declaration(), id="declared only"),
    ],
)
def test_an_unsigned_owner_is_not(signed: Evidence) -> None:
    """Evidence has to be of its present state, by somebody known."""
    assert not stands(signed)


@pytest.mark.parametrize(
    "signed",
    [
        pytest.param([a.sign_off()], id="signed"),
        pytest.param([a.provenance(), a.declaration()], id="human"),
    ],
)
def test_an_owner_of_another_cluster_is_not(signed: list[Evidence]) -> None:
    """What was approved for one cluster says nothing of what runs in another."""
    assert stands(*signed)
    assert not stands(*signed, cluster="elsewhere")


def test_nothing_makes_nothing_authentic() -> None:
    """Zero evidence is a failure, never an empty loop."""
    assert not stands()
    assert not stands(a.sign_off(), bound=frozenset())


def test_bounds_count_with_the_sign_off_that_allows_them() -> None:
    """A scaled owner is authentic still."""
    assert stands(a.sign_off(changes=(a.state(elastic=BOUNDS),)), bound=STRETCHED)
    assert not stands(a.sign_off(), bound=STRETCHED)


def test_a_human_owner_is() -> None:
    """Complete provenance without a mark, and everybody's word."""
    assert stands(a.provenance(), a.declaration())


NOBODY = Contributor(Part.AUTHOR, "x@elsewhere.example")


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(a.marked(), id="marked"),
        pytest.param(a.provenance(complete=False), id="incomplete"),
        pytest.param(a.provenance(signer=a.STRANGER), id="by a stranger"),
        pytest.param(
            a.provenance(certificate=CertificateClaims(source_repository=a.REPOSITORY)),
            id="of another revision",
        ),
        pytest.param(a.provenance(subjects=[]), id="of something else"),
        pytest.param(a.provenance(a.LEE, a.RAVI), id="one of two declares"),
        pytest.param(a.provenance(contributors=frozenset()), id="made by nobody"),
        pytest.param(
            a.provenance(contributors=frozenset({a.by(a.LEE), NOBODY})), id="unresolved"
        ),
    ],
)
def test_a_less_human_owner_is_not(seen: Evidence) -> None:
    """The same things are asked as at admission."""
    assert not stands(seen, a.declaration(about=seen))


def test_a_declaration_is_of_the_same_range() -> None:
    """Or it is somebody's word about something else."""
    assert not stands(a.provenance(), a.declaration(about=a.provenance(target="x")))


def test_a_human_owner_within_bounds_is_not() -> None:
    """No reviewer allowed them."""
    assert not stands(a.provenance(), a.declaration(), bound=STRETCHED)


def test_whose_role_may_declare_is_not_judged_again() -> None:
    """Demands may have changed since; who is on the roster must still be known."""
    policy = a.policy(declaring_roles=frozenset())
    gone = a.policy(roster=Roster("platform", (a.DANA,)))

    assert stands(a.provenance(), a.declaration(), policy=policy)
    assert not stands(a.provenance(), a.declaration(), policy=gone)
