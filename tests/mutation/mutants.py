"""Small wrong versions of a module: one change each, as a hurried hand would make it."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Mult: ast.FloorDiv,
}


_NO_CODE = frozenset({"annotation", "returns", "decorator_list", "bases"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong version.

    Attributes:
        line: Where, from 1.
        was, now: The code before and after, on one line.
        source: The whole module.
    """

    line: int
    was: str
    now: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Yield the mutants of a module, in their order.

    Left alone: docstrings, annotations, messages of exceptions, lists of names, and what
    runs only for the type checker.
    """
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    for node in _code(tree):
        for wrong in _wrong(node):
            was = ast.get_source_segment(source, node) or ""
            now = f"({ast.unparse(wrong)})" if isinstance(node, ast.expr) else "pass"
            changed = _replaced(lines, node, now)
            yield Mutant(node.lineno, " ".join(was.split()), now, changed)


def _code(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield the expressions and statements that do something."""
    for name, value in ast.iter_fields(node):
        if name in _NO_CODE or (name == "keywords" and not isinstance(node, ast.Call)):
            continue
        if isinstance(node, ast.Raise) and name == "exc":
            continue
        if isinstance(node, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            if isinstance(child, ast.expr | ast.stmt) and not _is_words(child):
                yield child
            if not _is_words(child):
                yield from _code(child)


def _is_words(node: ast.AST) -> bool:
    """Tell whether a statement is a docstring, an import, or only gives names."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    if isinstance(node, ast.Import | ast.ImportFrom | ast.AnnAssign):
        return isinstance(node, ast.Import | ast.ImportFrom) or node.value is None
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _wrong(node: ast.expr | ast.stmt) -> Iterator[ast.expr]:
    """Yield what could stand in place of `node`; of a statement: nothing at all."""
    match node:
        case ast.Constant():
            yield from _constants(node)
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            yield _with(node, ops=[_COMPARISONS[type(op)]()])
        case ast.BinOp(op=op) if type(op) in _OPERATIONS:
            yield _with(node, op=_OPERATIONS[type(op)]())
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.IfExp():
            yield from _decisions(node)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            yield from _filters(node)
        case ast.Call(func=ast.Name(id="any" | "all" as name)):
            func = ast.Name("all" if name == "any" else "any", ast.Load())
            yield _with(node, func=func)
        case ast.Expr(value=ast.Call()):
            yield node.value
        case _:
            return


def _constants(node: ast.Constant) -> Iterator[ast.expr]:
    match node.value:
        case bool(value):
            yield ast.Constant(not value)
        case int(value):
            yield ast.Constant(value + 1)
        case str(value) if value:
            yield ast.Constant(value + "x")
        case _:
            return


def _decisions(node: ast.BoolOp | ast.UnaryOp | ast.IfExp) -> Iterator[ast.expr]:
    match node:
        case ast.UnaryOp():
            yield node.operand
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _with(node, op=other)
            for at in range(len(node.values)):
                rest = [v for n, v in enumerate(node.values) if n != at]
                yield rest[0] if len(rest) == 1 else _with(node, values=rest)


_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def _filters(node: _Comprehension) -> Iterator[ast.expr]:
    for at, loop in enumerate(node.generators):
        if loop.ifs:
            loops = copy.deepcopy(node.generators)
            loops[at].ifs = []
            yield _with(node, generators=loops)


def _with(node: ast.expr, **fields: object) -> ast.expr:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _replaced(lines: list[str], node: ast.expr | ast.stmt, now: str) -> str:
    """Return the module with other code in the place of `node`."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset or 0 :].decode()
    return "".join([*lines[:first], before, now, after, *lines[last + 1 :]])
