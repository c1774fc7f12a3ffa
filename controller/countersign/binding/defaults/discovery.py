"""Defaults of the group discovery.k8s.io.

Source:
    pkg/apis/discovery/v1/defaults.go
"""

from countersign.binding.defaults.registry import scalars_of

# SetDefaults_EndpointPort
scalars_of("discovery/v1.EndpointPort", name="", protocol="TCP")
