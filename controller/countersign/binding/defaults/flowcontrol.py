"""Defaults of the group flowcontrol.apiserver.k8s.io.

Source:
    pkg/apis/flowcontrol/v1/defaults.go
"""

from countersign.binding.defaults.registry import scalars_of

# SetDefaults_FlowSchemaSpec
scalars_of("flowcontrol/v1.FlowSchemaSpec", matchingPrecedence=1000)

# SetDefaults_ExemptPriorityLevelConfiguration
scalars_of(
    "flowcontrol/v1.ExemptPriorityLevelConfiguration",
    nominalConcurrencyShares=0,
    lendablePercent=0,
)

# SetDefaults_LimitedPriorityLevelConfiguration
scalars_of(
    "flowcontrol/v1.LimitedPriorityLevelConfiguration",
    nominalConcurrencyShares=30,
    lendablePercent=0,
)

# SetDefaults_QueuingConfiguration
scalars_of(
    "flowcontrol/v1.QueuingConfiguration", queues=64, handSize=8, queueLengthLimit=50
)
