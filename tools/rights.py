"""What judges each write of the cluster's own components, right by right (rule 13).

The rights are data, generated from the API server's bootstrap roles. For each there is a
row that can let such a request in, or a written reason why none does. Nothing here takes
part in a verdict: it only says that nobody was forgotten.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from countersign.binding import actors, births, deletions, writes
from countersign.binding.children import DERIVATIONS
from countersign.binding.surface import ANY, Rule, row_for
from countersign.core.types.request import Resource, Verb

FILE: Final = Path(__file__).parent / "controlplane/rights-1.37.tsv"

READS: Final = frozenset({"get", "list", "watch"})
CONTROLLER: Final = "system:controller:"
_USERS: Mapping[str, frozenset[str]] = {
    "system:kube-controller-manager": actors.CONTROLLER_MANAGER,
    "system:kube-scheduler": actors.SCHEDULER,
    "system:volume-scheduler": actors.SCHEDULER,
    "system:node": frozenset({births.NODES}),
    "system:node-proxier": frozenset({"system:kube-proxy"}),
}
COMPONENTS: Final = frozenset(_USERS)
"""Roles of what runs beside the controllers."""

_VERBS: Mapping[str, tuple[Verb, ...]] = {
    "create": (Verb.CREATE,),
    "update": (Verb.UPDATE,),
    "patch": (Verb.UPDATE,),
    "delete": (Verb.DELETE,),
    "deletecollection": (Verb.DELETE,),
}
_BY_RULE: Mapping[Rule, str] = {
    Rule.EXEMPT: "exempt",
    Rule.QUESTION: "question",
    Rule.SCALE: "scale",
    Rule.FINALIZE: "finalize",
}


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing that a role allows.

    Attributes:
        role: Of the bootstrap policy; ``@NAMESPACE``: there only.
        verb: As RBAC has it.
        group: API group.
        resource: Plural, with its subresource.
    """

    role: str
    verb: str
    group: str
    resource: str

    @property
    def users(self) -> frozenset[str]:
        """Who has it."""
        role = self.role.partition("@")[0]
        if role.startswith(CONTROLLER):
            return actors.controllers(role.removeprefix(CONTROLLER))
        return _USERS.get(role, frozenset())

    @property
    def place(self) -> str:
        """``plural.group/subresource``, as the tables of binding write it."""
        name, _, below = self.resource.partition("/")
        return str(Resource(self.group, "", name, below))


def read() -> tuple[Right, ...]:
    """Return the generated rights."""
    lines = FILE.read_text().splitlines()
    return tuple(Right(*line.split("\t")[:4]) for line in lines)


def judges(right: Right, scoped: frozenset[tuple[str, str]]) -> list[str]:
    """Return the rows that may let in what a right allows; empty: nobody thought of it.

    Args:
        right: What a role allows.
        scoped: (group, plural) of what lives in no namespace.
    """
    name, _, below = right.resource.partition("/")
    if right.verb not in _VERBS:
        return ["no request: asked for by the API server itself"]
    if (right.group, name) in scoped and (right.group, name) != ("", "namespaces"):
        return ["cluster-scoped"]
    if right.group == "extensions":
        return ["no request: a group that no supported server has"]
    if below in _NO_REQUEST:
        return ["no request: only compared by plugins"]
    if right.role.endswith("@kube-system"):
        return ["never in a protected namespace"]
    found = [name for verb in _VERBS[right.verb] for name in _rows(right, verb)]
    key = (right.role.removeprefix(CONTROLLER), right.place)
    if reason := REFUSED.get(key) or REFUSED.get((*key, right.verb)):
        found.append(f"refused: {reason}")
    return found


def _rows(right: Right, verb: Verb) -> Iterator[str]:
    name, _, below = right.resource.partition("/")
    row = row_for(Resource(right.group, "v1", name, below), verb)
    if row is not None and row.rule in _BY_RULE:
        yield _BY_RULE[row.rule]
    if verb is Verb.UPDATE:
        yield from _deltas(right)
    if verb is Verb.DELETE:
        yield from _ends(right)
    else:
        yield from _derived(right)
    if verb is Verb.CREATE:
        yield from _births(right)


