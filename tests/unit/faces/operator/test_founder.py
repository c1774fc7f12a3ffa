"""The operator creates what an installation begins with, and ends it with the root."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from countersign.adapters.cluster.source import NotThere
from countersign.core.errors import Misconfigured, Rejected, Unavailable
from countersign.faces.operator.founder import Founder, read
from countersign.faces.operator.loops import News
from tests.support import resources as stored

Tree = dict[str, Any]
ROOT = "platform"


@dataclass
class Server:
    """Behaves as the API server.

    Attributes:
        refuses: Names that the gate does not let in.
        made: What was created, in its order.
    """

    refuses: set[str] = field(default_factory=set)
    made: dict[str, Tree] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return an object."""
        del query
        if path not in self.made:
            raise NotThere(path)
        return self.made[path]

    async def create(self, path: str, tree: Tree) -> Tree:
        """Store an object, unless the gate denies it."""
        name = tree["metadata"]["name"]
        if name in self.refuses:
            raise Rejected("denied the request")
        self.made[f"{path}/{name}"] = tree
        if tree["kind"] == "Roster":
            self.ended.set()
        return tree


def written(folder: Path, *trees: Tree) -> Path:
    """Write files as the chart names them."""
    for tree in trees:
        name = f"{tree['kind'].lower()}-{tree['metadata']['name']}.json"
        (folder / name).write_text(json.dumps(tree))
    return folder


def test_the_root_roster_comes_last(tmp_path: Path) -> None:
    """Whatever the files are called."""
    trees = stored.roster(), stored.sigstore_root(), stored.policy()

    found = read(written(tmp_path, *trees), ROOT)

    assert [tree["kind"] for tree in found][-1] == "Roster"
    assert len(found) == len(trees)


@pytest.mark.parametrize(
    "trees",
    [
        pytest.param([], id="nothing"),
        pytest.param([stored.policy()], id="no root roster"),
        pytest.param(
            [stored.roster(), {"kind": "Pod", "metadata": {"name": "it"}}],
            id="something else",
        ),
    ],
)
def test_refuses_a_beginning_that_never_ends(tmp_path: Path, trees: list[Tree]) -> None:
    """Said at the start, not after a minute."""
    with pytest.raises(Misconfigured):
        read(written(tmp_path, *trees), ROOT)


async def test_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """The gate was not ready; nothing is created twice, and nothing after the root."""
    objects = read(written(tmp_path, stored.roster(), stored.policy()), ROOT)
    server = Server(refuses={ROOT})
    founder = Founder(server, objects)
    with pytest.raises(Unavailable, match="denied the request"):
        await founder.run(News())
    before = dict(server.made)
    server.refuses.clear()
    task = asyncio.create_task(founder.run(News()))
    await server.ended.wait()
    task.cancel()

    assert len(before) == 1
    assert len(server.made) == 2


async def test_begins_nothing_where_somebody_governs(tmp_path: Path) -> None:
    """What was deleted since, signed, stays deleted."""
    objects = read(written(tmp_path, stored.roster(), stored.policy()), ROOT)
    server = Server()
    await server.create("/apis/countersign.dev/v1alpha1/rosters", objects[-1])
    task = asyncio.create_task(Founder(server, objects).run(News()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()

    assert len(server.made) == 1
