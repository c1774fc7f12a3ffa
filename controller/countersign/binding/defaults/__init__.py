"""The API server's own defaults, one file an API group.

Each rule cites the server's function and runs on a normal form, where a zero that
cannot be told from absence is absent: ``setdefault`` is Go's ``if x == "" { x = … }``.
Rules are written down from Kubernetes 1.37 with its default feature gates. A default
is applied to both sides of a comparison, so one that an older server does not know
costs nothing as long as it means what that server does.
"""

from countersign.binding.defaults import (
    admission,
    apps,
    autoscaling,
    batch,
    core,
    discovery,
    extensions,
    flowcontrol,
    networking,
    pods,
    rbac,
    resources,
    small,
    storage,
)
from countersign.binding.defaults.registry import DEFAULTS

__all__ = [
    "DEFAULTS",
    "admission",
    "apps",
    "autoscaling",
    "batch",
    "core",
    "discovery",
    "extensions",
    "flowcontrol",
    "networking",
    "pods",
    "rbac",
    "resources",
    "small",
    "storage",
]
