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
from countersign.wire.resources.kinds import KINDS
from tests.support import resources as stored

Tree = dict[str, Any]
ROOT = "platform"


@dataclass
class Server:
    """Behaves as the API server.

    Attributes:
        refuses: Names that the gate does not let in.
        made: What was created, in its order.
        probed: What it says of somebody else's root roster; ``""``: it is let in.
    """

    refuses: set[str] = field(default_factory=set)
    probed: str = 'admission webhook "cluster.countersign.dev" denied the request'
    made: dict[str, Tree] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return an object."""
        del query
        if path.rpartition("/")[2] in {kind.plural for kind in KINDS.values()}:
            held = [t for at, t in self.made.items() if at.startswith(f"{path}/")]
            return {"items": held}
        if path not in self.made:
            raise NotThere(path)
        return self.made[path]

    async def create(self, path: str, tree: Tree, *, dry_run: bool = False) -> Tree:
        """Store an object, unless the gate denies it."""
        name = tree["metadata"]["name"]
        if dry_run:
            if self.probed:
                raise Rejected(self.probed)
            return tree
        if name in self.refuses:
            raise Rejected("denied the request")
        noted = {**tree["metadata"], "resourceVersion": "7", "uid": "a"}
        self.made[f"{path}/{name}"] = {**tree, "metadata": noted}
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


@pytest.mark.parametrize(
    ("probed", "why"),
    [
        pytest.param("", "may still create a root roster", id="no gate yet"),
        pytest.param('User "x" cannot create', "was not asked", id="only RBAC"),
    ],
)
async def test_begins_nothing_before_the_gate_is_shut(
    tmp_path: Path, probed: str, why: str
) -> None:
    """Helm registers the webhook last: until then anybody could come in beside us."""
    server = Server(probed=probed)
    founder = Founder(server, read(written(tmp_path, stored.roster()), ROOT))

    with pytest.raises(Unavailable, match=why):
        await founder.run(News())

    assert not server.made


@pytest.mark.parametrize("kind", ["another trust root", "a given one, changed"])
async def test_begins_nothing_beside_what_somebody_planted(
    tmp_path: Path, kind: str
) -> None:
    """An authority of the attacker's would make every admin; its name alone is no proof."""
    policy = stored.policy()
    objects = read(written(tmp_path, stored.roster(), policy), ROOT)
    planted = stored.sigstore_root() if kind == "another trust root" else policy
    planted = {**planted, "spec": {**planted["spec"], "more": "than given"}}
    server = Server()
    plural = KINDS[planted["kind"]].plural
    name = planted["metadata"]["name"]
    server.made[f"/apis/countersign.dev/v1alpha1/{plural}/{name}"] = planted

    with pytest.raises(Unavailable, match=f"not given: {planted['kind']}/{name}"):
        await Founder(server, objects).run(News())

    assert len(server.made) == 1


@pytest.mark.parametrize("persons", ["as given", "others"])
async def test_says_that_somebody_else_governs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, persons: str
) -> None:
    """Signed since, or there before us: who installs knows which."""
    given = stored.roster()
    objects = read(written(tmp_path, given), ROOT)
    server = Server()
    spec = given["spec"] if persons == "as given" else {"persons": []}
    live = {**given, "spec": spec, "status": {"observedGeneration": 1}}
    await server.create("/apis/countersign.dev/v1alpha1/rosters", live)

    task = asyncio.create_task(Founder(server, objects).run(News()))
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()

    said = [record.message for record in caplog.records]
    assert said == ([] if persons == "as given" else ["root_roster_is_another"])
    assert len(server.made) == 1
