"""As whom the cluster's own components ask. A name is no proof: see `writes`."""

ANYBODY: frozenset[str] = frozenset()
API_SERVER = frozenset({"system:apiserver"})
CLOUD = frozenset({"system:cloud-controller-manager"})
CONTROLLER_MANAGER = frozenset({"system:kube-controller-manager"})
SCHEDULER = frozenset({"system:kube-scheduler"})


def controllers(*names: str) -> frozenset[str]:
    """Return the users as which the controller manager runs these controllers."""
    return frozenset(f"system:serviceaccount:kube-system:{name}" for name in names)
