"""The cluster's own accounts: whose names pass, so that nobody else may bear them."""

from itertools import chain

from countersign.binding import births, deletions, writes
from countersign.binding.admission_policies import listed
from countersign.binding.derivations.table import DERIVATIONS

ACCOUNTS = "system:serviceaccount:kube-system:"

_HELPERS = (
    "disruption-controller",
    "root-ca-cert-publisher",
    "storage-version-migrator-controller",
)
"""Controllers that write in every namespace, and that no table of ours knows."""


def accounts() -> tuple[str, ...]:
    """Return the accounts in kube-system that are trusted by name, sorted."""
    actors = chain(
        *(row.actors for row in writes.ROWS),
        *(row.actors for row in deletions.ROWS),
        *(actors for _, actors in births.MAKERS),
        *(way.actors for way in DERIVATIONS.values()),
        deletions.NAMESPACE_CONTROLLER,
    )
    found = {a.removeprefix(ACCOUNTS) for a in actors if a.startswith(ACCOUNTS)}
    return tuple(sorted(found.union(_HELPERS)))


def by_controllers() -> str:
    """Return CEL that is true of the cluster's own parts, each by its name."""
    users = (
        *(f"{ACCOUNTS}{name}" for name in accounts()),
        "system:kube-controller-manager",
        "system:kube-scheduler",
        "system:apiserver",
    )
    return (
        f"request.userInfo.username in {listed(users)} || "
        "request.userInfo.groups.exists(g, g == 'system:nodes')"
    )
