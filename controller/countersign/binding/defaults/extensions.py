"""Defaults of the groups that extend the API: definitions and aggregated services.

Source:
    k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go;
    k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/defaults.go
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct


@default_of("apiextensions/v1.CustomResourceDefinitionSpec")
def definition_spec(spec: Struct) -> None:
    """SetDefaults_CustomResourceDefinitionSpec: names from the kind, no conversion."""
    names = spec.get("names", {})
    if "kind" in names:
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", names["kind"] + "List")
    spec.setdefault("conversion", {"strategy": "None"})


# SetDefaults_ServiceReference, of conversion webhooks
scalars_of("apiextensions/v1.ServiceReference", port=443)

# SetDefaults_ServiceReference, of API services
scalars_of("apiregistration/v1.ServiceReference", port=443)
