"""Defaults of the group storage.k8s.io.

Source:
    pkg/apis/storage/v1/defaults.go
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct

# SetDefaults_StorageClass
scalars_of(
    "storage/v1.StorageClass", reclaimPolicy="Delete", volumeBindingMode="Immediate"
)


@default_of("storage/v1.CSIDriverSpec")
def driver_spec(spec: Struct) -> None:
    """SetDefaults_CSIDriver; the last is behind VolumeLimitScaling, on since 1.37."""
    spec.setdefault("attachRequired", True)
    spec.setdefault("podInfoOnMount", False)
    spec.setdefault("storageCapacity", False)
    spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
    spec.setdefault("volumeLifecycleModes", ["Persistent"])
    spec.setdefault("requiresRepublish", False)
    spec.setdefault("seLinuxMount", False)
    spec.setdefault("preventPodSchedulingIfMissing", False)
