"""Defaults of the group autoscaling, in both its versions.

Source:
    pkg/apis/autoscaling/{v1,v2}/{defaults,conversion}.go
"""

from countersign.binding.defaults.registry import default_of
from countersign.binding.tree import Struct

_ALPHA = "autoscaling.alpha.kubernetes.io/"
_OF_STATUS = {f"{_ALPHA}conditions", f"{_ALPHA}current-metrics"}


@default_of("autoscaling/v1.HorizontalPodAutoscaler")
def old_autoscaler(tree: Struct) -> None:
    """SetDefaults_HorizontalPodAutoscaler, and what conversion to version 1 does.

    ``Convert_v1_HorizontalPodAutoscaler_To_autoscaling_HorizontalPodAutoscaler`` sets
    80 % of the requested CPU where there is no metric at all. Two annotations show what
    is in the *status* of version 2: a client's are thrown away with the status.
    """
    metadata = tree.get("metadata", {})
    annotations = metadata.get("annotations", {})
    if not annotations.keys() - _OF_STATUS:
        metadata.pop("annotations", None)
    for key in _OF_STATUS:
        annotations.pop(key, None)
    spec = tree.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if f"{_ALPHA}metrics" not in annotations:
        spec.setdefault("targetCPUUtilizationPercentage", 80)


@default_of("autoscaling/v2.HorizontalPodAutoscalerSpec")
def autoscaler_spec(spec: Struct) -> None:
    """SetDefaults_HorizontalPodAutoscaler: 80 % of the requested CPU."""
    spec.setdefault("minReplicas", 1)
    target = {"type": "Utilization", "averageUtilization": 80}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    spec.setdefault("metrics", [metric])
    if "behavior" in spec:
        _behavior(spec["behavior"])


def _behavior(behavior: Struct) -> None:
    """SetDefaults_HorizontalPodAutoscalerBehavior, with copyHPAScalingRules."""
    double = {"type": "Percent", "value": 100, "periodSeconds": 15}
    up = behavior.setdefault("scaleUp", {})
    up.setdefault("stabilizationWindowSeconds", 0)
    up.setdefault("selectPolicy", "Max")
    four = {"type": "Pods", "value": 4, "periodSeconds": 15}
    up.setdefault("policies", [four, dict(double)])
    down = behavior.setdefault("scaleDown", {})
    down.setdefault("selectPolicy", "Max")
    down.setdefault("policies", [dict(double)])
