"""Defaults of the group batch.

``SetDefaults_Job`` is for Jobs alone: the template in a CronJob gets none of it.

Source:
    pkg/apis/batch/v1/defaults.go
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct

_MAX_INT32 = 2**31 - 1


@default_of("batch/v1.Job")
def job(tree: Struct) -> None:
    """SetDefaults_Job."""
    spec = tree.setdefault("spec", {})
    if "parallelism" not in spec:
        spec.setdefault("completions", 1)
    spec.setdefault("parallelism", 1)
    by_index = "backoffLimitPerIndex" in spec
    spec.setdefault("backoffLimit", _MAX_INT32 if by_index else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    failed_only = "podFailurePolicy" in spec
    replacement = "Failed" if failed_only else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", replacement)
    labels = spec.get("template", {}).get("metadata", {}).get("labels")
    if labels:
        tree.setdefault("metadata", {}).setdefault("labels", dict(labels))


# SetDefaults_PodFailurePolicyOnPodConditionsPattern
scalars_of("batch/v1.PodFailurePolicyOnPodConditionsPattern", status="True")

# SetDefaults_CronJob
scalars_of(
    "batch/v1.CronJobSpec",
    concurrencyPolicy="Allow",
    suspend=False,
    successfulJobsHistoryLimit=3,
    failedJobsHistoryLimit=1,
)
