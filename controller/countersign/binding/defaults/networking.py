"""Defaults of the group networking.k8s.io; an Ingress has none.

Source:
    pkg/apis/networking/v1/defaults.go
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct


@default_of("networking/v1.NetworkPolicySpec")
def network_policy_spec(spec: Struct) -> None:
    """SetDefaults_NetworkPolicy: Egress only if there are egress rules."""
    egress = ["Egress"] if "egress" in spec else []
    spec.setdefault("policyTypes", ["Ingress", *egress])


# SetDefaults_NetworkPolicyPort
scalars_of("networking/v1.NetworkPolicyPort", protocol="TCP")

# SetDefaults_IngressClass
scalars_of("networking/v1.IngressClassParametersReference", scope="Cluster")
