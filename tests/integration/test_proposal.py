"""What is proposed for signing, of each object that the real API server makes.

The law of a proposal: the same request equals it again, whatever the server allocates
the next time, and a request for anything else does not.
"""

import copy
import random
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from countersign.binding.canonical import canonical, canonical_json, read_intent
from countersign.binding.facts import ClusterFacts
from countersign.binding.match import match
from countersign.binding.proposal import propose
from countersign.binding.tables import KINDS
from countersign.core.types.artifacts import Difference, Intent, ObjectRef
from tests.integration.test_normal_form import MANIFESTS, title, update
from tests.support.apiserver import (
    APPLY_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    ApiServer,
    Refused,
    Tree,
)
from tests.support.judge import SALT, Judge, lasting
from tests.support.minors import kept_by, minor_of
from tests.support.mutations import stepped, steps
from tools.controlplane import ControlPlane

MUTANTS_EACH = 30

# A choice from the allocator's own range cannot be told from an allocation.
OPEN = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort")


class Proposer:
    """Proposes and compares as the webhook does."""

    def __init__(self, judge: Judge, service_cidr: str) -> None:
        self._judge = judge
        self._cidr = ip_network(service_cidr)

    def propose(self, tree: Tree, old: Tree | None = None) -> Intent:
        """Return the proposal; there must be one, and it must be an intent."""
        found = propose(
            tree,
            identity=self.identity(tree),
            old=old,
            facts=self.facts(tree),
            carried=(),
            salt=SALT,
        )
        assert found is not None
        assert read_intent(canonical_json(found.tree)) == found
        return found

    def differences(
        self,
        intent: Intent,
        tree: Tree,
        old: Tree | None = None,
        *,
        dry_run: bool = False,
    ) -> tuple[Difference, ...]:
        """Compare another object with a proposal."""
        return match(
            intent.tree,
            tree,
            identity=self.identity(tree),
            old=old,
            facts=self.facts(tree),
            dry_run=dry_run,
        )

    def facts(self, tree: Tree) -> ClusterFacts:
        """Return what must be known to judge an object."""
        live = self._judge.facts(tree)
        return ClusterFacts(service_cidrs=(self._cidr,), live=live)

    def identity(self, tree: Tree) -> ObjectRef:
        """Return what the request that made an object says that it is about."""
        metadata = tree["metadata"]
        return ObjectRef(
            tree["apiVersion"].rpartition("/")[0],
            tree["kind"],
            metadata.get("namespace", ""),
            metadata["name"],
            metadata.get("generateName", ""),
        )


@pytest.fixture(scope="module", name="proposer")
def _proposer(control_plane: ControlPlane, server: ApiServer) -> Proposer:
    judge = Judge(server, control_plane.service_cidr)
    return Proposer(judge, control_plane.service_cidr)


@pytest.fixture(name="placed")
def _placed(
    namespace: str, server: ApiServer, request: pytest.FixtureRequest
) -> Iterator[Tree]:
    manifest = kept_by(minor_of(server), request.param)
    if KINDS[f"{manifest['apiVersion']}/{manifest['kind']}"].namespaced:
        manifest["metadata"]["namespace"] = namespace
    if "name" in manifest["metadata"]:
        server.delete(manifest)
    yield manifest
    if "name" in manifest["metadata"]:
        server.delete(manifest)


def make(server: ApiServer, manifest: Tree) -> Tree:
    """Return what the server makes of a manifest; afterwards it is not there.

    A Namespace, which is long in going, is only tried: nothing is allocated in it.
    """
    if manifest["kind"] == "Namespace":
        return server.create(manifest, dryRun="All")
    made = server.create(manifest)
    server.delete(made)
    return made


@pytest.mark.parametrize("placed", MANIFESTS, ids=title, indirect=True)
def test_the_same_request_equals_its_proposal_again(
    placed: Tree, server: ApiServer, proposer: Proposer
) -> None:
    """Made anew, with other addresses, ports, names and uids; and updated each way."""
    proposal = proposer.propose(make(server, placed))

    assert proposer.differences(proposal, make(server, placed)) == ()
    if "name" not in placed["metadata"] or placed["kind"] == "Namespace":
        return
    server.create(placed)
    for way in (APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH, "PUT"):
        if states := update(server, placed, way):
            old, new = states
            proposal = proposer.propose(new, old)
            before, after = update(server, placed, way) or states
            assert proposer.differences(proposal, after, before) == (), way


def test_what_was_chosen_is_signed(
    server: ApiServer, proposer: Proposer, namespace: str
) -> None:
    """An address or port that the manifest names is no allocation, though it may be."""
    plain: Tree = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "chosen", "namespace": namespace},
        "spec": {"type": "NodePort", "ports": [{"name": "a", "port": 80}]},
    }
    left = make(server, plain)
    port, address = left["spec"]["ports"][0]["nodePort"], left["spec"]["clusterIP"]
    ported, addressed = copy.deepcopy(plain), copy.deepcopy(plain)
    ported["spec"]["ports"][0]["nodePort"] = port
    addressed["spec"]["clusterIP"] = address

    opened, by_port, by_address = (
        proposer.propose(make(server, one)) for one in (plain, ported, addressed)
    )

    assert "nodePort" not in str(opened.tree)
    assert "clusterIP" not in str(opened.tree)
    assert by_port.tree["spec"]["ports"][0]["nodePort"] == port  # type: ignore[index, call-overload]
    assert by_address.tree["spec"]["clusterIP"] == address  # type: ignore[index, call-overload]


@pytest.mark.parametrize("placed", MANIFESTS, ids=title, indirect=True)
def test_another_request_does_not_equal_a_proposal(
    placed: Tree, server: ApiServer, proposer: Proposer
) -> None:
    """One change in one place of the manifest that the server takes over is seen."""
    proposal = proposer.propose(make(server, placed))
    base = lasting(server.create(placed, dryRun="All"))
    possible = steps(placed)
    chance = random.Random(title(placed))  # noqa: S311 - repeatable on purpose
    changed = 0
    for what in chance.sample(possible, min(MUTANTS_EACH, len(possible))):
        try:
            mutant = server.create(stepped(placed, what), dryRun="All")
        except Refused:
            continue
        if lasting(mutant) == base or what[0].rpartition("/")[2] in OPEN:
            continue
        changed += 1
        assert proposer.differences(proposal, mutant, dry_run=True), what

    assert changed


@pytest.mark.parametrize("placed", MANIFESTS, ids=title, indirect=True)
def test_an_intent_that_travels_with_the_object_is_the_proposal(
    placed: Tree, server: ApiServer, proposer: Proposer
) -> None:
    """It is what the author wrote; another object's is passed over."""
    made = make(server, placed)
    namespace = made["metadata"].get("namespace", "")
    own = canonical(placed, namespace=namespace, salt=SALT)
    metadata = {**placed["metadata"], "labels": {"other": "x"}}
    other = canonical({**placed, "metadata": metadata}, namespace=namespace, salt=SALT)
    identity = proposer.identity(made)
    facts = proposer.facts(made)

    found = propose(
        made, identity=identity, old=None, facts=facts, carried=(other, own), salt=SALT
    )

    assert found == own
