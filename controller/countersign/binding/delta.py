"""The door *delta*: what the built-in controllers write into objects that people sign.

A request passes if each place that it changes is an edit of one row of `writes`. Who
restarts a workload by hand is told here too; which groups may, a policy says.
"""

from countersign.binding.edits import TIME, Change, Edit, changes, written
from countersign.binding.inherited import RESTARTED_AT
from countersign.binding.tree import ABSENT, find
from countersign.binding.writes import ROWS
from countersign.core.types.artifacts import Tree
from countersign.core.types.request import AdmissionRequest


def delta(request: AdmissionRequest) -> str:
    """Return the rule that lets an UPDATE pass, or ``""``."""
    if request.old is None or request.object is None:
        return ""
    changed = judged_changes(request)
    if not changed and not request.resource.subresource:
        return ""  # nothing for a row to speak about: the door *unchanged* judges it
    return next((row.rule for row in ROWS if row.passes(request, changed)), "")


def judged_changes(request: AdmissionRequest) -> list[Change]:
    """Return what an UPDATE changes.

    Through ``/status`` the status itself is free, except for the addresses of load
    balancers: those say where traffic goes.
    """
    old, new = request.old or {}, request.object or {}
    if request.resource.subresource == "status":
        keep = str(request.resource) in _BALANCED
        old, new = (_without_status(t, load_balancer=keep) for t in (old, new))
    return list(changes(old, new))


_BALANCED = {"services/status", "ingresses.networking.k8s.io/status"}


def _without_status(tree: Tree, *, load_balancer: bool) -> Tree:
    kept = {key: value for key, value in tree.items() if key != "status"}
    addresses = find(tree, "/status/loadBalancer")
    if load_balancer and addresses not in (ABSENT, {}):
        kept["status"] = {"loadBalancer": addresses}
    return kept


_RESTARTED = {"daemonsets.apps", "deployments.apps", "statefulsets.apps"}


def restarts(request: AdmissionRequest) -> bool:
    """Tell whether an UPDATE does what ``kubectl rollout restart`` does, and no more.

    That is, to set ``restartedAt`` in the template of a workload. It passes for the
    groups that a policy names.
    """
    if str(request.resource) not in _RESTARTED:
        return False
    changed = judged_changes(request)
    edit = Edit(RESTARTED_AT, written(TIME))
    return bool(changed) and all(edit.allows(change) for change in changed)
