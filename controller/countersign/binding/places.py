"""Places in objects that a policy names by pointers with wildcards."""

from collections.abc import Iterable, Iterator

from countersign.binding.tree import ABSENT, Value, find, token
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.operators import ANY_TOKEN, Field, Operator, is_ours


def fields_of(operators: Iterable[Operator], kind: GroupKind) -> tuple[Field, ...]:
    """Return where operators write into objects of a kind, sorted."""
    return tuple(
        sorted(
            {
                field
                for operator in operators
                for written in operator.writes
                if GroupKind(written.group, written.kind) == kind
                for field in written.fields
            }
        )
    )


def places_in(tree: Value, field: Field) -> Iterator[str]:
    """Yield the pointers in `tree` that a field's wildcards stand for."""
    yield from _expand(tree, field.tokens, "")


def expand(tree: Value, pointer: str) -> Iterator[str]:
    """Yield the pointers in `tree` that the wildcards of `pointer` stand for."""
    yield from _expand(tree, tuple(pointer.split("/")[1:]), "")


def _expand(tree: Value, tokens: tuple[str, ...], path: str) -> Iterator[str]:
    if not tokens:
        yield path
        return
    first, *rest = tokens
    keys: Iterable[str] = [first]
    if first == ANY_TOKEN and type(tree) is dict:
        keys = [token(key) for key in tree]
    elif first == ANY_TOKEN and type(tree) is list:
        keys = map(str, range(len(tree)))
    annotations = path == "/metadata/annotations"
    for key in keys:
        if annotations and is_ours(key):
            continue
        below = find(tree, f"/{key}")
        if below is not ABSENT:
            yield from _expand(below, tuple(rest), f"{path}/{key}")


def counterpart(old: Value, seen: Value, path: str) -> Value:
    """Return what `old` has at the place that is `path` in `seen`, or `ABSENT`.

    Items of lists are found by name, as the server's merges do; without one by position.
    """
    for part in path.split("/")[1:]:
        below = find(seen, f"/{part}")
        name = below.get("name") if type(below) is dict else None
        if type(seen) is list and type(old) is list and name is not None:
            named = (o for o in old if type(o) is dict and o.get("name") == name)
            old = next(named, ABSENT)
        else:
            old = find(old, f"/{part}")
        seen = below
    return old
