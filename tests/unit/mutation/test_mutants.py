"""Wrong versions of a module: each is code, each differs, and words are left alone."""

import ast
import random

import pytest

from tests.mutation.__main__ import PACKAGE, ROOMS
from tests.mutation.mutants import mutants
from tests.mutation.trials import fails

MODULES = sorted(file for room in ROOMS for file in room.rglob("*.py"))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("a == b", {"a != b"}),
        ("a < b", {"a <= b"}),
        ("a not in b", {"a in b"}),
        ("a is None", {"a is not None"}),
        ("a + b", {"a - b"}),
        ("a | b", {"a & b"}),
        ("a and b", {"a or b", "a", "b"}),
        ("a or b or c", {"a and b and c", "b or c", "a or c", "a or b"}),
        ("not a", {"a"}),
        ("a if b else c", {"a", "c"}),
        ("[a for a in b if a]", {"[a for a in b]"}),
        ("{a: a for a in b if a for c in b}", {"{a: a for a in b for c in b}"}),
        ("all(a)", {"any(a)"}),
        ("True", {"False"}),
        ("7", {"8"}),
        ("'a'", {"'ax'"}),
        ("f(a)", set()),
        ("None", set()),
        ("''", set()),
        ("f'a {b}'", set()),
    ],
)
def test_an_expression_goes_wrong_in_these_ways(was: str, now: set[str]) -> None:
    """One change each, in the place of the expression."""
    made = {mutant.source for mutant in mutants(f"x = {was}\n")}

    assert made == {f"x = ({wrong})\n" for wrong in now}


def test_a_statement_is_left_out() -> None:
    """One that is a call: whatever it did is not done."""
    source = "def f(a: list[int]) -> None:\n    a.clear()\n"
    (mutant,) = mutants(source)

    assert mutant.source == source.replace("a.clear()", "pass")
    assert (mutant.line, mutant.was, mutant.now) == (2, "a.clear()", "pass")


def test_words_are_left_alone() -> None:
    """No test need know a message, an annotation or a decorator's bounds by heart."""
    source = (
        '"""Words."""\n'
        "import a\n"
        '__all__ = ["a"]\n'
        "@a.cache(maxsize=8)\n"
        'class B(a.C, key="x"):\n'
        '    c: "D"\n'
        '    def e(self) -> "D":\n'
        '        """Words."""\n'
        '        raise ValueError("words", 3)\n'
    )

    assert [mutant.now for mutant in mutants(source)] == []


@pytest.mark.parametrize("seed", range(8))
def test_every_mutant_is_other_code(seed: int) -> None:
    """Of our own modules: it compiles, and it is not the module that it was."""
    source = random.Random(seed).choice(MODULES).read_text()  # noqa: S311
    was = ast.dump(ast.parse(source))
    for mutant in [*mutants(source)][seed % 7 :: 7]:
        assert ast.dump(compile(mutant.source, "m", "exec", ast.PyCF_ONLY_AST)) != was


def test_a_trial_is_of_the_module_that_it_is_given() -> None:
    """The same test passes with the module as it is, and fails with a wrong one."""
    module, tests = "countersign.core.errors", ["tests/unit/core/test_base.py"]
    source = (PACKAGE / "core" / "errors.py").read_text()
    tree = PACKAGE.parents[1]

    assert not fails(tree, module, source, [], 60)
    assert not fails(tree, module, source, tests, 60)
    assert fails(tree, module, "raise ImportError\n", tests, 60)
