"""What several policies let be in an object: only what every one of them names."""

from countersign.binding.besides import NOTHING, Besides
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.doors import Doors, Tools
from countersign.core.types.injection import Injection
from countersign.core.types.operators import Field, Operator, Writes
from tests.support import a

CONFIG, SECRET = GroupKind("", "ConfigMap"), GroupKind("", "Secret")
MESH, VAULT = Injection(name="mesh"), Injection(name="vault")


def doors(*paths: str, injections: tuple[Injection, ...] = ()) -> Doors:
    """Return doors through which one operator writes into ConfigMaps."""
    fields = tuple(map(Field, paths))
    written = Writes(group="", kind="ConfigMap", fields=fields)
    operator = Operator(user="system:serviceaccount:ops:writer", writes=(written,))
    return Doors(
        tools=Tools(helm=True, flux=True), operators=(operator,), injections=injections
    )


ONE = a.policy(doors=doors("/data/a", "/data/b", injections=(MESH, VAULT)))
OTHER = a.policy(doors=doors("/data/b", "/data/c", injections=(VAULT,)))
THIRD = a.policy(doors=Doors(tools=Tools(flux=True)))


def test_one_policy_lets_be_what_it_names() -> None:
    """Of the kind that is asked for."""
    found = Besides.of(ONE, CONFIG)

    assert found.fields == (Field("/data/a"), Field("/data/b"))
    assert found.injections == (MESH, VAULT)
    assert found.tools == Tools(helm=True, flux=True)
    assert Besides.of(ONE, SECRET).fields == ()


def test_several_let_be_what_each_of_them_names() -> None:
    """In no order of theirs more than that; none at all let nothing be."""
    for both in ([ONE, OTHER], [OTHER, ONE]):
        found = Besides.of_all(both, CONFIG)
        assert found.fields == (Field("/data/b"),)
        assert found.injections == (VAULT,)
    for three in ([ONE, OTHER, THIRD], [THIRD, ONE, OTHER], [ONE, THIRD, ONE]):
        assert Besides.of_all(three, CONFIG) == Besides(tools=Tools(flux=True))
    assert Besides.of_all([ONE], CONFIG) == Besides.of(ONE, CONFIG)
    assert Besides.of_all([], CONFIG) == NOTHING


def test_no_tool_marks_what_a_controller_makes() -> None:
    """What operators and injectors put there may be there."""
    found = Besides.in_children([ONE], CONFIG)

    assert found.tools == Tools()
    assert (found.fields, found.injections) == (
        (Field("/data/a"), Field("/data/b")),
        (MESH, VAULT),
    )