def _deltas(right: Right) -> Iterator[str]:
    below = right.resource.partition("/")[2]
    anywhere = f"{ANY}/{below}" if below else ANY
    for row in writes.ROWS:
        who = not row.actors or row.actors & right.users
        if who and row.resource in (right.place, anywhere):
            yield f"delta: {row.rule}"
    if right.resource == right.group == ANY:
        yield "unchanged"  # the storage version migrator sends what is there


def _ends(right: Right) -> Iterator[str]:
    for row in deletions.ROWS:
        if row.actors & right.users and row.resource in (right.place, ANY):
            yield f"deletion: {row.rule}"
    if right.users <= deletions.NAMESPACE_CONTROLLER and right.resource == ANY:
        yield "deletion: namespace"
    if births.NODES in right.users and right.place == "pods":
        yield "deletion: kubelet"


def _derived(right: Right) -> Iterator[str]:
    for (_, child), way in DERIVATIONS.items():
        plural = child.kind.lower().removesuffix("s") + "s"
        where = f"{plural}.{child.group}" if child.group else plural
        if where == right.place and way.actors & right.users:
            yield f"derived: {way.rule}"
    if right.place == "configmaps" and right.users == actors.controllers(
        "root-ca-cert-publisher"
    ):
        yield "derived: root-certificates"


def _births(right: Right) -> Iterator[str]:
    for (place, users), rule in births.MAKERS.items():
        if place == right.place and users & right.users:
            yield f"birth: {rule}"


_NO_REQUEST: Final = frozenset({"finalizers", "restricted"})
_BINDING = "no request: compared with what is written, beside the claim itself"
_LEGACY = "left over in the role: no controller of a supported minor asks for it"

_ROLLBACK = "back to an older template by an annotation: a state that people sign"

REFUSED: Mapping[tuple[str, ...], str] = {
    # Pods
    ("cronjob-controller", "pods"): _LEGACY,
    ("daemon-set-controller", "pods/binding"): _LEGACY,
    ("deployment-controller", "pods"): _LEGACY,
    ("statefulset-controller", "pods/finalizers"): _LEGACY,
    ("persistent-volume-binder", "pods"): (
        "recycles a volume by a Pod of the controller's own template, in `default`; "
        "deprecated, and runs what nobody signed"
    ),
    ("system:node", "pods", "create"): (
        "a mirror of a static Pod: what the node's own files start, nobody signed"
    ),
    ("system:node", "pods/eviction"): (
        "a kubelet that drains itself deletes its Pods; evictions are judged by what "
        "would make the Pod again"
    ),
    # Workloads that only their status is written of
    ("cronjob-controller", "cronjobs.batch"): _LEGACY,
    ("job-controller", "jobs.batch"): _LEGACY,
    ("deployment-controller", "deployments.apps"): _ROLLBACK,
    ("replicaset-controller", "replicasets.apps"): _LEGACY,
    ("replication-controller", "replicationcontrollers"): _LEGACY,
    # Devices
    ("resource-claim-controller", "resourceclaims.resource.k8s.io/binding"): _BINDING,
    ("system:kube-scheduler", "resourceclaims.resource.k8s.io/binding"): _BINDING,
    ("system:kube-scheduler", "resourceclaims.resource.k8s.io", "create"): (
        "claims for extended resources depend on the scheduler's choice of a device "
        "class: nothing signed says which; denied until a policy can say so"
    ),
    ("system:kube-scheduler", "leasecandidates.coordination.k8s.io"): (
        "elects a leader among schedulers, in kube-system"
    ),
    # Claims and accounts
    ("statefulset-controller", "persistentvolumeclaims", "delete"): _LEGACY,
    ("system:kube-controller-manager", "secrets", "create"): (
        "tokens as the legacy controller made them by itself, before 1.24"
    ),
    ("system:kube-controller-manager", "serviceaccounts"): (
        "accounts of the controllers themselves, in kube-system"
    ),
    ("system:kube-controller-manager", "serviceaccounts/token"): (
        "tokens of the controllers themselves, in kube-system"
    ),
    ("bootstrap-signer@kube-public", "configmaps"): (
        "signs cluster-info for nodes that join: kube-public is not for workloads"
    ),
    ("namespace-controller", "namespaces"): (
        "ends what the API server has already marked as going: no finalizer, no object"
    ),
}
"""Rights without a row, each with the reason, by role, place and perhaps verb."""
