"""Defaults of the group autoscaling, version v2.

Source:
    pkg/apis/autoscaling/v2/defaults.go
"""

from countersign.binding.defaults.registry import default_of
from countersign.binding.tree import Struct


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
