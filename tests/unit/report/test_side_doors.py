"""Each way past an object has a next step of its own."""

import pytest

from countersign.binding.surface import ROWS, Rule
from countersign.core.types.verdict import Detail, Expected, Finding, Reason
from countersign.report.side_doors import INSTEAD
from countersign.report.steps import Way, next_step
from tests.support import a

ASIDE = frozenset({Rule.ACCESS, Rule.BINDING, Rule.FINALIZE, Rule.SCALE, Rule.TOKEN})


def refused(seen: str, reason: Reason = Reason.SUBRESOURCE) -> Finding:
    """Return the finding about a subresource."""
    facts = Expected("", seen)
    return Finding(policy="payments", reason=reason, about=a.OBJECT, facts=facts)


def test_every_side_door_of_the_table_has_a_step() -> None:
    """And there is none for what is judged as a state, or is not there."""
    doors = {
        row.subresource or row.resource: row.rule for row in ROWS if row.rule in ASIDE
    }

    assert set(INSTEAD) == set(doors)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        pytest.param("connect exec", "look at its logs", id="a shell"),
        pytest.param("scale to 5", "/spec/replicas=MIN..MAX", id="a number"),
        pytest.param("update scale", "into its manifest", id="more than a number"),
        pytest.param("create token", "a projected volume", id="a token"),
        pytest.param("create binding", "nodeSelector", id="a node"),
        pytest.param("update finalize", "delete the namespace", id="a namespace"),
        pytest.param("create novelty", "only break-glass goes", id="what is new"),
    ],
)
def test_it_is_told(seen: str, says: str) -> None:
    """Whoever tried it reads what to do instead."""
    assert says in next_step(refused(seen), "prod")


def test_somebody_on_call_is_named_where_that_helps() -> None:
    """And of a number still what does not need an emergency."""
    way = Way(decision="0" * 26, access=True)

    assert next_step(refused("connect exec"), "prod", way=way).startswith("in an emerg")
    scaled = next_step(refused("scale to 5"), "prod", way=way)
    assert scaled.startswith("write the number into its manifest")
    assert "--break-glass" in scaled


def test_other_findings_are_not_about_one() -> None:
    """Whatever their facts look like."""
    other = refused("connect exec", Reason.WRONG_OPERATION)
    vague = Finding(
        policy="payments",
        reason=Reason.SUBRESOURCE,
        about=a.OBJECT,
        facts=Detail("connect exec"),
    )

    assert "logs" not in next_step(other, "prod")
    assert "logs" not in next_step(vague, "prod")
