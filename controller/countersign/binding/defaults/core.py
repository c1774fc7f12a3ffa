"""Defaults of the core group, except Pods (`countersign.binding.defaults.pods`).

Source:
    pkg/apis/core/v1/defaults.go
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.scalars import encode_base64
from countersign.binding.tree import Struct


@default_of("core/v1.Service")
def service(tree: Struct) -> None:
    """SetDefaults_Service, and what the type of a Service forbids."""
    spec = tree.setdefault("spec", {})
    kind = spec.setdefault("type", "ClusterIP")
    _session_affinity(spec)
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        if port.get("targetPort", "") == "" and "port" in port:
            port["targetPort"] = port["port"]
    # service.ExternallyAccessible in pkg/api/v1/service/util.go
    if kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and spec.get("externalIPs")
    ):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    elif spec.get("internalTrafficPolicy") == "Cluster":
        # dropped on read: defaultOnReadInternalTrafficPolicy and dropTypeDependentFields
        del spec["internalTrafficPolicy"]


def _session_affinity(spec: Struct) -> None:
    affinity = spec.setdefault("sessionAffinity", "None")
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        client = spec.get("sessionAffinityConfig", {}).get("clientIP", {})
        if "timeoutSeconds" not in client:
            config = {"clientIP": {"timeoutSeconds": 10800}}
            spec["sessionAffinityConfig"] = config


@default_of("core/v1.Secret")
def secret(tree: Struct) -> None:
    """SetDefaults_Secret; ``stringData`` is merged by Convert_v1_Secret_To_core_Secret."""
    tree.setdefault("type", "Opaque")
    plain = tree.pop("stringData", {})
    if plain:
        written = {key: encode_base64(value.encode()) for key, value in plain.items()}
        tree["data"] = {**tree.get("data", {}), **written}


@default_of("core/v1.ServiceAccount")
def service_account(tree: Struct) -> None:
    """Keep only the names in ``secrets``: cleanSecretReferences in the strategy.

    Source:
        pkg/registry/core/serviceaccount/strategy.go
    """
    if "secrets" in tree:
        tree["secrets"] = [
            {"name": secret["name"]} if "name" in secret else {}
            for secret in tree["secrets"]
        ]


@default_of("core/v1.Namespace")
def namespace(tree: Struct) -> None:
    """SetDefaults_Namespace: the one label that names a namespace for sure."""
    metadata = tree.setdefault("metadata", {})
    if "name" in metadata:
        labels = metadata.setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = metadata["name"]


@default_of("core/v1.ReplicationController")
def replication_controller(tree: Struct) -> None:
    """SetDefaults_ReplicationController; replicas are defaulted declaratively."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    labels = spec.get("template", {}).get("metadata", {}).get("labels")
    if labels:
        spec.setdefault("selector", dict(labels))
        tree.setdefault("metadata", {}).setdefault("labels", dict(labels))


@default_of("core/v1.PersistentVolume")
def persistent_volume(tree: Struct) -> None:
    """SetDefaults_PersistentVolume: not for a volume inside a VolumeAttachment."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")


@default_of("core/v1.NodeSpec")
def node_spec(spec: Struct) -> None:
    """Convert_v1_NodeSpec_To_core_NodeSpec and back: the old field is the first."""
    first, ranges = spec.get("podCIDR"), spec.get("podCIDRs", [])
    if first and (not ranges or ranges[0] != first):
        spec["podCIDRs"] = [first]
    elif ranges:
        spec["podCIDR"] = ranges[0]


@default_of("core/v1.LimitRangeItem")
def limit_range_item(form: Struct) -> None:
    """SetDefaults_LimitRangeItem: limits from max, requests from limits, then min."""
    if form.get("type") != "Container":
        return
    limits = {**form.get("max", {}), **form.get("default", {})}
    requests = {**form.get("min", {}), **limits, **form.get("defaultRequest", {})}
    if limits:
        form["default"] = limits
    if requests:
        form["defaultRequest"] = requests


# SetDefaults_Endpoints
scalars_of("core/v1.EndpointPort", protocol="TCP")
