"""What the API server itself writes into objects beyond defaults, each value checked.

By the time a validating webhook is called everything is allocated: addresses, ports,
generated labels, what the admission plugins inject. Each rule computes the value the
server must have written, or, where it had a choice, checks that the value lies in the
set it chose from. Nothing is a wildcard.
"""

from collections.abc import Callable, Mapping

from countersign.binding.allocation.devices import complete_taints
from countersign.binding.allocation.jobs import complete_job
from countersign.binding.allocation.others import (
    complete_attributes_class,
    complete_claim,
    complete_daemon_set,
    complete_ingress,
    complete_namespace,
    complete_node,
    complete_signing_request,
    complete_volume,
)
from countersign.binding.allocation.pods import complete_pod, complete_pod_group
from countersign.binding.allocation.services import complete_service
from countersign.binding.comparison import Comparison

ALLOCATIONS: Mapping[str, Callable[[Comparison], None]] = {
    "v1/Namespace": complete_namespace,
    "v1/Node": complete_node,
    "v1/PersistentVolume": complete_volume,
    "v1/PersistentVolumeClaim": complete_claim,
    "v1/Pod": complete_pod,
    "v1/Service": complete_service,
    "apps/v1/DaemonSet": complete_daemon_set,
    "batch/v1/Job": complete_job,
    "certificates.k8s.io/v1/CertificateSigningRequest": complete_signing_request,
    "networking.k8s.io/v1/Ingress": complete_ingress,
    "scheduling.k8s.io/v1beta1/PodGroup": complete_pod_group,
    "scheduling.k8s.io/v1alpha3/PodGroup": complete_pod_group,
    "storage.k8s.io/v1/VolumeAttributesClass": complete_attributes_class,
    **{
        f"resource.k8s.io/{version}/{kind}": complete_taints
        for version in ("v1", "v1beta2", "v1beta1", "v1alpha3")
        for kind in ("DeviceTaintRule", "ResourceSlice")
    },
}
"""The rule of each kind into which the server allocates."""
