"""Runs the walks of many kinds beside each other, each thread on its own connection."""

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from countersign.binding.tables import KINDS, TYPES
from tests.support.apiserver import ApiServer, Tree
from tests.support.judge import Judge
from tests.support.sweep.asking import Asker
from tests.support.sweep.judging import Bench
from tests.support.sweep.places import below
from tests.support.sweep.schemas import read_schemas
from tests.support.sweep.values import Values
from tests.support.sweep.walk import Scope, Seen, Walk

WORKERS = 4

Wants = Callable[[str, str], bool]


def everything(_type: str, _field: str) -> bool:
    """Want every field of every type, in every kind."""
    return True


def shared_out(kinds: Sequence[str], seed: int, share: float) -> Mapping[str, Wants]:
    """Give each field of each type to one of the kinds that have it, by chance.

    Args:
        kinds: To share among.
        seed: Of chance.
        share: Of the fields that anybody gets, 0 to 1.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    wanted: dict[str, set[tuple[str, str]]] = {kind: set() for kind in kinds}
    for type_name in sorted(TYPES):
        having = [kind for kind in kinds if type_name in below(KINDS[kind].type)]
        for field in sorted(TYPES[type_name]):
            if having and chance.random() < share:
                wanted[chance.choice(having)].add((type_name, field))
    return {kind: _among(mine) for kind, mine in wanted.items()}


def _among(mine: set[tuple[str, str]]) -> Wants:
    return lambda type_name, field: (type_name, field) in mine


def sweep(
    kubeconfig: Path,
    service_cidr: str,
    seeds: Mapping[str, Sequence[Tree]],
    scopes: Mapping[str, Scope],
) -> dict[str, Seen]:
    """Walk every kind that has seeds; return what was seen of each.

    Args:
        kubeconfig: Of who may create anything.
        service_cidr: The range of cluster addresses.
        seeds: Manifests by ``apiVersion/kind``, namespaces filled in.
        scopes: By the same.
    """
    with closing(ApiServer(kubeconfig)) as server:
        schemas = read_schemas(server)

    def one(kind: str) -> Seen:
        with closing(ApiServer(kubeconfig)) as mine:
            asker = Asker(mine, Values.read(schemas))
            bench = Bench(Judge(mine, service_cidr), {})
            return Walk(kind, asker, bench, scopes[kind]).run(seeds[kind])

    by_size = sorted(seeds, key=lambda kind: -len(below(KINDS[kind].type)))
    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(by_size, pool.map(one, by_size), strict=True))
