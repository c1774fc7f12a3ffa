"""Defaults of the group apps.

Source:
    pkg/apis/apps/v1/defaults.go
"""

from countersign.binding.defaults.registry import default_of
from countersign.binding.tree import Struct


@default_of("apps/v1.Deployment")
def deployment(tree: Struct) -> None:
    """SetDefaults_Deployment."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


@default_of("apps/v1.ReplicaSet")
def replica_set(tree: Struct) -> None:
    """SetDefaults_ReplicaSet."""
    tree.setdefault("spec", {}).setdefault("replicas", 1)


@default_of("apps/v1.DaemonSet")
def daemon_set(tree: Struct) -> None:
    """SetDefaults_DaemonSet."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    elif "rollingUpdate" in strategy:
        # no pointers inside the server: Convert_apps_RollingUpdateDaemonSet_To_v1_…
        strategy["rollingUpdate"].setdefault("maxUnavailable", 0)
        strategy["rollingUpdate"].setdefault("maxSurge", 0)


@default_of("apps/v1.StatefulSet")
def stateful_set(tree: Struct) -> None:
    """SetDefaults_StatefulSet, and what conversion writes into claim templates."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if "type" not in strategy:
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
        # feature gate MaxUnavailableStatefulSet, on since 1.37
        strategy["rollingUpdate"].setdefault("maxUnavailable", 1)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    for claim in spec.get("volumeClaimTemplates", []):
        # overwritten, not defaulted: Convert_apps_StatefulSetSpec_To_v1_StatefulSetSpec
        claim.update(apiVersion="v1", kind="PersistentVolumeClaim")
        # SetDefaults_PersistentVolumeClaim
        claim.setdefault("status", {}).setdefault("phase", "Pending")
