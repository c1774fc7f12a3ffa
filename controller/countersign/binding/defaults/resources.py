"""Defaults of the group resource.k8s.io: claims on devices.

``timeAdded`` of a taint is not here: the server writes the present time there
(`countersign.binding.allocation.others`).

Source:
    pkg/apis/resource/{v1,v1beta2,v1beta1,v1alpha3}/defaults.go; where no function is
    named, the declarative defaults in zz_generated.defaults.go beside them.
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct


@default_of(
    "resource/v1.ExactDeviceRequest",
    "resource/v1.DeviceSubRequest",
    "resource/v1beta2.ExactDeviceRequest",
    "resource/v1beta2.DeviceSubRequest",
    "resource/v1beta1.DeviceSubRequest",
)
def device_request(form: Struct) -> None:
    """SetDefaults_ExactDeviceRequest, SetDefaults_DeviceSubRequest: one device."""
    if form.setdefault("allocationMode", "ExactCount") == "ExactCount":
        form.setdefault("count", 1)


@default_of("resource/v1beta1.DeviceRequest")
def old_device_request(form: Struct) -> None:
    """SetDefaults_DeviceRequest of v1beta1: without a class it has subrequests."""
    if "deviceClassName" in form:
        device_request(form)


for _version in ("v1", "v1beta2", "v1beta1"):
    scalars_of(f"resource/{_version}.DeviceToleration", operator="Equal")

# SetDefaults_ResourcePoolStatusRequestSpec
scalars_of("resource/v1alpha3.ResourcePoolStatusRequestSpec", limit=100)
