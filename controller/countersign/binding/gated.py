"""Fields that a server drops in silence while a feature gate is off.

It does so before anyone sees the object, even under ``fieldValidation=Strict``: what was
signed with such a field cannot be admitted there. Gates are configuration, so this is a
hint for people and never part of a judgement.

Source:
    ``+featureGate`` of k8s.io/api v0.37.2 with the defaults of
    kubernetes/pkg/features/kube_features.go and apiserver/pkg/features, v1.37.2.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from countersign.binding.tables import (
    KINDS,
    TYPES,
    ListOf,
    MapOf,
    Shape,
    Structure,
    kind_key,
)
from countersign.binding.tree import Value, token
from countersign.core.types.artifacts import Tree

_USER_FIELDS = (
    "SecretVolumeSource/defaultUser ConfigMapVolumeSource/defaultUser "
    "ProjectedVolumeSource/defaultUser DownwardAPIVolumeSource/defaultUser "
    "ServiceAccountTokenProjection/user ClusterTrustBundleProjection/user "
    "PodCertificateProjection/user KeyToPath/user DownwardAPIVolumeFile/user"
)

# The fields of each gate, and the first minor that has it on; None: none yet.
_GATES: tuple[tuple[str, str, int | None, str], ...] = (
    ("AtomicWriteVolumeUserFields", "core/v1", None, _USER_FIELDS),
    (
        "ClusterTrustBundleProjection",
        "core/v1",
        37,
        "VolumeProjection/clusterTrustBundle",
    ),
    ("ContainerRestartRules", "core/v1", 35, "Container/restartPolicyRules"),
    ("ContainerStopSignals", "core/v1", None, "Lifecycle/stopSignal"),
    (
        "CrossNamespaceVolumeDataSource",
        "core/v1",
        None,
        "TypedObjectReference/namespace",
    ),
    ("EmptyDirVolumeMode", "core/v1", None, "EmptyDirVolumeSource/mode"),
    ("EnvFiles", "core/v1", 35, "EnvVarSource/fileKeyRef"),
    ("EvictionRequestAPI", "core/v1", None, "PodSpec/evictionResponders"),
    ("GRPCContainerProbeTLS", "core/v1", None, "GRPCAction/mode"),
    ("GenericWorkload", "core/v1", None, "PodSpec/schedulingGroup PodSpec/workloadRef"),
    ("H2CContainerProbe", "core/v1", None, "HTTPGetAction/protocol"),
    ("HPAConfigurableTolerance", "autoscaling/v2", 35, "HPAScalingRules/tolerance"),
    ("HostnameOverride", "core/v1", 35, "PodSpec/hostnameOverride"),
    ("ImageVolume", "core/v1", 35, "Volume/image"),
    (
        "MaxUnavailableStatefulSet",
        "apps/v1",
        37,
        "RollingUpdateStatefulSetStrategy/maxUnavailable",
    ),
    (
        "MutableCSINodeAllocatableCount",
        "storage/v1",
        35,
        "CSIDriverSpec/nodeAllocatableUpdatePeriodSeconds",
    ),
    # its own marker names a gate that there is not, PodCertificateProjection
    ("PodCertificateRequest", "core/v1", 37, "VolumeProjection/podCertificate"),
    ("VolumeBindMountOptions", "core/v1", None, "VolumeMount/bindMountOptions"),
    (
        "VolumeLimitScaling",
        "storage/v1",
        37,
        "CSIDriverSpec/preventPodSchedulingIfMissing",
    ),
    ("WorkloadWithJob", "batch/v1", None, "JobSpec/scheduling"),
)

GATED: Mapping[tuple[str, str], tuple[str, int | None]] = MappingProxyType(
    {
        (f"{package}.{type_name}", name): (gate, since)
        for gate, package, since, fields in _GATES
        for type_name, _, name in (field.partition("/") for field in fields.split())
    }
)
"""Gate, and first minor that has it on, by Go type and field."""


def gated(tree: Tree) -> Iterator[tuple[str, str, int | None]]:
    """Yield (pointer, gate, first minor) of each field that a gate may take away.

    Raises:
        Malformed: no apiVersion or kind.
    """
    kind = KINDS.get(kind_key(tree))
    if kind is not None:
        yield from _walk(tree, Structure(pointer=False, type=kind.type), "")


def _walk(
    value: Value, shape: Shape, path: str
) -> Iterator[tuple[str, str, int | None]]:
    match shape:
        case Structure(type=name) if type(value) is dict:
            for key, item in value.items():
                below = TYPES[name].get(key)
                if found := GATED.get((name, key)):
                    yield f"{path}/{key}", *found
                if below is not None:
                    yield from _walk(item, below, f"{path}/{key}")
        case ListOf(item=each) if type(value) is list:
            for index, item in enumerate(value):
                yield from _walk(item, each, f"{path}/{index}")
        case MapOf(item=each) if type(value) is dict:
            for key, item in value.items():
                yield from _walk(item, each, f"{path}/{token(key)}")
