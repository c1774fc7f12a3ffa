"""Defaults of groups that have a rule or two.

Source:
    pkg/apis/{authentication,certificates,scheduling}/*/defaults.go; where no function
    is named, the declarative defaults in zz_generated.defaults.go beside them.
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct

# SetDefaults_TokenRequestSpec: an hour
scalars_of("authentication/v1.TokenRequestSpec", expirationSeconds=3600)

# a day
for _version in ("v1", "v1beta1", "v1alpha1"):
    scalars_of(
        f"certificates/{_version}.PodCertificateRequestSpec",
        maxExpirationSeconds=86400,
    )

# SetDefaults_PriorityClass
scalars_of("scheduling/v1.PriorityClass", preemptionPolicy="PreemptLowerPriority")


@default_of(
    "scheduling/v1beta1.PodGroup",
    "scheduling/v1alpha3.PodGroup",
    "scheduling/v1alpha3.CompositePodGroup",
)
def pod_group(tree: Struct) -> None:
    """SetDefaults_PodGroup, SetDefaults_CompositePodGroup; not in a Workload.

    The policy of preemption is behind a feature gate that is off, and written by the
    plugin Priority where it is on.
    """
    tree.setdefault("spec", {}).setdefault("disruptionMode", {"single": {}})
