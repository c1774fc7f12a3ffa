"""Defaults of the core group for Pods and Pod templates.

Source:
    pkg/apis/core/v1/defaults.go; where no function is named, the declarative
    defaults in pkg/apis/core/v1/zz_generated.defaults.go.
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.references import parse_reference
from countersign.binding.tree import Struct, Value


@default_of("core/v1.PodSpec")
def pod_spec(spec: Struct) -> None:
    """SetDefaults_PodSpec: the deprecated alias follows ``serviceAccountName``."""
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")


@default_of("core/v1.Pod")
def pod(tree: Struct) -> None:
    """SetDefaults_Pod: what holds for Pods and not for templates.

    The defaulting of ``spec.resources`` is not here: the server does it after its
    admission plugins (`countersign.binding.allocation.pods`).
    """
    spec = tree.setdefault("spec", {})
    spec.setdefault("enableServiceLinks", True)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for container in spec.get("containers", []) + spec.get("initContainers", []):
        resources = container.get("resources", {})
        if "limits" in resources:
            requests = resources.get("requests", {})
            resources["requests"] = {**resources["limits"], **requests}
        if spec.get("hostNetwork"):
            for port in container.get("ports", []):
                if "containerPort" in port:
                    port.setdefault("hostPort", port["containerPort"])


@default_of("core/v1.Container", "core/v1.EphemeralContainer")
def container(form: Struct) -> None:
    """SetDefaults_Container and SetDefaults_EphemeralContainer."""
    form.setdefault("imagePullPolicy", _pull_policy(form.get("image", "")))
    form.setdefault("terminationMessagePath", "/dev/termination-log")
    form.setdefault("terminationMessagePolicy", "File")


@default_of("core/v1.ImageVolumeSource")
def image_volume(form: Struct) -> None:
    """SetDefaults_Volume, for the source ``image``."""
    form.setdefault("pullPolicy", _pull_policy(form.get("reference", "")))


def _pull_policy(image: Value) -> str:
    """Return Always for the tag ``latest``, said or meant.

    A reference that does not parse has no tag: the server ignores the error.
    """
    reference = parse_reference(image)
    if reference is None:
        return "IfNotPresent"
    latest = reference.tag == "latest" or not (reference.tag or reference.digest)
    return "Always" if latest else "IfNotPresent"


@default_of("core/v1.Volume")
def volume(form: Struct) -> None:
    """SetDefaults_Volume: a volume without a source is an empty directory."""
    if not form.keys() - {"name"}:
        form["emptyDir"] = {}


scalars_of("core/v1.ContainerPort", protocol="TCP")
scalars_of("core/v1.FileKeySelector", optional=False)
scalars_of("core/v1.GRPCAction", service="")

# SetDefaults_Probe, SetDefaults_HTTPGetAction, SetDefaults_ObjectFieldSelector
scalars_of(
    "core/v1.Probe",
    timeoutSeconds=1,
    periodSeconds=10,
    successThreshold=1,
    failureThreshold=3,
)
scalars_of("core/v1.HTTPGetAction", path="/", scheme="HTTP")
scalars_of("core/v1.ObjectFieldSelector", apiVersion="v1")

# SetDefaults_HostPathVolumeSource sets a pointer to the empty string
scalars_of("core/v1.HostPathVolumeSource", type="")

# SetDefaults_{Secret,ConfigMap,DownwardAPI,Projected}VolumeSource: 0644
for _source in ("Secret", "ConfigMap", "DownwardAPI", "Projected"):
    scalars_of(f"core/v1.{_source}VolumeSource", defaultMode=0o644)

# SetDefaults_ServiceAccountTokenProjection: an hour
scalars_of("core/v1.ServiceAccountTokenProjection", expirationSeconds=3600)

# SetDefaults_PersistentVolumeClaimSpec, also in ephemeral volumes
scalars_of("core/v1.PersistentVolumeClaimSpec", volumeMode="Filesystem")

for _source in ("", "Persistent"):
    scalars_of(f"core/v1.ISCSI{_source}VolumeSource", iscsiInterface="default")
    scalars_of(
        f"core/v1.RBD{_source}VolumeSource",
        pool="rbd",
        user="admin",
        keyring="/etc/ceph/keyring",
    )
    scalars_of(
        f"core/v1.ScaleIO{_source}VolumeSource",
        storageMode="ThinProvisioned",
        fsType="xfs",
    )
scalars_of(
    "core/v1.AzureDiskVolumeSource",
    cachingMode="ReadWrite",
    fsType="ext4",
    readOnly=False,
    kind="Shared",
)
